"""Statistics: how often was asked, what was answered, and how that changes; read from the daily counts alone.

Its rule: nobody is counted who cannot be counted any more (an erased receipt counts under its day, as `erased`), and
nothing is guessed from what is left. A *load once* decides nothing, so it counts as no decision.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from consent.errors import BadQuery
from consent.fields import ONCE
from consent.ledger import Ledger
from consent.model import Tally
from consent.tallies import ERASED, SHOWN, day_of

BY = ("day", "category", "language", "country", "regime", "policy", "surface", "action")
"""What counts may be grouped by."""
COUNTS = ("shown", "decided", "granted", "refused", "erased")
DAYS = 30
"""Length of a period whose beginning is not given."""
OTHERWISE = {SHOWN: ("shown",), ERASED: ("erased",)}
"""What counts as no decision."""
SAID = ("category", "policy", "action")
"""Fields that follow from an answer; the others from where it was given."""
NEEDED = ("policy", "action", "granted")
"""What a group's counts rest on, whatever they are grouped by."""


class Period(msgspec.Struct, frozen=True):
    """Days in UTC: `since` is the first, `until` the one after the last."""

    since: str
    until: str

    @property
    def length(self) -> int:
        """How many days it has."""
        return (date.fromisoformat(self.until) - date.fromisoformat(self.since)).days

    @property
    def days(self) -> list[str]:
        """Each of its days, in order."""
        first = date.fromisoformat(self.since)
        return [(first + timedelta(days=at)).isoformat() for at in range(self.length)]

    @property
    def last(self) -> str:
        """Its last day."""
        return (date.fromisoformat(self.until) - timedelta(days=1)).isoformat()

    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        since, until = date.fromisoformat(self.since), date.fromisoformat(self.until)
        return Period((since - (until - since)).isoformat(), self.since)


class Group(msgspec.Struct):
    """Counts of what has the named fields in common; a field is null where it is not known."""

    day: str | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET
    regime: str | UnsetType | None = UNSET
    policy: int | UnsetType | None = UNSET
    surface: str | UnsetType | None = UNSET
    action: str | UnsetType | None = UNSET
    shown: int = 0
    decided: int = 0
    granted: int = 0
    """Decisions that granted the category; without categories, that granted any."""
    refused: int = 0
    erased: int = 0
    """Receipts that were erased or purged since: what they decided is not known any more."""


class Stats(msgspec.Struct, frozen=True):
    """The groups of a period, in the order of their fields."""

    since: str
    until: str
    by: list[str]
    items: list[Group]


class Trend(msgspec.Struct, frozen=True):
    """How often a category was granted, beside the period before."""

    category: str
    shown: int
    decided: int
    granted: int
    refused: int
    rate: float | None
    """Granted, of what was decided; null where nothing was."""
    before: float | None
    change: float | None


class Trends(msgspec.Struct, frozen=True):
    """The categories of a period and what was erased of it."""

    since: str
    until: str
    erased: int
    erased_before: int
    categories: list[Trend]


def stats(ledger: Ledger, site: str, period: Period, by: Sequence[str]) -> Stats:
    """The counts of a period, grouped by some of `BY`. Raises UnknownSite."""
    rows = ledger.storage.reading()
    counted = rows.tallies(site, period.since, period.until, by={*NEEDED, *by} - {"category"})
    return Stats(
        period.since, period.until, list(by), groups(counted, by, lambda version: _asked(ledger, site, version))
    )


def trends(ledger: Ledger, site: str, period: Period) -> Trends:
    """Every category's rate, and the change since the period before. Raises UnknownSite."""
    now, before = (_by_category(stats(ledger, site, one, ["category"])) for one in (period, period.before()))
    categories = [_trend(group, before.get(id)) for id, group in now.items() if id]
    return Trends(period.since, period.until, _erased(now), _erased(before), categories)


def groups(
    counted: Iterable[tuple[Tally, int]], by: Sequence[str], asked: Callable[[int], Sequence[str]]
) -> list[Group]:
    """Counts gathered into groups; `asked` names the categories that a policy version asks about."""
    said, seen = [name for name in by if name in SAID], [name for name in by if name not in SAID]
    answers: dict[tuple, list[tuple[tuple, list[int]]]] = {}
    found: dict[tuple, list[int]] = {}
    for tally, count in counted:
        answer = (tally.policy, tally.action, tally.granted)
        if answer not in answers:
            answers[answer] = list(_counted_as(tally, said, asked))
        rest = tuple([getattr(tally, name) or None for name in seen])
        for key, columns in answers[answer]:
            counts = found.setdefault(key + rest, [0] * len(COUNTS))
            for column in columns:
                counts[column] += count
    return sorted((_group((*said, *seen), *one) for one in found.items()), key=lambda group: _in_order(group, by))


def rate(group: Group | None) -> float | None:
    """The share of decisions that granted; None where nothing was decided."""
    return group.granted / group.decided if group and group.decided else None


def period(since: str | None, until: str | None, *, now: int) -> Period:
    """The days asked for; the last thirty up to now where nothing is said. Raises BadQuery."""
    last = _day("until", until) if until else date.fromisoformat(day_of(now)) + timedelta(days=1)
    first = _day("since", since) if since else max(last, date(1970, 2, 1)) - timedelta(days=DAYS)
    if first >= last:
        raise BadQuery("`since` must be a day before `until`.")
    return Period(first.isoformat(), last.isoformat())


def fields(text: str) -> list[str]:
    """The fields to group by, from a list with commas. Raises BadQuery."""
    named = list(dict.fromkeys(text.split(",")))
    if wrong := [name for name in named if name not in BY]:
        raise BadQuery(f"`by` must be some of {','.join(BY)}, separated by commas; {wrong[0][:40]!r} is none of them.")
    return named


def csv_lines(found: Stats) -> Iterator[bytes]:
    """RFC 4180 with a header. No cell can begin a formula: ids, languages, days and places begin with none of `=+-@`."""
    columns = [*found.by, *COUNTS]
    yield _line(columns)
    for group in found.items:
        yield _line([getattr(group, name) for name in columns])


def _asked(ledger: Ledger, site: str, version: int) -> list[str]:
    return [category.id for category in ledger.published(site, version).categories if not category.necessary]


def _counted_as(
    tally: Tally, said: Sequence[str], asked: Callable[[int], Sequence[str]]
) -> Iterator[tuple[tuple, list[int]]]:
    """What an answer counts as: the fields of `SAID` that are grouped by, and which of `COUNTS`."""
    if tally.action == ONCE:
        return
    granted = tally.granted.split("~") if tally.granted else []
    for category in asked(tally.policy) if "category" in said and tally.policy else (None,):
        names = OTHERWISE.get(tally.action) or ("decided", "granted" if _is_granted(category, granted) else "refused")
        action = None if tally.action in OTHERWISE else tally.action
        fields = {"category": category, "policy": tally.policy or None, "action": action}
        yield tuple([fields[name] for name in said]), [COUNTS.index(name) for name in names]


def _is_granted(category: str | None, granted: list[str]) -> bool:
    return category in granted if category else bool(granted)


def _group(names: Sequence[str], key: tuple, counts: list[int]) -> Group:
    return Group(**dict(zip((*names, *COUNTS), (*key, *counts), strict=True)))


def _in_order(group: Group, by: Sequence[str]) -> list[tuple[bool, Any]]:
    """Sorts what is not known last."""
    return [(value is None, value or 0) for value in [getattr(group, name) for name in by]]


def _by_category(found: Stats) -> dict[str | None, Group]:
    return {group.category or None: group for group in found.items}


def _erased(by_category: dict[str | None, Group]) -> int:
    return by_category[None].erased if None in by_category else 0


def _trend(group: Group, earlier: Group | None) -> Trend:
    now, before = rate(group), rate(earlier)
    change = None if now is None or before is None else now - before
    id = str(group.category)
    return Trend(id, group.shown, group.decided, group.granted, group.refused, now, before, change)


def _day(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text or not 1970 <= found.year < 9999:
        raise BadQuery(f"`{name}` must be a day such as 2026-11-23: counts are kept by the day (UTC).")
    return found


def _line(cells: Iterable[Any]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().encode()
