"""`consent stats`: how often was asked, and what was answered."""

import click

from consent import stats as statistics
from consent.cli.shared import as_json, show, table, the_ledger


@click.command()
@click.argument("site")
@click.option("--since", help="From this day on; 30 days before --until if left out.")
@click.option("--until", help="Before this day; up to now if left out.")
@click.option("--by", help=f"Counts by some of {','.join(statistics.BY)}; rates by category if left out.")
@as_json
def stats(site: str, since: str | None, until: str | None, by: str | None, as_json: bool) -> None:
    """Say how often was asked and what was answered: each category's rate beside the period before, or plain counts.

    \b
    Example: consent stats shop --since 2026-11-01 --by day,category
    """
    ledger = the_ledger()
    period = statistics.period(since, until, now=ledger.now())
    if by is not None:
        counts = statistics.stats(ledger, site, period, statistics.fields(by))
        show(counts) if as_json else _counts(counts)
        return
    trends = statistics.trends(ledger, site, period)
    show(trends) if as_json else _trends(trends)


def _counts(found: statistics.Stats) -> None:
    columns = [*found.by, *statistics.COUNTS]
    cells = [[getattr(group, name) for name in columns] for group in found.items]
    table([["-" if cell is None else str(cell) for cell in row] for row in cells], columns)


def _trends(found: statistics.Trends) -> None:
    rows = [
        [one.category, *map(str, (one.shown, one.decided, one.granted, one.refused)), _percent(one.rate),
         _percent(one.before), "-" if one.change is None else f"{one.change * 100:+.1f}"]
        for one in found.categories
    ]  # fmt: skip
    table(rows, ["category", "shown", "decided", "granted", "refused", "rate", "before", "points"])
    for erased, when in ((found.erased, "this period"), (found.erased_before, "the period before")):
        if erased:
            click.echo(f"{erased} receipts of {when} were erased or purged since: they count in no rate.")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"
