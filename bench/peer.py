"""`python -m bench.peer`: recording by this service and by c15t's own backend, in turns in one run.

c15t's backend is the published one (bench/c15t.py names the versions), a single Node.js process put together as its
documentation says (bench/c15t.mjs), and it gets the settings that are the fairest to it:

- SQLite with the journal and the durability of ours (WAL, synchronous=FULL), so that nobody is faster by promising less;
  through Kysely and better-sqlite3, which is synchronous. Its cache holds the whole table, eight times what ours may hold.
- Logging, telemetry and the API's description are off; no policy pack, no signed snapshot, no address and no browser's
  name to store, no prefix of paths that would have every request built anew: each would only cost it more.
- The preflight that browsers send before its JSON bodies is left out. Ours needs none.

It is warmed up until the compiler of V8 has seen thousands of requests, and then its store is cut back to what is to be
measured, before every turn: it reads the table of consents for each new one, so that its own additions would count against
it. The stored consents are copies in its tables of one that it recorded itself; ours are as `bench.export` makes them. Every
answer must be a success, and there must be as many new rows as answers, on both sides.

What is compared is CPU time of all processes of a server, kernel included, for one recording; the budgets are the least
ratio. `--stored` other than 100,000 has no budget.
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
RESULTS = Path(__file__).parent / "results"
ROW = "{:<34}{:>12}{:>14}{:>8}{:>9}{:>9}  {}"


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
        trials, figures = measured(packages, plan._replace(folder=Path(folder)), warm=4 if options.quick else 15)
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


def measured(packages: Path, plan: Plan, *, warm: float) -> tuple[list[Trial], dict[str, list[Figures]]]:
    """Both sides on an empty store and on a filled one, c15t's in the same warmed-up process."""
    trials: list[Trial] = []
    figures: dict[str, list[Figures]] = {}
    database = plan.folder / "c15t.db"
    with ExitStack() as stack:
        peer = stack.enter_context(c15t.server(packages, database))
        for stored in (0, plan.receipts):
            data = plan.folder / f"ours-{stored}"
            theirs = side_of_c15t(peer, database, stored, plan.seconds)
            report.say("warming up c15t's backend")
            turn(theirs._replace(job=theirs.job._replace(seconds=warm), ready=lambda: None))
            if stored:
                report.say(f"storing {stored:,} on both sides")
                c15t.copy(database, stored)
                export.fill(data, stored)
            with servers.service(data) as service:
                ours = Trial(_name("consent", stored), partial(turn, our_side(service, data, plan.seconds)))
                both = [ours, Trial(_name("c15t", stored), partial(turn, theirs), ours.name)]
                figures |= report.measure(both, plan.rounds)
            trials += both
    return trials, figures


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
    lines: list[tuple[str, ...]] = [("16 connections", "a second", "CPU µs each", "ratio", "budget", "stretch", "")]
    for trial in trials:
        found, ratio = report.medians(figures[trial.name]), report.ratio(trial, figures)
        shown = (trial.name, f"{found['rate']:,.0f}", f"{found['cpu']:,.0f}")
        least, more = BUDGETS.get(0 if trial.name == _name("c15t", 0) else filled, (None, None))
        if ratio is None:
            lines.append((*shown, "", "", "", ""))
        elif least is None or more is None:
            lines.append((*shown, f"{ratio:.1f}", "", "", ""))
        else:
            verdict = "BELOW" if ratio < least else "ok, stretch too" if ratio >= more else "ok"
            lines.append((*shown, f"{ratio:.1f}", str(least), str(more), verdict))
    return lines


def _name(who: str, stored: int) -> str:
    return f"{who}, {stored:,} stored" if stored else f"{who}, empty store"


if __name__ == "__main__":
    main()
