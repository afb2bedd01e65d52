"""Query parameters of lists and exports; a wrong one is named."""

import re

from flask import request

from consent.errors import BadQuery
from consent.model import Action, Filter, SubjectId
from consent.times import seconds
from consent.web.service import shaped

DIGITS = re.compile(r"[0-9]{1,18}")
"""A number that fits a database's integer."""


def receipt_filter(*, erased: bool = True) -> Filter:
    """Which entries the caller asks for. Raises BadQuery."""
    args = request.args
    action, subject = args.get("action"), args.get("subject")
    if action is not None and action not in Action.__args__:  # type: ignore[attr-defined]
        raise BadQuery(f"`action` must be one of {', '.join(Action.__args__)}.")  # type: ignore[attr-defined]
    return Filter(
        since=moment("since"),
        until=moment("until"),
        action=action,
        policy=number("policy"),
        subject=shaped(subject, SubjectId) if subject is not None else None,
        erased=erased,
    )


def moment(name: str) -> int | None:
    text = request.args.get(name)
    try:
        return seconds(text) if text else None
    except (ValueError, OverflowError):
        raise BadQuery(f"`{name}` must be a time such as 2026-11-23T18:46:00Z.") from None


def number(name: str) -> int | None:
    """A whole number. Raises BadQuery."""
    text = request.args.get(name)
    if text is not None and not DIGITS.fullmatch(text):
        raise BadQuery(f"`{name}` must be a whole number.")
    return None if text is None else int(text)


def page_size() -> int:
    """How many items a page has."""
    text = request.args.get("limit", "100")
    if not (DIGITS.fullmatch(text) and 1 <= int(text) <= 1000):
        raise BadQuery("`limit` must be a number from 1 to 1000.")
    return int(text)


def cursor(first: str, *, digits: bool = False) -> str:
    """Where the page begins; `first` for the first page."""
    text = request.args.get("cursor", first)
    if digits and not DIGITS.fullmatch(text):
        raise BadQuery("`cursor` must be the `next` of an earlier page.")
    return text
