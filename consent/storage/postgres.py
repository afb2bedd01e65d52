"""PostgreSQL: for as many processes on as many machines as one likes.

Its one rule: what was acknowledged is committed with `synchronous_commit`. What is published elsewhere is not looked
for here: whoever holds it asks again once a second (consent/editions.py), which is soon enough and costs no
connection that listens.
"""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import Connection, IsolationLevel

from consent.errors import NewerDatabase, PendingMigrations, Unavailable
from consent.storage.copying import copy
from consent.storage.postgres_pool import Connections, reported, said
from consent.storage.postgres_rows import Known, PostgresRows, WritingRows
from consent.storage.postgres_schema import APPLIED, MIGRATIONS
from consent.storage.sqlite import SqliteStorage

DAMAGE = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted, psycopg.errors.InternalError_)
"""What PostgreSQL raises where its files are not what it wrote."""


class PostgresStorage:
    """Ledgers in one schema of a PostgreSQL database."""

    far = True

    def __init__(self, url: str) -> None:
        self.url = url
        self._connections = Connections(url, ready=_ready)
        self._known = Known()
        self._rows = PostgresRows(self._connections.pooled, self._known)
        self._publications = itertools.count(1)
        self._published = 0

    def reading(self) -> PostgresRows:
        with reported():
            self._connections.open()
        return self._rows

    @contextmanager
    def snapshot(self) -> Iterator[PostgresRows]:
        with reported(), self._connections.single() as connection:
            _ready(connection)
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                rows = PostgresRows(_held(connection), Known(), steady=True)
                rows.sites()  # the first reading fixes what is seen
                yield rows

    @contextmanager
    def writing(self) -> Iterator[WritingRows]:
        with reported(), self._connections.pooled() as connection:
            rows = WritingRows(_held(connection), self._known)
            with connection.transaction():
                yield rows
                rows.finish()
            rows.committed()
            if rows.published:
                self._published = next(self._publications)

    def published(self) -> int:
        return self._published

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        # The lock is the connection's: the server frees it when the process, its machine or the network dies.
        with reported(), self._connections.single() as connection:
            (ours,) = _row(connection, "SELECT pg_try_advisory_lock(%s)", _number(connection, task))
            yield ours

    def migrate(self) -> list[str]:
        with reported(), self._connections.single() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_number(connection, "migrate")])
            connection.execute(APPLIED)
            pending = _pending(connection)
            for name in pending:
                connection.execute(MIGRATIONS[name])
                connection.execute("INSERT INTO consent_migrations (name, applied_at) VALUES (%s, now())", [name])
            return pending

    def pending(self) -> list[str]:
        with reported(), self._connections.single() as connection:
            return _pending(connection)

    def is_empty(self) -> bool:
        with reported(), self._connections.single() as connection:
            return not _applied(connection)

    def check(self) -> None:
        with reported(), self._connections.pooled() as connection:
            _ready(connection)
            connection.execute("DELETE FROM tallies WHERE false")  # refused by a server that only reads

    def scrub(self) -> bool:
        with reported(), self._connections.single() as connection:
            for table in ("entries", "tallies", "tokens"):
                with suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.SyntaxError):
                    connection.execute(f"VACUUM (INDEX_CLEANUP ON, SKIP_LOCKED, TRUNCATE OFF) {table}")
            dead = "SELECT coalesce(sum(n_dead_tup), 0) = 0 FROM pg_stat_user_tables WHERE relid = 'entries'::regclass"
            return _row(connection, dead)[0]

    def faults(self) -> list[str]:
        with reported(), self._connections.single() as connection:
            try:
                return list(_faults(connection))
            except DAMAGE as error:
                return [f"The database is damaged: {said(error)}."]

    def backup(self, path: Path) -> None:
        try:
            with TemporaryDirectory(dir=path.parent, prefix=".consent-") as folder:
                file = SqliteStorage(Path(folder) / "consent.db")
                file.migrate()
                copy(self, file)
                file.backup(path)
                file.close()
        except OSError as error:
            raise Unavailable(f"The backup cannot be written: {error}.") from error

    def close(self) -> None:
        self._connections.close()


def _held(connection: Connection) -> "partial[AbstractContextManager[Connection]]":
    return partial(nullcontext, connection)


def _row(connection: Connection, sql: str, *values: object) -> tuple:
    row = connection.execute(sql, values).fetchone()
    assert row is not None
    return row


def _number(connection: Connection, task: str) -> int:
    """The advisory lock of a task; installations in different schemas of a database have different ones."""
    (schema,) = _row(connection, "SELECT current_schema()")
    return int.from_bytes(sha256(f"consent {schema} {task}".encode()).digest()[:8], signed=True)


def _applied(connection: Connection) -> list[str]:
    if _row(connection, "SELECT to_regclass('consent_migrations') IS NULL")[0]:
        return []
    return [name for (name,) in connection.execute("SELECT name FROM consent_migrations ORDER BY name")]


def _pending(connection: Connection) -> list[str]:
    applied = _applied(connection)
    if unknown := [name for name in applied if name not in MIGRATIONS]:
        raise NewerDatabase(
            f"The database was migrated by a newer version ({', '.join(unknown)}): install that version."
        )
    return [name for name in MIGRATIONS if name not in applied]


def _ready(connection: Connection) -> None:
    if _pending(connection):
        raise PendingMigrations("Run `consent migrate` to bring the database up to date.")


def _faults(connection: Connection) -> Iterator[str]:
    for setting in ("fsync", "full_page_writes"):
        if _row(connection, "SELECT current_setting(%s)", setting)[0] == "off":
            yield f"PostgreSQL runs with {setting} = off: what it acknowledged is lost when the machine stops."
    broken = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND indrelid = 'entries'::regclass"
    for (index,) in connection.execute(broken):
        yield f"The index {index} is not valid: run `REINDEX INDEX {index}`."
    (failures,) = _row(
        connection,
        "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database WHERE datname = current_database()",
    )
    if failures:
        yield f"PostgreSQL met {failures} pages with a wrong checksum: restore a backup."
    # Reads every row, so that a page that cannot be read is met here.
    gaps = """
        SELECT sites.id FROM entries JOIN sites ON sites.key = entries.site
        GROUP BY sites.id HAVING count(leaf) <> max(position) + 1 OR sum(length(token)) < 0
    """
    for (site,) in connection.execute(gaps):
        yield f"Entries of site {site!r} are missing: restore a backup."
