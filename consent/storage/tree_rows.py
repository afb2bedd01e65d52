"""The SQL of the tree and its checkpoints, and the plain ways to ask a database, which the other rows share.

Its rule: only SQL that SQLite and PostgreSQL read alike, with `?` for each value.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from consent.errors import Conflict
from consent.model import Checkpoint

CHECKPOINT = "size, root, note, made_at"


class TreeRows:
    """Tiles and checkpoints as one connection sees them (see base.Rows); a database says how it is asked."""

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
            self._execute(
                "INSERT INTO tiles (site, level, number, hashes) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (site, level, number) DO UPDATE SET hashes = excluded.hashes",
                (key, level, number, hashes),
            )

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
        sql = f"INSERT INTO checkpoints (site, {CHECKPOINT}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        if not self._execute(sql, values):
            raise Conflict(f"Site {checkpoint.site!r} has a checkpoint of {checkpoint.size} entries.")

    # What a database gives.

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it touched."""
        raise NotImplementedError

    def _many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of many rows of values."""
        for values in rows:
            self._execute(sql, values)

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple]:
        raise NotImplementedError

    def _one(self, sql: str, values: Sequence[Any] = ()) -> tuple | None:
        raise NotImplementedError

    def _key(self, site: str) -> int:
        """The number that a site's rows are kept under. Raises UnknownSite."""
        raise NotImplementedError


def fields(row: Any, columns: str) -> tuple:
    """A row's fields in the order of its columns."""
    return tuple(getattr(row, column) for column in columns.split(", "))
