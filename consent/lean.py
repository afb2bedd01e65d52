"""A policy in as few words as it can be said: what its owner wrote, without what would be filled in anyway; pure.

Its rule: completing the lean document gives the completed policy again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from consent import catalogue, i18n
from consent import policy as policies
from consent.model import Category, Policy, Service

Words = dict[str, str]
SIGNALS = ("google", "uet", "clarity", "gpc")
"""Those that have a usual mapping of their own."""


def lean(policy: Policy) -> dict[str, Any]:
    """The plain data of a policy, each text a table of language -> words, with nothing that goes without saying."""
    whole = policies.complete(policy)
    document = said(whole)
    document["categories"] = [_category(whole, category) for category in whole.categories]
    document["services"] = [_service(whole, service) for service in whole.services]
    document["texts"] = _texts(whole)
    if isinstance(whole.privacy_url, dict):
        document["privacy_url"] = lean_words(whole.languages, {}, whole.privacy_url)
    for name in SIGNALS:
        if _is_usual(whole, name):
            document["signals"].pop(name, None)
    return {name: value for name, value in document.items() if value not in ({}, [])}


def lean_words(languages: Sequence[str], built_in: Words, words: Words) -> Words:
    """The least table that says the same in every language."""
    kept: Words = {}
    for language in sorted(languages, key=lambda tag: (tag != languages[0], len(i18n.parents(tag)))):
        if fallback(languages, built_in | kept, language) != words[language]:
            kept[language] = words[language]
    return kept


def fallback(languages: Sequence[str], words: Mapping[str, str], language: str) -> str:
    """What stands in a language: its own words, its parent's, or those of the first language; '' without any."""
    own = next((words[tag] for tag in i18n.parents(language) if words.get(tag)), "")
    first = words.get(languages[0], "") if languages else ""
    return own or first or next(iter(words.values()), "")


def built_in(id: str, field: str, languages: Sequence[str]) -> Words:
    """The shipped words of a category in each language; none for an id of one's own."""
    shipped = {language: i18n.locale(language).categories.get(id) for language in languages}
    return {language: getattr(words, field) for language, words in shipped.items() if words}


def texts_without(texts: Mapping[str, Any], language: str) -> Words:
    """The texts that a language has without any of its own: the shipped ones, and its parents' over them."""
    words = dict(i18n.locale(language).texts)
    for tag in reversed([tag for tag in i18n.parents(language) if tag != language]):
        words |= texts.get(tag, {})
    return words


def said(value: Any) -> Any:
    """Plain data without the fields that have their defaults."""
    if isinstance(value, msgspec.Struct):
        own = [one.name for one in msgspec.structs.fields(value) if _deviates(value, one)]
        return {name: said(getattr(value, name)) for name in own}
    if isinstance(value, list):
        return [said(one) for one in value]
    return {name: said(one) for name, one in value.items()} if isinstance(value, dict) else value


def _texts(whole: Policy) -> dict[str, Words]:
    kept: dict[str, Words] = {}
    for language in sorted(whole.languages, key=lambda tag: len(i18n.parents(tag))):
        usual = texts_without(kept, language)
        kept[language] = {key: word for key, word in whole.texts[language].items() if word != usual.get(key)}
    return {language: kept[language] for language in whole.languages if kept[language]}


def _category(whole: Policy, category: Category) -> dict[str, Any]:
    document = said(category)
    for field in ("name", "purpose"):
        usual = built_in(category.id, field, whole.languages)
        words = lean_words(whole.languages, usual, document.pop(field))
        document |= {field: words} if words else {}
    return document


def _service(whole: Policy, service: Service) -> dict[str, Any]:
    document = lean_tables(said(service), whole.languages)
    if catalogue.find(service.id) is None:
        return document
    usual = lean_tables(said(known_service(whole, service.id)), whole.languages)
    return {name: value for name, value in document.items() if name == "id" or value != usual.get(name)}


def known_service(policy: Policy, id: str) -> Service:
    """A service of the catalogue as it stands in a policy that says nothing but its id."""
    return policies.complete_service(policy, policies.from_catalogue(policy, Service(id)))


def lean_tables(service: dict[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """The plain data of a completed service with the least tables."""
    cookies = [{**one, "purpose": lean_words(languages, {}, one["purpose"])} for one in service.get("cookies", [])]
    lists = {"cookies": cookies} if cookies else {}
    return {**service, "purpose": lean_words(languages, {}, service["purpose"]), **lists}


def _is_usual(whole: Policy, name: str) -> bool:
    without = msgspec.structs.replace(whole, signals=msgspec.structs.replace(whole.signals, **{name: None}))
    return getattr(policies.complete_signals(without), name) == getattr(whole.signals, name)


def _deviates(value: msgspec.Struct, field: msgspec.structs.FieldInfo) -> bool:
    held = getattr(value, field.name)
    if field.default_factory is not msgspec.NODEFAULT:
        return held != field.default_factory()
    return held is not None and held != field.default
