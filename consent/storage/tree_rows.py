"""The SQL of the tree and its checkpoints, and the plain ways to ask a connection, which the other rows share."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from consent.errors import Conflict, PendingMigrations, Unavailable, UnknownSite
from consent.model import Checkpoint

CHECKPOINT = "size, root, note, made_at"


@contextmanager
def reported() -> Iterator[None]:
    """Turn what SQLite and the disk complain of into Unavailable."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except (sqlite3.DatabaseError, OSError) as error:
        if "no such table" in str(error):
            raise PendingMigrations("Run `consent migrate` to bring the database up to date.") from error
        raise Unavailable(f"The database cannot be used now: {error}.") from error


class TreeRows:
    """Tiles and checkpoints as one connection sees them (see base.Rows)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._keys: dict[str, int] = {}
        """The keys of sites, as far as this transaction asked for them."""

    def leaves(self, site: str, start: int, end: int) -> list[bytes]:
        sql = "SELECT leaf FROM entries WHERE site = ? AND position >= ? AND position < ? ORDER BY position"
        return [row[0] for row in self._all(sql, (self._key(site), start, end))]

    def tile(self, site: str, level: int, number: int) -> bytes:
        sql = "SELECT hashes FROM tiles WHERE site = ? AND level = ? AND number = ?"
        row = self._one(sql, (self._key(site), level, number))
        return row[0] if row else b""

    def put_tiles(self, site: str, tiles: dict[tuple[int, int], bytes]) -> None:
        key = self._key(site)
        for (level, number), hashes in tiles.items():
            self._execute("INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?)", (key, level, number, hashes))

    def checkpoint(self, site: str, size: int | None = None) -> Checkpoint | None:
        which = "" if size is None else f" AND size = {size:d}"
        sql = f"SELECT {CHECKPOINT} FROM checkpoints WHERE site = ?{which} ORDER BY size DESC LIMIT 1"
        row = self._one(sql, (self._key(site),))
        return Checkpoint(site, *row) if row else None

    def checkpoints(self, site: str, *, after: int = -1, limit: int = 1000) -> list[Checkpoint]:
        sql = f"SELECT {CHECKPOINT} FROM checkpoints WHERE site = ? AND size > ? ORDER BY size LIMIT ?"
        return [Checkpoint(site, *row) for row in self._all(sql, (self._key(site), after, limit))]

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        values = (self._key(checkpoint.site), *fields(checkpoint, CHECKPOINT))
        try:
            self._execute(f"INSERT INTO checkpoints (site, {CHECKPOINT}) VALUES (?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError as error:
            raise Conflict(f"Site {checkpoint.site!r} has a checkpoint of {checkpoint.size} entries.") from error

    # Inside.

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        with reported():
            return self.connection.execute(sql, values)

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple]:
        with reported():
            return self.connection.execute(sql, values).fetchall()

    def _one(self, sql: str, values: Sequence[Any] = ()) -> tuple | None:
        with reported():
            return self.connection.execute(sql, values).fetchone()

    def _key(self, site: str) -> int:
        if site in self._keys:
            return self._keys[site]
        row = self._one("SELECT key FROM sites WHERE id = ?", (site,))
        if row is None:
            raise UnknownSite(f"There is no site {site!r}.")
        if self.connection.in_transaction:
            self._keys[site] = row[0]
        return row[0]


def fields(row: Any, columns: str) -> tuple:
    """A row's fields in the order of its columns."""
    return tuple(getattr(row, column) for column in columns.split(", "))
