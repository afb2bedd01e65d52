"""The script's bytes per site, policy version, language and regime.

One response carries code, styles, policy and words (contract, section 1); the same input gives the same bytes for
ever, so a receipt can name them by their hash.
"""

import gzip
import hashlib
import threading
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import brotli
import msgspec

from consent import appearance, i18n, origins
from consent.fields import ClarityType, GoogleType, UetType
from consent.model import Appearance, Category, Cookie, Published, Regime, Script, Service, Signals
from consent.regime import regimes

OF_SERVICES = ("services", "provider", "kept", "until_closed", "until_deleted")
WORDS = (
    "accept", "always_allow", "always_on", "body", "close", "dismiss", "download", "gpc", "last_choice", "load_once",
    "placeholder", "placeholder_why", "preferences", "preferences_body", "preferences_title", "reject", "reopen", "save",
    "saved", "title", "withdraw", "changed", "privacy_link", *OF_SERVICES,
)  # fmt: skip
"""The order in which words travel, those last that a policy may lack (banner/texts.js)."""
FORMS = ("banner.js", "plain.js", "banner-across.js", "plain-across.js")
HINT = b"//# allFunctionsCalledOnLoad\n"
"""Tells Chromium to compile everything at once: it takes a quarter less time than function by function."""
SPOKEN: dict[str, tuple[str, ...]] = {"google": get_args(GoogleType), "uet": get_args(UetType), "clarity": get_args(ClarityType)}  # fmt: skip
"""The types of each signal."""
GOOGLE_TAGS = ("google-analytics", "google-ads", "google-tag-manager")
"""Services whose tags Google's advanced mode lets load before consent."""
BODIES: dict[Regime, str] = {"opt-in": "body", "opt-out": "body_opt_out", "notice": "body_notice"}

_one_at_a_time = threading.Lock()
"""Whoever asks for a script while it is compressed waits for that, and does not do it again."""


@cache
def source(name: str = "banner.js") -> bytes:
    """A file of static/: beside the package in a checkout or editable install, inside it when installed.

    `banner.js` is the whole script; `plain.js` leaves out what plain policies do not need.
    """
    packaged = files("consent").joinpath("static", name)
    checkout = Path(__file__).parent.parent / "static" / name
    return packaged.read_bytes() if packaged.is_file() else checkout.read_bytes()


def is_plain(published: Published) -> bool:
    """Whether a policy has no services and speaks to Google alone, as most do: the lighter scripts are enough."""
    return not (published.services or published.signals.uet or published.signals.clarity)


@cache
def code_hash() -> bytes:
    """SHA-256 of the banner's code, all forms of it."""
    return hashlib.sha256(b"".join(map(source, FORMS))).digest()


def scripts(published: Published) -> list[Script]:
    """Every script of a policy version, compressed; the first language's for an unknown place comes first."""
    return [_script(published, language, regime) for language in published.languages for regime in regimes(published)]


def render(published: Published, *, language: str, regime: Regime) -> bytes:
    """The script itself: the code with its one free variable bound to the settings."""
    settings = settings_of(published, language=language, regime=regime)
    name = ("plain" if is_plain(published) else "banner") + "-across" * published.cookie.follow_links
    return HINT + bound(f"{name}.js", settings).encode() + b"\n"


def bound(name: str, settings: dict[str, Any]) -> str:
    """A script of static/ with its one free variable, `$`, bound; it may stand in HTML."""
    said = msgspec.json.encode(settings).decode().replace("<", "\\u003c")
    return f"(function($){{{source(name).decode().strip()}}})({said});"


def brotli_of(gzipped: bytes) -> bytes:
    """A stored script compressed by brotli: some 40 ms, once a process for each script, however many ask for it at once."""
    with _one_at_a_time:
        return _brotli_of(gzipped)


@lru_cache(512)
def _brotli_of(gzipped: bytes) -> bytes:
    return brotli.compress(gzip.decompress(gzipped), mode=brotli.MODE_TEXT)


def settings_of(published: Published, *, language: str, regime: Regime) -> dict[str, Any]:
    """What the script has to know (banner/types.d.ts); only one language's words travel."""
    services = [_service(published, service, language) for service in published.services]
    return {
        "site": published.site,
        "policy": published.version,
        "material_since": published.material_since,
        "valid_days": published.valid_days,
        **({"refusal_days": published.refusal_days} if published.refusal_days else {}),
        "regime": regime,
        "language": language,
        **({"direction": "rtl"} if i18n.locale(language).direction == "rtl" else {}),
        **_kept_as(published),
        "categories": [_category(category, language) for category in published.categories],
        **({"appearance": looks} if (looks := _appearance(published.appearance)) else {}),
        "signals": _signals(published.signals, regime),
        **({} if is_plain(published) else {"services": services, "blocking": msgspec.to_builtins(published.blocking)}),
        **({"privacy_url": _in(language, published.privacy_url)} if published.privacy_url else {}),
        "texts": _in_order(words(published, language, regime)),
    }


def _script(published: Published, language: str, regime: Regime) -> Script:
    body = render(published, language=language, regime=regime)
    return Script(
        site=published.site,
        version=published.version,
        language=language,
        regime=regime,
        code=code_hash(),
        hash=hashlib.sha256(body).digest(),
        gzip=gzip.compress(body, 9, mtime=0),
    )


def words(published: Published, language: str, regime: Regime) -> dict[str, str]:
    """The words of one language; of the three bodies the one that fits the regime, its placeholders filled in."""
    said = dict(published.texts[language])
    bodies = {name: said.pop(name) for name in BODIES.values()}
    _suit(published, said, language=language, regime=regime)
    purposes = ", ".join(_in(language, c.name) for c in published.categories if not c.necessary)
    body = bodies[BODIES[regime]].replace("{days}", _days(published)).replace("{purposes}", purposes)
    return {**said, "body": body}


def _in_order(words: dict[str, str]) -> list[str | None]:
    """Words without their names."""
    said = [words.get(name) for name in WORDS]
    while said[-1] is None:
        said.pop()
    return said


def _days(published: Published) -> str:
    """How long choices hold, in days: `180`, or `90–180` where a refusal holds for another time."""
    return "–".join(map(str, sorted({published.valid_days, published.refusal_days or published.valid_days})))


def _suit(published: Published, words: dict[str, str], *, language: str, regime: Regime) -> None:
    """Only words that can be shown travel; policies of older versions lack the newer ones."""
    honoured, link = words.pop("gpc_opt_out", ""), words.pop("do_not_sell", "")
    if regime != "opt-in":
        words["gpc"] = honoured or words["gpc"]
    if not published.privacy_url:
        words.pop("privacy_link", None)
    if regime == "opt-out":
        words["reopen"] = link or words["reopen"]
    if not published.services:
        for name in OF_SERVICES:
            words.pop(name, None)
    names = {c.id: _in(language, c.name) for c in published.categories} | {s.id: s.name for s in published.services}
    listed = ", ".join(names[id] for id in published.changed if id in names)
    changed = words.pop("changed", "")
    if changed and listed:
        words["changed"] = changed.replace("{names}", listed)


def _appearance(wishes: Appearance) -> dict[str, Any]:
    """What the script itself must know of the looks, and the style sheet that is added."""
    said = {
        "css": appearance.css(wishes),
        "modal": wishes.layout == "modal",
        "bare": wishes.reopen == "none",
        "quiet": wishes.layout == "none",
    }
    return {name: value for name, value in said.items() if value}


def _category(category: Category, language: str) -> dict[str, Any]:
    words = {"name": _in(language, category.name), "purpose": _in(language, category.purpose)}
    return {"id": category.id, **({"necessary": True} if category.necessary else {}), **words}


def held_urls(published: Published, service: Service) -> list[str]:
    """The URL patterns that wait for a service: in Google's advanced mode its own tags do not."""
    basic = published.signals.google_options.mode == "basic"
    return service.urls if basic or service.id not in GOOGLE_TAGS else []


def _service(published: Published, service: Service, language: str) -> dict[str, Any]:
    provider = {"name": service.provider.name, **({"url": service.provider.url} if service.provider.url else {})}
    words = {"name": service.name, "purpose": _in(language, service.purpose), "provider": provider}
    calls = {name: told for name, told in msgspec.to_builtins(service.calls).items() if told}
    lists = {"urls": held_urls(published, service), "kept": [_kept(one) for one in service.cookies], "calls": calls}
    return {
        "id": service.id,
        "category": service.category,
        **words,
        **{name: lists[name] for name in lists if lists[name]},
    }


def _kept(cookie: Cookie) -> dict[str, Any]:
    far = {"far": True} if cookie.http_only or cookie.party == "third" else {}
    return {"name": cookie.name, "kind": cookie.kind, "lifetime": cookie.lifetime, **far}


def _signals(signals: Signals, regime: Regime) -> dict[str, Any]:
    """Only what is spoken and heard travels: where nothing is granted unasked, an opt-out changes nothing."""
    options = msgspec.to_builtins(signals.google_options)
    del options["mode"]
    said: dict[str, Any] = {name: types for name in SPOKEN if (types := spoken(signals, name))}
    if signals.google:
        said["google_options"] = {name: value for name, value in options.items() if value is not False and value != []}
    return said if regime == "opt-in" else {"gpc": signals.gpc, **said}


def spoken(signals: Signals, name: str) -> list[list[str]]:
    """Each type of a signal with the categories that it needs; none where nobody is spoken to."""
    mapped: dict[str, list[str]] = getattr(signals, name) or {}
    return [[type_, *(id for id in mapped if type_ in mapped[id])] for type_ in SPOKEN[name]] if mapped else []


def _in(language: str, words: str | dict[str, str] | None) -> str:
    """Words of a published version, which has them for every language."""
    if not isinstance(words, dict):
        raise TypeError(f"a published version has words by language, not {words!r}")
    return words[language]


def _kept_as(published: Published) -> dict[str, Any]:
    """How the choice is kept in the browser, and whereto it is taken along."""
    cookie = published.cookie
    kept = {"name": cookie.name, **({"domain": cookie.domain} if cookie.domain else {})}
    return {"cookie": kept, **({"follow": origins.expression(published.origins)} if cookie.follow_links else {})}
