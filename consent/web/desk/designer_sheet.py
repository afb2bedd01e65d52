"""What a page of the designer is drawn from: the draft, its mistakes, what stands where it says nothing, hints.

Its rule: everything is asked for by its path in the document.
"""

import re
from functools import cached_property
from typing import Any

import msgspec

from consent import drafting, i18n, paths
from consent import policy as policies
from consent.appearance import DARK, LIGHT, PAIRS, contrast, toned
from consent.drafts import Draft
from consent.lean import built_in, fallback, lean, texts_without
from consent.model import Policy
from consent.policy_diff import Change, diff, differences
from consent.shape import Mistake
from consent.web.desk.designer_advice import Hint, advice
from consent.web.desk.designer_form import SECTIONS
from consent.web.desk.designer_words import place_in_words
from consent.web.desk.words import language as desk_language

Document = dict[str, Any]
WORDS = re.compile(r"((?:categories|services)\[\d+\].*\.(?:name|purpose)|privacy_url)\.([A-Za-z0-9-]+)")
TEXTS = re.compile(r"texts\.([A-Za-z0-9-]+)\.([a-z_]+)")


class Sheet:
    """A draft as its pages see it."""

    def __init__(self, draft: Draft, published: Policy, *, edit: str = "") -> None:
        self.draft = draft
        self.document: Document = draft.document
        self.published = published
        self._edit = edit

    @cached_property
    def whole(self) -> Policy:
        """The draft completed, without what has mistakes."""
        if self.mistakes:
            return drafting.showable(self.document, self.published)
        return policies.complete(msgspec.convert(self.document, Policy))

    @cached_property
    def language(self) -> str:
        """The language whose words are edited."""
        offered = self.whole.languages
        return self._edit if self._edit in offered else i18n.negotiate(desk_language(), offered)

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        return drafting.mistakes(self.document)

    @cached_property
    def changes(self) -> list[Change]:
        """What publishing the draft would change; nothing where that cannot be said for its mistakes."""
        return [] if self.mistakes else diff(self.published, self.whole)

    @property
    def lost(self) -> int:
        """How many changes go with the draft, whether they have mistakes or not."""
        return len(self.changes) or len(differences(lean(self.published), self.document))

    @cached_property
    def hints(self) -> list[Hint]:
        return advice(self.document, self.whole)

    @property
    def is_begun(self) -> bool:
        """Whether somebody saved a draft."""
        return bool(self.draft.by)

    def value(self, path: str, default: Any = "") -> Any:
        """What the draft says at a path."""
        return paths.get(self.document, path, default)

    def text(self, path: str) -> str:
        """The same as text for a field: lists as lines, calls as lines of JSON."""
        found = self.value(path)
        if isinstance(found, list):
            return "\n".join(one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in found)
        return found if isinstance(found, str) else "" if isinstance(found, dict) else str(found)

    def wrong(self, path: str) -> list[str]:
        """What is wrong at a path, or inside it where no field of its own tells."""
        inside = re.compile(re.escape(path) + r"(\[\d+\])*")
        return [message for where, message in self.mistakes if inside.fullmatch(where)]

    def place(self, path: str) -> str:
        """A path in words, its things by their ids."""
        words: list[str] = []
        for end, step in enumerate(paths.steps(path), 1):
            if isinstance(step, int):
                item = paths.follow(self.document, paths.steps(path)[:end])
                step = str((isinstance(item, dict) and (item.get("id") or item.get("name"))) or step + 1)
            words.append(step)
        return place_in_words(".".join(words))

    def usual(self, path: str) -> str:
        """What visitors read where the draft leaves a text out."""
        if found := TEXTS.fullmatch(path):
            texts = {tag: words for tag, words in self.value("texts", {}).items() if isinstance(words, dict)}
            return texts_without(texts, found[1]).get(found[2], "")
        if not (found := WORDS.fullmatch(path)):
            return ""
        way, language = found.groups()
        own = self.value(way, {})
        own = (
            {tag: words for tag, words in own.items() if tag != language} if isinstance(own, dict) else {language: own}
        )
        shipped: dict[str, str] = {}
        if way.startswith("categories"):
            parent, _, field = way.rpartition(".")
            shipped = built_in(str(self.value(f"{parent}.id")), field, self.whole.languages)
        return fallback(self.whole.languages, shipped | own, language)

    def contrasts(self) -> list[tuple[str, str, float, dict[str, float]]]:
        """Front, back, least contrast, and the contrast there is in each theme."""
        least = {(front, back): wanted for front, back, wanted, _ in PAIRS}  # the last of a pair is the strictest
        colors = {"light": self._colors("light", LIGHT), "dark": self._colors("dark", DARK)}
        return [
            (front, back, wanted, {theme: contrast(named[front], named[back]) for theme, named in colors.items()})
            for (front, back), wanted in least.items()
        ]

    def _colors(self, theme: str, usual: dict[str, str]) -> dict[str, str]:
        own = getattr(self.whole.appearance, theme)
        return toned({name: getattr(own, name) or usual[name] for name in usual})

    def mistakes_in(self, section: str) -> int:
        return sum(section_of(path) == section for path, _ in self.mistakes)


def section_of(path: str) -> str:
    """The part of the designer that shows a path."""
    place = path.partition("[")[0].partition(".")[0]
    places = {"texts": "texts", "privacy_url": "texts", "appearance": "looks", "categories": "services", "services": "services"}  # fmt: skip
    return places.get(place, "rules")


def number_of(path: str) -> int | None:
    """Which service a path is about, where the list of services does not show it."""
    found = re.match(r"services\[(\d+)\]", path)
    return int(found[1]) if found and not SECTIONS["services"].fullmatch(path) else None
