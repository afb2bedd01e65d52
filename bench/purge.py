"""`python -m bench.purge`: what removing a month of a large log takes, while recording goes on.

A share of the log, a thirty-sixth, is made older than its retention in the database itself (what was signed stays as it
is, which purging does not look at); then `consent purge` removes it, once alone and once beside a service that records. The
floor is sqlite3 deleting as many rows in the same batches.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

from bench import desk, large, load, results, servers
from bench.load import Job
from bench.recording import CHOICE, HEADERS, PATH
from bench.results import Finding
from consent.erasure import BATCH
from consent.times import DAY

MONTHS = 36
BACK = 1200 * DAY
"""How much older, in seconds: past the default retention of 36 months."""
CONNECTIONS = 16


def main() -> None:
    """Fill, purge, print."""
    with (
        large.asked("purge", __doc__, 5_000_000) as (folder, receipts),
        tempfile.TemporaryDirectory(dir=folder) as copy,
    ):
        desk.filled(folder / large.FULL, receipts).storage.close()
        work = Path(copy) / "log"
        shutil.copytree(folder / large.FULL, work)
        results.findings("purge", list(measured(work, receipts // MONTHS)), receipts=receipts)


def measured(work: Path, month: int) -> Iterator[Finding]:
    """A month purged alone, then another beside a service that records, then a third deleted by sqlite3 alone."""
    age(work, 0, month)
    alone = purged(work)
    age(work, month, 2 * month)
    with servers.service(work) as service:
        before, _ = recorded(service, lambda: time.sleep(4))
        meanwhile, beside = recorded(service, lambda: purged(work))
    floor = deleted(work, 2 * month, 3 * month)
    yield Finding(f"purging {month:,} receipts alone", alone, "s", floor=floor)
    share = f"recording {meanwhile / before:.2f} of its rate alone, {before:,.0f} a second"
    yield Finding(f"purging {month:,} receipts, recording going on", beside, "s", "purge", floor, share)


def age(folder: Path, first: int, last: int) -> None:
    """Make the entries between two indexes, the policy's not, older than they are."""
    database = sqlite3.connect(folder / "consent.db")
    sql = "UPDATE entries SET recorded_at = recorded_at - ? WHERE position > ? AND position <= ? AND kind = 0"
    with database:
        database.execute(sql, (BACK, first, last))
    database.close()


def deleted(folder: Path, first: int, last: int) -> float:
    """Seconds in which sqlite3 alone deletes the entries between two indexes, durably, in the batches of a purge: the floor."""
    with closing(sqlite3.connect(folder / "consent.db", isolation_level=None)) as database:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {pragma}")
        start = time.monotonic()
        for at in range(first, last, BATCH):
            span = at, min(at + BATCH, last)
            database.execute("DELETE FROM entries WHERE site = 1 AND position > ? AND position <= ?", span)
        return time.monotonic() - start


def purged(folder: Path) -> float:
    """Seconds of `consent purge`, as an operator runs it."""
    command = [sys.executable, "-c", "from consent.cli import main; main()", "purge"]
    start = time.monotonic()
    done = subprocess.run(command, env=os.environ | {"CONSENT_DATA": str(folder)}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    print(done.stdout.strip())
    return time.monotonic() - start


def recorded(service: servers.Running, work) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Receipts a second while something is done, and what that returns."""
    found: list[float] = []
    worker = Thread(target=lambda: found.append(work() or 0))
    worker.start()
    rates: list[float] = []
    while not rates or worker.is_alive():
        job = Job(service.port, PATH, CONNECTIONS, 2.0, 201, HEADERS, CHOICE)
        rates.append(load.measure(service, job)["rate"])
    worker.join()
    return sum(rates) / len(rates), found[0]


if __name__ == "__main__":
    main()
