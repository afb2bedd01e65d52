"""SQLite: the default database, one file, safe for many processes on one machine.

Its one rule: a transaction that was acknowledged is on the disk. WAL with `synchronous=FULL`, and writers queue at
a file lock before they begin, because SQLite's own busy handler sleeps and starves under load.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consent.errors import ConsentError, NewerDatabase, PendingMigrations, Unavailable
from consent.storage import schema
from consent.storage.sqlite_rows import SqliteRows, reported

PATIENCE = 10_000
"""Milliseconds to wait for a lock of SQLite's own."""
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={PATIENCE}",
    "PRAGMA secure_delete=ON",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
)


class SqliteStorage:
    """A ledger in one SQLite file; connections are opened when they are needed, one a thread and one to write."""

    far = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._writer: sqlite3.Connection | None = None
        self._turn = threading.Lock()
        self._lock_file: int | None = None

    def reading(self) -> SqliteRows:
        with reported():
            if not hasattr(self._threads, "rows"):
                connection = self._migrated()
                connection.execute("PRAGMA cache_size=-4096")  # each thread has one, and the system keeps pages too
                self._threads.rows = SqliteRows(connection)
            return self._threads.rows

    @contextmanager
    def snapshot(self) -> Iterator[SqliteRows]:
        with reported():
            db = self._migrated()
        try:
            rows = SqliteRows(db, steady=True)
            with reported():
                db.execute("PRAGMA cache_size=-2048")  # it is read through once: holding pages is of no use
                db.execute("BEGIN")
            rows.sites()  # the first reading fixes what is seen
            yield rows
        finally:
            db.close()

    @contextmanager
    def writing(self) -> Iterator[SqliteRows]:
        with self._turn, reported(), self._file_lock():
            connection = self._writing_connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                rows = SqliteRows(connection, steady=True)
                yield rows
                rows.finish()
                connection.execute("COMMIT")
                if rows.published:
                    now = time.time_ns()
                    os.utime(f"{self.path}.lock", ns=(now, now))
            except BaseException as error:
                self._undo(error)
                raise

    def published(self) -> int:
        try:
            return os.stat(f"{self.path}.lock").st_mtime_ns  # the lock file's time is set by whoever publishes
        except OSError:
            return 0

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        with reported():
            descriptor = os.open(f"{self.path}.{task}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def migrate(self) -> list[str]:
        with reported():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._turn, self._file_lock(), self._database(create=True) as db:
                pending = self._pending(db)
                if pending:
                    schema.apply(db)
            return pending

    def pending(self) -> list[str]:
        if not self.path.exists():
            return [work.__name__ for work in schema.MIGRATIONS]
        with reported(), self._database() as db:
            return self._pending(db)

    def is_empty(self) -> bool:
        if not self.path.exists():
            return True
        with reported(), self._database() as db:
            return not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'").fetchone()

    def check(self) -> None:
        if self.pending():
            raise PendingMigrations("Run `consent migrate` to bring the database up to date.")
        with self.writing():
            pass

    def scrub(self) -> bool:
        with self._turn, reported(), self._file_lock():
            connection = self._writing_connection()
            connection.execute("PRAGMA busy_timeout=0")  # nobody waits for a reader
            try:
                return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            finally:
                connection.execute(f"PRAGMA busy_timeout={PATIENCE}")

    def faults(self) -> list[str]:
        with reported():
            found = self._integrity()
        return [] if found == ["ok"] else [f"The database file is damaged: {fault}." for fault in found]

    def backup(self, path: Path) -> None:
        with reported(), self._database() as db:
            target = sqlite3.connect(path)
            try:
                # All in one step: between steps another process's write would make SQLite begin anew, for ever.
                db.backup(target)
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

    def _integrity(self) -> list[str]:
        try:
            with self._database() as db:
                rows = db.execute("PRAGMA integrity_check(20)").fetchall()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [line for row in rows for line in row[0].splitlines()]

    def _pending(self, db: sqlite3.Connection) -> list[str]:
        known, applied = [work.__name__ for work in schema.MIGRATIONS], schema.applied(db)
        unknown = {*applied} - {*known}
        if unknown:
            raise NewerDatabase(
                f"{self.path} was migrated by a newer version ({', '.join(sorted(unknown))}): install that version."
            )
        return [name for name in known if name not in applied]

    def _connect(self, *, create: bool = False) -> sqlite3.Connection:
        if create:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # the owner's alone to read
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=10,
        )
        try:
            for pragma in PRAGMAS:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _migrated(self) -> sqlite3.Connection:
        """A connection to a database of this version. Raises PendingMigrations or NewerDatabase."""
        db = self._connect()
        try:
            if self._pending(db):
                raise PendingMigrations("Run `consent migrate` to bring the database up to date.")
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _database(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        db = self._connect(create=create)
        try:
            yield db
        finally:
            db.close()

    def _writing_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._migrated()
        return self._writer

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
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
        if isinstance(error, Unavailable) or not isinstance(error, ConsentError):
            self._drop_writer()

    def _drop_writer(self) -> None:
        if self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.close()
            self._writer = None


class SqliteFile(SqliteStorage):
    """A database file that is only looked at: not a byte of it, nor of its folder, changes."""

    def _connect(self, *, create: bool = False) -> sqlite3.Connection:
        still = "" if Path(f"{self.path}-wal").exists() else "&immutable=1"  # otherwise a -shm would be made beside it
        uri = f"{self.path.absolute().as_uri()}?mode=ro{still}"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
