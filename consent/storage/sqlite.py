"""SQLite: the default database, one file, safe for many processes on one machine.

Its one rule: a transaction that was acknowledged is on the disk. WAL with `synchronous=FULL`, and writers queue at
a file lock before they begin, because SQLite's own busy handler sleeps and starves under load.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlite_utils import Database

from consent.errors import ConsentError, NewerDatabase, PendingMigrations, Unavailable
from consent.storage.rows import SqliteRows
from consent.storage.schema import migrations

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA secure_delete=ON",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
)


class SqliteStorage:
    """A ledger in one SQLite file; connections are opened when they are needed, one a thread and one to write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._writer: Database | None = None
        self._turn = threading.Lock()
        self._lock_file: int | None = None

    def reading(self) -> SqliteRows:
        with _reported():
            if not hasattr(self._threads, "rows"):
                self._threads.rows = SqliteRows(self._connect().conn)
            return self._threads.rows

    @contextmanager
    def writing(self) -> Iterator[SqliteRows]:
        with self._turn, _reported(), self._file_lock():
            connection = self._writing_connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield SqliteRows(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                self._undo(error)
                raise

    def migrate(self) -> list[str]:
        with _reported():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._turn, self._file_lock(), self._database(create=True) as db:
                pending = self._pending(db)
                migrations.apply(db)
            return pending

    def pending(self) -> list[str]:
        if not self.path.exists():
            return [migration.name for migration in migrations._migrations]
        with _reported(), self._database() as db:
            return self._pending(db)

    def is_empty(self) -> bool:
        if not self.path.exists():
            return True
        with _reported(), self._database() as db:
            return not db.table_names()

    def check(self) -> None:
        if self.pending():
            raise PendingMigrations("Run `consent migrate` to bring the database up to date.")
        with self.writing():
            pass

    def faults(self) -> list[str]:
        with _reported(), self._database() as db:
            rows = [row[0] for row in db.conn.execute("PRAGMA integrity_check(20)")]
        return [] if rows == ["ok"] else [f"The database file is damaged: {row}." for row in rows]

    def backup(self, path: Path) -> None:
        with _reported(), self._database() as db:
            target = sqlite3.connect(path)
            try:
                db.conn.backup(target, pages=2000)
                target.execute("PRAGMA journal_mode=DELETE")
            finally:
                target.close()

    def close(self) -> None:
        self._drop_writer()
        if rows := self._threads.__dict__.pop("rows", None):
            rows.connection.close()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _pending(self, db: Database) -> list[str]:
        known = {migration.name for migration in migrations._migrations}
        unknown = {migration.name for migration in migrations.applied(db)} - known
        if unknown:
            raise NewerDatabase(
                f"{self.path} was migrated by a newer version ({', '.join(sorted(unknown))}): install that version."
            )
        return [migration.name for migration in migrations.pending(db)]

    def _connect(self, *, create: bool = False) -> Database:
        mode = "rwc" if create else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=10,
        )
        for pragma in PRAGMAS:
            connection.execute(pragma)
        return Database(connection)

    @contextmanager
    def _database(self, *, create: bool = False) -> Iterator[Database]:
        db = self._connect(create=create)
        try:
            yield db
        finally:
            db.conn.close()

    def _writing_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._connect()
        return self._writer.conn

    @contextmanager
    def _file_lock(self) -> Iterator[None]:
        """Queue with the other processes: flock wakes one waiter at a time, in no time (performance notes in docs/deploy.md)."""
        if self._lock_file is None:
            self._lock_file = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def _undo(self, error: BaseException) -> None:
        """Roll back; after an error of the database itself begin anew with a fresh connection."""
        if self._writer is not None:
            with suppress(sqlite3.Error):
                if self._writer.conn.in_transaction:
                    self._writer.conn.execute("ROLLBACK")
        if not isinstance(error, ConsentError):
            self._drop_writer()

    def _drop_writer(self) -> None:
        if self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.conn.close()
            self._writer = None


@contextmanager
def _reported() -> Iterator[None]:
    """Turn what SQLite and the disk complain of into Unavailable."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        if "no such table" in str(error):
            raise PendingMigrations("Run `consent migrate` to bring the database up to date.") from error
        raise Unavailable(f"The database cannot be used now: {error}.") from error
