"""The floor of every durable record: one row after another into SQLite, each in a synced transaction of its own."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench.trial import Figures

MOST_ROWS = 200_000
ROW_BYTES = 1_000
"""About the size of a signed receipt."""


def measure(folder: Path, *, seconds: float) -> Figures:
    """Inserts on the disk that holds the service's own data, in WAL mode with synchronous=FULL."""
    path = folder / "floor.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE rows (token TEXT)"):
            connection.execute(statement)
        cpu, start = time.process_time(), time.perf_counter()
        taken = _insert(connection, start + seconds)
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    taken.sort()
    count = len(taken)
    figures = {"rate": count / elapsed, "cpu": cpu / count * 1e6}
    return figures | {"p50": taken[count // 2] * 1e3, "p99": taken[int(count * 0.99)] * 1e3}


def _insert(connection: sqlite3.Connection, deadline: float) -> list[float]:
    token, taken = "x" * ROW_BYTES, list[float]()
    while len(taken) < MOST_ROWS and (before := time.perf_counter()) < deadline:
        connection.execute("INSERT INTO rows VALUES (?)", (token,))
        taken.append(time.perf_counter() - before)
    return taken
