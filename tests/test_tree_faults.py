"""The tree and its checkpoints through deaths at every step, torn copies and truncated journals."""

import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import pytest

from consent import merkle, open_ledger, policy, verify
from consent.errors import Unavailable
from consent.ledger import Ledger
from consent.model import Filter
from consent.settings import load
from consent.storage.sqlite import SqliteStorage
from tests.conftest import ORIGIN, body, choice

SPAWN = multiprocessing.get_context("spawn")
STEPS = ["read", "grown", "signed", "tiles", "stored", "committed"]


def installed(data: Path, database: str = "") -> Ledger:
    ledger = open_ledger(load({"CONSENT_DATA": str(data), "CONSENT_DATABASE": database}))
    if ledger.storage.is_empty():
        ledger.storage.migrate()
        ledger.create_site("shop", policy.default("Shop", [ORIGIN]))
    return ledger


def record(ledger: Ledger, count: int) -> list[str]:
    made = [choice(**body(subject=f"{number % 100:021d}A")) for number in range(count)]
    return [ledger.record("shop", one)[0].receipt for one in made]


def problems(ledger: Ledger) -> list[str]:
    notes = [one.note for one in ledger.storage.reading().checkpoints("shop")]
    known = verify.Known(site="shop", checkpoints=notes, complete=True)
    items = ledger.parcels("shop")
    return [one.problem for one in verify.check(items, ledger.ring.public(), known) if one.problem]


def die(*_: object) -> None:
    os._exit(9)


def checkpoint_and_die(data: str, database: str, step: str) -> None:
    """Make a checkpoint, and be gone right after a step of it."""
    from consent.storage.tree_rows import TreeRows

    ledger = installed(Path(data), database)
    if step == "read":
        merkle.grow = die  # type: ignore[assignment]
    elif step == "grown":
        merkle.root = die  # type: ignore[assignment]
    elif step == "signed":
        ledger.storage.writing = die  # type: ignore[method-assign]
    elif step == "tiles":
        TreeRows.add_checkpoint = die  # type: ignore[method-assign]
    elif step == "stored":
        kept = TreeRows.add_checkpoint
        TreeRows.add_checkpoint = lambda self, one: (kept(self, one), die())  # type: ignore[assignment,method-assign]
    ledger.tree.checkpoint("shop")
    die()


@pytest.mark.parametrize("step", STEPS)
def test_whoever_dies_at_a_checkpoint_leaves_none_that_disagrees(tmp_path: Path, unborn: str, step: str):
    ledger = installed(tmp_path, unborn)
    record(ledger, 300)
    ledger.storage.close()
    process = SPAWN.Process(target=checkpoint_and_die, args=(str(tmp_path), unborn, step))
    process.start()
    process.join()
    assert process.exitcode == 9
    ledger = installed(tmp_path, unborn)
    kept = ledger.storage.reading().checkpoints("shop")
    assert [one.size for one in kept] == ([301] if step == "committed" else [])
    record(ledger, 7)
    assert ledger.tree.checkpoint("shop").size == 308
    assert problems(ledger) == []
    ledger.storage.close()


def test_a_copy_of_the_files_taken_in_the_middle_of_writing_has_all_that_was_acknowledged(tmp_path: Path):
    """What a power loss leaves: the files as they were at some moments, the journal not younger than the database."""
    ledger = installed(tmp_path / "live")
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            acknowledged.extend(record(ledger, 5))
            ledger.tree.checkpoint("shop")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(10):
            known = list(acknowledged)
            lost = tmp_path / f"lost{number}"
            shutil.copytree(tmp_path / "live" / "keys", lost / "keys")
            for name in ("consent.db", "consent.db-wal"):
                if (tmp_path / "live" / name).exists():
                    shutil.copy(tmp_path / "live" / name, lost / name)
            copy = installed(lost)
            assert set(known) <= {entry.token for entry in copy.entries("shop", Filter())}
            assert problems(copy) == [] and copy.storage.faults() == []
            copy.storage.close()
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("kept", [0, 1, 33, 4096, 20_000])
def test_a_truncated_journal_leaves_a_beginning_of_the_log_that_holds(tmp_path: Path, kept: int):
    ledger = installed(tmp_path / "live")
    ledger.storage.scrub()
    tokens = record(ledger, 40)
    shutil.copytree(tmp_path / "live", tmp_path / "cut")
    journal = tmp_path / "cut" / "consent.db-wal"
    assert journal.stat().st_size > 40_000
    os.truncate(journal, kept)
    (tmp_path / "cut" / "consent.db-shm").unlink(missing_ok=True)
    cut = installed(tmp_path / "cut")
    left = [entry.token for entry in cut.entries("shop", Filter())]
    assert left == tokens[: len(left)] and len(left) < 40
    assert problems(cut) == []


def test_a_corrupted_page_is_named(tmp_path: Path):
    ledger = installed(tmp_path)
    record(ledger, 200)
    ledger.storage.scrub()
    ledger.storage.close()
    with (tmp_path / "consent.db").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    found = SqliteStorage(tmp_path / "consent.db").faults()
    assert found and all(fault.startswith("The database file is damaged: ") for fault in found)


def test_a_damaged_tree_is_refused_not_signed(tmp_path: Path):
    ledger = installed(tmp_path)
    record(ledger, 10)
    ledger.tree.checkpoint("shop")
    with ledger.storage.writing() as rows:
        rows.put_tiles("shop", {(0, 0): b"x" * 32})
    record(ledger, 1)
    with pytest.raises(Unavailable, match="restore a backup"):
        ledger.tree.checkpoint("shop")
    assert len(ledger.storage.reading().checkpoints("shop")) == 1
