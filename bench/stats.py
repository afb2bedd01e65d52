"""`python -m bench.stats`: what reading statistics over 90 days costs, and what counting adds to recording a receipt.

The counts are such as so many receipts over three years leave behind, of visitors from many countries; reading them
touches no receipt, so hardly any is made.
"""

import argparse
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

import msgspec

from bench import results, servers
from bench.export import fill
from bench.fresh import subject
from bench.results import Finding
from consent import open_ledger, receipts, stats, tallies
from consent.claims import entry_of
from consent.ledger import Ledger
from consent.model import Filter, Receipt, Tally
from consent.settings import load

DAYS = 1096
LAST = date.fromisoformat(tallies.day_of(int(time.time())))
OF_DESK = ("day,category", "category", "language,category", "country,category", "regime,category", "policy,category", "surface,category", "action")  # fmt: skip
"""What the desk's overview asks for."""
BY = (*OF_DESK, "day,language", "day,country,category", ",".join(stats.BY))
OF_ANSWERS = {"day", "policy", "action", "category"}
"""What is counted in the shorter of the two tables."""
TOGETHER = (1, 16, 64)
"""Receipts that share a transaction."""
ROUNDS = 200


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.stats", description=__doc__.split("\n")[0])
    parser.add_argument("--receipts", type=int, default=5_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), 1)
        ledger = open_ledger(load({"CONSENT_DATA": folder}))
        leave_behind(ledger, options.receipts)
        found = [*recording(ledger), *reading(ledger, Path(folder))]
        results.findings("stats", found, receipts=options.receipts)


def recording(ledger: Ledger) -> Iterator[Finding]:
    """What counting adds to a receipt, by how many share a transaction, the pages that it dirties included."""
    entry = ledger.storage.reading().entries(servers.SITE, Filter(), limit=1)[0]
    model = receipts.receipt(entry.token or "")
    for together in TOGETHER:
        spent: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(2 * ROUNDS):
            spent[turn % 2 == 0].append(_transaction(ledger, model, together, counted=turn % 2 == 0))
        more = (median(spent[True]) - median(spent[False])) / together
        about = f"{together} in a transaction"
        yield Finding(f"counting a receipt, {about}", more * 1e6, "µs CPU", "counting", about=about)


def reading(ledger: Ledger, folder: Path) -> Iterator[Finding]:
    """What statistics cost over 90 days, by what they are grouped; the floor is sqlite3 that adds the counts up."""
    period = stats.Period((LAST - timedelta(days=89)).isoformat(), (LAST + timedelta(days=1)).isoformat())
    rows = len(ledger.storage.reading().tallies(servers.SITE, period.since, period.until))
    floors = {table: _summed(folder, table, period) for table in ("answers", "tallies")}
    for by in BY:
        spent = median(_took(lambda by=by: stats.stats(ledger, servers.SITE, period, by.split(","))) for _ in range(15))  # type: ignore[misc]
        floor = floors["answers" if OF_ANSWERS.issuperset(by.split(",")) else "tallies"]
        about = f"by {by}; {rows:,} counts"
        yield Finding(f"90 days by {by}", spent * 1e3, "ms", "statistics" if by in OF_DESK else "", floor * 1e3, about)
    spent = median(_took(lambda: stats.trends(ledger, servers.SITE, period)) for _ in range(15))
    yield Finding("rates beside the 90 days before", spent * 1e3, "ms")


def _summed(folder: Path, table: str, period: stats.Period) -> float:
    """CPU seconds in which sqlite3 alone reads the counts of the period's months, and adds all of them up."""
    sql = f"SELECT sum({' + '.join(f'd{day:02}' for day in range(1, 32))}) FROM {table} WHERE month >= ? AND month <= ?"
    with closing(sqlite3.connect(folder / "consent.db")) as database:
        return median(_took(lambda: database.execute(sql, (period.since[:7], period.until[:7])).fetchall()) for _ in range(15))  # fmt: skip


def _transaction(ledger: Ledger, model: Receipt, together: int, *, counted: bool) -> float:
    """CPU seconds of a transaction that appends receipts of all kinds, signed before, and counts them or not."""
    said = [_varied(model) for _ in range(together)]
    entries = [entry_of(one, ledger.ring.newest(), subject=one.sub, policy=1, action="custom") for one in said]

    def work() -> None:
        with ledger.storage.writing() as rows:
            for one, entry in zip(said, entries, strict=True):
                rows.append(entry)
                if counted:
                    rows.tally(servers.SITE, {tallies.of_receipt(one): 1})

    return _took(work)


def _varied(model: Receipt) -> Receipt:
    """A receipt of somebody else, who decided something else."""
    [said] = random.choices(*MIXES)
    grants = {id: id in said.granted for id in model.consent.grants}
    consent = msgspec.structs.replace(
        model.consent, action=said.action, grants=grants, language=said.language, country=said.country, surface=said.surface
    )  # fmt: skip
    return msgspec.structs.replace(model, jti=str(uuid4()), sub=subject(), consent=consent)


def leave_behind(ledger: Ledger, count: int) -> None:
    """The counts of so many receipts and three showings for two of them, spread over three years."""
    mixes, weights = MIXES
    shown = [msgspec.structs.replace(one, action=tallies.SHOWN, granted="") for one in mixes]
    for back in range(DAYS):
        day = (LAST - timedelta(days=back)).isoformat()
        counts = Counter[Tally]()
        for kinds, many in ((mixes, count // DAYS), (shown, count // DAYS * 3 // 2)):
            for one, times in Counter(random.choices(range(len(kinds)), weights, k=many)).items():
                counts[msgspec.structs.replace(kinds[one], day=day)] += times
        with ledger.storage.writing() as rows:
            rows.tally(servers.SITE, counts)


def _mixes() -> tuple[list[Tally], list[float]]:
    """Kinds of receipts with how frequent they are: some answers often, countries by a long tail."""
    answers = {
        ("accept_all", "analytics~persistent~social", "banner"): 50, ("reject_all", "", "banner"): 35,
        ("custom", "persistent", "banner"): 5, ("custom", "analytics~persistent", "banner"): 4,
        ("custom", "analytics", "preferences"): 3, ("withdraw", "", "privacy_page"): 2, ("signal", "", "banner"): 1,
    }  # fmt: skip
    places = [(language, f"{chr(65 + at % 26)}{chr(65 + at // 26)}") for at in range(40) for language in ("en", "de")]
    kinds = [(answer, place) for answer in answers for place in places]
    found = [Tally("", 1, action, granted, language, country, "opt-in", surface) for (action, granted, surface), (language, country) in kinds]  # fmt: skip
    return found, [answers[answer] / (1 + places.index(place)) for answer, place in kinds]


MIXES = _mixes()


def _took(work: Callable[[], object]) -> float:
    """CPU seconds of this thread: a busy machine does not count."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


if __name__ == "__main__":
    main()
