"""What is erased is gone from every file; what is kept is kept as long as it should be."""

from base64 import urlsafe_b64decode
from pathlib import Path
from uuid import UUID

import pytest

from consent import verify
from consent.errors import Conflict
from consent.keeper import Keeper
from consent.ledger import Ledger
from consent.model import Filter
from consent.storage.rows import subject_bytes
from tests.conftest import ON_SQLITE, SUBJECT, body, choice

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
YEARS = 1096


def record(ledger: Ledger, subject: str = SUBJECT, count: int = 1) -> str:
    for _ in range(count):
        one = choice(**body(subject=subject))
        ledger.record("shop", one)
    return one.id


def found(folder: Path, *needles: bytes) -> list[str]:
    """Files of the data folder in which one of these stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


def traces_of(ledger: Ledger, id: str) -> tuple[bytes, ...]:
    """What a receipt might leave: subject, id, claims and signature, as text and as they are stored."""
    token = ledger.receipt("shop", id)
    claims, signature = (part.encode() for part in token.split(".")[1:])
    signed = urlsafe_b64decode(signature + b"==")
    return (
        SUBJECT.encode(),
        subject_bytes(SUBJECT),
        id.encode(),
        UUID(id).bytes,
        claims[len(claims) // 2 :],
        signature,
        signed,
    )


def holds(ledger: Ledger) -> list[str]:
    items = ledger.parcels("shop")
    notes = [one.note for one in ledger.storage.reading().checkpoints("shop")]
    known = verify.Known(site="shop", checkpoints=notes, complete=True)
    return [one.problem for one in verify.check(items, ledger.ring.public(), known) if one.problem]


@ON_SQLITE
def test_no_byte_of_an_erased_subject_is_left_in_any_file(ledger: Ledger, tmp_path: Path):
    record(ledger, OTHER, 30)
    id = record(ledger, SUBJECT, 30)
    traces = traces_of(ledger, id)
    record(ledger, OTHER, 30)
    assert all(found(tmp_path / "data", trace) for trace in (subject_bytes(SUBJECT), UUID(id).bytes, traces[-1]))
    ledger.erase("shop", SUBJECT, reason="requested by the subject")
    assert found(tmp_path / "data", *traces) == []
    assert holds(ledger) == []


def test_no_byte_of_a_subject_is_left_of_a_deleted_site_and_its_id_stays_taken(ledger: Ledger, draft, tmp_path: Path):
    id = record(ledger, SUBJECT, 30)
    traces = traces_of(ledger, id)
    ledger.tree.checkpoint("shop")
    ledger.erasure.remove_site("shop")
    assert found(tmp_path / "data", *traces) == []
    with pytest.raises(Conflict, match="choose another id"):
        ledger.create_site("shop", draft)
    ledger.create_site("shop-2", draft)


def test_what_is_past_its_retention_is_purged_and_accounted_for(ledger: Ledger, clock, tmp_path: Path):
    record(ledger, SUBJECT, 3)
    ledger.tree.checkpoint("shop")
    clock.forward(days=YEARS - 1)
    record(ledger, OTHER)
    assert sum(ledger.erasure.purge("shop", YEARS)) == 0
    clock.forward(days=2)
    assert ledger.erasure.overdue("shop", YEARS) == [SUBJECT]
    assert sum(ledger.erasure.purge("shop", YEARS)) == 3
    assert found(tmp_path / "data", subject_bytes(SUBJECT)) == []
    assert ledger.state("shop", OTHER).subject == OTHER and ledger.history("shop", SUBJECT) == []
    ledger.tree.checkpoint("shop")
    assert holds(ledger) == []


def test_a_new_choice_keeps_the_old_ones(ledger: Ledger, clock):
    record(ledger)
    clock.forward(days=YEARS - 1)
    record(ledger)
    clock.forward(days=2)
    assert sum(ledger.erasure.purge("shop", YEARS)) == 0
    assert len(ledger.history("shop", SUBJECT)) == 2


def test_many_are_purged_in_several_transactions(ledger: Ledger, clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("consent.erasure.BATCH", 7)
    for number in range(20):
        record(ledger, "A" * 20 + f"{number:02d}"[0] + "AQgw"[number % 4]) if number < 4 else record(
            ledger, f"{number:021d}A"
        )
    clock.forward(days=YEARS + 1)
    assert sum(ledger.erasure.purge("shop", YEARS)) == 20
    assert len(list(ledger.entries("shop", Filter(kinds=("erasure",))))) == 3
    assert holds(ledger) == []


def test_a_policy_may_keep_for_another_time(ledger: Ledger, draft):
    import msgspec

    ledger.publish("shop", msgspec.structs.replace(draft, retention_days=30))
    assert ledger.retention("shop", YEARS) == 30


def test_the_keeper_makes_checkpoints_and_purges(ledger: Ledger, settings, clock):
    keeper = Keeper(ledger, settings)
    record(ledger)
    keeper.round()
    assert ledger.tree.newest("shop").size == 2
    clock.forward(days=YEARS + 1)
    keeper.round()
    assert ledger.history("shop", SUBJECT) == []


def test_the_keeper_outlives_a_failure(ledger: Ledger, settings, monkeypatch: pytest.MonkeyPatch, caplog):
    keeper = Keeper(ledger, settings)
    monkeypatch.setattr(ledger.tree, "checkpoint_all", lambda: 1 / 0)
    keeper.round()
    assert "tries again" in caplog.text


def test_a_clock_that_is_set_back_does_not_put_the_log_out_of_order(ledger: Ledger, clock):
    record(ledger)
    clock.forward(seconds=-7200)
    record(ledger)
    ledger.erase("shop", OTHER, reason="nothing there")
    record(ledger, OTHER)
    ledger.erase("shop", OTHER, reason="test")
    times = [entry.recorded_at for entry in ledger.entries("shop", Filter(kinds=()))]
    assert times == sorted(times)
    assert holds(ledger) == []
