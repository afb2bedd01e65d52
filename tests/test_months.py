"""An installation whose counts had a row for each day has the same counts in a row for each month."""

import random
from collections import Counter

import pytest
from msgspec.structs import astuple

from consent.model import Site, Tally
from consent.storage import open_storage, schema
from consent.storage.postgres_schema import MIGRATIONS

KEY = "site, day, policy, action, granted, language, country, regime, surface, count"
ALWAYS = ("2000-01-01", "3000-01-01")
DAYS = [f"{month}-{day:02}" for month in ("2025-12", "2026-01", "2026-02") for day in (1, 2, 9, 10, 19, 27, 28)]


@pytest.fixture
def older(unborn, monkeypatch):
    """A database as it was before, with counts."""
    storage = open_storage(unborn)
    with monkeypatch.context() as before:
        before.delitem(MIGRATIONS, "m005_months")
        before.setattr(schema, "MIGRATIONS", [work for work in schema.MIGRATIONS if work.__name__ < "m010"])
        storage.migrate()
        with storage.writing() as rows:
            rows.add_site(Site("shop", 0))
            rows.fill("tallies", KEY, [(1, *astuple(one), count) for one, count in counts().items()])
            columns = KEY.replace("language, country, regime, surface, ", "")
            rows.fill("answers", columns, [(1, *astuple(one)[:4], count) for one, count in answers().items()])
    yield storage
    storage.close()


def test_migrating_keeps_every_count(older):
    assert len(older.migrate()) == 1
    found = older.reading()
    assert dict(found.tallies("shop", *ALWAYS)) == counts()
    assert dict(found.tallies("shop", *ALWAYS, by=("day", "policy", "action", "granted"))) == answers()


def test_counting_goes_on_after_migrating(older):
    older.migrate()
    one, known = next(iter(counts().items()))
    for count in (3, -1):
        with older.writing() as rows:
            rows.tally("shop", {one: count})
    assert dict(older.reading().tallies("shop", *ALWAYS)) == counts() | {one: known + 2}


def counts() -> dict[Tally, int]:
    some = random.Random(1)
    found = Counter[Tally]()
    for _ in range(400):
        action = some.choice(["accept_all", "shown", "custom"])
        said = (some.choice([1, 2]), action, some.choice(["", "analytics"]), some.choice(["de", "en"]))
        found[Tally(some.choice(DAYS), *said, some.choice(["", "DE"]), "opt-in", "banner")] += some.choice([1, 1, 300])
    return dict(found)


def answers() -> dict[Tally, int]:
    found = Counter[Tally]()
    for one, count in counts().items():
        found[Tally(one.day, one.policy, one.action, one.granted, "", "", "", "")] += count
    return dict(found)
