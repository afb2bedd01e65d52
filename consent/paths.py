"""Paths into plain data, as mistakes name them: `services[0].cookies[1].name`; pure.

Its rule: a place that is not there is read as nothing, and made when something is put there.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

Step = str | int

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,4})\]")


def steps(path: str) -> list[Step]:
    """The names and positions of a path."""
    return [int(number) if number else name for name, number in _STEP.findall(path)]


def get(document: Any, path: str, default: Any = None) -> Any:
    """What stands at a path."""
    found = follow(document, steps(path))
    return default if found is None else found


def follow(document: Any, way: Sequence[Step]) -> Any:
    """What stands at the end of a way, None where that leads nowhere."""
    for step in way:
        document = _one(document, step)
    return document


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path; a list grows by one item at most. What is no table or list there gives way."""
    *way, last = steps(path)
    here: Any = document
    for step, following in zip(way, [*way[1:], last], strict=False):
        there = _one(here, step)
        if not isinstance(there, list if isinstance(following, int) else dict):
            there = [] if isinstance(following, int) else {}
            _put_one(here, step, there)
        here = there
    _put_one(here, last, value)


def drop(document: dict[str, Any], path: str) -> None:
    """Take away what stands at a path, and the tables around it that are empty then."""
    way = steps(path)
    for length in range(len(way), 0, -1):
        here = follow(document, way[: length - 1])
        if length == len(way) or _one(here, way[length - 1]) == {}:
            _drop_one(here, way[length - 1])


def move(items: list[Any], position: int, by: int) -> None:
    """Move an item of a list up or down, as far as there is room."""
    if 0 <= position < len(items) and 0 <= position + by < len(items):
        items.insert(position + by, items.pop(position))


def each_words(document: Any, change: Callable[[dict[str, Any], str, str], None], path: str = "") -> None:
    """Visit every text that may stand in several languages: its table, its name there, its path."""
    for name, value in list(document.items()) if isinstance(document, dict) else []:
        here = f"{path}.{name}" if path else name
        if name in ("name", "purpose", "privacy_url") and isinstance(value, dict):
            change(document, name, here)
        elif isinstance(value, dict):
            each_words(value, change, here)
        elif isinstance(value, list):
            for position, item in enumerate(value):
                each_words(item, change, f"{here}[{position}]")


def _one(here: Any, step: Step) -> Any:
    if isinstance(step, int):
        return here[step] if isinstance(here, list) and step < len(here) else None
    return here.get(step) if isinstance(here, dict) else None


def _put_one(here: Any, step: Step, value: Any) -> None:
    if isinstance(step, str) or step < len(here):
        here[step] = value
    elif step == len(here):
        here.append(value)


def _drop_one(here: Any, step: Step) -> None:
    if isinstance(step, int):
        if isinstance(here, list) and step < len(here):
            del here[step]
    elif isinstance(here, dict):
        here.pop(step, None)
