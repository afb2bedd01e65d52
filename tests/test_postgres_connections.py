"""Connections to PostgreSQL: lost, missing, silent, forked or cut off, and never a password told."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from consent.errors import BadSettings, Unavailable
from consent.storage import open_storage
from consent.storage.postgres_pool import MOST
from tests.postgres import OTHERS
from tests.test_postgres import database, direct, shop
from tests.test_storage import append, entry

__all__ = ["database", "direct", "shop"]


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
