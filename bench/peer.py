"""`python -m bench.peer`: recording by this service and by c15t's own backend, in turns in one run.

c15t's backend is the published one (bench/c15t.py names the versions), a single Node.js process put together as its
documentation says (bench/c15t.mjs), with the settings that are the fairest to it:

- SQLite with our journal and durability (WAL, synchronous=FULL), through Kysely and better-sqlite3; on Hono's own server,
  since it is written for Hono (mounted on Express it took about as much).
- Logging, telemetry and the API's description are off; no policy pack, no signed snapshot, no address and no browser's
  name to store, no prefix of paths that would have every request built anew: each would only cost it more.
- The preflight that browsers send before its JSON bodies is left out. Ours needs none.
- SQLite's cache is 16 MiB, which is ours and better-sqlite3's default. As it reads the whole table of consents for each new
  one, the filled store is measured with 128 MiB as well, where that table fits in.

It is warmed up with thousands of recordings, by which time V8 has compiled what it will. Then, and before every turn, its
store is cut back to what is to be measured, so that its own additions do not count against it; ours grows. The stored
consents are copies, made in its tables, of one that it recorded; ours are as `bench.export` makes them. Every answer must be
a success, and there must be as many new rows as answers, on both sides.

Compared is the CPU time, kernel included, of all processes of a server for one recording; the budget is the least ratio.
`--stored` other than 100,000 has none.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import c15t, export, load, recording, report, servers
from bench.load import Job
from bench.servers import Running
from bench.trial import Figures, Plan, Trial
from consent import open_ledger
from consent.settings import load as load_settings

CONNECTIONS = 16
STORED = 100_000
BUDGETS = {0: (6, 9), STORED: (25, 40)}
"""How many times the CPU time of ours c15t's must take at least: (budget, stretch), by what is stored."""
CACHE = 16
ROOMY = 128
"""MiB of SQLite's cache."""
LONGEST_WARMING = 60
"""Seconds."""
RESULTS = Path(__file__).parent / "results"
ROW = "{:<44}{:>12}{:>14}{:>8}{:>9}{:>9}  {}"


class Side(NamedTuple):
    """A server under comparison."""

    server: Running
    job: Job
    stored: Callable[[], int]
    """How many recordings its store has."""
    ready: Callable[[], None]
    """What to do before a turn."""


def main() -> None:
    """Install, measure, print; one sentence where c15t's backend cannot be had."""
    options = arguments()
    RESULTS.mkdir(exist_ok=True)
    plan = Plan(Path(), seconds=1 if options.quick else 4, rounds=3 if options.quick else 5, receipts=options.stored)
    try:
        packages = c15t.installed(RESULTS / "c15t")
    except c15t.NotHere as reason:
        print(f"Not compared with c15t's backend: {reason}.")
        return
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        trials, figures = measured(packages, plan._replace(folder=Path(folder)), warm=3_000 if options.quick else 8_000)
    print(", ".join(f"{name} {version}" for name, version in c15t.PACKAGES.items()))
    for line in rows(trials, figures, options.stored):
        print(ROW.format(*line))
    print(f"\nKept in {report.keep(RESULTS, trials, figures, plan)}")


def arguments() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(prog="python -m bench.peer", description="Compare recording with c15t's backend.")
    parser.add_argument("--quick", action="store_true", help="short trials: a look, not a figure to quote")
    parser.add_argument("--stored", type=int, default=STORED, help=f"consents in the filled store (default {STORED:,})")
    options = parser.parse_args()
    if not 1 <= options.stored <= 10_000_000:
        parser.error("--stored takes a number from 1 to 10,000,000.")
    return options


def measured(packages: Path, plan: Plan, *, warm: int) -> tuple[list[Trial], dict[str, list[Figures]]]:
    """Both sides on an empty store and on a filled one; c15t's backend after `warm` recordings."""
    trials: list[Trial] = []
    figures: dict[str, list[Figures]] = {}
    for stored, caches in ((0, (CACHE,)), (plan.receipts, (CACHE, ROOMY))):
        data = plan.folder / f"ours-{stored}"
        if stored:
            report.say(f"recording {stored:,} of ours")
            export.fill(data, stored)
        with ExitStack() as stack:
            ours = _name("consent", stored)
            both = [
                Trial(ours, partial(turn, our_side(stack.enter_context(servers.service(data)), data, plan.seconds)))
            ]
            for cache in caches:
                database = plan.folder / f"c15t-{stored}-{cache}.db"
                peer = stack.enter_context(c15t.server(packages, database, cache * 1024))
                theirs = side_of_c15t(peer, database, stored, plan.seconds)
                warmed(theirs, database, stored, warm)
                both.append(Trial(_name("c15t", stored, cache), partial(turn, theirs), ours))
            figures |= report.measure(both, plan.rounds)
        trials += both
    return trials, figures


def warmed(theirs: Side, database: Path, stored: int, count: int) -> None:
    """Have c15t's backend record so many, on an empty store; then store what is to be there."""
    report.say("warming up c15t's backend")
    turn(theirs._replace(job=theirs.job._replace(seconds=LONGEST_WARMING, requests=count)))
    if stored:
        c15t.keep(database, 1)
        c15t.copy(database, stored)


def side_of_c15t(server: Running, database: Path, stored: int, seconds: float) -> Side:
    """c15t's backend, its store cut back before every turn."""
    job = Job(server.port, "/subjects", CONNECTIONS, seconds, 200, c15t.HEADERS, c15t.CHOICE, fresh="c15t")
    return Side(server, job, partial(c15t.consents, database), partial(c15t.keep, database, stored))


def our_side(server: Running, data: Path, seconds: float) -> Side:
    """This service, whose store grows."""

    def stored() -> int:
        ledger = open_ledger(load_settings({"CONSENT_DATA": str(data)}))
        try:
            return ledger.storage.reading().size(servers.SITE)
        finally:
            ledger.storage.close()

    path = f"/sites/{servers.SITE}/receipts"
    return Side(
        server,
        Job(server.port, path, CONNECTIONS, seconds, 201, recording.HEADERS, recording.CHOICE),
        stored,
        lambda: None,
    )


def turn(side: Side) -> Figures:
    """One load on one side; as many new rows as answers, or it did not count."""
    side.ready()
    before = side.stored()
    count, figures = load.counted(side.server, side.job)
    if side.stored() - before != count:
        raise SystemExit(f"{side.job.path} answered {count:,} times and stored {side.stored() - before:,}.")
    return figures


def rows(trials: list[Trial], figures: dict[str, list[Figures]], filled: int) -> list[tuple[str, ...]]:
    """The table: medians, and the ratio of CPU times (the median of the rounds' own) beside its budget."""
    lines: list[tuple[str, ...]] = [
        (f"{CONNECTIONS} connections", "a second", "CPU µs each", "ratio", "budget", "stretch", "")
    ]
    for trial in trials:
        found, ratio = report.medians(figures[trial.name]), report.ratio(trial, figures)
        shown = (trial.name, f"{found['rate']:,.0f}", f"{found['cpu']:,.0f}")
        least, more = BUDGETS.get(0 if trial.floor == _name("consent", 0) else filled, (None, None))
        if ratio is None:
            lines.append((*shown, "", "", "", ""))
        elif least is None or more is None:
            lines.append((*shown, f"{ratio:.1f}", "", "", ""))
        else:
            verdict = "BELOW" if ratio < least else "ok, stretch too" if ratio >= more else "ok"
            lines.append((*shown, f"{ratio:.1f}", str(least), str(more), verdict))
    return lines


def _name(who: str, stored: int, cache: int = CACHE) -> str:
    room = "" if cache == CACHE else f", cache of {cache} MiB"
    return f"{who}, {stored:,} stored{room}" if stored else f"{who}, empty store"


if __name__ == "__main__":
    main()
