"""The daily counts say what the entries say, whatever happened to them."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from consent import policy, receipts, tallies
from consent.errors import Conflict
from consent.keyring import KeyRing
from consent.ledger import Ledger
from consent.model import Display, Filter, Tally
from consent.storage import open_storage
from tests.conftest import ALL, NONE, ON_SQLITE, ORIGIN, SUBJECT, Clock, body, choice, scripts

SUBJECTS = [SUBJECT, "AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBA"]
ALWAYS = ("2000-01-01", "3000-01-01")
DAYS = 30
SAID = [
    {"action": "accept_all", "grants": ALL},
    {"action": "reject_all", "grants": NONE},
    {"action": "withdraw", "grants": NONE, "surface": "privacy_page"},
    {"action": "custom", "language": "de"},
    {"action": "load_once", "surface": "placeholder"},
]


def counted(ledger: Ledger) -> dict[Tally, int]:
    return dict(ledger.storage.reading().tallies("shop", *ALWAYS))


def recounted(ledger: Ledger) -> dict[Tally, int]:
    """The counts as the entries alone give them."""
    entries = ledger.entries("shop", Filter(kinds=("receipt",)))
    return dict(Counter(tallies.of_entry(entry) for entry in entries))


ANSWERS = ("day", "policy", "action", "granted")


def answers(ledger: Ledger) -> dict[Tally, int]:
    return dict(ledger.storage.reading().tallies("shop", *ALWAYS, by=ANSWERS))


def summed(counts: dict[Tally, int]) -> dict[Tally, int]:
    found = Counter[Tally]()
    for tally, count in counts.items():
        found[replace(tally, language="", country="", regime="", surface="")] += count
    return dict(found)


class Life(RuleBasedStateMachine):
    """Whatever may happen to a site's receipts, in any order."""

    folder: Path

    @initialize()
    def begin(self) -> None:
        self.clock = Clock()
        storage = open_storage("sqlite://" + str(self.folder / f"{len(list(self.folder.iterdir()))}" / "consent.db"))
        storage.migrate()
        ring = KeyRing(storage.path.parent / "keys", clock=self.clock)  # type: ignore[attr-defined]
        ring.create()
        self.ledger = Ledger(storage, ring, issuer="https://c.example", scripts=lambda _: SCRIPTS, clock=self.clock)
        self.ledger.create_site("shop", FIRST)
        self.recorded = 0

    @rule(subject=st.sampled_from(SUBJECTS), said=st.sampled_from(SAID), where=st.sampled_from([None, "DE", "US-CA"]))
    def record(self, subject: str, said: dict, where: str | None) -> None:
        self.last = choice(subject=subject, **said)
        self.ledger.record("shop", self.last, where=where)
        self.recorded += 1

    @rule()
    def record_again(self) -> None:
        if self.recorded and self.ledger.storage.reading().entry("shop", self.last.id):
            assert self.ledger.record("shop", self.last)[1] is False

    @rule(subject=st.sampled_from(SUBJECTS))
    def erase(self, subject: str) -> None:
        self.ledger.erase("shop", subject, reason="requested by the subject")

    @rule(days=st.integers(0, DAYS))
    def wait(self, days: int) -> None:
        self.clock.forward(days=days)

    @rule()
    def purge(self) -> None:
        sum(self.ledger.erasure.purge("shop", DAYS))

    @invariant()
    def the_counts_are_those_of_the_entries(self) -> None:
        assert counted(self.ledger) == recounted(self.ledger)
        assert sum(counted(self.ledger).values()) == self.recorded
        assert answers(self.ledger) == summed(counted(self.ledger))

    def teardown(self) -> None:
        self.ledger.storage.close()


FIRST = policy.default("Shop", [ORIGIN])
SCRIPTS = scripts(policy.publish(policy.complete(FIRST), site="shop", version=1, material_since=1))


def test_counts_are_those_of_the_entries_after_any_recording_erasing_and_purging(tmp_path):
    machine = type("Here", (Life,), {"folder": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )


def test_a_choice_that_is_refused_is_not_counted(ledger):
    one = choice()
    ledger.record("shop", one)
    with pytest.raises(Conflict):
        ledger.record("shop", choice(**body(id=one.id, grants=ALL)))
    assert sum(counted(ledger).values()) == 1


@ON_SQLITE
def test_of_an_erased_subject_the_counts_keep_the_day_alone(ledger):
    ledger.record("shop", choice(language="de", action="accept_all", grants=ALL), where="LI")
    ledger.erase("shop", SUBJECT, reason="requested by the subject")
    assert counted(ledger) == {Tally(tallies.day_of(ledger.now()), 0, "erased", *[""] * 5): 1}
    database = (ledger.storage.path.parent).glob("consent.db*")  # type: ignore[attr-defined]
    assert not any(b"accept_allanalytics~persistent~social" in file.read_bytes() for file in database)


def test_many_subjects_with_many_receipts_each_are_counted_as_erased(ledger, monkeypatch):
    monkeypatch.setattr("consent.erasure.PAGE", 2)
    for _ in range(3):
        for subject in SUBJECTS:
            ledger.record("shop", choice(subject=subject))
    ledger.erase("shop", SUBJECT, reason="requested by the subject")
    assert sorted(counted(ledger).values()) == [3, 6] and counted(ledger) == recounted(ledger)


def test_a_showing_is_counted_with_its_place(ledger):
    ledger.count_display("shop", Display(1, "en", "banner"), where="us-ca")
    [shown] = counted(ledger)
    assert (shown.action, shown.country, shown.regime, shown.granted) == ("shown", "US", "opt-in", "")


@ON_SQLITE
def test_migrating_counts_what_an_older_version_recorded(ledger):
    for said in SAID:
        ledger.record("shop", choice(**said), where="DE")
    ledger.record("shop", choice(subject=SUBJECTS[1]))
    ledger.erase("shop", SUBJECTS[1], reason="requested by the subject")
    known = counted(ledger)
    path = ledger.storage.path  # type: ignore[attr-defined]
    ledger.storage.close()
    as_before(path)
    older = open_storage(f"sqlite://{path}")
    assert older.migrate() == ["m009_tallies", "m010_months"]
    found = dict(older.reading().tallies("shop", *ALWAYS))
    assert dict(older.reading().tallies("shop", *ALWAYS, by=ANSWERS)) == summed(found)
    assert found == known | {Tally("2026-11-01", 1, "shown", "", "en", "", "", "banner"): 7}


def as_before(path: Path) -> None:
    """A database as it was before the daily counts of decisions."""
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE tallies")
        db.execute("DROP TABLE answers")
        db.execute(
            "CREATE TABLE displays (site INTEGER NOT NULL, day TEXT NOT NULL, policy INTEGER NOT NULL,"
            " language TEXT NOT NULL, surface TEXT NOT NULL, count INTEGER NOT NULL,"
            " PRIMARY KEY (site, day, policy, language, surface))"
        )
        db.execute("INSERT INTO displays VALUES (1, '2026-11-01', 1, 'en', 'banner', 7)")
        db.execute("DELETE FROM _sqlite_migrations WHERE name >= 'm009'")


@pytest.mark.parametrize(
    "meanwhile", ["a choice", "a choice of somebody else", "an erasure", "a purge", "many choices"]
)
def test_what_happens_between_reading_and_purging_is_neither_lost_nor_counted_twice(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    first, second, third = SUBJECTS
    for subject in (first, second, first):
        ledger.record("shop", choice(subject=subject))
    clock.forward(days=DAYS + 1)
    acts = {
        "a choice": lambda: ledger.record("shop", choice(subject=first)),
        "a choice of somebody else": lambda: ledger.record("shop", choice(subject=third)),
        "an erasure": lambda: ledger.erase("shop", first, reason="test"),
        "a purge": lambda: list(ledger.erasure.purge("shop", DAYS)),
        "many choices": lambda: [ledger.record("shop", choice(subject=one)) for one in (third, third, first)],
    }
    writing = ledger.storage.writing

    def interrupted():
        monkeypatch.setattr(ledger.storage, "writing", writing)
        acts[meanwhile]()
        return writing()

    monkeypatch.setattr("consent.erasure.PAGE", 3)
    monkeypatch.setattr(ledger.storage, "writing", interrupted)
    purged = sum(ledger.erasure.purge("shop", DAYS))
    came_back = meanwhile in ("a choice", "many choices")
    assert purged == {"an erasure": 1, "a purge": 0}.get(meanwhile, 1 if came_back else 3)
    assert len(ledger.history("shop", first)) == (3 if came_back else 0) and ledger.history("shop", second) == []
    assert counted(ledger) == recounted(ledger)
    named = [
        index for told in ledger.entries("shop", Filter(kinds=("erasure",))) for index in emptied(told.token or "")
    ]
    assert len(named) == len(set(named))


def emptied(token: str) -> list[int]:
    """The indexes that an erasure entry names."""
    return json.loads(receipts.read(token)[1])["erasure"]["indexes"]
