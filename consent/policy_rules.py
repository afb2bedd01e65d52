"""What a well-formed policy must still get right; each rule yields (path, what would be right)."""

import re
from collections.abc import Iterator
from ipaddress import IPv6Address
from operator import attrgetter
from typing import Any

import msgspec
import rfc8785

from consent import appearance, catalogue, i18n
from consent.fields import HIDDEN
from consent.model import Policy, Service
from consent.shape import Mistake, join, nearest

FUNCTION = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*")
ADDRESS = re.compile(r"https?://[^\s<>\"']+")

EXPORT_COLUMNS = frozenset(
    [
        "index",
        "id",
        "recorded_at",
        "subject",
        "policy",
        "language",
        "regime",
        "country",
        "action",
        "surface",
        "services",
        "gpc",
        "valid_until",
        "previous",
        "receipt",
    ]
)
"""The fixed columns of an export; each category gets one beside them."""

COOKIE_BYTES = 499
"""The consent cookie stays under 500 bytes (contract, section 1)."""


def broken_rules(policy: Policy) -> Iterator[Mistake]:
    """Every mistake of sense in a policy whose shape is right."""
    for rule in (
        _hidden,
        _ids,
        _export_columns,
        _services,
        _calls,
        _urls,
        _categories,
        _words,
        _privacy_url,
        _texts,
        _signals,
        _origins,
        _languages,
        _cookie_size,
        _appearance,
    ):
        yield from rule(policy)


def _hidden(policy: Policy) -> Iterator[Mistake]:
    def found(value: Any, path: str) -> Iterator[Mistake]:
        if isinstance(value, str) and HIDDEN.search(value):
            yield path, "must have no control characters"
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield from found(inner, join(path, name))
        elif isinstance(value, list):
            for position, inner in enumerate(value):
                yield from found(inner, f"{path}[{position}]")

    yield from found(msgspec.to_builtins(policy), "")


def _ids(policy: Policy) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    named = [(f"categories[{position}].id", category.id) for position, category in enumerate(policy.categories)]
    named += [(f"services[{position}].id", service.id) for position, service in enumerate(policy.services)]
    for path, id in named:
        if id in seen:
            yield path, f"must be unique; {id!r} stands at {seen[id]} already"
        seen.setdefault(id, path)


def _export_columns(policy: Policy) -> Iterator[Mistake]:
    for position, category in enumerate(policy.categories):
        if category.id in EXPORT_COLUMNS:
            yield (
                f"categories[{position}].id",
                f"must be another one; {category.id!r} is a column of the export already",
            )


def _services(policy: Policy) -> Iterator[Mistake]:
    ids = [category.id for category in policy.categories]
    for position, service in enumerate(policy.services):
        yield from _missing(policy, service, f"services[{position}]")
        if service.category and service.category not in ids:
            right = f"must be one of the categories {', '.join(ids)}{nearest(service.category, ids)}"
            yield f"services[{position}].category", right


def _missing(policy: Policy, service: Service, path: str) -> Iterator[Mistake]:
    """What a service leaves out must stand in the catalogue."""
    known = catalogue.find(service.id)
    for field in ("name", "purpose", "provider.name"):
        if known is None and not attrgetter(field)(service):
            yield (
                f"{path}.{field}",
                f"is missing; the catalogue has no {service.id!r}{nearest(service.id, [*catalogue.known()])}",
            )
    if not service.category and known is None:
        yield f"{path}.category", "is missing"
    elif known and not service.category and not {category.id for category in policy.categories} & {*known.categories}:
        yield f"{path}.category", f"is missing; of {', '.join(known.categories)} this policy has none"


def _calls(policy: Policy) -> Iterator[Mistake]:
    for position, service in enumerate(policy.services):
        for side in ("granted", "refused"):
            for number, (function, *words) in enumerate(getattr(service.calls, side)):
                path = f"services[{position}].calls.{side}[{number}]"
                if not (isinstance(function, str) and FUNCTION.fullmatch(function)):
                    yield f"{path}[0]", "must be the path of a function, for example fbq or _paq.push"
                if not _is_json(words):
                    yield path, "must hold only text, numbers, true, false, lists and tables"


def _is_json(words: Any) -> bool:
    """Whether data has a canonical form: dates, endless numbers and the like have none."""
    try:
        return bool(rfc8785.dumps(words))
    except (rfc8785.CanonicalizationError, RecursionError):
        return False


def _urls(policy: Policy) -> Iterator[Mistake]:
    for position, service in enumerate(policy.services):
        for number, pattern in enumerate(service.urls):
            host, _, rest = pattern.partition("://")[-1 if "://" in pattern else 0].partition("/")
            if host == "*" and len(rest.replace("*", "")) < 6:
                yield (
                    f"services[{position}].urls[{number}]",
                    "must have a host, or a path of at least 6 fixed characters",
                )


def _categories(policy: Policy) -> Iterator[Mistake]:
    for position, category in enumerate(policy.categories):
        for field in ("name", "purpose"):
            if getattr(category, field) is None and category.id not in i18n.locale("en").categories:
                yield f"categories[{position}].{field}", f"is missing; {category.id!r} has no built-in words"


def _words(policy: Policy) -> Iterator[Mistake]:
    for path, words in _tables_of_words(policy):
        if not words:
            yield path, "must have words in at least one language"
        for language in words:
            if language not in policy.languages:
                yield f"{path}.{language}", f"must be one of the policy's languages {', '.join(policy.languages)}"


def _tables_of_words(policy: Policy) -> Iterator[tuple[str, dict[str, str]]]:
    places: list[tuple[str, Any]] = [("privacy_url", policy.privacy_url)]
    for position, category in enumerate(policy.categories):
        places += [(f"categories[{position}].{field}", getattr(category, field)) for field in ("name", "purpose")]
    for position, service in enumerate(policy.services):
        places.append((f"services[{position}].purpose", service.purpose))
        places += [
            (f"services[{position}].cookies[{number}].purpose", cookie.purpose)
            for number, cookie in enumerate(service.cookies)
        ]
    return ((path, words) for path, words in places if isinstance(words, dict))


def _privacy_url(policy: Policy) -> Iterator[Mistake]:
    given = policy.privacy_url
    addresses = {"": given} if isinstance(given, str) else given or {}
    for language, address in addresses.items():
        if not ADDRESS.fullmatch(address):
            yield f"privacy_url{'.' if language else ''}{language}", "must be an http or https address"


def _texts(policy: Policy) -> Iterator[Mistake]:
    known = list(i18n.locale("en").texts)
    for language, texts in policy.texts.items():
        if language not in policy.languages:
            right = f"must be one of the policy's languages {', '.join(policy.languages)}"
            yield f"texts.{language}", right
        for key in (key for key in texts if key not in known):
            yield f"texts.{language}.{key}", f"is not known here{nearest(key, known)}"


def _signals(policy: Policy) -> Iterator[Mistake]:
    ids = [category.id for category in policy.categories]
    named = [(f"signals.google.{id}", id) for id in policy.signals.google or {}]
    named += [(f"signals.uet.{id}", id) for id in policy.signals.uet or {}]
    named += [(f"signals.clarity.{id}", id) for id in policy.signals.clarity or {}]
    named += [(f"signals.gpc[{position}]", id) for position, id in enumerate(policy.signals.gpc or [])]
    for path, id in named:
        if id not in ids:
            yield path, f"must be one of the categories {', '.join(ids)}{nearest(id, ids)}"


def _origins(policy: Policy) -> Iterator[Mistake]:
    for position, origin in enumerate(policy.origins):
        rest = origin.partition("://")[2]
        host, _, port = rest.rpartition(":")
        if rest.startswith("[") and not _is_ipv6(rest[1 : rest.index("]")]):
            yield f"origins[{position}]", "must have an IPv6 address between its brackets"
        if port == "*" and host not in ("localhost", "127.0.0.1"):
            yield f"origins[{position}]", "may have any port only on localhost or 127.0.0.1"
        if port.isdigit() and host and int(port) > 65_535:
            yield f"origins[{position}]", "must have a port up to 65535"


def _is_ipv6(host: str) -> bool:
    try:
        return bool(IPv6Address(host))
    except ValueError:
        return False


def _languages(policy: Policy) -> Iterator[Mistake]:
    for position, language in enumerate(policy.languages):
        if language in policy.languages[:position]:
            yield f"languages[{position}]", f"must be unique; {language!r} stands there already"


def _cookie_size(policy: Policy) -> Iterator[Mistake]:
    """Every category must fit into the cookie, taken back as after a withdrawal; services are kept while they fit."""
    head = len("1.999999999.99999999999.") + 22 + 1
    size = head + sum(len(category.id) + 2 for category in policy.categories if not category.necessary)
    if size > COOKIE_BYTES:
        yield "categories", f"need {size} bytes of cookie, {COOKIE_BYTES} is the most: shorten ids or join categories"


def _appearance(policy: Policy) -> Iterator[Mistake]:
    yield from appearance.faults(policy.appearance)
    if policy.appearance.layout == "none" and {*policy.regimes.values()} - {"opt-in"}:
        yield "appearance.layout", "must show something where not everybody is asked first, not 'none'"
