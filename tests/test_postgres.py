"""What is PostgreSQL's own: lost connections, locks, forks, dead rows, damage. The contract is in test_storage.py."""

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from consent import together
from consent.errors import BadSettings, Unavailable
from consent.ledger import Ledger
from consent.model import Filter, Site
from consent.storage import copying, open_storage
from consent.storage.postgres import PostgresStorage
from consent.storage.postgres_pool import MOST
from tests.conftest import SUBJECT, choice
from tests.postgres import OTHERS, Cluster, cluster
from tests.test_durability import fill
from tests.test_storage import EVERYTHING, append, entry, indexes


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


# Connections.


def test_a_lost_connection_is_unavailable_once_and_made_anew(shop, direct):
    append(shop, entry())
    direct.execute(OTHERS)
    with pytest.raises(Unavailable, match="The database cannot be used now"):
        append(shop, entry())
    assert append(shop, entry()) == [1]


def test_a_connection_lost_inside_a_transaction_leaves_nothing_of_it(shop, direct):
    with pytest.raises(Unavailable), shop.writing() as rows:
        rows.append(entry())
        direct.execute(OTHERS)
        rows.append(entry())
    assert shop.reading().size("shop") == 0


def test_all_lost_connections_are_noticed_by_the_first(shop, direct):
    threads = [threading.Thread(target=shop.check) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    direct.execute(OTHERS)
    with pytest.raises(Unavailable):
        shop.reading().sites()
    assert [len(shop.reading().sites()) for _ in range(20)] == [3] * 20


def test_a_server_that_is_not_there_is_told_at_once_and_without_the_password(tmp_path):
    storage = open_storage(f"postgresql://me:secret@/consent?host={tmp_path}")
    before = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        storage.reading()
    assert time.monotonic() - before < 2 and "secret" not in str(refused.value)


def test_who_waits_for_a_server_that_says_nothing_waits_once():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = open_storage(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/consent?connect_timeout=2")

        def ask() -> None:
            with pytest.raises(Unavailable, match="timeout"):
                storage.reading()

        threads, before = [threading.Thread(target=ask) for _ in range(8)], time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - before < 6


def test_an_address_that_is_none_is_refused_without_its_password():
    with pytest.raises(BadSettings, match="postgresql://user@host/database") as refused:
        open_storage("postgresql://me:secret@[/consent")
    assert "secret" not in str(refused.value)


def test_without_psycopg_the_address_says_what_to_install():
    code = "import sys; sys.modules['psycopg'] = None\nfrom consent.storage import open_storage\nopen_storage('postgresql:///x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "BadSettings: A PostgreSQL database needs `pip install 'consent[postgres]'`" in done.stderr


def test_a_process_has_no_more_connections_than_threads(shop, direct):
    threads = [threading.Thread(target=lambda: [shop.reading().sites() for _ in range(20)]) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (count,) = direct.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
    assert count <= MOST + 1


def test_a_forked_process_opens_connections_of_its_own(shop):
    append(shop, entry())
    pid = os.fork()
    if pid == 0:
        os._exit(append(shop, entry())[0])
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1 and append(shop, entry()) == [2]


@pytest.mark.parametrize("use", [lambda s: s.check(), lambda s: append(s, entry())], ids=["check", "writing"])
def test_a_server_that_only_reads_is_unavailable_for_writing(shop, direct, use):
    name = direct.info.dbname
    direct.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    shop.close()
    try:
        assert len(shop.reading().sites()) == 3
        with pytest.raises(Unavailable, match="read-only"):
            use(shop)
    finally:
        direct.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_every_commit_is_flushed_whatever_the_server_was_told(shop, direct):
    name = direct.info.dbname
    direct.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    shop.close()
    try:
        with shop.writing() as rows:
            assert rows._one("SHOW synchronous_commit") == ("on",)
    finally:
        direct.execute(f"ALTER DATABASE {name} RESET synchronous_commit")


def test_what_waits_too_long_for_a_site_is_unavailable(shop, direct):
    with direct.transaction():
        direct.execute("SELECT * FROM sites WHERE id = 'shop' FOR UPDATE")
        with pytest.raises(Unavailable, match="lock timeout"), shop.writing() as rows:
            rows._execute("SET LOCAL lock_timeout = '100ms'")
            rows.append(entry())
    assert append(shop, entry()) == [0]


def test_a_process_that_hangs_in_a_transaction_is_cut_off(shop):
    with pytest.raises(Unavailable), shop.writing() as rows:
        assert rows._one("SHOW idle_in_transaction_session_timeout") == ("1min",)
        rows._execute("SET LOCAL idle_in_transaction_session_timeout = '200ms'")
        rows.append(entry())
        time.sleep(0.6)
        rows.append(entry())
    assert append(shop, entry()) == [0]


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
