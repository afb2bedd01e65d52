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
def test_every_day_is_counted_once_and_under_a_point(days):
    asked, days_counted = period(days), []

    def counted(span: Period, by: list[str]) -> list[Group]:
        long = (date.fromisoformat(span.until) - date.fromisoformat(span.since)).days
        found = [(date.fromisoformat(span.since) + timedelta(days=at)).isoformat() for at in range(long)]
        days_counted.extend(found)
        return [Group(day=day, category="social") for day in found] if "day" in by else [Group(category="social")]

    told = spans.told(asked, counted)
    assert [group.day for group in told] == spans.points(asked)
    assert len(days_counted) == len(set(days_counted)) == days


@pytest.mark.parametrize("days, head", [(90, "Day"), (300, "Week from"), (900, "Month from")])
def test_the_table_says_what_its_lines_are(browser, ledger, clock, days, head):
    for _ in range(4):
        ledger.record("shop", choice(action="accept_all", grants=ALL))
        clock.forward(days=20)
    today = date.fromisoformat("2026-11-18") + timedelta(days=80)
    since = (today - timedelta(days=days - 1)).isoformat()
    text = browser("auditor").get(f"{OVERVIEW}?since={since}&until={today}").text
    assert f'<th scope="col">{head}</th>' in text
    told = re.findall(r"<tr><td>(\d{4}-\d\d-\d\d)</td><td>Statistics</td><td class=\"number\">(\d+)</td>", text)
    assert sum(int(count) for _, count in told) == 4


def test_a_breakdown_of_very_many_lines_keeps_those_of_the_most_decisions(browser, ledger, monkeypatch):
    monkeypatch.setattr(overview, "MOST", 3)
    for language in ("de", "en", "en"):
        ledger.record("shop", choice(language=language, grants=NONE, action="reject_all"))
    text = browser("auditor").get(OVERVIEW).text
    assert text.count('<th scope="row">English (en)</th>') == 3 and "(de)</th>" not in text
    assert "in the file: 3." in text
