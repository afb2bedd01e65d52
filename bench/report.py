"""Runs trials in rounds and shows them: medians in a table, every single figure in a JSON file."""

import json
import os
import platform
import sqlite3
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.trial import Figures, Plan, Trial

COLUMNS = {
    "rate": ("a second", "{:,.0f}"),
    "cpu": ("CPU µs each", "{:,.0f}"),
    "database": ("database's", "{:,.0f}"),
    "p50": ("p50 ms", "{:.2f}"),
    "p99": ("p99 ms", "{:.2f}"),
    "peak": ("peak MiB", "{:.0f}"),
}
PACKAGES = ("consent", "flask", "gunicorn", "cryptography", "msgspec")


def measure(trials: list[Trial], rounds: int) -> dict[str, list[Figures]]:
    """Every trial once a round. What the first run of each finds is thrown away: it warms caches up."""
    figures: dict[str, list[Figures]] = {trial.name: [] for trial in trials}
    for round in range(rounds + 1):
        for trial in trials:
            say(f"round {round} of {rounds}: {trial.name}" if round else f"warming up: {trial.name}")
            found = trial.run()
            if round:
                figures[trial.name].append(found)
    say("")
    return figures


def medians(runs: list[Figures]) -> Figures:
    """The median of each figure."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def table(trials: list[Trial], figures: dict[str, list[Figures]]) -> str:
    """The medians, and each trial's CPU time as a multiple of its floor's in the same round."""
    head = ["", *(title for title, _ in COLUMNS.values()), "CPU ÷ floor", "budget"]
    rows = [head, *(_row(trial, figures) for trial in trials)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    aligned = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return "\n".join("  ".join(row) for row in aligned)


def ratio(trial: Trial, figures: dict[str, list[Figures]]) -> float | None:
    """CPU time over the floor's: the median of the rounds' own ratios."""
    if trial.floor not in figures:
        return None
    pairs = zip(figures[trial.name], figures[trial.floor], strict=True)
    return median(run["cpu"] / floor["cpu"] for run, floor in pairs)


def keep(folder: Path, trials: list[Trial], figures: dict[str, list[Figures]], plan: Plan) -> Path:
    """Write everything down, and on what machine it was measured."""
    path = folder / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    rows = [
        {"name": trial.name, "median": medians(figures[trial.name]), "runs": figures[trial.name]}
        | {"floor": trial.floor or None, "ratio": ratio(trial, figures)}
        for trial in trials
    ]
    plan_shown = {"seconds": plan.seconds, "rounds": plan.rounds, "receipts": plan.receipts}
    path.write_text(json.dumps({"machine": machine(), "plan": plan_shown, "trials": rows}, indent=2) + "\n")
    return path


def machine() -> dict[str, str | int | None]:
    """What the figures depend on."""
    packages = {name: version(name) for name in PACKAGES}
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **packages,
    }


def say(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _row(trial: Trial, figures: dict[str, list[Figures]]) -> list[str]:
    found, times = medians(figures[trial.name]), ratio(trial, figures)
    cells = [shape.format(found[name]) if name in found else "" for name, (_, shape) in COLUMNS.items()]
    return [trial.name, *cells, "" if times is None else f"{times:.2f}", verdict(trial, found)]


def verdict(trial: Trial, found: Figures) -> str:
    """Whether the figures are within their budgets, and by how much they are not; empty where there is none."""
    missed = [f"{COLUMNS[name][0]} {part:+.0%} of {trial.budget[name]:,.0f}" for name, part in trial.missed(found)]
    return ", ".join(missed) or ("ok" if trial.budget else "")
