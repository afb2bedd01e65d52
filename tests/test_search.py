"""Searching and counting: the same as looking at everything, without looking at everything."""

import msgspec
import pytest

from consent import search
from consent.model import Display, Filter
from tests.conftest import ALL, SUBJECT, choice

OTHERS = [f"{letter * 21}A" for letter in "abc"]


@pytest.fixture
def log(ledger, clock):
    """After the policy's own entry: 20 receipts a minute apart, every fourth accepting all, one subject's own."""
    for number in range(20):
        clock.forward(seconds=60)
        grants = {"action": "accept_all", "grants": ALL} if number % 4 == 0 else {}
        ledger.record("shop", choice(subject=SUBJECT if number == 3 else OTHERS[number % 3], **grants))
    return ledger.storage.reading()


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question looks at four entries."""
    monkeypatch.setattr(search, "LOOKED", 4)


def all_pages(log, filter, limit=3):
    found, before = [], None
    while True:
        page = search.newest(log, "shop", filter, before=before, limit=limit)
        found += [entry.index for entry in page.entries]
        assert page.before is None or before is None or page.before < before
        before = page.before
        if before is None:
            return found


FILTERS = [
    Filter(),
    Filter(action="accept_all"),
    Filter(action="withdraw"),
    Filter(policy=2),
    Filter(subject=SUBJECT),
    Filter(since=1_795_000_000 + 300, until=1_795_000_000 + 900),
    Filter(since=1_795_000_000 + 300, action="accept_all"),
    Filter(until=0),
    Filter(since=2_000_000_000),
    Filter(since=1_795_000_900, until=1_795_000_300),
]


@pytest.mark.parametrize("filter", FILTERS)
def test_all_pages_together_have_every_receipt_once(log, filter, little):
    assert all_pages(log, filter) == [entry.index for entry in log.newest("shop", filter)]


DAY = 86_400
TODAY = 1_795_000_000 // DAY * DAY
DAYS = [
    Filter(),
    Filter(action="accept_all"),
    Filter(policy=1),
    Filter(policy=2),
    Filter(since=TODAY),
    Filter(since=TODAY + DAY),
    Filter(until=TODAY),
    Filter(since=TODAY, until=TODAY + DAY, action="custom"),
]


@pytest.mark.parametrize("erased", [True, False])
@pytest.mark.parametrize("filter", DAYS)
def test_whole_days_are_counted_without_looking(log, ledger, filter, erased):
    ledger.erase("shop", SUBJECT, reason="test")
    ledger.count_display("shop", Display(1, "en", "banner"))
    filter = msgspec.structs.replace(filter, erased=erased)
    assert search.count(log, "shop", filter) == log.count("shop", filter)


def test_a_page_that_is_not_full_says_how_far_it_looked(log, little):
    page = search.newest(log, "shop", Filter(action="withdraw"))
    assert page.entries == [] and page.before == 17 and page.looked_to == 1_795_000_000 + 17 * 60


def test_the_last_page_says_that_it_is_the_last(log):
    page = search.newest(log, "shop", Filter(), limit=20)
    assert len(page.entries) == 20 and page == search.Page(page.entries, None)


def test_no_question_looks_at_more_than_it_may(log, little, monkeypatch):
    looked = []
    rows = type(log)
    newest = rows.newest
    monkeypatch.setattr(rows, "newest", lambda self, *a, **k: looked.append(k["before"] - k["after"] - 1) or newest(self, *a, **k))  # fmt: skip
    search.newest(log, "shop", Filter(action="withdraw"))
    assert looked == [4]
