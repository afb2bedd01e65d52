"""How the rows ask PostgreSQL: the SQL of rows.py, over a connection of the pool or one that holds a transaction.

Its rule: a writer holds a site from the moment it first looks at it until the end of its transaction. So positions
and times of a site's entries are given by one at a time, whatever number of processes record.
"""

import time
from collections import ChainMap
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from hashlib import sha256
from typing import Any

from psycopg import Connection

from consent.errors import UnknownSite
from consent.fields import TRAIL
from consent.model import Entry
from consent.storage.parcels import TEXT, plain
from consent.storage.postgres_pool import reported
from consent.storage.rows import BATCH, SqlRows, order
from consent.storage.shapes import One, Shapes

PATIENCE = 1.0
"""Seconds for which a site's number is believed: nothing but the site's removal changes it."""

DOCUMENTS_OURS = "SELECT pg_advisory_xact_lock(hashtextextended('consent documents ' || current_schema(), 0))"
"""Who reads documents in order to change them, or drops one, waits for whoever does so already: what it goes by must not
change meanwhile. Who only puts one, beside what else is recorded, waits for nobody, so that no two wait for each other."""

COUNTED = {"sites": "key", "shapes": "key", "scripts": "rowid"}
"""Columns that a sequence fills, which goes on behind what was filled in."""


class Known:
    """What a process remembers of a database: only what was committed, and what never changes."""

    def __init__(self) -> None:
        self.sites: dict[str, tuple[int, float]] = {}
        """Numbers by id, and until when they are believed."""
        self.shapes: dict[bytes, bytes] = {}
        self.keys: dict[bytes, int] = {}


class PostgresShapes(Shapes):
    """Shapes found by their hash, for an index of PostgreSQL has no room for them."""

    def __init__(self, known: Known, shapes: MutableMapping[bytes, bytes]) -> None:
        """`shapes` takes up those that are read: the known ones, but not what a transaction may still undo."""
        self._known = known
        self._shapes = shapes
        self._new: dict[bytes, int] = {}
        self._keys = ChainMap(self._new, known.keys)

    def committed(self) -> None:
        """Let others of the process know what was found in a transaction."""
        self._known.keys.update(self._new)

    def stored(self, entry: Entry, one: One) -> bytes | None:
        return coded(super().stored(entry, one))

    def _key(self, shape: bytes, one: One) -> int:
        hash, found = sha256(shape).digest(), "SELECT key FROM shapes WHERE hash = ?"
        add = "INSERT INTO shapes (hash, shape) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING RETURNING key"
        # Another process may add it between the two: then the insert finds it there, and it is seen afterwards.
        row = one(found, (hash,)) or one(add, (hash, shape)) or one(found, (hash,))
        assert row is not None
        return row[0]


def coded(stored: bytes | str | None) -> bytes | None:
    """A statement as PostgreSQL keeps it: a column of one type."""
    return TEXT + stored.encode() if isinstance(stored, str) else stored


class PostgresRows(SqlRows):
    """Rows as one connection sees them (see base.Rows); each question takes it from where it is lent."""

    def __init__(
        self, lent: Callable[[], AbstractContextManager[Connection]], known: Known, *, steady: bool = False
    ) -> None:
        shapes: MutableMapping[bytes, bytes] = ChainMap({}, known.shapes) if steady else known.shapes
        super().__init__(PostgresShapes(known, shapes), steady=steady)
        self._lent = lent
        self._known = known

    def table(self, name: str, columns: str) -> Iterator[list[tuple]]:
        with reported(), self._lent() as connection, connection.cursor("rows", binary=True) as cursor:
            cursor.execute(f"SELECT {columns} FROM {name} ORDER BY {order(columns)}")
            while batch := cursor.fetchmany(BATCH):
                yield _turned(batch, columns, plain)

    def fill(self, name: str, columns: str, rows: list[tuple]) -> None:
        if name == "shapes":
            columns, rows = f"{columns}, hash", [(*row, sha256(row[1]).digest()) for row in rows]
        to = f"COPY {name} ({columns}) FROM STDIN"
        with reported(), self._lent() as connection, connection.cursor() as cursor, cursor.copy(to) as copy:
            for row in _turned(rows, columns, coded):
                copy.write_row(row)

    def filled(self) -> None:
        for name, counted in COUNTED.items():
            highest = f"(SELECT max({counted}) FROM {name})"
            self._all(f"SELECT setval(pg_get_serial_sequence('{name}', '{counted}'), {highest})")
        # Without it each page of a log would be found by reading the whole site, until the server learns better.
        self._execute("ANALYZE entries")

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        with reported(), self._lent() as connection:
            return connection.execute(spelled(sql), values, binary=True).rowcount

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple]:
        with reported(), self._lent() as connection:
            return connection.execute(spelled(sql), values, binary=True).fetchall()

    def _one(self, sql: str, values: Sequence[Any] = ()) -> tuple | None:
        with reported(), self._lent() as connection:
            return connection.execute(spelled(sql), values, binary=True).fetchone()

    def _key(self, site: str) -> int:
        key, until = self._known.sites.get(site, (0, 0.0))
        now = time.monotonic()
        if now >= until:
            key = self._found(site, "SELECT key FROM sites WHERE id = ?")
            self._known.sites[site] = (key, now + PATIENCE)
        return key

    def _found(self, site: str, sql: str) -> int:
        row = self._one(sql, (site,))
        if row is None:
            raise UnknownSite(f"There is no site {site!r}.")
        return row[0]


class WritingRows(PostgresRows):
    """Rows of a transaction that writes."""

    def __init__(self, lent: Callable[[], AbstractContextManager[Connection]], known: Known) -> None:
        super().__init__(lent, known, steady=True)
        self._held: dict[str, int] = {}

    def remove_site(self, site: str) -> None:
        self._execute("SET LOCAL statement_timeout = 0")
        super().remove_site(site)
        del self._held[site]

    def documents(self, kind: str) -> list[tuple[str, bytes]]:
        self._execute(DOCUMENTS_OURS)
        return super().documents(kind)

    def document(self, kind: str, id: str) -> bytes | None:
        self._execute(DOCUMENTS_OURS)
        return super().document(kind, id)

    def drop_document(self, kind: str, id: str) -> bool:
        self._execute(DOCUMENTS_OURS)
        return super().drop_document(kind, id)

    def committed(self) -> None:
        """Let others of the process know what was found and done."""
        self.shapes.committed()  # type: ignore[attr-defined]
        if self.published:
            self._known.sites.clear()

    def _key(self, site: str) -> int:
        """The number of a site that is ours until the transaction ends.

        Whoever holds one waits only for sites later in the alphabet, and for the trail after all, so that no two wait
        for each other; what would have to wait for another is refused, and done in a transaction of its own (together.run).
        """
        if site not in self._held:
            waiting = " NOWAIT" if any(_turn(site) < _turn(other) for other in self._held) else ""
            self._held[site] = self._found(site, f"SELECT key FROM sites WHERE id = ? FOR UPDATE{waiting}")
        return self._held[site]


def _turn(site: str) -> tuple[bool, str]:
    return site == TRAIL, site


def _turned(rows: list[tuple], columns: str, turn: Callable[[Any], Any]) -> list[tuple]:
    """Rows with their statements in another form, where they have any."""
    names = columns.split(", ")
    if "token" not in names:
        return rows
    at = names.index("token")
    return [(*row[:at], turn(row[at]), *row[at + 1 :]) for row in rows]


@lru_cache
def spelled(sql: str) -> str:
    """SQL with the mark that psycopg takes for a value."""
    return sql.replace("?", "%s")
