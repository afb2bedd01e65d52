"""A site's policy: read, check, complete, canonical bytes, hash, diff, what is material.

Every mistake of a document is reported together. A published version says everything itself: later software with
other built-in words or defaults must not change what visitors are known to have seen.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import msgspec
import rfc8785

from consent import catalogue, i18n, shape
from consent.errors import Invalid
from consent.fields import ClarityType, GoogleType
from consent.model import Category, Policy, Published, Service, Signals
from consent.policy_rules import broken_rules

GOOGLE: dict[str, tuple[GoogleType, ...]] = {
    "session": ("security_storage",),
    "persistent": ("functionality_storage", "personalization_storage"),
    "analytics": ("analytics_storage",),
    "social": ("ad_storage", "ad_user_data", "ad_personalization"),
    "advertising": ("ad_storage", "ad_user_data", "ad_personalization"),
}
"""Which Google consent types a category speaks for unless the policy says otherwise (docs/policy.md)."""


def read(document: Any) -> Policy:
    """A checked policy from plain data. Raises Invalid with every mistake of shape and sense."""
    mistakes = shape.mistakes(document, Policy)
    if mistakes:
        raise Invalid("The policy has mistakes.", mistakes=tuple(mistakes))
    policy = msgspec.convert(document, Policy)
    broken = tuple(broken_rules(policy))
    if broken:
        raise Invalid("The policy has mistakes.", mistakes=broken)
    return policy


def default(name: str, origins: list[str]) -> Policy:
    """The policy a new site starts with."""
    return Policy(
        name=name,
        origins=origins,
        languages=sorted(i18n.locales(), key=lambda tag: (tag != "en", tag)),
        categories=[Category("session", necessary=True), *map(Category, ("persistent", "analytics", "social"))],
    )


def complete(policy: Policy) -> Policy:
    """The same policy with every default and every text of every language filled in."""
    policy = msgspec.structs.replace(policy, services=[from_catalogue(policy, one) for one in policy.services])
    return msgspec.structs.replace(
        policy,
        categories=[_complete_category(policy, category) for category in policy.categories],
        services=[complete_service(policy, service) for service in policy.services],
        texts={language: _complete_texts(policy, language) for language in policy.languages},
        signals=complete_signals(policy),
        privacy_url=policy.privacy_url and every_language(policy, policy.privacy_url),
    )


def publish(policy: Policy, *, site: str, version: int, material_since: int, changed: Sequence[str] = ()) -> Published:
    """The immutable version of a completed policy, as its canonical bytes say it."""
    fields = msgspec.structs.asdict(policy)
    return load(
        canonical(Published(**fields, site=site, version=version, material_since=material_since, changed=[*changed]))
    )


def canonical(published: Published) -> bytes:
    """The bytes a version is known by: canonical JSON (RFC 8785)."""
    return rfc8785.dumps(msgspec.to_builtins(published))


def load(document: bytes) -> Published:
    """A published version from its canonical bytes."""
    return msgspec.json.decode(document, type=Published)


def draft(published: Published) -> Policy:
    """The policy inside a published version."""
    fields = msgspec.structs.asdict(published)
    return Policy(**{name: fields[name] for name in Policy.__struct_fields__})


def unpublished(document: Any) -> Any:
    """Plain data without what a published version adds."""
    if not isinstance(document, dict):
        return document
    added = set(Published.__struct_fields__) - set(Policy.__struct_fields__)
    return {name: value for name, value in document.items() if name not in added}


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def named(hash: bytes) -> str:
    """A hash as receipts write it: `sha256-` and base64url without padding."""
    return "sha256-" + urlsafe_b64encode(hash).rstrip(b"=").decode()


def hash_named(name: str) -> bytes:
    """The bytes of a hash as addresses and receipts write it, with or without `sha256-`; empty for anything else."""
    try:
        return urlsafe_b64decode(name.removeprefix("sha256-").encode("ascii") + b"=")
    except (ValueError, UnicodeEncodeError):
        return b""


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Policy)}


def every_language(policy: Policy, words: Any) -> dict[str, str]:
    """Words for each language of the policy: its own, its parent's, or those of the first language."""
    if isinstance(words, str):
        return dict.fromkeys(policy.languages, words)
    fallback = words.get(policy.languages[0]) or next(iter(words.values()))
    return {
        language: next((words[tag] for tag in i18n.parents(language) if tag in words), fallback)
        for language in policy.languages
    }


def _complete_category(policy: Policy, category: Category) -> Category:
    return msgspec.structs.replace(
        category,
        name=_words_of_category(policy, category, "name"),
        purpose=_words_of_category(policy, category, "purpose"),
    )


def _words_of_category(policy: Policy, category: Category, field: str) -> dict[str, str]:
    own = getattr(category, field)
    own = dict.fromkeys(policy.languages, own) if isinstance(own, str) else own or {}
    built_in = {
        language: getattr(i18n.locale(language).categories[category.id], field)
        for language in policy.languages
        if category.id in i18n.locale(language).categories
    }
    return every_language(policy, built_in | own)


def from_catalogue(policy: Policy, service: Service) -> Service:
    """A service with what it leaves out taken from the catalogue."""
    known = catalogue.find(service.id)
    if known is None:
        return service
    ids = [category.id for category in policy.categories]
    usual = {name: getattr(known, name) for name in ("name", "provider", "purpose", "urls", "cookies", "calls")}
    usual["category"] = next((id for id in known.categories if id in ids), "")
    default = Service(service.id)
    filled = msgspec.convert({"id": service.id, **{name: usual[name] for name in usual if usual[name]}}, Service)
    own = {name: value for name, value in msgspec.structs.asdict(service).items() if value != getattr(default, name)}
    return msgspec.structs.replace(filled, **own)


def complete_service(policy: Policy, service: Service) -> Service:
    """A service with its words in every language of the policy."""
    cookies = [
        msgspec.structs.replace(cookie, purpose=every_language(policy, cookie.purpose)) for cookie in service.cookies
    ]
    return msgspec.structs.replace(service, purpose=every_language(policy, service.purpose), cookies=cookies)


def _complete_texts(policy: Policy, language: str) -> dict[str, str]:
    words = dict(i18n.locale(language).texts)
    for tag in reversed(i18n.parents(language)):
        words |= policy.texts.get(tag, {})
    return words


def complete_signals(policy: Policy) -> Signals:
    """The signals with what is left out as usual for the policy's categories and services."""
    ids = [category.id for category in policy.categories]
    google, gpc = policy.signals.google, policy.signals.gpc
    if google is None:
        skipped = {"social"} if "advertising" in ids else set()
        google = {id: list(GOOGLE[id]) for id in ids if id in GOOGLE and id not in skipped}
    if gpc is None:
        gpc = [c.id for c in policy.categories if not c.necessary and c.id != "persistent"]
    uet, clarity = policy.signals.uet, policy.signals.clarity
    services = [service.id for service in policy.services]
    if uet is None:
        uet = {id: ["ad_storage"] for id in google if "ad_storage" in google[id]} if "microsoft-uet" in services else {}
    if clarity is None:
        clarity = _clarity(google) if "clarity" in services else {}
    return msgspec.structs.replace(policy.signals, google=google, gpc=gpc, uet=uet, clarity=clarity)


def _clarity(google: dict[str, list[GoogleType]]) -> dict[str, list[ClarityType]]:
    """Clarity's two types after Google's of almost the same names."""
    alike: list[tuple[GoogleType, ClarityType]] = [
        ("ad_storage", "ad_Storage"),
        ("analytics_storage", "analytics_Storage"),
    ]
    mapped = {id: [clarity for type_, clarity in alike if type_ in types] for id, types in google.items()}
    return {id: types for id, types in mapped.items() if types}
