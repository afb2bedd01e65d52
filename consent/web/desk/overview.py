"""What visitors of a site choose: counts of a period beside the one before it. Never a visitor."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import Response, request

from consent import stats
from consent.errors import BadQuery
from consent.web.desk import spans, telling
from consent.web.desk.chart import chart
from consent.web.desk.designer_words import VALUES, language_named
from consent.web.desk.frame import blueprint, needs, page
from consent.web.desk.words import language, say
from consent.web.service import service

HEADS = {"language": "Language", "country": "Country", "regime": "Rule", "policy": "Policy version", "surface": "Where on the site"}  # fmt: skip
"""By what one may look closer, and what the lines are of then."""
BREAKDOWNS = {name: f"by {name}" for name in HEADS}
LONGEST = 1100
"""Days of a period that a page shows."""
MOST = 150
"""Rows of a breakdown that a page shows."""
PERIODS = (7, 30, 90, 365)
"""Days up to today, to choose with one click."""


class Figure(NamedTuple):
    """A count beside that of the period before."""

    name: str
    now: int
    before: int


@blueprint.get("/sites/<site>/overview", endpoint="overview")
@needs("auditor")
def show_overview(site: str) -> Response:
    """Figures, rates over time, and one breakdown."""
    ledger, closer, error = service().ledger, _closer(), None
    try:
        period = _period()
    except BadQuery as refused:
        period, error = stats.period(None, None, now=ledger.now()), refused
    told = spans.told(period, lambda span, by: stats.stats(ledger, site, span, by).items)
    groups, more = _closer_counts(site, period, closer)
    trends = stats.trends(ledger, site, period)
    return page(
        "overview",
        error.status if error else 200,
        error=error,
        period=period,
        before=period.before(),
        periods=_periods(ledger.now()),
        figures=_figures(site, period),
        trends=trends,
        drawn=_drawn(told, spans.points(period), [one.category for one in trends.categories]),
        span=spans.span_of(period),
        told=told,
        closer=closer,
        names=telling.category_names(ledger.published(site), language()),
        label=_label,
        breakdowns=BREAKDOWNS,
        heads=HEADS,
        groups=groups,
        more=more,
    )


@blueprint.get("/sites/<site>/overview.csv")
@needs("auditor")
def overview_file(site: str) -> Response:
    """The same numbers as a file."""
    found = stats.stats(service().ledger, site, _period(), stats.fields(request.args.get("by", "day,category")))
    headers = {"Content-Disposition": f'attachment; filename="{site}-overview.csv"'}
    return Response(b"".join(stats.csv_lines(found)), 200, headers, "text/csv")


def _period() -> stats.Period:
    """The days asked for, both included. Raises BadQuery."""
    since, last = request.args.get("since") or None, request.args.get("until") or None
    try:
        following = (date.fromisoformat(last) + timedelta(days=1)).isoformat() if last else None
        found = stats.period(since, following, now=service().ledger.now())
    except (BadQuery, ValueError, OverflowError):
        raise BadQuery(say("Choose two days, the first not after the second.")) from None
    if found.length > LONGEST:
        raise BadQuery(say("Choose at most {days} days.", days=LONGEST))
    return found


def _closer() -> str:
    by = request.args.get("by", "language")
    if by not in BREAKDOWNS:
        raise BadQuery(say("There is no such page."))
    return by


def _label(by: str, value: Any) -> str:
    """What a line of a breakdown is of."""
    if value is None:
        return say("not known")
    if by == "surface":
        return say(telling.SURFACES[value])
    if by == "regime":
        return f"{say(VALUES[value])} ({value})"
    return language_named(value) if by == "language" else str(value)


def _closer_counts(site: str, period: stats.Period, closer: str) -> tuple[list[stats.Group], int]:
    """The counts of a breakdown in its order, those of the most answers where there are too many; how many more there are."""
    found = stats.stats(service().ledger, site, period, [closer, "category"]).items
    asked = [group for group in found if group.category and (group.decided or group.shown)]
    told = sorted(asked, key=lambda group: (group.decided, group.shown), reverse=True)[:MOST]
    kept = set(map(id, told))
    return [group for group in asked if id(group) in kept], len(asked) - len(told)


def _periods(now: int) -> list[tuple[int, str]]:
    """Lengths in days and their first days."""
    today = date.fromisoformat(stats.period(None, None, now=now).last)
    return [(days, (today - timedelta(days=days - 1)).isoformat()) for days in PERIODS]


def _figures(site: str, period: stats.Period) -> list[Figure]:
    ledger = service().ledger
    now, before = (
        {group.action or None: group for group in stats.stats(ledger, site, one, ["action"]).items}
        for one in (period, period.before())
    )

    def total(groups: dict[Any, stats.Group], count: str) -> int:
        return sum(getattr(group, count) for group in groups.values())

    def of(groups: dict[Any, stats.Group], action: str) -> int:
        return groups[action].decided if action in groups else 0

    actions = {
        "accepted all": "accept_all",
        "refused all": "reject_all",
        "chose themselves": "custom",
        "withdrew": "withdraw",
    }
    return [
        Figure("were asked", total(now, "shown"), total(before, "shown")),
        Figure("decided", total(now, "decided"), total(before, "decided")),
        *(Figure(name, of(now, action), of(before, action)) for name, action in actions.items()),
    ]


def _drawn(told: list[stats.Group], points: list[str], categories: list[str]) -> Any:
    """The share that granted each category at each point."""
    rates = {(group.day, group.category): stats.rate(group) for group in told}
    return chart(points, {category: [rates.get((point, category)) for point in points] for category in categories})
