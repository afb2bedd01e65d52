"""The SQL of the daily counts: a row for what a month's showings or receipts have in common, with a column for each day.

Its rule: what one transaction counts is gathered and written once, just before its commit. The same counts are kept in
two tables, in full and summed to answers, because most questions are about answers and find there a hundredth of the rows.
Days are columns because what is common says the same every day: a row a day would make a period thirty times as long to read.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from msgspec.structs import astuple

from consent.model import Tally
from consent.storage.document_rows import DocumentRows

FIELDS = Tally.__struct_fields__
DAYS = tuple(f"{day:02}" for day in range(1, 32))
MONTH = len("2026-11")
"""Where the month of a day ends."""


class Counts(NamedTuple):
    """A table of counts by the first fields of a tally, its day apart."""

    name: str
    fields: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return "site", "month", *self.fields

    def add(self, day: str) -> str:
        """Adds to one day of a month."""
        return self._upsert(day, f"{self.name}.d{day} + excluded.d{day}")

    def take(self, day: str) -> str:
        """Takes away from one day of a month; what would come to less than nought is nought."""
        return self._upsert(
            day, f"CASE WHEN {self.name}.d{day} > -excluded.d{day} THEN {self.name}.d{day} + excluded.d{day} ELSE 0 END"
        )

    def _upsert(self, day: str, count: str) -> str:
        key, marks = ", ".join(self.key), ", ".join("?" * (len(self.key) + 1))
        return f"INSERT INTO {self.name} ({key}, d{day}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET d{day} = {count}"

    def drop(self) -> str:
        """Removes a row that counts nothing any more."""
        return f"DELETE FROM {self.name} WHERE {' AND '.join([*(f'{name} = ?' for name in self.key), *(f'd{day} <= 0' for day in DAYS)])}"


IN_FULL = Counts("tallies", FIELDS[1:])
ANSWERS = Counts("answers", FIELDS[1:4])
STATEMENTS = {
    (counts, day): (counts.add(day), counts.take(day), counts.drop()) for counts in (IN_FULL, ANSWERS) for day in DAYS
}


class TallyRows(DocumentRows):
    """Daily counts as one connection sees them (see base.Rows)."""

    def __init__(self) -> None:
        self._counted: defaultdict[int, defaultdict[Tally, int]] = defaultdict(partial(defaultdict, int))
        """What this transaction counted, by the site's key."""

    def tally(self, site: str, counts: Mapping[Tally, int]) -> None:
        counted = self._counted[self._key(site)]
        for tally, count in counts.items():
            counted[tally] += count

    def tallies(self, site: str, since: str, until: str, *, by: Collection[str] = FIELDS) -> list[tuple[Tally, int]]:
        self.finish()
        key, named = self._key(site), [name for name in FIELDS[1:] if name in by]
        table = ANSWERS if set(named) <= set(ANSWERS.fields) else IN_FULL
        columns = ", ".join(name if name in by else "0" if name == "policy" else "''" for name in table.fields)
        first, last = since[:MONTH], until[:MONTH]
        if "day" in by:
            return list(_by_day(self._all(_daily(table, columns, named), (key, first, last)), since, until))
        days = [[day for day in DAYS if since <= f"{month}-{day}" < until] for month in (first, last)]
        found = self._all(_summed(table, columns, named, days), (first, last, key, first, last))
        return [(_tally("", row[:-1]), row[-1]) for row in found if row[-1]]

    def finish(self) -> None:
        """Write what was gathered; a transaction calls it just before its commit."""
        for key, counted in self._counted.items():
            days: dict[str, dict[tuple, int]] = defaultdict(dict)
            for tally, count in counted.items():
                day, *values = astuple(tally)
                days[day][(key, day[:MONTH], *values)] = count
            for day, counts in days.items():
                self._count(IN_FULL, day, counts)
                self._count(ANSWERS, day, _shortened(counts, len(ANSWERS.key)))
        self._counted.clear()

    def _count(self, table: Counts, day: str, counts: dict[tuple, int]) -> None:
        add, take, drop = STATEMENTS[table, day[MONTH + 1 :]]
        if more := [(*row, count) for row, count in counts.items() if count > 0]:
            self._many(add, more)
        if less := [(*row, count) for row, count in counts.items() if count < 0]:
            self._many(take, less)
            self._many(drop, [row[:-1] for row in less])


def _shortened(counts: dict[tuple, int], fields: int) -> dict[tuple, int]:
    """Counts summed over all but the first fields."""
    found: dict[tuple, int] = defaultdict(int)
    for row, count in counts.items():
        found[row[:fields]] += count
    return found


def _summed(table: Counts, columns: str, named: list[str], edges: list[list[str]]) -> str:
    """SQL for the sums over a period, of whose first and last month only some days count.

    Each row's sum is made before rows are sorted, so that no day's column is carried along.
    """
    cases = " ".join(f"WHEN ? THEN {_sum(days)}" for days in edges)
    carried = "".join(f"{name}, " for name in named)
    group = f" GROUP BY {', '.join(named)} ORDER BY {', '.join(named)}" if named else ""
    return (
        f"WITH found AS MATERIALIZED (SELECT {carried}CASE month {cases} ELSE {_sum(DAYS)} END AS count"
        f" FROM {table.name} WHERE site = ? AND month >= ? AND month <= ?)"
        f" SELECT {columns}, CAST(sum(count) AS BIGINT) FROM found{group}"
    )


def _daily(table: Counts, columns: str, named: list[str]) -> str:
    """SQL for the sums of each day of some months."""
    group = ", ".join(["month", *named])
    return (
        f"SELECT month, {columns}, {', '.join(f'CAST(sum(d{day}) AS BIGINT)' for day in DAYS)} FROM {table.name}"
        f" WHERE site = ? AND month >= ? AND month <= ? GROUP BY {group} ORDER BY {group}"
    )


def _sum(days: Collection[str]) -> str:
    """The days of a row together, which PostgreSQL takes for no greater number than one of them unless it is told."""
    return " + ".join(["CAST(0 AS BIGINT)", *(f"d{day}" for day in days)])


def _by_day(rows: list[tuple], since: str, until: str) -> Iterator[tuple[Tally, int]]:
    """The counts of each day from rows of months, in order of the days."""
    months: dict[str, list[tuple]] = {}
    for row in rows:
        months.setdefault(row[0], []).append(row)
    for month, found in months.items():
        for at, number in enumerate(DAYS, -len(DAYS)):
            day = f"{month}-{number}"
            if since <= day < until:
                yield from [(_tally(day, row[1 : -len(DAYS)]), row[at]) for row in found if row[at]]


def _tally(day: str, values: tuple) -> Tally:
    """A tally from its first fields; the others are blank."""
    return Tally(day, *values, *[""] * (len(FIELDS) - 1 - len(values)))
