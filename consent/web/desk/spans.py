"""The days of a period as few enough points to be read: days, weeks or months. Its rule: every count stays."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from consent.stats import COUNTS, Group, Period

Span = Literal["day", "week", "month"]
DAYS = 92
"""The longest period that is told day by day; a quarter of a year."""
WEEKS = 366
"""The longest that is told week by week."""


def span_of(period: Period) -> Span:
    """How a period is told."""
    days = _count(period)
    return "day" if days <= DAYS else "week" if days <= WEEKS else "month"


def points(period: Period) -> list[str]:
    """The first days of a period's spans, in order; its own first day, where a span began before it."""
    span, first = span_of(period), date.fromisoformat(period.since)
    days = ((first + timedelta(days=at)).isoformat() for at in range(_count(period)))
    return list(dict.fromkeys(_first(day, span, period.since) for day in days))


def gathered(groups: Iterable[Group], period: Period) -> list[Group]:
    """Counts by day and category, added up for each span of the period."""
    span = span_of(period)
    found: dict[tuple[str, object], Group] = {}
    for group in groups:
        day = _first(str(group.day), span, period.since)
        into = found.setdefault((day, group.category), Group(day=day, category=group.category))
        for name in COUNTS:
            setattr(into, name, getattr(into, name) + getattr(group, name))
    return list(found.values())


def _first(day: str, span: Span, since: str) -> str:
    """The first day of the span that a day is in."""
    if span == "day":
        return day
    if span == "month":
        return max(day[:8] + "01", since)
    monday = date.fromisoformat(day)
    return max((monday - timedelta(days=monday.weekday())).isoformat(), since)


def _count(period: Period) -> int:
    return (date.fromisoformat(period.until) - date.fromisoformat(period.since)).days
