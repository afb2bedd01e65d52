"""What reading a log has in common: the key set, and a progress bar on a terminal."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from consent import receipts
from consent.cli.shared import read_file
from consent.errors import BadQuery, BadSignature
from consent.ledger import Ledger
from consent.model import Entry, Filter, Parcel

STEP = 500
"""Entries after which it is told how far a reading has come."""

jwks_option = click.option("--jwks", help="File with the public key set (`/.well-known/jwks.json`).")


class Watched:
    """A ledger whose reading moves a progress bar on a terminal, or is counted into a file for another process."""

    def __init__(self, ledger: Ledger, size: int, *, counted: int | None = None) -> None:
        self._ledger = ledger
        self._size = size
        self._counted = counted
        self._bar: click._termui_impl.ProgressBar[int] | None = None

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._ledger, name)

    def entries(self, site: str, filter: Filter, **how: Any) -> Iterator[Entry]:
        found = self._ledger.entries(site, filter, **how)
        return self.moving(found) if self._counted is None else _counted(found, self._counted)

    def moving(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        shown = 0
        for entry in entries:
            if self._bar is not None and entry.index - shown >= STEP:
                self._bar.update(entry.index - shown)
                shown = entry.index
            yield entry
        if self._bar is not None:
            self._bar.update(self._size - shown)

    def carrying(self, parcels: Iterable[Parcel]) -> Iterator[Parcel]:
        for parcel in parcels:
            yield parcel
            if self._bar is not None:
                self._bar.update(parcel.entries)

    @contextmanager
    def bar(self, *, hidden: bool = False) -> Iterator[None]:
        if hidden or not sys.stderr.isatty():
            yield
            return
        with click.progressbar(length=self._size, file=sys.stderr, label="Entries") as self._bar:
            yield


def _counted(entries: Iterable[Entry], file: int) -> Iterator[Entry]:
    """The entries; how many of them were read stands in the file, in place of what stood there, if it has room."""
    for count, entry in enumerate(entries, 1):
        yield entry
        if not count % STEP:
            with suppress(OSError):
                os.pwrite(file, b"%d" % count, 0)


def key_set(jwks: str) -> dict[str, bytes]:
    """The keys of a JWK set in a file. Raises BadQuery."""
    try:
        return receipts.read_keys(read_file(jwks))
    except BadSignature:
        raise BadQuery(f"{jwks} is not a JWK set with Ed25519 keys.") from None
