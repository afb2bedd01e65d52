"""Statistics say what happened, by whatever they are grouped, and refuse what they cannot group by."""

import csv

import pytest

from consent import policy, stats
from consent.errors import BadQuery
from consent.model import Category, Display, Tally
from tests.conftest import ALL, NONE, choice

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
ANALYTICS = {"persistent": False, "analytics": True, "social": False}
ASKED = {1: ["analytics", "social"], 2: ["analytics"]}


def tally(**changes) -> Tally:
    given = {"day": "2026-11-23", "policy": 1, "action": "custom", "granted": "analytics", "language": "en", "country": "DE", "regime": "opt-in", "surface": "banner"}  # fmt: skip
    return Tally(**(given | changes))


def grouped(counted: dict[Tally, int], *by: str) -> list[tuple]:
    found = stats.groups(counted.items(), by, ASKED.__getitem__)
    return [(*(getattr(one, name) for name in by), *(getattr(one, name) for name in stats.COUNTS)) for one in found]


MIXED = {
    tally(action="shown", granted=""): 10,
    tally(): 3,
    tally(action="accept_all", granted="analytics~social", country=""): 2,
    tally(action="reject_all", granted=""): 1,
    tally(policy=2, action="withdraw", granted="", language="de"): 1,
    tally(action="load_once", granted="social"): 50,
    Tally("2026-11-22", 0, "erased", *[""] * 5): 4,
}
CASES = {
    "nothing": ((), [(10, 7, 5, 2, 4)]),
    "category": (
        ("category",),
        [("analytics", 10, 7, 5, 2, 0), ("social", 10, 6, 2, 4, 0), (None, 0, 0, 0, 0, 4)],
    ),
    "day": (("day",), [("2026-11-22", 0, 0, 0, 0, 4), ("2026-11-23", 10, 7, 5, 2, 0)]),
    "country": (("country",), [("DE", 10, 5, 3, 2, 0), (None, 0, 2, 2, 0, 4)]),
    "policy": (("policy",), [(1, 10, 6, 5, 1, 0), (2, 0, 1, 0, 1, 0), (None, 0, 0, 0, 0, 4)]),
    "action": (
        ("action",),
        [("accept_all", 0, 2, 2, 0, 0), ("custom", 0, 3, 3, 0, 0), ("reject_all", 0, 1, 0, 1, 0), ("withdraw", 0, 1, 0, 1, 0), (None, 10, 0, 0, 0, 4)],
    ),
    "two": (
        ("language", "category"),
        [("de", "analytics", 0, 1, 0, 1, 0), ("en", "analytics", 10, 6, 5, 1, 0), ("en", "social", 10, 6, 2, 4, 0), (None, None, 0, 0, 0, 0, 4)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("by", "expected"), CASES.values(), ids=CASES)
def test_counts_are_grouped_by_what_is_named(by, expected):
    assert grouped(MIXED, *by) == expected


def test_a_category_is_not_taken_for_another_whose_id_it_is_part_of():
    counted = {tally(granted="socials"): 1}
    assert grouped(counted, "category") == [("analytics", 0, 1, 0, 1, 0), ("social", 0, 1, 0, 1, 0)]


def test_a_period_before_another_has_its_length_and_ends_where_it_begins():
    assert stats.Period("2026-11-01", "2026-11-08").before() == stats.Period("2026-10-25", "2026-11-01")


def test_the_last_thirty_days_up_to_now_are_meant_where_nothing_is_said():
    assert stats.period(None, None, now=1_795_000_000) == stats.Period("2026-10-20", "2026-11-19")


WRONG = {
    "a time": ("2026-11-23T10:00:00Z", None, "`since` must be a day"),
    "no day": (None, "soon", "`until` must be a day"),
    "a week": ("2026-W01-1", None, "`since` must be a day"),
    "no such day": ("2026-02-30", None, "`since` must be a day"),
    "before all": ("0001-01-01", None, "`since` must be a day"),
    "after all": (None, "9999-12-31", "`until` must be a day"),
    "backwards": ("2026-11-23", "2026-11-23", "before `until`"),
}


@pytest.mark.parametrize(("since", "until", "said"), WRONG.values(), ids=WRONG)
def test_a_period_that_is_none_is_refused(since, until, said):
    with pytest.raises(BadQuery, match=said):
        stats.period(since, until, now=1_795_000_000)


@pytest.mark.parametrize("text", ["", "weather", "day,", "day,,category", "Day", "count"])
def test_a_field_that_nothing_is_counted_by_is_refused(text):
    with pytest.raises(BadQuery, match="must be some of day,category"):
        stats.fields(text)


# The whole way: a choice posted, its count read.


@pytest.fixture
def counted(ledger, clock):
    """Two subjects in the period before, three choices in this one."""
    ledger.record("shop", choice(action="accept_all", grants=ALL))
    ledger.record("shop", choice(subject=OTHER))
    clock.forward(days=7)
    for _ in range(4):
        ledger.count_display("shop", Display(1, "en", "banner"), where="DE")
    ledger.record("shop", choice(action="withdraw", grants=NONE))
    ledger.record("shop", choice(language="de"), where="DE")
    ledger.record("shop", choice(subject=OTHER, action="reject_all", grants=NONE))
    return ledger


def day(clock, days: int) -> str:
    return stats.day_of(int(clock.now) + days * 86_400)


def test_rates_stand_beside_the_period_before(counted, clock):
    earlier = stats.trends(counted, "shop", stats.Period(day(clock, -7), day(clock, 0)))
    assert [(one.category, one.rate, one.before) for one in earlier.categories] == [
        ("analytics", 1.0, None),
        ("persistent", 0.5, None),
        ("social", 0.5, None),
    ]
    analytics = stats.trends(counted, "shop", stats.Period(day(clock, 0), day(clock, 7))).categories[0]
    assert (analytics.shown, analytics.decided, analytics.granted, analytics.refused) == (4, 3, 1, 2)
    assert analytics.before == 1.0 and analytics.change == pytest.approx(1 / 3 - 1)


def test_what_was_erased_is_said_and_counts_in_no_rate(counted, clock):
    counted.erase("shop", OTHER, reason="requested by the subject")
    found = stats.trends(counted, "shop", stats.Period(day(clock, 0), day(clock, 7)))
    assert (found.erased, found.erased_before) == (1, 1)
    assert (found.categories[0].decided, found.categories[0].rate) == (2, 0.5)


def test_a_category_counts_from_the_version_that_asks_about_it(counted):
    more = policy.draft(counted.published("shop"))
    more.categories.append(Category("advertising"))
    counted.publish("shop", more)
    counted.record("shop", choice(policy=2, grants=ALL | {"advertising": True}, action="accept_all"))
    found = {one.category: one.decided for one in stats.trends(counted, "shop", ALL_TIME).categories}
    assert found == {"advertising": 1, "analytics": 6, "persistent": 6, "social": 6}


ALL_TIME = stats.Period("2026-01-01", "2027-01-01")


def test_a_spreadsheet_takes_no_cell_for_a_formula(counted):
    lines = [line.decode() for line in stats.csv_lines(stats.stats(counted, "shop", ALL_TIME, list(stats.BY)))]
    cells = [cell for row in csv.reader(lines) for cell in row]
    assert len(lines) > 10 and not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell]


# Over HTTP and on the command line.


def ask(client, token, query: str = "", **headers):
    return client.get(f"/api/sites/shop/stats{query}", headers={"Authorization": f"Bearer {token}", **headers})


def test_an_auditor_reads_counts_by_day_and_category(counted, client, token, clock):
    answer = ask(client, token("auditor", site="shop"), f"?since={day(clock, 0)}")
    assert answer.status_code == 200 and answer.json["by"] == ["day", "category"]
    assert answer.json["items"][0] == {
        "day": day(clock, 0), "category": "analytics", "shown": 4, "decided": 3, "granted": 1, "refused": 2, "erased": 0,
    }  # fmt: skip
    assert (answer.json["since"], answer.json["until"]) == (day(clock, 0), day(clock, 1))


def test_what_is_not_known_is_null(counted, client, token):
    items = ask(client, token(), "?by=country").json["items"]
    assert [(item["country"], item["shown"], item["decided"]) for item in items] == [("DE", 4, 1), (None, 0, 4)]


@pytest.mark.parametrize(("query", "accept"), [("&format=csv", "*/*"), ("", "text/csv")])
def test_counts_come_as_csv(counted, client, token, query, accept):
    answer = ask(client, token(), f"?by=language{query}", Accept=accept)
    assert answer.mimetype == "text/csv" and "shop-stats.csv" in answer.headers["Content-Disposition"]
    assert answer.text.splitlines() == ["language,shown,decided,granted,refused,erased", "de,0,1,1,0,0", "en,4,4,2,2,0"]


@pytest.mark.parametrize("query", ["?by=weather", "?since=yesterday", "?until=2026-11-23T10:00:00Z", "?format=xml", "?by=", "?since=2030-01-01"])  # fmt: skip
def test_a_wrong_question_is_refused(client, token, query):
    answer = ask(client, token(), query)
    assert answer.status_code == 400 and answer.json["type"].endswith("#bad-query")


def test_statistics_are_not_for_everybody(client, token):
    other = token("owner", site="other")
    assert client.get("/api/sites/shop/stats").status_code == 401
    assert ask(client, other).status_code == 403
    assert client.get("/api/sites/none/stats", headers={"Authorization": f"Bearer {token()}"}).status_code == 404
