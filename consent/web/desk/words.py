"""The desk's words: English in the code and the templates, other languages in a folder each, with a file for each room."""

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


def language() -> str:
    """The reader's language: the one chosen, else the browser's."""
    if "language" not in g:
        chosen = session.get("language") if session else None
        g.language = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en")
    return g.language


@cache
def _texts(language: str) -> dict[str, str]:
    if language == "en":
        return {}
    rooms = files("consent").joinpath("templates", "desk", language).iterdir()
    texts = [msgspec.json.decode(room.read_bytes(), type=dict[str, str]) for room in rooms]
    return {text: said for room in texts for text, said in room.items()}
