"""The days of a period as few enough points to be read: days, weeks or months. Its rule: every count stays."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from msgspec.structs import replace

from consent.stats import Group, Period

Span = Literal["day", "week", "month"]
DAYS = 92
"""The longest period that is told day by day; a quarter of a year."""
WEEKS = 366
"""The longest that is told week by week."""


def span_of(period: Period) -> Span:
    """How a period is told."""
    return "day" if period.length <= DAYS else "week" if period.length <= WEEKS else "month"


def points(period: Period) -> list[str]:
    """The first days of a period's spans, in order; its own first day, where a span began before it."""
    span = span_of(period)
    return list(dict.fromkeys(_first(day, span, period.since) for day in period.days))


def told(period: Period, counted: Callable[[Period, list[str]], list[Group]]) -> list[Group]:
    """Counts by category for each span, under its first day; `counted` groups the counts of a period by fields."""
    if span_of(period) == "day":
        return counted(period, ["day", "category"])
    spans = (Period(first, following) for first, following in pairwise([*points(period), period.until]))
    return [replace(group, day=span.since) for span in spans for group in counted(span, ["category"])]


def _first(day: str, span: Span, since: str) -> str:
    """The first day of the span that a day is in."""
    if span == "day":
        return day
    if span == "month":
        return max(day[:8] + "01", since)
    monday = date.fromisoformat(day)
    return max((monday - timedelta(days=monday.weekday())).isoformat(), since)
