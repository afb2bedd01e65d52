"""Finding and counting receipts in a log of any size.

Its rule: no question reads more than so many entries. Times and ids are found by halving or by an index, numbers by the
daily counts; where only looking at each entry tells, so many are looked at, and the answer says how far that went.
"""

from typing import Any, get_args

import msgspec

from consent.fields import Action
from consent.model import Entry, Filter
from consent.reading import reached
from consent.storage.base import Rows
from consent.tallies import ERASED, day_of
from consent.times import rfc3339

ACTIONS = get_args(Action)

LOOKED = 40_000
"""Entries that one question looks at: some 50 ms."""
FIRST, LAST = "0001-01-01", "9999-12-31"
"""Days that no receipt was recorded before, or on."""


class Page(msgspec.Struct, frozen=True):
    """Receipts, newest first."""

    entries: list[Entry]
    before: int | None
    """Where the next page begins; None after the last."""
    looked_to: int | None = None
    """When the oldest entry was recorded that was looked at, where the page is not full though there may be more."""


def described(filter: Filter) -> dict[str, Any]:
    """What a filter asks for, by the names that the command line, the API and the trail have for it."""
    said = {
        "since": rfc3339(filter.since),
        "until": rfc3339(filter.until),
        "action": filter.action,
        "policy": filter.policy,
    }
    return {name: value for name, value in said.items() if value is not None}


def newest(rows: Rows, site: str, filter: Filter, *, before: int | None = None, limit: int = 50) -> Page:
    """A page of what fits a filter."""
    start = 0 if filter.since is None else reached(rows, site, filter.since)
    end = rows.size(site) if filter.until is None else reached(rows, site, filter.until)
    end = end if before is None else min(end, before)
    low = start if filter.subject else max(start, end - LOOKED)
    timeless = msgspec.structs.replace(filter, since=None, until=None)
    found = rows.newest(site, timeless, before=end, after=low - 1, limit=limit + 1)
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].index)
    if low == start:
        return Page(found, None)
    return Page(found, low, rows.entries(site, Filter(kinds=()), after=low - 1, limit=1)[0].recorded_at)


def count(rows: Rows, site: str, filter: Filter) -> int:
    """How many receipts fit a filter of whole days, from the daily counts: no entry is looked at."""
    since = FIRST if filter.since is None else day_of(filter.since)
    until = LAST if filter.until is None else day_of(filter.until)
    actions = {*ACTIONS, *([ERASED] if filter.erased else [])} if filter.action is None else {filter.action}
    counted = rows.tallies(site, since, until, by=("policy", "action"))
    return sum(number for one, number in counted if one.action in actions and filter.policy in (None, one.policy))
