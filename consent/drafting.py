"""Edits of a draft: plain data that may have mistakes and is never lost for them; pure.

Its rule: what other parts of the document say of a category or a language moves along with it.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import msgspec

from consent import appearance, catalogue, paths, shape
from consent import policy as policies
from consent.errors import Invalid
from consent.lean import known_service, lean, lean_tables, said
from consent.model import Appearance, Policy
from consent.policy_rules import broken_rules
from consent.shape import Mistake

Document = dict[str, Any]

SIGNALS = ("google", "uet", "clarity")
WORDS = ("name", "purpose")
UNKNOWN = "…"
"""Stands in a preview where words are missing still."""
MOST_TRIES = 9


def mistakes(document: Document) -> tuple[Mistake, ...]:
    """Everything that keeps a draft from being published.

    Rules are applied to what has the right shape only; those of the looks always, for they are what one sees.
    """
    try:
        policies.read(document)
    except Invalid as error:
        has_looks = any(path.startswith("appearance") for path, _ in error.mistakes)
        looks = msgspec.convert({} if has_looks else document.get("appearance", {}), Appearance)
        return (*error.mistakes, *appearance.faults(looks))
    return ()


def tidy(document: Document) -> Document:
    """The same draft in as few words as possible; as it is where it has mistakes."""
    return document if mistakes(document) else lean(policies.read(document))


def showable(document: Document, instead: Policy) -> Policy:
    """A completed policy near to the draft: what has mistakes is left out, so that the rest can be looked at.

    Colours that could not be read stay, for they are to be seen; `instead` gives what every policy needs.
    """
    plain = deepcopy(document)
    for _ in range(MOST_TRIES):
        wrong = _in_the_way(plain)
        if not wrong:
            return policies.complete(msgspec.convert(plain, Policy))
        for path in reversed(wrong):
            _leave_out(plain, path, instead)
    return policies.complete(instead)


def rename_category(document: Document, old: str, new: str) -> None:
    """Let services and signals follow a category that has its new id already."""
    ids = [old if category.get("id") == new else category.get("id") for category in _tables(document["categories"])]
    for service in _tables(document.get("services")):
        known = catalogue.find(str(service.get("id")))
        usual = next((id for id in known.categories if id in ids), None) if known else None
        if service.get("category", usual) == old:
            service["category"] = new
    for name in SIGNALS:
        mapping = paths.get(document, f"signals.{name}", {})
        if isinstance(mapping, dict) and old in mapping:
            document["signals"][name] = {new if id == old else id: types for id, types in mapping.items()}
    heard = paths.get(document, "signals.gpc")
    if isinstance(heard, list):
        document["signals"]["gpc"] = [new if id == old else id for id in heard]


def drop_category(document: Document, position: int) -> None:
    """Take a category away with what signals say of it; its services stay, and ask for another."""
    gone = document["categories"].pop(position)
    for name in SIGNALS:
        mapping = paths.get(document, f"signals.{name}", {})
        if isinstance(mapping, dict):
            mapping.pop(gone.get("id"), None)
    heard = paths.get(document, "signals.gpc")
    if isinstance(heard, list):
        document["signals"]["gpc"] = [id for id in heard if id != gone.get("id")]


def speak(document: Document, languages: Sequence[str]) -> None:
    """Change the languages; words of those that go are dropped, but where they were the only ones."""
    document["languages"] = [*languages]
    texts = document.get("texts")
    if isinstance(texts, dict):
        document["texts"] = {tag: words for tag, words in texts.items() if tag in languages}

    def keep(table: Document, name: str, _: str) -> None:
        left = {tag: words for tag, words in table[name].items() if tag in languages}
        only = {languages[0]: next(iter(table[name].values()))} if table[name] and languages else {}
        table[name] = left or only

    paths.each_words(document, keep)


def open_service(document: Document, position: int, whole: Policy) -> None:
    """Write out what a service leaves to the catalogue, so that it can be edited; `tidy` is the way back."""
    service = document["services"][position]
    if catalogue.find(str(service.get("id"))):
        usual = lean_tables(said(known_service(whole, service["id"])), whole.languages)
        document["services"][position] = {**usual, **service}


def _in_the_way(plain: Document) -> list[str]:
    """Paths of the mistakes that keep a banner from being drawn."""
    wrong = [path for path, _ in shape.mistakes(plain, Policy)]
    if wrong:
        return wrong
    drawn = ("appearance.light.", "appearance.dark.")
    return [path for path, _ in broken_rules(msgspec.convert(plain, Policy)) if not path.startswith(drawn)]


def _leave_out(plain: Document, path: str, instead: Policy) -> None:
    way = paths.steps(path)
    if paths.get(plain, path) is not None:
        paths.drop(plain, path)
    elif len(way) == 1:
        plain[path] = msgspec.to_builtins(getattr(instead, path))
    elif way[-1] in WORDS:
        paths.put(plain, path, UNKNOWN)
    else:
        paths.drop(plain, path[: max(path.rfind("."), path.rfind("["))])


def _tables(items: Any) -> list[Document]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
