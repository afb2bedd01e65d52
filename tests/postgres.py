"""A PostgreSQL server of our own for the tests: a fresh folder, a socket in it, no port, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from consent.storage import open_storage
from consent.storage.postgres_schema import MIGRATIONS

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None, key=lambda path: int(path.parts[4]))
"""Debian's newest server."""
SHARED = "shared"
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
TABLES = "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'consent_migrations'"


class Cluster:
    """A running server. It obeys no root, so that root starts it as another user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = count()
        if os.getuid() == 0:
            os.chown(folder, _user().pw_uid, _user().pw_gid)
        self._run("initdb", "--username=consent", "--auth=trust", "--no-sync", "--data-checksums", "--encoding=UTF8", "--no-locale", "-D", str(self.data))  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = 200\n"
                "shared_buffers = 64MB\nautovacuum_naptime = 10min\nmax_wal_size = 256MB\n"
            )
        self.start()
        self._create()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The process that started all others."""
        return self._process.pid

    def url(self, database: str) -> str:
        return f"postgresql://consent@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server, which dies with us: a test run that is killed leaves none behind."""
        command = self._command("postgres", "-D", str(self.data), dying="--pdeathsig=INT")
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline and self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-W", "-m", mode, "-D", str(self.data))
        self._process.wait(60)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, sql: str, *, database: str = "postgres") -> list[tuple]:
        """Run one statement outside of any transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def emptied(self) -> str:
        """The URL of a migrated database with nothing in it; the same for each test, which spares it a new one."""
        with psycopg.connect(self.url(SHARED), autocommit=True) as connection:
            connection.execute(OTHERS)
            is_sound = connection.execute("SELECT name FROM consent_migrations ORDER BY name").fetchall() == [
                (n,) for n in MIGRATIONS
            ]
            ((tables,),) = connection.execute(TABLES).fetchall()
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        if not is_sound:
            self.execute(f"DROP DATABASE {SHARED}")
            self._create()
        return self.url(SHARED)

    @contextmanager
    def unborn(self) -> Iterator[str]:
        """The URL of a database that is there for the block, in which nothing was ever created."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _create(self) -> None:
        self.execute(f"CREATE DATABASE {SHARED} TEMPLATE template0")
        storage = open_storage(self.url(SHARED))
        storage.migrate()
        storage.close()

    def _command(self, program: str, *arguments: str, dying: str = "") -> list[str]:
        assert BINARIES is not None
        command = [str(BINARIES.parent / program), *arguments]
        user = _user()
        options = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if os.getuid() == 0 else []
        options += [dying] if dying else []
        return ["setpriv", *options, *command] if options else command

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(self._command(program, *arguments), capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def cluster(disk: Path | None = None) -> Iterator[Cluster]:
    """A server for as long as the block takes, on a disk with a short path: a socket's name has no room for more."""
    folder = Path(tempfile.mkdtemp(prefix="consent-pg-", dir=disk or _quick()))
    try:
        running = Cluster(folder)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)


def _quick() -> str | None:
    """Memory, where there is enough of it: a sync costs nothing there. What kills processes asks no more of a disk."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 1 << 30 else None


def _user() -> pwd.struct_passwd:
    """Whom root starts the server as."""
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
