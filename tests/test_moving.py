"""`consent migrate --to`, backups and `verify` of another database: the same log, whatever keeps it."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from consent.errors import Conflict
from consent.model import Display, Filter
from consent.storage import copying, open_storage
from consent.storage.base import Storage
from tests.postgres import Cluster
from tests.test_cli import Runner, run, shop  # noqa: F401


@pytest.fixture
def target(postgres: Cluster) -> str:
    """An empty PostgreSQL database."""
    return postgres.emptied()


@pytest.fixture
def filled(shop: Runner) -> Runner:  # noqa: F811
    """An SQLite installation with something in every table: receipts, an erasure, a checkpoint, a token, a count, a person
    and what was noted of them, a site that is no more.
    """
    for subject in ("A" * 22, "B" * 21 + "A", "C" * 21 + "A"):
        shop.record(subject=subject)
    assert shop("erase", "shop", "B" * 21 + "A").exit_code == 0
    assert shop("token", "create", "--role", "auditor", "--name", "audit").exit_code == 0
    assert shop("site", "create", "other", "--origin", "https://other.example").exit_code == 0
    shop.record(subject="D" * 21 + "A")
    assert shop("user", "add", "anna").exit_code == 0
    assert shop("site", "create", "gone", "--origin", "https://gone.example").exit_code == 0
    assert shop("site", "delete", "gone", "--confirm", "gone").exit_code == 0
    shop.ledger().count_display("shop", Display(1, "en", "banner"))
    return shop


@pytest.fixture
def kept(filled: Runner, tmp_path: Path) -> str:
    """A file with a checkpoint from before the move."""
    path = tmp_path / "kept.txt"
    path.write_text(filled("checkpoint", "shop").output)
    return str(path)


def everything(url: str) -> dict[str, list[tuple]]:
    """Every row of every table, as it is stored."""
    storage = open_storage(url)
    with storage.snapshot() as rows:
        found = {
            table: [row for batch in rows.table(table, columns) for row in batch]
            for table, columns in copying.TABLES.items()
        }
    storage.close()
    return found


def grown(before: dict[str, list[tuple]], after: dict[str, list[tuple]]) -> int:
    """By how many entries, where nothing else has changed: what is done to a database is noted in it."""
    more = [row for row in after["entries"] if row not in before["entries"]]
    assert before | {"entries": []} == after | {"entries": []}
    assert [row for row in after["entries"] if row not in more] == before["entries"]
    return len(more)


def sqlite_url(runner: Runner) -> str:
    return f"sqlite://{runner.data / 'consent.db'}"


@pytest.fixture
def moved(filled: Runner, kept: str, target: str) -> Runner:
    result = filled("migrate", "--to", target)
    assert result.exit_code == 0, result.output
    filled.environ["CONSENT_DATABASE"] = target
    return filled


def test_a_moved_installation_has_every_row_it_had(moved, target):
    before = everything(sqlite_url(moved))
    assert grown(before, everything(target)) == 1 and all(before.values())


def test_a_moved_ledger_verifies_against_a_checkpoint_from_before(moved, kept):
    result = moved("verify", "shop", "--since", kept)
    assert result.exit_code == 0 and "everything holds" in result.output


def test_a_moved_ledger_has_the_same_checkpoints(moved):
    before = open_storage(sqlite_url(moved)).reading().checkpoints("shop")
    assert moved.ledger().storage.reading().checkpoints("shop") == before != []


def test_a_moved_ledger_goes_on(moved, kept):
    moved.record(subject="E" * 21 + "A")
    assert moved("site", "create", "third", "--origin", "https://third.example").exit_code == 0
    assert moved("checkpoint").exit_code == 0
    assert [moved("verify", "shop", "--since", kept).exit_code, moved("verify", "third").exit_code] == [0, 0]


def test_a_moved_installation_is_found_healthy(moved):
    result = moved("doctor")
    assert result.exit_code == 0, result.output


def test_a_moved_ledger_may_be_moved_back(moved, tmp_path):
    back = f"sqlite://{tmp_path / 'back' / 'consent.db'}"
    assert moved("migrate", "--to", back).exit_code == 0
    assert grown(everything(sqlite_url(moved)), everything(back)) == 2


def test_moving_says_what_it_would_do(filled, target):
    result = filled("migrate", "--to", target, "--dry-run")
    assert "Would move 14 entries of 3 logs" in result.output and everything(target)["sites"] == []


def test_a_database_that_holds_something_is_not_moved_into(moved, target):
    moved.environ.pop("CONSENT_DATABASE")
    before = everything(target)
    result = moved("migrate", "--to", target)
    assert result.exit_code == 2 and "something in the target database" in result.output
    assert everything(target) == before


def test_moving_to_where_it_is_is_refused(moved, target):
    result = moved("migrate", "--to", target)
    assert result.exit_code == 2 and "in that database already" in result.output


def test_nothing_is_moved_while_the_service_records(filled, target):
    source, new = open_storage(sqlite_url(filled)), open_storage(target)
    with pytest.raises(Conflict, match="recorded meanwhile"):
        copying.move(source, new, moved=lambda _: filled.record(subject="F" * 21 + "A"))
    assert not any(everything(target).values())
    source.close(), new.close()


def test_a_damaged_database_is_not_moved(filled, target):
    filled.ledger().storage.scrub()  # everything is in the file itself
    with (filled.data / "consent.db").open("r+b") as file:
        file.seek(40960)
        file.write(b"\xa5" * 8192)
    assert filled("migrate", "--to", target).exit_code != 0 and everything(target)["sites"] == []


def test_a_backup_of_postgresql_is_restored_as_a_file(moved, tmp_path):
    assert moved("backup", str(tmp_path / "backup.db")).exit_code == 0
    again = Runner(tmp_path / "again" / "data")
    shutil.copytree(moved.data / "keys", again.data / "keys")
    assert again("restore", str(tmp_path / "backup.db")).exit_code == 0
    assert grown(everything(sqlite_url(moved)), everything(sqlite_url(again))) == 2


def test_a_backup_is_restored_into_postgresql(filled, kept, target, tmp_path):
    assert filled("backup", str(tmp_path / "backup.db")).exit_code == 0
    filled.environ["CONSENT_DATABASE"] = target
    result = filled("restore", str(tmp_path / "backup.db"))
    assert result.exit_code == 0, result.output
    assert filled("verify", "shop", "--since", kept).exit_code == 0


def test_nothing_is_restored_over_what_is_there(moved, tmp_path):
    assert moved("backup", str(tmp_path / "backup.db")).exit_code == 0
    result = moved("restore", str(tmp_path / "backup.db"))
    assert result.exit_code == 2 and "name an empty database" in result.output


def test_a_database_is_verified_by_its_url(moved, target, kept):
    moved.environ.pop("CONSENT_DATABASE")
    result = moved("verify", target, "--since", kept)
    assert result.exit_code == 0 and "everything holds" in result.output


def test_tampering_in_the_database_is_named(moved, target):
    with psycopg.connect(target) as database:
        database.execute("UPDATE entries SET recorded_at = recorded_at + 1 WHERE position = 1")
    result = moved("verify", target)
    assert result.exit_code == 1 and "entry 1" in result.output


TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_' AND name NOT LIKE 'sqlite%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'consent_migrations'",
}


def columns(storage: Storage, url: str) -> Iterator[tuple[str, set[str]]]:
    """Every table that a schema makes, and its columns."""
    scheme, _, path = url.partition("://")
    with psycopg.connect(url) if scheme == "postgresql" else sqlite3.connect(path) as database:
        for (table,) in database.execute(TABLES[scheme]).fetchall():
            yield table, {column[0] for column in database.execute(f"SELECT * FROM {table}").description}
    database.close()


def test_every_table_is_moved_with_every_column(storage, database):
    for table, there in columns(storage, database):
        named = set(copying.TABLES[table].split(", "))
        assert there - named <= {"hash"} if table == "shapes" else there | {"rowid"} == named | {"rowid"}


def test_entries_come_back_the_same_from_either(moved):
    ledgers = [moved.ledger()]
    moved.environ.pop("CONSENT_DATABASE")
    ledgers.append(moved.ledger())
    first, second = (list(one.entries("shop", Filter(kinds=()))) for one in ledgers)
    assert first == second
