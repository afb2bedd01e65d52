"""How the rows ask SQLite: over one connection, each error in our words."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from consent.errors import PendingMigrations, Unavailable, UnknownSite
from consent.storage.rows import BATCH, SqlRows, order
from consent.storage.shapes import Shapes


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


class SqliteRows(SqlRows):
    """Rows as one connection sees them (see base.Rows); `steady` inside a transaction."""

    def __init__(self, connection: sqlite3.Connection, *, steady: bool = False) -> None:
        super().__init__(Shapes(), steady=steady)
        self.connection = connection
        self._keys: dict[str, int] = {}

    def remove_site(self, site: str) -> None:
        super().remove_site(site)
        self._keys.pop(site, None)

    def table(self, name: str, columns: str) -> Iterator[list[tuple]]:
        with reported():
            cursor = self.connection.execute(f"SELECT {columns} FROM {name} ORDER BY {order(columns)}")
            while batch := cursor.fetchmany(BATCH):
                yield batch

    def fill(self, name: str, columns: str, rows: list[tuple]) -> None:
        marks = ", ".join("?" for _ in rows[0])
        with reported():
            self.connection.executemany(f"INSERT INTO {name} ({columns}) VALUES ({marks})", rows)

    def filled(self) -> None:
        """Nothing is left to do: SQLite counts on by itself."""

    def _execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        with reported():
            return self.connection.execute(sql, values).rowcount

    def _many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with reported():
            self.connection.executemany(sql, rows)

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
        if self._steady:
            self._keys[site] = row[0]
        return row[0]
