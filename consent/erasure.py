"""Erasing on request and purging by age. Its rule: what is gone is gone from every file, and the log says which
entries were emptied, why and when; their leaf hashes stay, so that every other proof holds.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from consent import tallies
from consent.claims import entry_of
from consent.ids import uuid7
from consent.keyring import KeyRing
from consent.model import Entry, Filter, Tally
from consent.receipts import ErasureClaims, ErasureStatement
from consent.storage.base import MOST_IDLE, Also, Rows, Storage, nothing
from consent.times import DAY

BATCH = 250
"""Subjects that one transaction purges: recording goes on between them, and while the next ones are read."""
PAGE = 1000
"""Entries that are read at a time."""
TRIES = 5
PAUSE = 0.1
"""Seconds between tries to leave no trace."""


class Erased(NamedTuple):
    """The indexes that were emptied, and that of the entry that says so; none where there was nothing."""

    indexes: list[int]
    entry: int | None


class Counted(NamedTuple):
    """An entry as the daily counts have it."""

    place: int
    recorded_at: int
    tally: Tally


class Erasure:
    """The removal of one installation's personal data."""

    def __init__(self, storage: Storage, ring: KeyRing, *, issuer: str, clock: Callable[[], float]) -> None:
        self.storage = storage
        self.ring = ring
        self.issuer = issuer
        self._clock = clock
        self.traces = False
        """Whether what was removed may still stand in files beside the database."""

    def erase(self, site: str, subject: str, *, reason: str, also: Also = nothing) -> Erased:
        """Remove a subject's data and append an erasure entry, whose index `also` is given."""
        if self.storage.reading().latest(site, subject) is None:
            return Erased([], None)  # whoever asks for strangers' erasure holds up nobody
        with self.storage.writing() as rows:
            indexes = _emptied(rows, site, _found(rows, site, [subject]).values())
            entry = self._account(rows, site, indexes, reason)
            if indexes:
                also(rows, entry)
        if indexes:
            self.scrub()
        return Erased(indexes, entry)

    def remove_site(self, site: str, *, also: Also = nothing) -> None:
        """Remove a site and everything recorded for it; `also` is told of how many entries. Raises UnknownSite."""
        with self.storage.writing() as rows:
            size = rows.size(site)
            rows.remove_site(site)
            also(rows, size)
        self.scrub()

    def scrub(self) -> bool:
        """Leave no trace in files beside the database; False, and `traces`, where a reader holds it up for now."""
        self.traces = not any(self._tries())
        return not self.traces

    def overdue(self, site: str, days: int) -> list[str]:
        """Subjects whose last receipt is older than so many days, at most `MOST_IDLE` of them."""
        return self.storage.reading().idle(site, self._before(days))

    def purge(self, site: str, days: int) -> Iterator[int]:
        """Remove every overdue subject, a batch a transaction; how many entries each of them emptied."""
        before, emptied = self._before(days), 0
        more = True
        while more:
            overdue = self.storage.reading().idle(site, before)
            more = len(overdue) == MOST_IDLE  # else these were all; looking again would find none
            for start in range(0, len(overdue), BATCH):
                emptied += (count := self._purge(site, overdue[start : start + BATCH], before))
                yield count
        if emptied:
            self.scrub()

    def _tries(self) -> Iterator[bool]:
        yield self.storage.scrub()
        for _ in range(TRIES):
            time.sleep(PAUSE)
            yield self.storage.scrub()

    def _before(self, days: int) -> int:
        return int(self._clock()) - days * DAY

    def _purge(self, site: str, subjects: list[str], before: int) -> int:
        """Empty those subjects that nothing was recorded for since they were found overdue.

        They are read while others may record, and once more only where what was recorded meanwhile concerns them.
        """
        end = self.storage.reading().size(site)
        found = _found(self.storage.reading(), site, subjects)
        with self.storage.writing() as rows:
            since = rows.entries(site, Filter(kinds=()), after=end - 1, limit=PAGE)
            if len(since) == PAGE or any(entry.kind != "receipt" or entry.subject in found for entry in since):
                found = _found(rows, site, subjects)
            indexes = _emptied(rows, site, [own for own in found.values() if own[-1].recorded_at < before])
            self._account(rows, site, indexes, "past its retention")
        return len(indexes)

    def _account(self, rows: Rows, site: str, indexes: list[int], reason: str) -> int | None:
        """Append the erasure entry that names the indexes emptied, if there are any; its own index."""
        if not indexes:
            return None
        statement = ErasureStatement(indexes, reason)
        now = max(int(self._clock()), rows.last_time(site))
        claims = ErasureClaims(self.issuer, site, uuid7(self._clock()), now, statement)
        return rows.append(entry_of(claims, self.ring.newest()))


def _found(rows: Rows, site: str, subjects: list[str]) -> dict[str, list[Counted]]:
    """What some subjects have in the log, oldest first."""
    found: defaultdict[str, list[Counted]] = defaultdict(list)
    for entry in _receipts(rows, site, subjects):
        found[entry.subject or ""].append(Counted(entry.index, entry.recorded_at, tallies.of_entry(entry)))
    return found


def _emptied(rows: Rows, site: str, found: Iterable[list[Counted]]) -> list[int]:
    """Empty some subjects' entries and count them under their days alone; their indexes."""
    gone = sorted(one for own in found for one in own)
    counts = Counter[Tally]()
    for _, recorded_at, tally in gone:
        counts[tally] -= 1
        counts[tallies.erased(recorded_at)] += 1
    rows.tally(site, counts)
    indexes = [one.place for one in gone]
    rows.empty(site, indexes)
    return indexes


def _receipts(rows: Rows, site: str, subjects: list[str]) -> Iterator[Entry]:
    """Oldest first."""
    after = -1
    while True:
        page = rows.of_subjects(site, subjects, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].index
