"""`python -m bench`: runs the measurements in interleaved rounds, prints a table, keeps the figures as JSON.

Rounds go through all trials before any is repeated, so that a busy moment of the machine hits all alike; the table
shows medians.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import export, postgres, recording, report, script
from bench.trial import Plan, Trial

MEASUREMENTS: dict[str, Callable[[Plan, ExitStack], list[Trial]]] = {
    "recording": recording.trials,
    "postgres": postgres.trials,
    "script": script.trials,
    "export": export.trials,
}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure what was asked for and print it."""
    options = arguments()
    RESULTS.mkdir(exist_ok=True)
    quick = Plan(Path(), seconds=0.5, rounds=3, receipts=20_000)
    chosen = quick if options.quick else Plan(Path(), seconds=options.seconds, rounds=options.rounds, receipts=100_000)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder or RESULTS))
        plan = chosen._replace(folder=Path(folder))
        trials = [trial for name in options.only or MEASUREMENTS for trial in MEASUREMENTS[name](plan, stack)]
        figures = report.measure(trials, plan.rounds)
    print(report.table(trials, figures))
    print(f"\nKept in {report.keep(RESULTS, trials, figures, plan)}")


def arguments() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure recording, serving and exporting.")
    parser.add_argument("--quick", action="store_true", help="short trials: a look, not a figure to quote")
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS), help="may be repeated")
    parser.add_argument("--rounds", type=int, default=7, choices=range(1, 51), metavar="1-50")
    parser.add_argument("--seconds", type=float, default=4, help="length of one load trial, at most 60")
    parser.add_argument("--folder", help="where the data lies while measuring: the disk counts")
    options = parser.parse_args()
    options.seconds = min(60, max(0.1, options.seconds))
    return options


if __name__ == "__main__":
    main()
