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

Compared is the CPU time, kernel included, of all processes of a server for one recording; the budget is the least ratio
(of the two caches, the smaller). `--stored` other than 100,000 has none.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import c15t, export, load, recording, report, results, servers
from bench.load import Job
from bench.report import Measured
from bench.servers import Running
from bench.trial import Figures, Plan, Trial
from consent import open_ledger
from consent.settings import load as load_settings

CONNECTIONS = 16
STORED = 100_000
BUDGETS = {0: {"times": "c15t empty"}, STORED: {"times": "c15t stored"}}
"""By what is stored."""
CACHE = 16
ROOMY = 128
"""MiB of SQLite's cache."""
LONGEST_WARMING = 60
"""Seconds."""


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
    results.FOLDER.mkdir(exist_ok=True)
    plan = Plan(Path(), seconds=1 if options.quick else 4, rounds=3 if options.quick else 5, receipts=options.stored)
    try:
        packages = c15t.installed(results.FOLDER / "c15t")
    except c15t.NotHere as reason:
        print(f"Not compared with c15t's backend: {reason}.")
        return
    with tempfile.TemporaryDirectory(dir=results.FOLDER) as folder:
        found = measured(packages, plan._replace(folder=Path(folder)), warm=3_000 if options.quick else 8_000)
    print(", ".join(f"{name} {version}" for name, version in c15t.PACKAGES.items()))
    report.keep("peer", found, plan)


def arguments() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(prog="python -m bench.peer", description="Compare recording with c15t's backend.")
    parser.add_argument("--quick", action="store_true", help="short trials: a look, not a figure to quote")
    parser.add_argument("--stored", type=int, default=STORED, help=f"consents in the filled store (default {STORED:,})")
    options = parser.parse_args()
    if not 1 <= options.stored <= 10_000_000:
        parser.error("--stored takes a number from 1 to 10,000,000.")
    return options


def measured(packages: Path, plan: Plan, *, warm: int) -> Measured:
    """Both sides on an empty store and on a filled one; c15t's backend after `warm` recordings."""
    whole = Measured([], {})
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
                name = _name("c15t", stored, cache)
                both.append(Trial(name, partial(turn, theirs), ours, BUDGETS.get(stored, {})))
            found = report.measure(both, plan.rounds)
        whole = Measured(whole.trials + both, whole.runs | found.runs)
    return whole


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

    return Side(
        server,
        Job(server.port, recording.PATH, CONNECTIONS, seconds, 201, recording.HEADERS, recording.CHOICE),
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


def _name(who: str, stored: int, cache: int = CACHE) -> str:
    room = "" if cache == CACHE else f", cache of {cache} MiB"
    return f"{who}, {stored:,} stored{room}" if stored else f"{who}, empty store"


if __name__ == "__main__":
    main()
