"""A PostgreSQL server of our own for the tests: a fresh folder, a socket in it, no port, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from consent.storage import open_storage

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None, key=lambda path: int(path.parts[4]))
"""Debian's newest server."""
TEMPLATE = "migrated"


class Cluster:
    """A running server. It obeys no root, so that root starts it as another user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = count()
        if os.getuid() == 0:
            shutil.chown(folder, _user(), _user())
        self._run("initdb", "--username=consent", "--auth=trust", "--no-sync", "--data-checksums", "--encoding=UTF8", "--no-locale", "-D", str(self.data))  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = 200\n"
                "shared_buffers = 64MB\nautovacuum_naptime = 10min\nmax_wal_size = 4GB\n"
            )
        self.start()
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        storage = open_storage(self.url(TEMPLATE))
        storage.migrate()
        storage.close()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        return f"postgresql://consent@/{database}?host={self.folder}"

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w", "-D", str(self.data), "-l", str(self.folder / "log"))

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))

    def execute(self, sql: str, *, database: str = "postgres") -> list[tuple]:
        """Run one statement outside of any transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """The URL of a database that is there for the block: a migrated one, or an empty one of `template0`."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        assert BINARIES is not None
        command = [str(BINARIES.parent / program), *arguments]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={_user()}", f"--regid={_user()}", "--clear-groups", *command]
        # Not captured through a pipe: the server would keep it open for as long as it runs.
        with (self.folder / "out").open("w+") as out:
            done = subprocess.run(command, stdout=out, stderr=out, cwd=self.folder, preexec_fn=_default_signals)
            out.seek(0)
            assert done.returncode == 0, out.read()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A server for as long as the block takes."""
    folder = Path(tempfile.mkdtemp(prefix="consent-pg-"))  # a socket's path has to be short
    try:
        running = Cluster(folder)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)


def _default_signals() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _user() -> str:
    """Whom root starts the server as."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
