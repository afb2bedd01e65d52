"""The languages: loads locales/, negotiates, falls back.

A language is one file; nothing has to be registered.
"""

from collections.abc import Container
from functools import cache, lru_cache
from importlib.resources import files

import msgspec


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A built-in category's words."""

    name: str
    purpose: str


class Locale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's built-in words."""

    language: str
    name: str
    direction: str
    """`ltr` or `rtl`."""
    texts: dict[str, str]
    categories: dict[str, Named]


@cache
def locales() -> dict[str, Locale]:
    """Every shipped language, by tag."""
    found = (path for path in files("consent").joinpath("locales").iterdir() if path.name.endswith(".json"))
    loaded = [msgspec.json.decode(path.read_bytes(), type=Locale) for path in found]
    return {locale.language: locale for locale in sorted(loaded, key=lambda locale: locale.language)}


def locale(language: str) -> Locale:
    """The words of a language, of its parent (`de-AT` -> `de`), or English."""
    return next((locales()[tag] for tag in parents(language) if tag in locales()), locales()["en"])


# Tags that browsers send for what is shipped under another: a macrolanguage's or an older tag (RFC 5646, section 3.1),
# and places where Chinese is written in traditional characters.
ALSO = {"nb": "no", "nn": "no", "iw": "he", "in": "id"} | {f"zh-{place}": "zh-Hant" for place in ("tw", "hk", "mo")}


LONGEST_KEPT = 35
"""Letters of a tag that is remembered; RFC 5646, section 4.4.1, finds no longer one in use."""


def parents(language: str) -> tuple[str, ...]:
    """A tag and what it falls back to, nearest first (RFC 4647, section 3.4), by what else it may be called."""
    return _known_parents(language) if len(language) <= LONGEST_KEPT else _parents(language)


def _parents(language: str) -> tuple[str, ...]:
    parts = language.split("-")
    tags = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return tuple(name for tag in tags for name in (tag, ALSO.get(tag.lower())) if name)


_known_parents = lru_cache(2048)(_parents)


def negotiate(accept_language: str, offered: list[str]) -> str:
    """The offered language that an Accept-Language header asks for first (RFC 9110, section 12.5.4).

    Falls back to the first offered one; a header that cannot be read counts as none.
    """
    by_lower = {tag.lower(): tag for tag in offered}
    for wanted in _ranges(accept_language):
        for tag in _offered(by_lower, wanted):
            return by_lower[tag]
        relatives = [tag for lower, tag in by_lower.items() if lower.startswith(f"{wanted.partition('-')[0]}-")]
        if relatives:
            return relatives[0]
    return offered[0]


def offers(offered: list[str], language: str) -> bool:
    """Whether a language, or what it falls back to, is among those offered; letter case does not matter."""
    return bool(_offered({tag.lower() for tag in offered}, language))


def _offered(by_lower: Container[str], wanted: str) -> list[str]:
    return [tag.lower() for tag in parents(wanted) if tag.lower() in by_lower]


def _ranges(accept_language: str) -> list[str]:
    weighted = []
    for part in accept_language[:1000].lower().split(","):
        tag, _, weight = part.strip().partition(";")
        quality = _quality(weight)
        if tag and tag != "*" and quality > 0:
            weighted.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def _quality(weight: str) -> float:
    if not weight:
        return 1.0
    name, _, value = weight.strip().partition("=")
    try:
        return float(value) if name == "q" else 0.0
    except ValueError:
        return 0.0
