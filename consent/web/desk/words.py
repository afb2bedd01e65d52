"""The desk's words: English in the code and the templates, other languages in a folder each, with a file for each room."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from flask import g, request, session

LANGUAGES = {"en": "English", "de": "Deutsch"}


def say(text: str, **values: Any) -> str:
    """A text in the reader's language, its braces filled."""
    found = _texts(language()).get(text, text)
    return found.format(**values) if values else found


def reworded(text: str, patterns: Sequence[str], inner: Mapping[str, Callable[[str], str]] | None = None) -> str:
    """A sentence in the reader's language by the first of the patterns that it has, such as "There is no site {id}.".

    `inner` rewords what stands in braces of these names. What has no pattern is said as it is.
    """
    for pattern in patterns:
        if found := _matcher(pattern).fullmatch(text):
            within = inner or {}
            values = {name: within.get(name, str)(held) for name, held in found.groupdict().items()}
            return say(pattern, **values)
    return say(text)


def language() -> str:
    """The reader's language: the one chosen, else the browser's."""
    if "language" not in g:
        chosen = session.get("language") if session else None
        g.language = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en")
    return g.language


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"{(\w+)}", pattern)
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)), re.S
    )


@cache
def _texts(language: str) -> dict[str, str]:
    if language == "en":
        return {}
    rooms = files("consent").joinpath("templates", "desk", language).iterdir()
    texts = [msgspec.json.decode(room.read_bytes(), type=dict[str, str]) for room in rooms]
    return {text: said for room in texts for text, said in room.items()}
