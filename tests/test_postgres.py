"""What is PostgreSQL's own: sequences, locks, dead rows, damage. The contract is in test_storage*.py."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from consent import together
from consent.errors import Unavailable
from consent.ledger import Ledger
from consent.model import Filter, Site
from consent.storage import copying, open_storage
from consent.storage.postgres import PostgresStorage
from tests.conftest import SUBJECT, choice
from tests.postgres import Cluster, cluster
from tests.test_storage import EVERYTHING, append, entry, indexes
from tests.test_unwritable import fill


@pytest.fixture
def database(postgres: Cluster) -> str:
    """The URL of an empty PostgreSQL database."""
    return postgres.emptied()


@pytest.fixture
def shop(storage: PostgresStorage) -> PostgresStorage:
    """A storage with the sites `a`, `b` and `shop`."""
    with storage.writing() as rows:
        for site in ("a", "b", "shop"):
            rows.add_site(Site(site, 10))
    return storage


@pytest.fixture
def direct(database: str) -> Iterator[psycopg.Connection]:
    """A connection of somebody else's."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


# Sequences.


def test_sites_are_written_beside_each_other(shop):
    with shop.writing() as first, shop.writing() as second:
        assert (first.append(entry("a")), second.append(entry("b"))) == (0, 0)


def test_batches_that_need_the_same_sites_in_another_order_end_all_the_same(shop):
    def record(site: str, rows) -> int:
        time.sleep(0.01)
        return rows.append(entry(site))

    def work(order: str) -> None:
        for _ in range(10):
            outcomes.extend(together.run(shop, [partial(record, site) for site in order]))

    outcomes: list[together.Outcome] = []
    threads = [threading.Thread(target=work, args=(order,)) for order in ("ab", "ba", "ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.error for one in outcomes] == [None] * 80
    assert indexes(shop.reading().entries("a", EVERYTHING)) == list(range(40))


def test_times_never_run_backwards_though_clocks_of_machines_differ(ledger: Ledger, database: str, clock):
    slow = Ledger(open_storage(database), ledger.ring, issuer=ledger.issuer, scripts=lambda _: [], clock=lambda: clock.now - 500)  # fmt: skip
    for _ in range(5):
        ledger.record("shop", choice())
        slow.record("shop", choice())
    times = [one.recorded_at for one in ledger.entries("shop", Filter(kinds=()))]
    assert times == sorted(times) and len(times) == 11
    slow.storage.close()


# Who is alone at a task.


def hold(database: str, ready) -> None:
    """Be alone at the checkpoints, and say so, for ever; in a process of its own."""
    with open_storage(database).alone("checkpoint") as alone:
        ready.put(alone)
        time.sleep(600)


def test_a_task_is_taken_over_within_seconds_from_a_process_that_was_killed(ledger: Ledger, database: str):
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    holder = context.Process(target=hold, args=(database, ready))
    holder.start()
    assert ready.get(timeout=30)
    ledger.record("shop", choice())
    assert ledger.tree.checkpoint_all() == []
    os.kill(holder.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while not (made := ledger.tree.checkpoint_all()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [one.size for one in made] == [2] and ledger.tree.sound("shop")
    holder.join()


def test_another_task_and_another_schema_are_not_held_up(shop, database, direct):
    direct.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    other = open_storage(f"{database}&options=-csearch_path%3Delsewhere")
    with shop.alone("checkpoint"), shop.alone("purge") as purge, other.alone("checkpoint") as elsewhere:
        assert purge and elsewhere


def test_two_that_make_the_same_checkpoint_agree(ledger: Ledger, database: str):
    other = Ledger(open_storage(database), ledger.ring, issuer=ledger.issuer, scripts=lambda _: [], clock=ledger._clock)
    for _ in range(20):
        ledger.record("shop", choice())
        threads = [threading.Thread(target=one.tree.checkpoint, args=("shop",)) for one in (ledger, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    made = ledger.storage.reading().checkpoints("shop")
    assert [one.size for one in made] == sorted({one.size for one in made}) and ledger.tree.sound("shop")
    other.storage.close()


def test_a_page_of_a_log_just_moved_is_found_without_reading_the_rest(shop, direct, tmp_path):
    append(shop, *(entry() for _ in range(5000)))
    shop.backup(tmp_path / "backup.db")
    direct.execute("TRUNCATE sites, entries")
    backup = open_storage(f"sqlite://{tmp_path / 'backup.db'}")
    copying.copy(backup, shop)
    backup.close()
    asked = "EXPLAIN SELECT leaf FROM entries WHERE site = 3 AND position > 5 ORDER BY position LIMIT 1000"
    plan = [line for (line,) in direct.execute(asked)]
    assert "Index Scan using entries_pkey" in plan[1], plan


# Removed rows, and damage.


def test_removed_rows_are_vacuumed(ledger: Ledger, direct):
    ledger.record("shop", choice())
    assert ledger.erase("shop", SUBJECT, reason="requested") == [1]
    assert not ledger.erasure.traces
    (dead,) = direct.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'entries'").fetchone()
    assert dead == 0


def test_a_reader_that_still_sees_removed_rows_holds_up_the_vacuum(ledger: Ledger):
    ledger.record("shop", choice())
    with ledger.storage.snapshot() as rows:
        ledger.erase("shop", SUBJECT, reason="requested")
        assert rows.latest("shop", SUBJECT) and ledger.erasure.traces
    assert ledger.erasure.scrub()


def test_missing_entries_are_a_fault(shop, direct):
    append(shop, entry(), entry(), entry())
    direct.execute("DELETE FROM entries WHERE position = 1")
    assert shop.faults() == ["Entries of site 'shop' are missing: restore a backup."]


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A server that a test may stop and damage."""
    with cluster() as running:
        yield running


def test_a_server_that_does_not_sync_is_a_fault(own):
    own.execute("ALTER SYSTEM SET fsync = off")
    own.execute("SELECT pg_reload_conf()")
    (fault,) = open_storage(own.emptied()).faults()
    assert "fsync = off" in fault


def test_a_damaged_page_is_a_fault(own):
    url = own.emptied()
    storage = open_storage(url)
    with storage.writing() as rows:
        rows.add_site(Site("shop", 10))
    append(storage, *(entry(token="x" * 500) for _ in range(200)))
    storage.close()
    ((path,),) = own.execute("SELECT pg_relation_filepath('entries')", database="shared")
    own.stop("fast")
    with (own.data / path).open("r+b") as file:
        file.seek(8192 + 100)
        file.write(b"\xa5" * 4096)
    own.start()
    (fault,) = storage.faults()
    assert fault.startswith("The database is damaged: invalid page")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    disk = Path(tempfile.mkdtemp(prefix="consent-"))
    disk.chmod(0o755)
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=160m", "tmpfs", str(disk)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        disk.rmdir()
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
    disk.rmdir()


def test_a_full_disk_is_unavailable_until_there_is_room_again(small_disk):
    with cluster(small_disk) as server:
        storage = open_storage(server.emptied())
        with storage.writing() as rows:
            rows.add_site(Site("shop", 10))
        kept = append(storage, entry())
        filler = fill(small_disk)
        with pytest.raises(Unavailable, match="No space left"):
            for _ in range(1000):
                kept += append(storage, *(entry(token="x" * 3000) for _ in range(20)))
        assert storage.reading().size("shop") == len(kept)
        filler.unlink()
        assert append(storage, entry()) == [len(kept)]
        storage.close()
