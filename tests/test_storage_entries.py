"""The storage contract: entries of a log, found by whatever is asked, and emptied."""

import sqlite3
import uuid
from base64 import urlsafe_b64encode
from typing import get_args

import msgspec
import pytest

from consent.errors import Conflict
from consent.fields import Action
from consent.model import Entry, Filter
from consent.storage.base import Storage
from tests.conftest import ON_SQLITE, SUBJECT
from tests.test_storage import EVERYTHING, OTHER, append, entry, indexes, shop

__all__ = ["shop"]


def subject_of(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(16, "big")).rstrip(b"=").decode()


# The ledger.


def test_indexes_count_from_nought_without_a_gap(shop):
    assert append(shop, entry(), entry(), entry()) == [0, 1, 2]


def test_each_site_has_a_sequence_of_its_own(shop):
    assert append(shop, entry(), entry("other"), entry()) == [0, 0, 1]


def test_the_size_counts_every_entry(shop):
    append(shop, entry(), entry(kind="policy", subject=None, action=None))
    assert (shop.reading().size("shop"), shop.reading().size("other")) == (2, 0)


@pytest.mark.parametrize("kind", ["receipt", "policy", "erasure"])
def test_an_entry_comes_back_as_it_was_appended(shop, kind):
    given = entry(kind=kind) if kind == "receipt" else entry(kind=kind, subject=None, policy=None, action=None)
    append(shop, given)
    assert shop.reading().entry("shop", given.id) == msgspec.structs.replace(given, index=0)


@pytest.mark.parametrize("action", get_args(Action))
def test_every_action_comes_back(shop, action):
    append(shop, entry(action=action))
    assert shop.reading().latest("shop", SUBJECT).action == action


def test_an_id_is_taken_once_in_a_site(shop):
    given = entry()
    append(shop, given)
    with pytest.raises(Conflict):
        append(shop, msgspec.structs.replace(given, subject=OTHER))


def test_two_sites_may_use_the_same_id(shop):
    given = entry()
    append(shop, given, msgspec.structs.replace(given, site="other"))
    assert shop.reading().entry("other", given.id).site == "other"


def test_an_id_never_recorded_finds_nothing(shop):
    assert shop.reading().entry("shop", str(uuid.uuid4())) is None


def test_the_latest_entry_of_a_subject_is_its_last(shop):
    append(shop, entry(recorded_at=300), last := entry(recorded_at=200), entry(subject=OTHER))
    assert shop.reading().latest("shop", SUBJECT).id == last.id


def test_the_latest_entry_may_leave_out_an_action(shop):
    first, once = entry(action="custom"), entry(action="load_once")
    append(shop, first, once)
    assert shop.reading().latest("shop", SUBJECT, but="load_once").id == first.id
    assert shop.reading().latest("shop", SUBJECT).id == once.id


@ON_SQLITE
def test_the_latest_entry_is_found_by_one_look_into_an_index(shop, tmp_path, monkeypatch):
    append(shop, entry(), entry())
    rows, asked = shop.reading(), []
    one = type(rows)._one
    monkeypatch.setattr(type(rows), "_one", lambda self, *query: asked.append(query) or one(self, *query))
    rows.latest("shop", SUBJECT, but="load_once")
    ((sql, values),) = [query for query in asked if "FROM entries" in query[0]]
    with sqlite3.connect(tmp_path / "data" / "consent.db") as db:
        (step,) = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    db.close()
    assert step == "SEARCH entries USING INDEX entries_by_subject (site=? AND subject=?)"


def test_a_subject_never_seen_has_no_latest_entry(shop):
    append(shop, entry("other"))
    assert shop.reading().latest("shop", SUBJECT) is None


FILTERS = [
    (EVERYTHING, [0, 1, 2, 3, 4]),
    (Filter(), [1, 2, 3, 4]),
    (Filter(kinds=("policy",)), [0]),
    (Filter(kinds=("erasure",)), []),
    (Filter(kinds=("policy", "receipt")), [0, 1, 2, 3, 4]),
    (Filter(since=200), [2, 3, 4]),
    (Filter(until=200), [1]),
    (Filter(since=200, until=300), [2]),
    (Filter(since=0, until=0), []),
    (Filter(action="withdraw"), [3]),
    (Filter(action="accept_all"), [2]),
    (Filter(policy=2), [2, 3]),
    (Filter(subject=OTHER), [2]),
    (Filter(subject=SUBJECT, policy=2), [3]),
]


@pytest.fixture
def varied(shop: Storage) -> Storage:
    append(
        shop,
        entry(kind="policy", subject=None, action=None),
        entry(recorded_at=100),
        entry(recorded_at=200, action="accept_all", policy=2, subject=OTHER),
        entry(recorded_at=300, action="withdraw", policy=2),
        entry(recorded_at=300),
    )
    return shop


@pytest.mark.parametrize(("filter", "expected"), FILTERS, ids=str)
def test_a_filter_reads_what_it_names_oldest_first(varied, filter, expected):
    assert indexes(varied.reading().entries("shop", filter)) == expected


@pytest.mark.parametrize(("filter", "expected"), FILTERS, ids=str)
def test_a_filter_reads_the_same_newest_first(varied, filter, expected):
    assert indexes(varied.reading().newest("shop", filter)) == expected[::-1]
    assert varied.reading().count("shop", filter) == len(expected)


def test_pages_of_entries_follow_each_other_without_loss(shop):
    append(shop, *(entry() for _ in range(7)))
    read, after = [], -1
    while page := indexes(shop.reading().entries("shop", EVERYTHING, after=after, limit=3)):
        read, after = read + page, page[-1]
    assert read == list(range(7))


def test_pages_newest_first_follow_each_other_without_loss(shop):
    append(shop, *(entry() for _ in range(7)))
    read, before = [], None
    while page := indexes(shop.reading().newest("shop", EVERYTHING, before=before, limit=3)):
        read, before = read + page, page[-1]
    assert read == list(range(7))[::-1]


def test_the_newest_are_read_and_counted_between_two_indexes_that_do_not_belong_to_them(shop):
    append(shop, *(entry() for _ in range(7)), entry("other"))
    assert indexes(shop.reading().newest("shop", EVERYTHING, before=5, after=1)) == [4, 3, 2]
    assert shop.reading().count("shop", EVERYTHING, before=5, after=1) == 3
    assert shop.reading().count("shop", EVERYTHING) == 7


def test_a_page_has_as_many_entries_as_asked_for_though_others_are_filtered_out(shop):
    append(shop, *(entry(subject=subject_of(number % 2)) for number in range(10)))
    assert indexes(shop.reading().entries("shop", Filter(subject=subject_of(0)), after=2, limit=3)) == [4, 6, 8]


# Erasing.


def test_emptying_empties_the_entries_named_and_no_other(shop, monkeypatch):
    monkeypatch.setattr("consent.storage.rows.BATCH", 2)  # as many as one statement empties
    append(shop, *(entry() for _ in range(6)), entry("other"))
    with shop.writing() as rows:
        rows.empty("shop", [0, 2, 3, 5])
    found = shop.reading().entries("shop", Filter(erased=False))
    assert indexes(found) == [1, 4] and len(shop.reading().entries("other", Filter(erased=False))) == 1


def test_an_emptied_entry_keeps_index_kind_time_and_leaf_and_nothing_else(shop):
    given = entry()
    append(shop, given)
    with shop.writing() as rows:
        rows.empty("shop", [0])
    expected = Entry("shop", "receipt", given.recorded_at, given.leaf, None, index=0)
    assert shop.reading().entries("shop", EVERYTHING) == [expected]


def test_emptying_leaves_other_subjects_and_sites_whole(shop):
    append(shop, entry(), kept := entry(subject=OTHER), elsewhere := entry("other"))
    with shop.writing() as rows:
        rows.empty("shop", [0])
    rows = shop.reading()
    assert (
        rows.entry("shop", kept.id).token == kept.token and rows.entry("other", elsewhere.id).token == elsewhere.token
    )


def test_an_emptied_subject_is_found_no_more(shop):
    append(shop, given := entry())
    with shop.writing() as rows:
        rows.empty("shop", [0])
    rows = shop.reading()
    found = [rows.latest("shop", SUBJECT), rows.entry("shop", given.id), rows.newest("shop", Filter(subject=SUBJECT))]
    assert found == [None, None, []]


def test_emptying_nothing_changes_nothing(shop):
    append(shop, entry())
    with shop.writing() as rows:
        rows.empty("shop", [])
    assert indexes(shop.reading().entries("shop", Filter(erased=False))) == [0]


def test_idle_are_those_whose_last_receipt_is_older(shop):
    times = [(1, 100), (2, 110), (1, 120), (3, 130), (2, 200), (4, 210)]
    append(shop, *(entry(subject=subject_of(number), recorded_at=at) for number, at in times))
    append(
        shop, entry("other", subject=subject_of(5), recorded_at=1), entry(kind="policy", subject=None, recorded_at=220)
    )
    found = [sorted(shop.reading().idle("shop", before)) for before in (0, 100, 121, 131, 200, 201, 1000)]
    one, two, three, four = map(subject_of, (1, 2, 3, 4))
    assert found == [[], [], [one], [one, three], [one, three], [one, two, three], [one, two, three, four]]
    with shop.writing() as rows:
        rows.empty("shop", [0, 2])
    assert shop.reading().idle("shop", 200) == [three]


def test_erased_entries_still_count_and_are_never_given_out_again(shop):
    append(shop, entry(), entry())
    with shop.writing() as rows:
        rows.empty("shop", [0, 1])
    assert append(shop, entry()) == [2] and shop.reading().size("shop") == 3


def test_a_filter_may_leave_erased_entries_out(shop):
    append(shop, entry(), entry(subject=OTHER))
    with shop.writing() as rows:
        rows.empty("shop", [0])
    assert indexes(shop.reading().entries("shop", Filter(erased=False))) == [1]


def test_nothing_of_an_erased_subject_is_left_in_a_backup(shop, tmp_path):
    append(shop, entry(token="a-statement-to-forget"), entry(subject=OTHER))
    with shop.writing() as rows:
        rows.empty("shop", [0])
    shop.backup(tmp_path / "backup.db")
    assert b"a-statement-to-forget" not in (tmp_path / "backup.db").read_bytes()
