"""Finding and counting receipts in a log of any size.

Its rule: no question reads more than so many entries. Times and ids are found by halving or by an index; where only
looking at each entry tells, so many are looked at, and the answer says how far that went.
"""

import msgspec

from consent.model import Entry, Filter
from consent.reading import reached
from consent.storage.base import Rows

LOOKED = 40_000
"""Entries that one question looks at: some 50 ms."""
SAMPLES = 20
"""Stretches that an estimate looks at, spread evenly."""


class Page(msgspec.Struct, frozen=True):
    """Receipts, newest first."""

    entries: list[Entry]
    before: int | None
    """Where the next page begins; None after the last."""
    looked_to: int | None = None
    """When the oldest entry was recorded that was looked at, where the page is not full though there may be more."""


class Count(msgspec.Struct, frozen=True):
    """How many rows a question has, and how many entries its period."""

    rows: int
    entries: int
    exact: bool


def newest(rows: Rows, site: str, filter: Filter, *, before: int | None = None, limit: int = 50) -> Page:
    """A page of what fits a filter."""
    start, end = _span(rows, site, filter)
    end = end if before is None else min(end, before)
    low = start if filter.subject else max(start, end - LOOKED)
    found = rows.newest(site, _timeless(filter), before=end, after=low - 1, limit=limit + 1)
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].index)
    if low == start:
        return Page(found, None)
    return Page(found, low, rows.entries(site, Filter(kinds=()), after=low - 1, limit=1)[0].recorded_at)


def count(rows: Rows, site: str, filter: Filter) -> Count:
    """How many rows a filter has: exact for one subject and where few entries lie in its period, else estimated."""
    start, end = _span(rows, site, filter)
    filter = _timeless(filter)
    if filter.subject or end - start <= LOOKED:
        return Count(rows.count(site, filter, after=start - 1, before=end), end - start, True)
    step, stretch = (end - start) / SAMPLES, LOOKED // SAMPLES
    firsts = [start + int(step * number) for number in range(SAMPLES)]
    found = sum(rows.count(site, filter, after=first - 1, before=first + stretch) for first in firsts)
    return Count(round(found * (end - start) / LOOKED), end - start, False)


def _span(rows: Rows, site: str, filter: Filter) -> tuple[int, int]:
    """The first index of a filter's period, and the first after it."""
    start = 0 if filter.since is None else reached(rows, site, filter.since)
    end = rows.size(site) if filter.until is None else reached(rows, site, filter.until)
    return start, max(start, end)


def _timeless(filter: Filter) -> Filter:
    return msgspec.structs.replace(filter, since=None, until=None)
