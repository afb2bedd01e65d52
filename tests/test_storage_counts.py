"""The storage contract: daily counts add up, whatever they are summed over."""

from collections import Counter
from datetime import date, timedelta

import msgspec
import pytest

from consent.model import Tally
from tests.test_storage import ALWAYS, shop, tally

__all__ = ["shop"]


def test_counts_add_up_over_transactions_and_inside_them(shop):
    one, other = tally(), tally(language="de")
    for counts in ({one: 2, other: 1}, {one: 3}):
        with shop.writing() as rows:
            rows.tally("shop", counts)
            rows.tally("shop", {one: 10})
    assert shop.reading().tallies("shop", *ALWAYS) == [(other, 1), (one, 25)]


def test_every_field_of_a_count_keeps_it_apart(shop):
    changes = {"day": "2026-11-24", "policy": 2, "action": "signal", "granted": "", "language": "de", "country": "", "regime": "notice", "surface": "api"}  # fmt: skip
    kinds = [tally(), *(msgspec.structs.replace(tally(), **{name: value}) for name, value in changes.items())]
    with shop.writing() as rows:
        rows.tally("shop", dict.fromkeys(kinds, 1))
    found = shop.reading().tallies("shop", *ALWAYS)
    assert found == sorted(((kind, 1) for kind in kinds), key=lambda pair: msgspec.structs.astuple(pair[0]))


def test_what_comes_to_nought_is_gone(shop):
    with shop.writing() as rows:
        rows.tally("shop", {tally(): 2, tally("2026-11-24"): 1})
    with shop.writing() as rows:
        rows.tally("shop", {tally(): -2, tally("2026-11-25"): -1})
    assert shop.reading().tallies("shop", *ALWAYS) == [(tally("2026-11-24"), 1)]


def test_counts_are_read_from_a_day_on_and_before_a_day(shop):
    days = [tally(f"2026-11-{day}") for day in (22, 23, 24, 25)]
    with shop.writing() as rows:
        rows.tally("shop", dict.fromkeys(days, 1))
    assert shop.reading().tallies("shop", "2026-11-23", "2026-11-25") == [(days[1], 1), (days[2], 1)]


def test_counts_are_summed_over_the_fields_that_are_not_named(shop):
    with shop.writing() as rows:
        rows.tally("shop", {tally(): 1, tally("2026-11-24", language="de"): 2, tally(policy=2): 4})
    by_policy = shop.reading().tallies("shop", *ALWAYS, by={"policy"})
    assert by_policy == [(Tally("", 1, *[""] * 6), 3), (Tally("", 2, *[""] * 6), 4)]
    assert shop.reading().tallies("shop", *ALWAYS, by=()) == [(Tally("", 0, *[""] * 6), 7)]
    assert shop.reading().tallies("shop", "2027-01-01", "2027-02-01", by=()) == []


PERIODS = [
    ("2025-12-31", "2026-01-01"), ("2026-01-01", "2026-02-01"), ("2026-01-02", "2026-01-31"), ("2026-01-31", "2026-03-01"),
    ("2025-12-02", "2026-02-28"), ("2026-02-28", "2026-02-28"), ALWAYS,
]  # fmt: skip


@pytest.mark.parametrize("since, until", PERIODS)
@pytest.mark.parametrize("by", [(), ("action",), ("language",), ("policy", "country")])
def test_a_period_has_the_sum_of_its_days(shop, since, until, by):
    first = date(2025, 12, 1)
    days = [(first + timedelta(days=at)).isoformat() for at in range(110)]
    with shop.writing() as rows:
        rows.tally("shop", {tally(day, language=("de", "en")[at % 2]): at + 1 for at, day in enumerate(days)})
    found = shop.reading().tallies("shop", since, until, by=by)
    assert sum(count for _, count in found) == sum(at + 1 for at, day in enumerate(days) if since <= day < until)
    daily = shop.reading().tallies("shop", since, until, by=("day", *by))
    summed = Counter[Tally]()
    for one, count in daily:
        summed[msgspec.structs.replace(one, day="")] += count
    assert dict(found) == summed


def test_what_is_taken_away_too_often_takes_nothing_from_other_days(shop):
    with shop.writing() as rows:
        rows.tally("shop", {tally(): 2, tally("2026-11-24"): 1})
    with shop.writing() as rows:
        rows.tally("shop", {tally(): -5})
    assert shop.reading().tallies("shop", *ALWAYS) == [(tally("2026-11-24"), 1)]
    assert shop.reading().tallies("shop", *ALWAYS, by=()) == [(Tally("", 0, *[""] * 6), 1)]


def test_sites_are_counted_apart(shop):
    with shop.writing() as rows:
        rows.tally("shop", {tally(): 1})
    assert shop.reading().tallies("other", *ALWAYS) == []


def test_a_count_is_undone_with_its_transaction_and_seen_inside_it(shop):
    with pytest.raises(ZeroDivisionError), shop.writing() as rows:
        rows.tally("shop", {tally(): 1})
        assert rows.tallies("shop", *ALWAYS) == [(tally(), 1)]
        raise ZeroDivisionError
    assert shop.reading().tallies("shop", *ALWAYS) == []
