"""Everything at once: recording, erasing, purging, publishing, checkpoints, evidence and backups hold each other's log whole."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from consent import evidence, merkle, open_ledger, policy, stored, verify
from consent.bundle import Bundle
from consent.ledger import Ledger
from consent.model import Filter
from consent.settings import load
from consent.storage.base import Rows
from consent.storage.sqlite import SqliteFile
from tests.conftest import ORIGIN, body, choice
from tests.test_durability import Load, problems
from tests.test_keeper import Quick

pytestmark = pytest.mark.slow

SECONDS = 4
SUBJECTS = [f"{number:021d}A" for number in range(12)]
"""The first four are erased again and again, the last two come once and are purged."""


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(load({"CONSENT_DATA": str(tmp_path / "data")}))
    ledger.storage.migrate()
    ledger.create_site("shop", policy.default("Shop", [ORIGIN]))
    yield ledger
    ledger.storage.close()


def at_once(*works: Callable[[int], object]) -> list[str]:
    """Do each of these over and over for some seconds; what went wrong."""
    end, wrong = time.monotonic() + SECONDS, []

    def work(one: Callable[[int], object]) -> None:
        turn = 0
        while time.monotonic() < end:
            try:
                one(turn)
                time.sleep(0.005)  # threads that never rest starve each other, which no service does
            except Exception as error:
                wrong.append(repr(error))
                return
            turn += 1

    threads = [threading.Thread(target=work, args=(one,)) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def found(ledger: Ledger, rows: Rows) -> list[str]:
    """What `consent verify` would say of a database."""
    known = stored.known(rows, "shop", [])
    checked = verify.check(ledger.parcels("shop", rows=rows), ledger.ring.public(), known)
    return [one.problem for one in checked if one.problem] + list(stored.faults(rows, "shop"))


def export(ledger: Ledger, folder: Path, turn: int) -> None:
    """Take the evidence away and find that it holds."""
    path = folder / f"{turn}.zip"
    path.write_bytes(b"".join(evidence.bundle(ledger, "shop", anchors=folder)))
    with Bundle(path) as one:
        checked = verify.check(one.parcels(), one.keys(), one.known([]))
        assert [each.problem for each in checked if each.problem] + list(one.faults(one.keys())) == []


def back_up(ledger: Ledger, folder: Path, turn: int) -> None:
    """Copy the database and find that the copy holds."""
    path = folder / f"{turn}.db"
    ledger.storage.backup(path)
    copy = SqliteFile(path)
    assert found(ledger, copy.reading()) == []  # type: ignore[arg-type]
    copy.close()
    time.sleep(0.2)


def publish(ledger: Ledger, turn: int) -> None:
    ledger.publish("shop", policy.default(f"Shop {turn}", [ORIGIN]), material=False)
    time.sleep(0.2)


def test_a_log_stays_whole_while_everything_happens_at_once(busy: Ledger, tmp_path: Path):
    kept: dict[str, str] = {}

    def record(turn: int) -> None:
        subject = SUBJECTS[turn % 10]
        token = busy.record("shop", choice(subject=subject))[0].receipt
        if turn % 10 >= 4:
            kept[token] = subject

    for subject in SUBJECTS[10:]:
        busy.record("shop", choice(subject=subject))
    time.sleep(1.1)
    wrong = at_once(
        record, record, record, partial(publish, busy), partial(export, busy, tmp_path), partial(back_up, busy, tmp_path),
        lambda turn: busy.erase("shop", SUBJECTS[turn % 4], reason="test"),
        lambda turn: sum(busy.erasure.purge("shop", 0)),
        lambda turn: busy.tree.checkpoint("shop"),
    )  # fmt: skip
    assert wrong == []
    busy.tree.checkpoint("shop")
    with busy.storage.snapshot() as rows:
        assert found(busy, rows) == []
    standing = {entry.token for entry in busy.entries("shop", Filter())}
    purged = [subject for token, subject in kept.items() if token not in standing]
    assert all(busy.history("shop", subject) == [] for subject in SUBJECTS[10:])
    assert len(kept) > 3 and standing and len(purged) < len(kept)
    assert busy.storage.faults() == []


class Same(Quick):
    """A second service on the data of a first, under the same public address."""

    def __init__(self, first: Quick) -> None:
        super().__init__(first.data)
        self.first = first

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "CONSENT_PUBLIC_URL": self.first.url}


def test_two_services_on_one_database_keep_one_log(tmp_path: Path):
    first = Quick(tmp_path / "data")
    first.cli("site", "create", "shop", "--origin", ORIGIN)
    second = Same(first)
    services = [first, second]
    for service in services:
        service.start("--workers", "2")
    acknowledged: list[str] = []
    try:
        loads = [Load(service.port, acknowledged) for service in services]
        time.sleep(SECONDS)
    finally:
        for service in services:
            service.stop(signal.SIGTERM)
    for load_ in loads:
        load_.join()
    ledger = first.ledger()
    tokens = [entry.token for entry in ledger.entries("shop", Filter())]
    assert len(acknowledged) > 50 and set(acknowledged) <= set(tokens) and len(set(tokens)) == len(tokens)
    last = ledger.tree.checkpoint("shop")
    made = ledger.storage.reading().checkpoints("shop")
    assert len(made) > 1 and len({one.size for one in made}) == len(made)
    for one in made:
        path = ledger.tree.consistency("shop", one.size, last.size)
        assert merkle.extends((one.size, one.root), (last.size, last.root), path)
    assert problems(ledger) == []
    ledger.storage.close()


def test_a_choice_sent_to_two_services_at_once_is_recorded_once(busy: Ledger):
    others = [open_ledger(load({"CONSENT_DATA": str(busy.storage.path.parent)})) for _ in range(4)]  # type: ignore[attr-defined]
    for _ in range(20):
        one = choice(**body(subject=SUBJECTS[0]))
        answers: list[tuple[str, bool]] = []

        def send(ledger: Ledger, one=one, answers=answers) -> None:
            recorded, new = ledger.record("shop", one)
            answers.append((recorded.receipt, new))

        threads = [threading.Thread(target=send, args=(ledger,)) for ledger in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({token for token, _ in answers}) == 1 and sorted(new for _, new in answers) == [False] * 3 + [True]
    assert busy.storage.reading().size("shop") == 21
    for ledger in others:
        ledger.storage.close()


def test_a_site_that_is_deleted_under_load_leaves_the_others_alone(busy: Ledger):
    busy.create_site("other", policy.default("Other", [ORIGIN]))
    gone = threading.Event()

    def record(turn: int) -> None:
        try:
            busy.record("other", choice(subject=SUBJECTS[turn % 10]))
        except Exception as error:
            assert gone.is_set() and type(error).__name__ == "UnknownSite", error

    def delete(turn: int) -> None:
        time.sleep(0.5)
        if not gone.is_set():
            gone.set()
            busy.erasure.remove_site("other")

    wrong = at_once(
        record, record, delete,
        lambda turn: busy.record("shop", choice(subject=SUBJECTS[turn % 10])),
        lambda turn: busy.tree.checkpoint_all(),
    )  # fmt: skip
    assert [one for one in wrong if "UnknownSite" not in one] == []
    busy.tree.checkpoint("shop")
    with busy.storage.snapshot() as rows:
        assert found(busy, rows) == [] and [site.id for site in rows.sites()] == ["shop"]
