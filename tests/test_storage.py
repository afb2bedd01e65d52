"""The storage contract: what consent/storage/base.py promises, run against every backend."""

import hashlib
import shutil
import sqlite3
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import msgspec
import psycopg
import pytest

from consent.errors import (
    BadSettings,
    Conflict,
    NewerDatabase,
    PendingMigrations,
    Unavailable,
    UnknownPolicy,
    UnknownSite,
)
from consent.fields import TRAIL, Action
from consent.merkle import leaf_hash
from consent.model import Entry, Filter, Publication, Script, Site, Tally, Token
from consent.storage import open_storage
from consent.storage.base import Storage, logs
from tests.conftest import ON_SQLITE, SUBJECT

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
EVERYTHING = Filter(kinds=())


def entry(site: str = "shop", **changes) -> Entry:
    """A receipt's row with a fresh id."""
    token = changes.pop("token", uuid.uuid4().hex)
    given = {"id": str(uuid.uuid4()), "subject": SUBJECT, "policy": 1, "action": "custom"} | changes
    return Entry(
        site, given.pop("kind", "receipt"), given.pop("recorded_at", 100), leaf_hash(token.encode()), token, **given
    )


def publication(version: int, site: str = "shop") -> Publication:
    document = b'{"version":%d}' % version
    return Publication(site, version, hashlib.sha256(document).digest(), document, 1, 100 + version)


def script(text: bytes, *, version: int = 1, language: str = "en", regime: str = "opt-in") -> Script:
    return Script("shop", version, language, regime, b"code", hashlib.sha256(text).digest(), b"gzip")


def api_token(id: str = "0123456789ab", **changes) -> Token:
    fields = {"hash": b"h" * 32, "role": "auditor", "site": None, "name": "test", "created_at": 100}
    return Token(id, **(fields | changes))


def append(storage: Storage, *entries: Entry) -> list[int]:
    with storage.writing() as rows:
        return [rows.append(each) for each in entries]


def indexes(entries: list[Entry]) -> list[int]:
    return [each.index for each in entries]


def subject_of(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(16, "big")).rstrip(b"=").decode()


@pytest.fixture
def shop(storage: Storage) -> Storage:
    """A storage with the sites `shop` and `other`."""
    with storage.writing() as rows:
        rows.add_site(Site("shop", 10))
        rows.add_site(Site("other", 20))
    return storage


PUBLISHING = {
    "add_site": lambda rows: rows.add_site(Site("third", 30)),
    "remove_site": lambda rows: rows.remove_site("other"),
    "add_publication": lambda rows: rows.add_publication(publication(1)),
    "add_script": lambda rows: rows.add_script(script(b"new")),
}


@pytest.mark.parametrize("what", PUBLISHING)
def test_what_is_published_here_is_noticed_here_at_once(shop, what):
    before = shop.published()
    append(shop, entry())
    assert shop.published() == before, "recording publishes nothing"
    with shop.writing() as rows:
        PUBLISHING[what](rows)
    assert shop.published() != before


@ON_SQLITE
@pytest.mark.parametrize("what", PUBLISHING)
def test_what_is_published_here_is_noticed_by_every_process_of_the_machine(shop, database, what):
    other = open_storage(database)
    before = other.published()
    append(shop, entry())
    assert other.published() == before, "recording publishes nothing"
    with shop.writing() as rows:
        PUBLISHING[what](rows)
    assert other.published() != before


def test_what_is_not_published_in_the_end_is_not_announced(shop):
    before = shop.published()
    with pytest.raises(UnknownSite), shop.writing() as rows:
        rows.add_publication(publication(1))
        rows.site("nowhere")
    assert shop.published() == before


# Sites.


def test_sites_come_back_as_they_were_added_in_order_of_their_ids(shop):
    assert shop.reading().sites() == [Site("other", 20), Site("shop", 10)]


def test_one_site_is_found_by_its_id(shop):
    assert shop.reading().site("shop") == Site("shop", 10)


def test_a_site_id_is_taken_once(shop):
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.add_site(Site("shop", 30))


OF_A_SITE = {
    "site": lambda rows: rows.site("nowhere"),
    "remove_site": lambda rows: rows.remove_site("nowhere"),
    "publications": lambda rows: rows.publications("nowhere"),
    "publication": lambda rows: rows.publication("nowhere", 1),
    "newest publication": lambda rows: rows.publication("nowhere"),
    "add_publication": lambda rows: rows.add_publication(publication(1, "nowhere")),
    "script": lambda rows: rows.script("nowhere", b""),
    "newest_script": lambda rows: rows.newest_script("nowhere", 1, language="en", regime="opt-in"),
    "add_script": lambda rows: rows.add_script(msgspec.structs.replace(script(b""), site="nowhere")),
    "size": lambda rows: rows.size("nowhere"),
    "append": lambda rows: rows.append(entry("nowhere")),
    "entry": lambda rows: rows.entry("nowhere", str(uuid.uuid4())),
    "latest": lambda rows: rows.latest("nowhere", SUBJECT),
    "entries": lambda rows: rows.entries("nowhere", EVERYTHING),
    "newest": lambda rows: rows.newest("nowhere", EVERYTHING),
    "count": lambda rows: rows.count("nowhere", EVERYTHING),
    "empty": lambda rows: rows.empty("nowhere", [0]),
    "add_token": lambda rows: rows.add_token(api_token(site="nowhere")),
    "tally": lambda rows: rows.tally("nowhere", {tally(): 1}),
    "tallies": lambda rows: rows.tallies("nowhere", *ALWAYS),
}


@pytest.mark.parametrize("call", OF_A_SITE.values(), ids=OF_A_SITE)
def test_whatever_is_asked_of_an_unknown_site_is_refused(shop, call):
    with pytest.raises(UnknownSite, match="'nowhere'"), shop.writing() as rows:
        call(rows)


def filled(storage: Storage) -> None:
    with storage.writing() as rows:
        rows.add_publication(publication(1))
        rows.add_script(script(b"one"))
        rows.append(entry())
        rows.add_token(api_token(site="shop"))
        rows.tally("shop", {tally(): 1})


def test_a_removed_site_takes_everything_of_its_own_with_it(shop):
    filled(shop)
    with shop.writing() as rows:
        rows.remove_site("shop")
    rows = shop.reading()
    assert rows.tokens() == [] and rows.sites() == [Site("other", 20)]
    for ask in (
        rows.publications,
        lambda site: rows.tallies(site, *ALWAYS),
        rows.scripts,
        rows.checkpoint,
        lambda site: rows.entries(site, EVERYTHING),
    ):
        with pytest.raises(UnknownSite):
            ask("shop")


def test_the_id_of_a_removed_site_stays_taken(shop):
    filled(shop)
    with shop.writing() as rows:
        rows.remove_site("shop")
    for _ in range(2):
        with pytest.raises(Conflict, match=r"There was a site 'shop'.*choose another id"), shop.writing() as rows:
            rows.add_site(Site("shop", 40))
    with shop.writing() as rows:
        rows.add_site(Site("shop-2", 40))
    assert shop.reading().size("shop-2") == 0


def test_an_id_is_not_taken_by_a_removal_that_was_undone(shop):
    with pytest.raises(ZeroDivisionError), shop.writing() as rows:
        rows.remove_site("shop")
        1 / 0  # noqa: B018
    assert shop.reading().site("shop") == Site("shop", 10)


def test_a_removed_site_takes_nothing_of_another_with_it(shop):
    append(shop, entry("other"))
    with shop.writing() as rows:
        rows.add_token(api_token(site="other"))
        rows.remove_site("shop")
    assert shop.reading().size("other") == 1 and len(shop.reading().tokens()) == 1


# Policies and scripts.


def test_versions_come_back_whole_and_oldest_first(shop):
    with shop.writing() as rows:
        for version in (2, 1, 10):
            rows.add_publication(publication(version))
    assert shop.reading().publications("shop") == [publication(1), publication(2), publication(10)]


def test_the_newest_version_is_the_one_with_the_highest_number(shop):
    with shop.writing() as rows:
        for version in (9, 10, 1):
            rows.add_publication(publication(version))
    assert shop.reading().publication("shop").version == 10


def test_a_version_is_found_by_its_number(shop):
    with shop.writing() as rows:
        rows.add_publication(publication(1))
        rows.add_publication(publication(2))
    assert shop.reading().publication("shop", 1) == publication(1)


@pytest.mark.parametrize("version", [None, 1, 2])
def test_a_version_that_was_never_published_is_unknown(shop, version):
    with pytest.raises(UnknownPolicy):
        shop.reading().publication("shop", version)


def test_a_version_is_published_once(shop):
    with shop.writing() as rows:
        rows.add_publication(publication(1))
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.add_publication(publication(1))


def test_two_sites_count_their_versions_apart(shop):
    with shop.writing() as rows:
        rows.add_publication(publication(1))
        rows.add_publication(publication(1, "other"))
    assert shop.reading().publication("other") == publication(1, "other")


def test_a_script_is_found_by_its_hash(shop):
    with shop.writing() as rows:
        rows.add_script(script(b"one"))
        rows.add_script(script(b"two"))
    assert shop.reading().script("shop", script(b"one").hash) == script(b"one")


def test_an_unknown_hash_finds_no_script(shop):
    assert shop.reading().script("shop", b"") is None


def test_the_same_script_twice_is_kept_once(shop):
    with shop.writing() as rows:
        rows.add_script(script(b"one"))
        rows.add_script(script(b"two"))
        rows.add_script(script(b"one"))
    assert shop.reading().newest_script("shop", 1, language="en", regime="opt-in") == script(b"two")


@pytest.mark.parametrize("other", [{"version": 2}, {"language": "de"}, {"regime": "notice"}], ids=str)
def test_the_newest_script_is_that_of_its_version_language_and_regime(shop, other):
    with shop.writing() as rows:
        rows.add_script(script(b"one"))
        rows.add_script(script(b"two", **other))
    assert shop.reading().newest_script("shop", 1, language="en", regime="opt-in") == script(b"one")


def test_where_no_script_was_made_there_is_none(shop):
    assert shop.reading().newest_script("shop", 1, language="en", regime="opt-in") is None


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


# Tokens.


def test_tokens_come_back_whole_oldest_first(shop):
    second = api_token("a", created_at=200, expires_at=900, site="shop", role="owner")
    with shop.writing() as rows:
        rows.add_token(second)
        rows.add_token(api_token("b"))
    assert shop.reading().tokens() == [api_token("b"), second]


def test_a_token_is_found_by_its_id(shop):
    with shop.writing() as rows:
        rows.add_token(api_token("a"))
    assert (shop.reading().token("a"), shop.reading().token("b")) == (api_token("a"), None)


def test_a_token_id_is_taken_once(shop):
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.add_token(api_token("a"))
        rows.add_token(api_token("a", role="owner"))


def test_revoking_a_token_keeps_when_it_was_revoked(shop):
    with shop.writing() as rows:
        rows.add_token(api_token("a"))
        assert rows.revoke_token("a", 500)
    assert shop.reading().token("a").revoked_at == 500


def test_a_token_is_revoked_once(shop):
    with shop.writing() as rows:
        rows.add_token(api_token("a"))
        assert [rows.revoke_token("a", 500), rows.revoke_token("a", 600), rows.revoke_token("b", 600)] == [
            True,
            False,
            False,
        ]


# Daily counts.


ALWAYS = ("2000-01-01", "3000-01-01")


def tally(day: str = "2026-11-23", **changes) -> Tally:
    given = {
        "policy": 1,
        "action": "custom",
        "granted": "analytics",
        "language": "en",
        "country": "DE",
        "regime": "opt-in",
        "surface": "banner",
    }
    return Tally(day, **(given | changes))  # fmt: skip


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


# Transactions.


def test_a_transaction_is_undone_when_its_block_raises(shop):
    with pytest.raises(ZeroDivisionError), shop.writing() as rows:
        rows.append(entry())
        rows.add_site(Site("third", 30))
        raise ZeroDivisionError
    assert shop.reading().size("shop") == 0 and len(shop.reading().sites()) == 2


def test_a_transaction_is_undone_when_a_row_is_refused(shop):
    given = entry()
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.append(given)
        rows.append(given)
    assert shop.reading().size("shop") == 0


@pytest.mark.parametrize("error", [ZeroDivisionError, Conflict, KeyboardInterrupt])
def test_writing_goes_on_after_a_transaction_that_raised(shop, error):
    with pytest.raises(error), shop.writing():
        raise error
    assert append(shop, entry()) == [0]


def test_readers_see_nothing_of_a_transaction_before_it_ends(shop):
    with shop.writing() as rows:
        rows.append(entry())
        assert shop.reading().size("shop") == 0
    assert shop.reading().size("shop") == 1


def test_a_writer_sees_its_own_rows(shop):
    with shop.writing() as rows:
        rows.append(given := entry())
        assert rows.entry("shop", given.id) and rows.size("shop") == 1


def test_threads_that_append_at_once_get_every_index_once(shop):
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(append(shop, entry())[0] for _ in range(20))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(100))


def test_what_one_storage_writes_another_on_the_same_database_reads(shop, database):
    other = open_storage(database)
    assert other.reading().size("shop") == 0
    append(shop, entry())
    assert other.reading().size("shop") == 1
    other.close()


def test_a_closed_storage_opens_again_at_its_next_use(shop):
    append(shop, entry())
    shop.close()
    assert shop.reading().size("shop") == 1


# Schema.


@pytest.fixture
def fresh(unborn: str) -> Iterator[Storage]:
    storage = open_storage(unborn)
    yield storage
    storage.close()


def test_migrating_applies_what_is_pending_and_says_so(fresh):
    pending = fresh.pending()
    assert pending and fresh.migrate() == pending and fresh.pending() == []


def test_migrating_twice_applies_nothing_twice(shop):
    append(shop, entry())
    assert shop.migrate() == [] and shop.reading().size("shop") == 1


def test_storages_that_migrate_at_once_apply_each_migration_once(fresh, unborn):
    storages = [open_storage(unborn) for _ in range(4)]
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda s=s: applied.append(s.migrate())) for s in storages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for storage in storages:
        storage.close()
    assert sorted(map(len, applied)) == [0, 0, 0, len(max(applied, key=len))] and fresh.pending() == []


def test_a_database_is_empty_until_it_is_migrated(fresh):
    before = fresh.is_empty()
    fresh.migrate()
    assert (before, fresh.is_empty()) == (True, False)


def test_asking_creates_nothing(fresh, tmp_path):
    fresh.is_empty(), fresh.pending()
    with pytest.raises((Unavailable, PendingMigrations)):
        fresh.reading()
    assert fresh.is_empty() and not (tmp_path / "fresh").exists()


FUTURE = {
    "sqlite": "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('consent', 'm999_future', '')",
    "postgresql": "INSERT INTO consent_migrations (name, applied_at) VALUES ('m999_future', now())",
}


@pytest.fixture
def from_the_future(shop: Storage, database: str) -> Storage:
    scheme, _, path = database.partition("://")
    with psycopg.connect(database) if scheme == "postgresql" else sqlite3.connect(path) as db:
        db.execute(FUTURE[scheme])
    db.close()
    return shop


@pytest.mark.parametrize("method", ["migrate", "pending", "check"])
def test_a_database_from_a_newer_version_is_left_alone(from_the_future, method):
    with pytest.raises(NewerDatabase, match="m999_future"):
        getattr(from_the_future, method)()


@ON_SQLITE
def test_migrations_of_other_tools_in_the_database_do_not_matter(shop, tmp_path):
    with sqlite3.connect(tmp_path / "data" / "consent.db") as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('plugin', 'm1', '')")
    db.close()
    shop.check()


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.check(),
        lambda storage: storage.reading().sites(),
        lambda storage: append(storage, entry()),
    ],
    ids=["check", "reading", "writing"],
)
def test_a_database_before_its_migrations_says_to_migrate(fresh, unborn, use):
    if unborn.startswith("sqlite"):
        path = Path(unborn.partition("://")[2])
        path.parent.mkdir()
        path.touch()
    with pytest.raises(PendingMigrations, match="consent migrate"):
        use(fresh)


# Trouble.


def test_a_sound_database_has_no_faults(shop):
    filled(shop)
    assert shop.faults() == []


def test_a_sound_database_passes_the_check(shop):
    shop.check()


def damaged(storage: Storage, path: Path, *, at: int) -> None:
    """Overwrite two pages' worth of the file from `at` on."""
    append(storage, *(entry(token="x" * 500) for _ in range(200)))
    storage.close()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 8192)


@ON_SQLITE
@pytest.mark.parametrize("at", [0, 4096, 40960, 81920])
def test_a_damaged_database_names_its_faults(shop, tmp_path, at):
    damaged(shop, tmp_path / "data" / "consent.db", at=at)
    faults = shop.faults()
    assert faults and all(fault.startswith("The database file is damaged") and "\n" not in fault for fault in faults)


@ON_SQLITE
@pytest.mark.parametrize(
    "use", [lambda s: s.reading().sites(), lambda s: append(s, entry())], ids=["reading", "writing"]
)
def test_a_file_that_is_no_database_is_unavailable(shop, tmp_path, use):
    shop.close()
    for name in ("consent.db", "consent.db-wal", "consent.db-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    (tmp_path / "data" / "consent.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable):
        use(shop)


@ON_SQLITE
def test_a_page_that_cannot_be_read_is_unavailable(shop, tmp_path):
    append(shop, *(entry(token="x" * 500) for _ in range(200)))
    shop.close()
    path = tmp_path / "data" / "consent.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(Unavailable):
        shop.reading().sites()


@ON_SQLITE
def test_a_missing_database_is_unavailable_and_found_again_when_it_is_back(shop, tmp_path):
    shop.close()
    shutil.move(tmp_path / "data", tmp_path / "away")
    with pytest.raises(Unavailable):
        shop.reading()
    shutil.move(tmp_path / "away", tmp_path / "data")
    assert len(shop.reading().sites()) == 2


def test_a_scheme_nobody_serves_is_refused_without_its_password():
    with pytest.raises(BadSettings, match=r"sqlite://… or postgresql://…") as refused:
        open_storage("oracle://user:secret@db.example/consent")
    assert "secret" not in str(refused.value)


# Backup.


def test_a_backup_holds_everything(shop, tmp_path):
    filled(shop)
    shop.backup(tmp_path / "backup.db")
    copy = open_storage(f"sqlite://{tmp_path / 'backup.db'}")
    assert (
        copy.reading().entries("shop", EVERYTHING) == shop.reading().entries("shop", EVERYTHING) and copy.faults() == []
    )
    copy.close()


def test_a_backup_is_one_file(shop, tmp_path):
    (tmp_path / "backups").mkdir()
    shop.backup(tmp_path / "backups" / "backup.db")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["backup.db"]


def test_a_backup_ends_while_recording_goes_on(shop, tmp_path):
    append(shop, *(entry(token="x" * 4000) for _ in range(5000)))
    stop = threading.Event()
    writer = threading.Thread(target=lambda: [append(shop, entry()) for _ in iter(stop.is_set, True)])
    writer.start()
    copying = threading.Thread(target=shop.backup, args=(tmp_path / "backup.db",))
    copying.start()
    copying.join(20)
    still_copying = copying.is_alive()
    stop.set()
    writer.join()
    copying.join()
    assert not still_copying


def test_a_backup_taken_while_recording_goes_on_is_a_whole_prefix_of_the_ledger(shop, tmp_path):
    stop = threading.Event()
    writer = threading.Thread(target=lambda: [append(shop, entry(), entry()) for _ in iter(stop.is_set, True)])
    writer.start()
    shop.backup(tmp_path / "backup.db")
    stop.set()
    writer.join()
    copy = open_storage(f"sqlite://{tmp_path / 'backup.db'}")
    kept = copy.reading().entries("shop", EVERYTHING, limit=100_000)
    copy.close()
    assert kept == shop.reading().entries("shop", EVERYTHING, limit=len(kept)) and len(kept) % 2 == 0


def test_a_backup_into_a_folder_that_is_not_there_is_refused(shop, tmp_path):
    with pytest.raises(Unavailable):
        shop.backup(tmp_path / "nowhere" / "backup.db")


# Documents.


def test_documents_come_back_by_kind_and_id_in_order(storage):
    with storage.writing() as rows:
        for id in ("b", "a"):
            rows.put_document("person", id, id.encode())
        rows.put_document("session", "a", b"other")
        rows.put_document("person", "b", b"newer")
    rows = storage.reading()
    assert rows.documents("person") == [("a", b"a"), ("b", b"newer")]
    assert (rows.document("session", "a"), rows.document("session", "b")) == (b"other", None)


def test_a_document_is_dropped_once(storage):
    with storage.writing() as rows:
        rows.put_document("person", "a", b"{}")
        assert [rows.drop_document("person", "a") for _ in range(2)] == [True, False]
    assert storage.reading().documents("person") == []


def test_what_a_transaction_does_with_a_document_that_it_read_is_not_lost(storage):
    def add() -> None:
        with storage.writing() as rows:
            number = int(rows.document("count", "a") or b"0")
            time.sleep(0.05)
            rows.put_document("count", "a", b"%d" % (number + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert storage.reading().document("count", "a") == b"4"


def test_a_document_that_is_dropped_while_it_is_changed_stays_away(storage):
    read = threading.Event()

    def drop() -> None:
        read.wait(10)
        with storage.writing() as rows:
            rows.drop_document("session", "a")

    with storage.writing() as rows:
        rows.put_document("session", "a", b"{}")
    thread = threading.Thread(target=drop)
    thread.start()
    with storage.writing() as rows:
        assert rows.document("session", "a")
        read.set()
        time.sleep(0.3)
        rows.put_document("session", "a", b"newer")
    thread.join(20)
    assert storage.reading().document("session", "a") is None


def test_a_removed_site_takes_its_documents_with_it_and_no_others(shop):
    kept = [("draft", "other"), ("draft", "shop-2"), ("person", "shop"), ("sighting", "shop-2 https://shop.example")]
    gone = [("draft", "shop"), ("sighting", "shop https://shop.example")]
    with shop.writing() as rows:
        for kind, id in kept + gone:
            rows.put_document(kind, id, b"{}")
        rows.remove_site("shop")
    rows = shop.reading()
    assert [rows.document(*one) for one in kept] == [b"{}"] * 4
    assert [rows.document(*one) for one in gone] == [None] * 2


def test_the_log_of_administrators_acts_is_no_site(shop):
    with shop.writing() as rows:
        rows.add_site(Site(TRAIL, 30))
    assert [site.id for site in shop.reading().sites()] == ["other", "shop"]
    assert logs(shop.reading()) == ["other", "shop", TRAIL]
    with pytest.raises(UnknownSite):
        shop.reading().site(TRAIL)
    with pytest.raises(UnknownSite), shop.writing() as rows:
        rows.remove_site(TRAIL)
