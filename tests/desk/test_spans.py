"""Long periods and long breakdowns at the overview: few enough lines to be read, and no count lost."""

import re
from datetime import date, timedelta

import pytest

from consent.stats import Group, Period
from consent.web.desk import overview, spans
from tests.conftest import ALL, NONE, choice

OVERVIEW = "/admin/sites/shop/overview"


def period(days: int, since: str = "2026-01-07") -> Period:
    return Period(since, (date.fromisoformat(since) + timedelta(days=days)).isoformat())


@pytest.mark.parametrize("days, span, most", [(1, "day", 1), (92, "day", 92), (93, "week", 15), (366, "week", 53), (367, "month", 13), (1100, "month", 38)])  # fmt: skip
def test_a_longer_period_has_larger_spans(days, span, most):
    points = spans.points(period(days))
    assert spans.span_of(period(days)) == span and len(points) <= most
    assert points == sorted(set(points)) and points[0] == "2026-01-07"


@pytest.mark.parametrize("days", [1, 92, 93, 366, 367, 1100])
def test_every_count_stays_and_stands_at_a_point(days):
    asked = period(days)
    first = date.fromisoformat(asked.since)
    given = [
        Group(
            day=(first + timedelta(days=at)).isoformat(), category=category, shown=at, decided=3, granted=2, refused=1
        )
        for at in range(days)
        for category in ("analytics", "social")
    ]
    told = spans.gathered(given, asked)
    assert {group.day for group in told} == set(spans.points(asked))
    for name in ("shown", "decided", "granted", "refused"):
        assert sum(getattr(group, name) for group in told) == sum(getattr(group, name) for group in given)


@pytest.mark.parametrize("days, head", [(90, "Day"), (300, "Week from"), (900, "Month from")])
def test_the_table_says_what_its_lines_are(browser, ledger, clock, days, head):
    for _ in range(4):
        ledger.record("shop", choice(action="accept_all", grants=ALL))
        clock.forward(days=20)
    today = date.fromisoformat("2026-11-18") + timedelta(days=80)
    since = (today - timedelta(days=days - 1)).isoformat()
    text = browser("auditor").get(f"{OVERVIEW}?since={since}&until={today}").text
    assert f'<th scope="col">{head}</th>' in text
    told = re.findall(r"<tr><td>(\d{4}-\d\d-\d\d)</td><td>analytics</td><td class=\"number\">(\d+)</td>", text)
    assert sum(int(count) for _, count in told) == 4


def test_a_breakdown_of_very_many_lines_keeps_those_of_the_most_decisions(browser, ledger, monkeypatch):
    monkeypatch.setattr(overview, "MOST", 3)
    for language in ("de", "en", "en"):
        ledger.record("shop", choice(language=language, grants=NONE, action="reject_all"))
    text = browser("auditor").get(OVERVIEW).text
    assert text.count('<th scope="row">en</th>') == 3 and '<th scope="row">de</th>' not in text
    assert "3 more lines" in text
