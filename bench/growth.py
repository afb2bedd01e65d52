"""`python -m bench.growth`: how recording, state, export, proofs, statistics and the disk grow with the receipts kept.

One log is filled further and further and measured at each size (`bench.sized`); the curves are drawn where matplotlib is
installed (`pip install 'consent[bench]'`). In a folder with a log, only sizes that it has not outgrown are measured, and
the largest always. Every figure is written to bench/results/; the largest size is what budgets are held against.
"""

from pathlib import Path

from bench import large, report, results
from bench.budgets import FULL
from bench.sized import Curve, Effort, measured, note

SIZES = (10_000, 100_000, 1_000_000)
QUICK = Effort(seconds=0.5, turns=2, besides=1)
COLUMNS = {
    "recorded": "receipts recorded a second",
    "ratio": "rate ÷ an empty ledger's",
    "recording": "recording, CPU µs",
    "state": "state, CPU µs",
    "state p99": "state in process, p99 ms",
    "csv rate": "CSV, rows a second",
    "ndjson rate": "NDJSON, rows a second",
    "parquet rate": "Parquet, rows a second",
    "cursor rate": "sqlite3 cursor, rows a second",
    "csv peak": "CSV, MB of memory",
    "ndjson peak": "NDJSON, MB of memory",
    "parquet peak": "Parquet, MB of memory",
    "beside csv": "recording during CSV ÷ alone",
    "beside ndjson": "recording during NDJSON ÷ alone",
    "beside parquet": "recording during Parquet ÷ alone",
    "proof": "inclusion proof, ms",
    "stats": "statistics of 90 days, ms",
    "bytes": "bytes a receipt",
}


def main() -> None:
    """Fill, measure at each size, print, draw."""
    parser = large.parser("growth", __doc__, SIZES[-1])
    parser.add_argument("--full", action="store_const", const=FULL, dest="receipts", help=f"up to {FULL:,} receipts; filling takes ten minutes")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="short loads: a look, not a figure to quote")
    options = parser.parse_args()
    with large.lying(options.folder) as folder:
        log = folder / large.FULL
        there = large.roughly(log) if log.exists() else 0
        sizes = [size for size in SIZES if there <= size < options.receipts] + [options.receipts]
        rows = {}
        for size in sizes:
            report.say(f"filling and measuring {size:,}")
            rows[size] = measured(log, size, QUICK if options.quick else Effort())
    report.say("")
    lines = [["", *(f"{size:,}" for size in rows)]]
    lines += [[title, *(results.shown(row[name]) for row in rows.values())] for name, title in COLUMNS.items()]
    figures = [{"receipts": size, **row} for size, row in rows.items()]
    path = results.keep("growth", results.aligned(lines), figures)
    note(rows[sizes[-1]], sizes[-1])
    draw(rows, path)


def draw(rows: dict[int, Curve], path: Path) -> None:
    """One small curve for each figure."""
    if (plot := results.pyplot()) is None:
        return
    figure, axes = plot.subplots(3, 6, figsize=(21, 9), layout="constrained")
    for axis, (name, title) in zip(axes.flat, COLUMNS.items(), strict=True):
        axis.plot(list(rows), [row[name] for row in rows.values()], marker="o")
        axis.set(title=title, xscale="log", xlabel="receipts kept")
        axis.set_ylim(bottom=0)
    results.drawn(figure, path)


if __name__ == "__main__":
    main()
