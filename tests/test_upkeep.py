"""An installation over the years, from the command line: what `doctor` finds, what migrates, and what is never lost in silence."""

import json
import os
import sqlite3

from consent import open_ledger
from consent.settings import load
from tests.test_cli import run, shop

__all__ = ["run", "shop"]


def test_deleting_a_site_needs_its_name(shop):
    assert shop("site", "delete", "shop", "--confirm", "other").exit_code == 2
    assert shop("site", "delete", "shop", "--confirm", "shop").exit_code == 0
    assert json.loads(shop("site", "list", "--json").stdout) == []
    again = shop("site", "create", "shop", "--name", "Shop", "--origin", "https://shop.example")
    assert again.exit_code == 2 and "There was a site 'shop'" in again.output


def test_a_backup_holds_the_ledger_and_never_overwrites(shop, tmp_path):
    shop.record()
    target = tmp_path / "backup.db"
    assert shop("backup", str(target)).exit_code == 0
    assert shop("backup", str(target)).exit_code == 2
    assert (
        open_ledger(load({**shop.environ, "CONSENT_DATABASE": f"sqlite://{target}"})).storage.reading().size("shop")
        == 2
    )


def test_migrate_says_when_there_is_nothing_to_do(shop):
    assert "up to date" in shop("migrate").output


def test_doctor_finds_nothing_wrong_with_a_fresh_installation(shop):
    result = shop("doctor")
    assert result.exit_code == 0 and "FAIL" not in result.output


def test_doctor_names_each_fault(shop):
    (shop.data / "keys").chmod(0o755)
    shop.environ["CONSENT_PUBLIC_URL"] = "http://consent.example.org"
    result = shop("doctor")
    assert result.exit_code == 1
    assert "chmod go-rwx" in result.output and "put TLS in front" in result.output


def test_doctor_sees_that_nothing_was_set_up(run):
    result = run("doctor")
    assert result.exit_code == 1 and "run `consent init`" in result.output


def test_doctor_finds_a_damaged_database(shop):
    path = shop.data / "consent.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with path.open("r+b") as file:
        file.seek(os.path.getsize(path) - 4096 * 2)
        file.write(b"\xff" * 8192)
    assert shop("doctor").exit_code == 1


def test_a_database_from_a_newer_version_is_refused(shop):
    with sqlite3.connect(shop.data / "consent.db") as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('consent', 'm999', '')"
        )
    database.close()
    result = shop("site", "list")
    assert result.exit_code == 1 and "newer version" in result.stderr


def test_lost_keys_are_never_replaced_silently(shop):
    import shutil

    shutil.rmtree(shop.data / "keys")
    assert shop("verify", "shop").exit_code == 1
    assert not (shop.data / "keys").exists()
    assert "restore it from a backup" in shop("doctor").output


def test_doctor_names_entries_that_no_checkpoint_covers(shop):
    shop.record()
    assert shop("doctor").exit_code == 0
    with sqlite3.connect(shop.data / "consent.db") as database:
        database.execute("UPDATE entries SET recorded_at = recorded_at - 7200")
    database.close()
    assert "that no checkpoint covers: is the service running?" in shop("doctor").output
    shop("checkpoint")
    assert shop("doctor").exit_code == 0


def test_doctor_warns_of_a_flood_before_the_disk_is_full(shop, monkeypatch):
    shop.record()
    monkeypatch.setattr("consent.checkup.RECEIPT_BYTES", 10**15)
    assert "entries in a day; at that rate the disk is full in 0 days" in shop("doctor").output
