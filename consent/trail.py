"""The trail: what administrators did, in a log of the same kind as the sites' own: signed, hashed, under checkpoints.

Its rule: it names people of the desk and what they changed, never a visitor.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from consent.claims import entry_of
from consent.errors import Conflict, UnknownSite
from consent.fields import TRAIL
from consent.ids import uuid7
from consent.ledger import Ledger
from consent.model import Filter, Site
from consent.receipts import Act, ActClaims, read
from consent.storage.base import Rows


class Told(msgspec.Struct, frozen=True):
    """One act as the log has it, with its place there."""

    index: int
    at: int
    act: Act


class Trail:
    """The trail of an installation."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, who: str, what: str, *, site: str | None = None, before: Any = None, after: Any = None) -> None:
        """Note an act durably. `before` and `after` are plain values; what they do not say is lost."""
        with self._ledger.storage.writing() as rows:
            self.note(rows, Act(who, what, site, before, after))

    def note(self, rows: Rows, act: Act) -> None:
        """Note an act in the transaction that does it, at its end: both are done, or neither is."""
        ledger = self._ledger
        at = max(ledger.now(), _last_time(rows, ledger.now()))
        claims = ActClaims(ledger.issuer, TRAIL, uuid7(time.time()), at, act)
        rows.append(entry_of(claims, ledger.ring.newest()))

    def newest(self, *, before: int | None = None, limit: int = 100) -> list[Told]:
        """Acts, newest first."""
        with suppress(UnknownSite):
            rows = self._ledger.storage.reading()
            return [_told(entry.index, entry.token) for entry in rows.newest(TRAIL, ACTS, before=before, limit=limit)]
        return []

    def all(self) -> Iterator[Told]:
        """Every act, oldest first, in constant memory."""
        with suppress(UnknownSite):
            for entry in self._ledger.entries(TRAIL, ACTS):
                yield _told(entry.index, entry.token)


ACTS = Filter(kinds=("act",))


def _last_time(rows: Rows, now: int) -> int:
    """When the last act was; the log is begun where there is none."""
    with suppress(Conflict):
        rows.add_site(Site(TRAIL, now))
    return rows.last_time(TRAIL)


def _told(index: int, token: str | None) -> Told:
    claims = msgspec.json.decode(read(token or "")[1], type=ActClaims)
    return Told(index, claims.iat, claims.act)
