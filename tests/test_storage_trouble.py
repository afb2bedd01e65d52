"""The storage contract: databases that are new, older, newer, damaged or gone, and their backups."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from consent.errors import BadSettings, NewerDatabase, PendingMigrations, Unavailable
from consent.storage import open_storage
from consent.storage.base import Storage
from tests.conftest import ON_SQLITE
from tests.test_storage import EVERYTHING, append, entry, filled, shop

__all__ = ["shop"]


# Schema.


@pytest.fixture
def fresh(unborn: str) -> Iterator[Storage]:
    storage = open_storage(unborn)
    yield storage
    storage.close()


def test_migrating_applies_what_is_pending_and_says_so(fresh):
    pending = fresh.pending()
    assert pending and fresh.migrate() == pending and fresh.pending() == []


def test_migrating_twice_applies_nothing_twice(shop):
    append(shop, entry())
    assert shop.migrate() == [] and shop.reading().size("shop") == 1


def test_storages_that_migrate_at_once_apply_each_migration_once(fresh, unborn):
    storages = [open_storage(unborn) for _ in range(4)]
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda s=s: applied.append(s.migrate())) for s in storages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for storage in storages:
        storage.close()
    assert sorted(map(len, applied)) == [0, 0, 0, len(max(applied, key=len))] and fresh.pending() == []


def test_a_database_is_empty_until_it_is_migrated(fresh):
    before = fresh.is_empty()
    fresh.migrate()
    assert (before, fresh.is_empty()) == (True, False)


def test_asking_creates_nothing(fresh, tmp_path):
    fresh.is_empty(), fresh.pending()
    with pytest.raises((Unavailable, PendingMigrations)):
        fresh.reading()
    assert fresh.is_empty() and not (tmp_path / "fresh").exists()


FUTURE = {
    "sqlite": "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('consent', 'm999_future', '')",
    "postgresql": "INSERT INTO consent_migrations (name, applied_at) VALUES ('m999_future', now())",
}


@pytest.fixture
def from_the_future(shop: Storage, database: str) -> Storage:
    scheme, _, path = database.partition("://")
    with psycopg.connect(database) if scheme == "postgresql" else sqlite3.connect(path) as db:
        db.execute(FUTURE[scheme])
    db.close()
    return shop


@pytest.mark.parametrize("method", ["migrate", "pending", "check"])
def test_a_database_from_a_newer_version_is_left_alone(from_the_future, method):
    with pytest.raises(NewerDatabase, match="m999_future"):
        getattr(from_the_future, method)()


@ON_SQLITE
def test_migrations_of_other_tools_in_the_database_do_not_matter(shop, tmp_path):
    with sqlite3.connect(tmp_path / "data" / "consent.db") as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('plugin', 'm1', '')")
    db.close()
    shop.check()


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.check(),
        lambda storage: storage.reading().sites(),
        lambda storage: append(storage, entry()),
    ],
    ids=["check", "reading", "writing"],
)
def test_a_database_before_its_migrations_says_to_migrate(fresh, unborn, use):
    if unborn.startswith("sqlite"):
        path = Path(unborn.partition("://")[2])
        path.parent.mkdir()
        path.touch()
    with pytest.raises(PendingMigrations, match="consent migrate"):
        use(fresh)


# Trouble.


def test_a_sound_database_has_no_faults(shop):
    filled(shop)
    assert shop.faults() == []


def test_a_sound_database_passes_the_check(shop):
    shop.check()


def damaged(storage: Storage, path: Path, *, at: int) -> None:
    """Overwrite two pages' worth of the file from `at` on."""
    append(storage, *(entry(token="x" * 500) for _ in range(200)))
    storage.close()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 8192)


@ON_SQLITE
@pytest.mark.parametrize("at", [0, 4096, 40960, 81920])
def test_a_damaged_database_names_its_faults(shop, tmp_path, at):
    damaged(shop, tmp_path / "data" / "consent.db", at=at)
    faults = shop.faults()
    assert faults and all(fault.startswith("The database file is damaged") and "\n" not in fault for fault in faults)


@ON_SQLITE
@pytest.mark.parametrize(
    "use", [lambda s: s.reading().sites(), lambda s: append(s, entry())], ids=["reading", "writing"]
)
def test_a_file_that_is_no_database_is_unavailable(shop, tmp_path, use):
    shop.close()
    for name in ("consent.db", "consent.db-wal", "consent.db-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    (tmp_path / "data" / "consent.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable):
        use(shop)


@ON_SQLITE
def test_a_page_that_cannot_be_read_is_unavailable(shop, tmp_path):
    append(shop, *(entry(token="x" * 500) for _ in range(200)))
    shop.close()
    path = tmp_path / "data" / "consent.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(Unavailable):
        shop.reading().sites()


@ON_SQLITE
def test_a_missing_database_is_unavailable_and_found_again_when_it_is_back(shop, tmp_path):
    shop.close()
    shutil.move(tmp_path / "data", tmp_path / "away")
    with pytest.raises(Unavailable):
        shop.reading()
    shutil.move(tmp_path / "away", tmp_path / "data")
    assert len(shop.reading().sites()) == 2


def test_a_scheme_nobody_serves_is_refused_without_its_password():
    with pytest.raises(BadSettings, match=r"sqlite://… or postgresql://…") as refused:
        open_storage("oracle://user:secret@db.example/consent")
    assert "secret" not in str(refused.value)


# Backup.


def test_a_backup_holds_everything(shop, tmp_path):
    filled(shop)
    shop.backup(tmp_path / "backup.db")
    copy = open_storage(f"sqlite://{tmp_path / 'backup.db'}")
    assert (
        copy.reading().entries("shop", EVERYTHING) == shop.reading().entries("shop", EVERYTHING) and copy.faults() == []
    )
    copy.close()


def test_a_backup_is_one_file(shop, tmp_path):
    (tmp_path / "backups").mkdir()
    shop.backup(tmp_path / "backups" / "backup.db")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["backup.db"]


def test_a_backup_ends_while_recording_goes_on(shop, tmp_path):
    append(shop, *(entry(token="x" * 4000) for _ in range(5000)))
    stop = threading.Event()
    writer = threading.Thread(target=lambda: [append(shop, entry()) for _ in iter(stop.is_set, True)])
    writer.start()
    copying = threading.Thread(target=shop.backup, args=(tmp_path / "backup.db",))
    copying.start()
    copying.join(20)
    still_copying = copying.is_alive()
    stop.set()
    writer.join()
    copying.join()
    assert not still_copying


def test_a_backup_taken_while_recording_goes_on_is_a_whole_prefix_of_the_ledger(shop, tmp_path):
    stop = threading.Event()
    writer = threading.Thread(target=lambda: [append(shop, entry(), entry()) for _ in iter(stop.is_set, True)])
    writer.start()
    shop.backup(tmp_path / "backup.db")
    stop.set()
    writer.join()
    copy = open_storage(f"sqlite://{tmp_path / 'backup.db'}")
    kept = copy.reading().entries("shop", EVERYTHING, limit=100_000)
    copy.close()
    assert kept == shop.reading().entries("shop", EVERYTHING, limit=len(kept)) and len(kept) % 2 == 0


def test_a_backup_into_a_folder_that_is_not_there_is_refused(shop, tmp_path):
    with pytest.raises(Unavailable):
        shop.backup(tmp_path / "nowhere" / "backup.db")
