"""Connections to PostgreSQL: a pool for each process, and single ones for what needs its own.

Its rule: a lost connection takes the pool with it, so that the next call finds out at once how the server is; and
no connection is shared with a process that was forked.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from consent.errors import BadSettings, PendingMigrations, Unavailable

MOST = 16
"""Connections of a process at most: as many as it has threads."""
PATIENCE = 10
"""Seconds to wait for a connection, or for a lock."""
ALIVE = {
    "connect_timeout": "5",
    "application_name": "consent",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What a URL may say otherwise: a server that is gone is noticed within half a minute."""
DURABLE = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET default_transaction_isolation = 'read committed';
"""
LIMITS = f"""
    SET lock_timeout = '{PATIENCE}s';
    SET statement_timeout = '60s';
    SET idle_in_transaction_session_timeout = '60s';
"""
"""A process that hangs in a transaction holds up no site for longer."""


@contextmanager
def reported() -> Iterator[None]:
    """Turn what PostgreSQL and its connection complain of into Unavailable, without the values they name."""
    try:
        yield
    except psycopg.errors.UndefinedTable as error:
        raise PendingMigrations("Run `consent migrate` to bring the database up to date.") from error
    except psycopg.Error as error:
        raise Unavailable(f"The database cannot be used now: {said(error)}.") from error


def said(error: Exception) -> str:
    """What an error says, on one line."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (primary or next(iter(str(error).splitlines()), "") or type(error).__name__).rstrip(".")


class _Pool(ConnectionPool):
    def __del__(self) -> None:
        with suppress(RuntimeError):  # collected by a thread of its own, which cannot wait for itself
            super().__del__()


class Connections:
    """Connections of this process to the database at a URL, opened when they are needed."""

    def __init__(self, url: str, *, ready: Callable[[Connection], None]) -> None:
        """`ready` is asked of a connection before a pool is made, and raises what forbids it."""
        self._conninfo = _conninfo(url)
        self._ready = ready
        self._turn = threading.Lock()
        self._pool: ConnectionPool | None = None
        self._owner = 0
        self._refused: tuple[float, Exception] = (0.0, Exception())
        """When and why there was no pool the last time."""

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """A connection of its own, with nothing that limits how long it takes; closed in the end."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(DURABLE)
            yield connection

    @contextmanager
    def pooled(self) -> Iterator[Connection]:
        """A connection of the pool."""
        pool = self.open()
        connection = pool.getconn(PATIENCE)
        try:
            yield connection
        finally:
            lost = connection.closed
            pool.putconn(connection)
            if lost:
                self._drop(pool)

    def open(self) -> ConnectionPool:
        """The pool of this process. Raises what `ready` or the server says against it."""
        pool = self._pool
        return pool if pool is not None and self._owner == os.getpid() else self._opened(time.monotonic())

    def _opened(self, asked: float) -> ConnectionPool:
        with self._turn:
            if self._pool is not None and self._owner == os.getpid():
                return self._pool
            when, why = self._refused
            if when > asked:
                raise why  # who waited while another tried does not wait for the same again
            try:
                self._pool, self._owner = self._new(), os.getpid()
            except Exception as error:
                self._refused = (time.monotonic(), error)
                raise
            return self._pool

    def close(self) -> None:
        """Close the pool; the next call opens another."""
        pool, self._pool = self._pool, None
        if pool is not None and self._owner == os.getpid():
            pool.close()

    def _new(self) -> ConnectionPool:
        with self.single() as connection:
            self._ready(connection)
        return _Pool(
            self._conninfo,
            kwargs={"autocommit": True},
            configure=_configured,
            min_size=1,
            max_size=MOST,
            num_workers=1,
            name="consent",
            open=True,
        )

    def _drop(self, pool: ConnectionPool) -> None:
        """Leave a pool whose server is gone."""
        with self._turn:
            if self._pool is pool:
                self._pool = None
        pool.close(timeout=1)


def _configured(connection: Connection) -> None:
    connection.execute(DURABLE + LIMITS)


def _conninfo(url: str) -> str:
    try:
        return make_conninfo(url, **{name: value for name, value in ALIVE.items() if name not in conninfo_to_dict(url)})
    except psycopg.ProgrammingError:
        raise BadSettings("CONSENT_DATABASE is no address such as postgresql://user@host/database.") from None
