"""`python -m bench.growth`: how recording, state, export, proofs, statistics and the disk grow with the receipts kept.

One ledger is filled further and further and measured at each size; the curves are drawn where matplotlib is installed
(`pip install 'consent[bench]'`). Every figure is written to bench/results/.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from bench import export, load, servers
from bench.load import Job
from bench.recording import CHOICE, HEADERS
from consent import open_ledger, stats
from consent.ledger import Ledger
from consent.model import Filter
from consent.settings import load as load_settings

SIZES = (10_000, 100_000, 1_000_000)
LARGEST = 5_000_000
CONNECTIONS = 16
SECONDS = 4.0
TURNS = 7
"""How often the ledger and an empty one are recorded into, in turns; both grow by some ten thousand a turn, so that the
ratio means something from a million on."""
SAMPLES = 100
RESULTS = Path(__file__).parent / "results"
COLUMNS = {
    "recorded": "receipts recorded a second",
    "ratio": "rate ÷ an empty ledger's",
    "recording": "recording, CPU µs",
    "state": "state, CPU µs",
    "csv": "CSV, rows a second",
    "proof": "inclusion proof, ms",
    "stats": "statistics of 90 days, ms",
    "bytes": "bytes a receipt",
}


def main() -> None:
    """Fill, measure at each size, print, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__.split("\n")[0])
    parser.add_argument("--full", action="store_true", help=f"up to {LARGEST:,} receipts; filling takes ten minutes")
    sizes = [*SIZES, LARGEST] if parser.parse_args().full else SIZES
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        rows = [{"receipts": size, **measured(Path(folder), size)} for size in sizes]
    print(f"{'':<28}" + "".join(f"{row['receipts']:>14,}" for row in rows))
    for name, title in COLUMNS.items():
        print(f"{title:<28}" + "".join(f"{row[name]:>14,.{2 if row[name] < 10 else 0}f}" for row in rows))
    path = RESULTS / f"growth-{time.strftime('%Y%m%dT%H%M%S')}"
    path.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")
    drawn(rows, path.with_suffix(".png"))


def measured(folder: Path, size: int) -> dict[str, float]:
    """The figures of a ledger in a folder, filled to a size first."""
    if not (folder / "consent.db").exists():
        export.fill(folder, 1)
    export.more(folder, size - _opened(folder).storage.reading().size(servers.SITE))
    ledger = _opened(folder)
    ledger.tree.checkpoint(servers.SITE)
    some = ledger.storage.reading().entries(servers.SITE, Filter(), after=size // 2, limit=SAMPLES)
    ledger.storage.scrub()
    found = {
        "proof": _took(lambda at: ledger.proof(servers.SITE, some[at].id or "")),
        "stats": _took(lambda _: _statistics(ledger)),
        "bytes": (folder / "consent.db").stat().st_size / size,
        "csv": export.run("csv", folder)["rate"],
    }
    ledger.storage.close()
    with (
        servers.service(folder) as service,
        tempfile.TemporaryDirectory(dir=folder.parent) as none,
        servers.service(Path(none)) as empty,
    ):
        path = f"/sites/{servers.SITE}/subjects/{some[0].subject}/state"
        state = load.measure(service, Job(service.port, path, CONNECTIONS, SECONDS, 200, {}))
        post = Job(service.port, f"/sites/{servers.SITE}/receipts", CONNECTIONS, SECONDS, 201, HEADERS, CHOICE)
        turns = [
            (load.measure(service, post), load.measure(empty, post._replace(port=empty.port))) for _ in range(TURNS)
        ]
    return found | {
        "recorded": median(full["rate"] for full, _ in turns),
        "ratio": median(full["rate"] / other["rate"] for full, other in turns),
        "recording": median(full["cpu"] for full, _ in turns),
        "state": state["cpu"],
    }


def drawn(rows: list[dict[str, float]], path: Path) -> None:
    """One small curve for each figure, where there is something to draw with."""
    try:
        import matplotlib
    except ImportError:
        print("Nothing is drawn: that needs matplotlib (`pip install consent[bench]`).")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 4, figsize=(14, 6), layout="constrained")
    for axis, (name, title) in zip(axes.flat, COLUMNS.items(), strict=False):
        axis.plot([row["receipts"] for row in rows], [row[name] for row in rows], marker="o")
        axis.set(title=title, xscale="log", xlabel="receipts kept")
        axis.set_ylim(bottom=0)
    figure.savefig(path, dpi=110)
    print(f"Drawn to {path}")


def _opened(folder: Path) -> Ledger:
    return open_ledger(load_settings({"CONSENT_DATA": str(folder)}))


def _statistics(ledger: Ledger) -> None:
    until = stats.period(None, None, now=ledger.now()).until
    since = (date.fromisoformat(until) - timedelta(days=90)).isoformat()
    stats.stats(ledger, servers.SITE, stats.Period(since, until), ["day", "category"])


def _took(work: Callable[[int], object]) -> float:
    """Milliseconds of one piece of work, the median of many."""
    found = []
    for at in range(SAMPLES):
        start = time.perf_counter()
        work(at)
        found.append((time.perf_counter() - start) * 1e3)
    return median(found)


if __name__ == "__main__":
    main()
