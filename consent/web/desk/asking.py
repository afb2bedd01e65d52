"""What a reader asks the log for, as the address's query says it: a period in days, an action, a policy version, an id.

A wrong query is told in a sentence; what was typed stays in the form.
"""

import re
from contextlib import suppress
from typing import NamedTuple, get_args

import msgspec
from flask import request

from consent.errors import BadQuery, BadSignature
from consent.fields import Action
from consent.model import Filter
from consent.receipts import read
from consent.times import DAY, rfc3339, seconds
from consent.web.desk.words import say
from consent.web.query import DIGITS

LONGEST = 7000
"""Characters of what is searched for: a signed receipt fits, and with the rest into a request line that is read."""
ACTIONS = get_args(Action)
RECEIPT = re.compile(r"(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])", re.ASCII)
SUBJECT = re.compile(r"(?<![\w-])[\w-]{21}[AQgw](?![\w-])", re.ASCII)
FIELDS = ("q", "since", "until", "action", "policy")


class Named(NamedTuple):
    """Whom or what a text names; one of the two, or neither."""

    receipt: str = ""
    subject: str = ""


class _Claims(msgspec.Struct):
    jti: str


def typed() -> dict[str, str]:
    """What the form's fields are filled with."""
    return {name: request.args.get(name, "").strip()[:LONGEST] for name in FIELDS}


def named(text: str) -> Named:
    """The receipt or subject that a text names: its id, a whole receipt, or the cookie. Raises BadQuery."""
    with suppress(BadSignature, msgspec.MsgspecError):
        text = msgspec.json.decode(read(text)[1], type=_Claims).jti
    if found := RECEIPT.search(text.lower()):
        return Named(receipt=found[0])
    if found := SUBJECT.search(text):
        return Named(subject=found[0])
    if text:
        raise BadQuery(
            say(
                "This is neither a receipt's id nor a subject's. A receipt's id looks like {receipt}, a subject's like {subject}.",
                receipt="019ab1c2-77aa-7bbb-8ccc-0123456789ab",
                subject="fZk3PpQ0Tz2mYw4uJr8aBg",
            )
        )
    return Named()


def filter_of(asked: dict[str, str], *, subject: str = "") -> Filter:
    """Which receipts are asked for; both days of the period belong to it. Raises BadQuery."""
    since, until = _day(asked["since"]), _day(asked["until"], 1)
    if since is not None and until is not None and since >= until:
        raise BadQuery(say("The period ends before it begins."))
    if asked["action"] and asked["action"] not in ACTIONS:
        raise BadQuery(say("There is no such action."))
    if asked["policy"] and not DIGITS.fullmatch(asked["policy"]):
        raise BadQuery(say("A policy version is a number."))
    return Filter(
        since=since,
        until=until,
        action=asked["action"] or None,
        policy=int(asked["policy"]) if asked["policy"] else None,
        subject=subject or None,
        erased=False,
    )


def before() -> int | None:
    """Where a page begins; None at the newest. Raises BadQuery."""
    text = request.args.get("before", "")
    if text and not DIGITS.fullmatch(text):
        raise BadQuery(say("There is no such page."))
    return int(text) if text else None


def _day(text: str, more: int = 0) -> int | None:
    """A day's first second, or that of the day so many later. Raises BadQuery."""
    if not text:
        return None
    try:
        moment = seconds(text) + more * DAY
        if moment % DAY == 0 and rfc3339(moment):
            return moment
    except (ValueError, OverflowError):
        pass
    raise BadQuery(say("A day is written like 2026-11-25."))
