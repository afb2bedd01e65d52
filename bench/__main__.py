"""`python -m bench`: runs the measurements in interleaved rounds, prints a table, keeps the figures in bench/results/.

Rounds go through all trials before any is repeated, so that a busy moment of the machine hits all alike; the table
shows medians.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import export, large, postgres, recording, report, results, script, state
from bench.trial import Plan, Trial

MEASUREMENTS: dict[str, Callable[[Plan, ExitStack], list[Trial]]] = {
    "recording": recording.trials,
    "state": state.trials,
    "script": script.trials,
    "postgres": postgres.trials,
    "export": export.trials,
}


def main() -> None:
    """Measure what was asked for and print it."""
    options = arguments()
    results.FOLDER.mkdir(exist_ok=True)
    quick = Plan(Path(), seconds=0.5, rounds=3, receipts=20_000)
    chosen = quick if options.quick else Plan(Path(), seconds=options.seconds, rounds=options.rounds, receipts=100_000)
    log = options.log and options.log / large.FULL
    stored = large.roughly(log) if log else 0
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder or results.FOLDER))
        plan = chosen._replace(folder=Path(folder), log=log)
        trials = [trial for name in options.only or MEASUREMENTS for trial in MEASUREMENTS[name](plan, stack)]
        trials = [trial._replace(receipts=trial.receipts or stored) for trial in trials]
        measured = report.measure(trials, plan.rounds)
    report.keep("bench", measured, plan)


def arguments() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure recording, serving and exporting.")
    parser.add_argument("--quick", action="store_true", help="short trials: a look, not a figure to quote")
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS), help="may be repeated")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 51), metavar="1-50")
    parser.add_argument("--seconds", type=float, default=3, help="length of one load trial, at most 60")
    parser.add_argument("--folder", help="where the data lies while measuring: the disk counts")
    parser.add_argument(
        "--log", type=Path, help="recording and state on the log that bench.growth filled in this folder"
    )
    options = parser.parse_args()
    options.seconds = min(60, max(0.1, options.seconds))
    return options


if __name__ == "__main__":
    main()
