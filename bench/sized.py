"""What is measured of a log of one size, for `bench.growth`: its own figures, those of a service on it, and of exports."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import export, large, load, results, servers
from bench.load import Job
from bench.recording import CHOICE, HEADERS, PATH
from consent import stats
from consent.ledger import Ledger
from consent.model import Filter

CONNECTIONS = 16
SAMPLES = 100
SUBJECTS = 5_000
"""How many subjects, from all over the log, are asked for to find the worst answer."""
Curve = dict[str, float]
"""The figures of one size, by name."""


class Effort(NamedTuple):
    """How long a load is, and how often the log and an empty one are recorded into, in turns; both grow by some ten
    thousand a turn, so that the ratio means something from a million on."""

    seconds: float = 4
    turns: int = 7
    besides: int = 3
    """How often recording is measured beside an export, and alone."""


def measured(folder: Path, size: int, effort: Effort) -> Curve:
    """The figures of a log in a data folder, filled to a size first."""
    ledger = large.filled(folder, size)
    size = ledger.storage.reading().size(servers.SITE)
    ledger.tree.checkpoint(servers.SITE)
    some = ledger.storage.reading().entries(servers.SITE, Filter(), after=size // 2, limit=SAMPLES)
    ledger.storage.scrub()
    found = {
        "proof": _took(lambda at: ledger.proof(servers.SITE, some[at].id or "")),
        "stats": _took(lambda _: _statistics(ledger)),
        "bytes": (folder / "consent.db").stat().st_size / size,
    }
    ledger.storage.close()
    return found | worst(folder) | exports(folder) | served(folder, some[0].subject or "", effort)


def worst(folder: Path) -> Curve:
    """Milliseconds of a state's answer in process, and of the look-up in it, over subjects from all over the log, each once."""
    ledger = large.opened(folder)
    rows = ledger.storage.reading()
    places = random.choices(range(rows.size(servers.SITE) - 1), k=SUBJECTS)
    found = [rows.entries(servers.SITE, Filter(), after=place, limit=1)[0].subject or "" for place in places]
    ledger.storage.close()
    taken: dict[str, list[float]] = {}
    asked: dict[str, Callable[[Ledger, str], object]] = {
        "state lookup": lambda ledger, subject: ledger.storage.reading().latest(servers.SITE, subject),
        "state": lambda ledger, subject: ledger.state(servers.SITE, subject),
    }
    for name, ask in asked.items():
        ledger = large.opened(folder)  # with nothing in SQLite's cache
        ask(ledger, found[0])
        taken[name] = sorted(_milliseconds(lambda one=subject: ask(ledger, one)) for subject in found)  # type: ignore[misc]  # noqa: B023
        ledger.storage.close()
    p99 = int(0.99 * SUBJECTS)
    return {f"{name} p99": one[p99] for name, one in taken.items()} | {"state most": taken["state"][-1]}


def exports(folder: Path) -> Curve:
    """Rows a second and peak memory of every large format and of the cursor that is their floor, each once."""
    found: Curve = {}
    for name in (*export.LARGE, "cursor"):
        one = export.run(name, folder)
        found |= {f"{name} rate": one["rate"], f"{name} peak": one["peak"]}
    return found


def served(folder: Path, subject: str, effort: Effort) -> Curve:
    """A service on the log: state, recording beside an empty log in turns, and recording while it is exported."""
    token = export.auditor(folder)
    with (
        servers.service(folder) as service,
        tempfile.TemporaryDirectory(dir=folder.parent) as none,
        servers.service(Path(none)) as empty,
    ):
        state = Job(service.port, f"/sites/{servers.SITE}/subjects/{subject}/state", CONNECTIONS, effort.seconds, 200, {})  # fmt: skip
        post = state._replace(path=PATH, expect=201, headers=HEADERS, choice=CHOICE)
        found = {"state": load.measure(service, state)["cpu"]}
        turns = [
            (load.measure(service, post), load.measure(empty, post._replace(port=empty.port)))
            for _ in range(effort.turns)
        ]
        for name in export.LARGE:
            found[f"beside {name}"] = median(
                export.beside(service, post, token, name)["rate"] / load.measure(service, post)["rate"]
                for _ in range(effort.besides)
            )
    return found | {
        "recorded": median(full["rate"] for full, _ in turns),
        "ratio": median(full["rate"] / other["rate"] for full, other in turns),
        "recording": median(full["cpu"] for full, _ in turns),
    }


def note(found: Curve, size: int) -> None:
    """Write down what the budgets were found to be at this size."""
    results.note("recording full", found["ratio"], receipts=size, about=f"{found['recorded']:,.0f} a second")
    about = f"the look-up alone {found['state lookup p99']:.2f}, the longest of {SUBJECTS:,} answers {found['state most']:.2f}"
    results.note("state worst", found["state p99"], receipts=size, about=about)
    for name in export.LARGE:
        for kind in ("rate", "peak"):
            about = f"floor: the same rows by a sqlite3 cursor, {kind}"
            results.note(f"{name} {kind}", found[f"{name} {kind}"], receipts=size, floor=found[f"cursor {kind}"], about=about)  # fmt: skip
        results.note(f"beside {name}", found[f"beside {name}"], receipts=size)


def _statistics(ledger: Ledger) -> None:
    until = stats.period(None, None, now=ledger.now()).until
    since = (date.fromisoformat(until) - timedelta(days=90)).isoformat()
    stats.stats(ledger, servers.SITE, stats.Period(since, until), ["day", "category"])


def _took(work: Callable[[int], object]) -> float:
    """Milliseconds of one piece of work, the median of many."""
    return median(_milliseconds(lambda at=at: work(at)) for at in range(SAMPLES))  # type: ignore[misc]


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3
