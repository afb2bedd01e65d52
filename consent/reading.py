"""Reading a ledger in order, in constant memory.

Its rule: times never run backwards in a ledger, so that a time is found by halving, never by looking at what lies before.
"""

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from consent.model import Entry, Filter
from consent.storage.base import Rows


def entries(
    rows: Rows, site: str, filter: Filter, *, after: int = -1, end: int | None = None, batch: int = 500
) -> Iterator[Entry]:
    """Entries oldest first, above index `after` and below `end`, or as far as they went when the reading began."""
    end = rows.size(site) if end is None else end
    if filter.since is not None:
        after = max(after, reached(rows, site, filter.since) - 1)
    if filter.until is not None:
        end = min(end, reached(rows, site, filter.until))
    filter = msgspec.structs.replace(filter, since=None, until=None)
    while after + 1 < end and (page := rows.entries(site, filter, after=after, limit=batch)):
        for entry in page:
            if entry.index >= end:
                return
            yield entry
        after = page[-1].index


def reached(rows: Rows, site: str, moment: int) -> int:
    """The index of the first entry recorded at a time or later; of the next entry where there is none."""

    def recorded(index: int) -> int:
        return rows.entries(site, Filter(kinds=()), after=index - 1, limit=1)[0].recorded_at

    return bisect_left(range(rows.size(site)), moment, key=recorded)
