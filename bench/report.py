"""Runs trials in rounds and shows them: medians in a table and a plot, every single figure in a JSON file."""

import os
import platform
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import results
from bench.budgets import BUDGETS
from bench.trial import CONNECTIONS, Figures, Plan, Trial, parted

COLUMNS = {
    "rate": ("a second", "{:,.0f}"),
    "cpu": ("CPU µs each", "{:,.0f}"),
    "database": ("database's", "{:,.0f}"),
    "both": ("both", "{:,.0f}"),
    "p50": ("p50 ms", "{:.2f}"),
    "commit": ("commit ms", "{:.2f}"),
    "later": ("p50 later ms", "{:.2f}"),
    "p99": ("p99 ms", "{:.2f}"),
    "peak": ("peak MB", "{:.0f}"),
    "rss": ("RSS MB", "{:.0f}"),
    "workers": ("workers' RSS", "{:.0f}"),
    "pss": ("Pss MB", "{:.0f}"),
    "bytes": ("bytes each", "{:,.0f}"),
    "times": ("CPU ÷ floor", "{:.2f}"),
    "share": ("rate ÷ floor", "{:.2f}"),
}
BESIDE = {"both": ("cpu", "database"), "later": ("p50", "commit"), "pss": ("rss", "workers")}
"""What is told beside a figure that a budget limits."""
PACKAGES = ("consent", "flask", "gunicorn", "cryptography", "msgspec")


class Measured(NamedTuple):
    """Trials, and what each round found of them by their names."""

    trials: list[Trial]
    runs: dict[str, list[Figures]]

    def medians(self, name: str) -> Figures:
        """The median of each figure of a trial; of those over the floor's, of the rounds' own ratios."""
        runs = self.runs[name]
        return {figure: median(run[figure] for run in runs) for figure in runs[0]}


def measure(trials: list[Trial], rounds: int) -> Measured:
    """Every trial once a round. What the first run of each finds is thrown away: it warms caches up."""
    runs: dict[str, list[Figures]] = {trial.name: [] for trial in trials}
    for round in range(rounds + 1):
        for trial in trials:
            say(f"round {round} of {rounds}: {trial.name}" if round else f"warming up: {trial.name}")
            found = trial.run()
            if round:
                runs[trial.name].append(found)
    say("")
    for trial in trials:
        for run, floor in zip(runs[trial.name], runs.get(trial.floor, []), strict=False):
            run |= {"times": run["cpu"] / floor["cpu"]}
            run |= {"share": run["rate"] / floor["rate"]} if "share" in trial.budget else {}
    return Measured(trials, runs)


def table(measured: Measured) -> str:
    """The medians, and what became of the budgets."""
    found = [(trial, measured.medians(trial.name)) for trial in measured.trials]
    columns = [name for name in COLUMNS if any(name in figures for _, figures in found)]
    rows = [["", *(COLUMNS[name][0] for name in columns), "budget"]]
    for trial, figures in found:
        cells = [COLUMNS[name][1].format(figures[name]) if name in figures else "" for name in columns]
        rows.append([trial.name, *cells, verdict(trial, figures)])
    return results.aligned(rows, told=True)


def verdict(trial: Trial, found: Figures) -> str:
    """Whether the figures are within their budgets, and by how much each is not; empty where there is none."""
    budgets = {name: BUDGETS[key] for name, key in trial.budget.items()}
    missed = [f"{COLUMNS[name][0]} {one.verdict(found[name])} {one.limit:,g}" for name, one in budgets.items() if one.over(found[name]) > 0]  # fmt: skip
    return ", ".join(missed) or min((one.verdict(found[name]) for name, one in budgets.items()), key=len, default="")


def keep(program: str, measured: Measured, plan: Plan) -> None:
    """Show and write everything down, with the machine it was measured on, and note what became of the budgets."""
    trials = [
        {"name": trial.name, "median": measured.medians(trial.name), "runs": measured.runs[trial.name]}
        | {"floor": trial.floor or None, "receipts": trial.receipts}
        for trial in measured.trials
    ]
    told = {"seconds": plan.seconds, "rounds": plan.rounds, "receipts": plan.receipts}
    path = results.keep(program, table(measured), {"machine": machine(), "plan": told, "trials": trials})
    draw(measured, path)
    note(measured, plan)


def note(measured: Measured, plan: Plan) -> None:
    """Write down what the budgets were found to be; of two trials of one budget, the one that is further from it."""
    worst: dict[str, tuple[float, Trial, str]] = {}
    for trial in measured.trials:
        for name, key in trial.budget.items():
            over = BUDGETS[key].over(measured.medians(trial.name)[name])
            if key not in worst or over > worst[key][0]:
                worst[key] = over, trial, name
    for key, (_, trial, name) in worst.items():
        found = measured.medians(trial.name)
        floor = measured.medians(trial.floor).get(name) if trial.floor in measured.runs else None
        beside = [f"{COLUMNS[other][0]} {results.shown(found[other])}" for other in BESIDE.get(name, ())]
        about = "; ".join([trial.name, *beside, f"{plan.rounds} rounds of {plan.seconds:g} s"])
        results.note(key, found[name], receipts=trial.receipts, floor=floor, about=about)


def draw(measured: Measured, path: Path) -> None:
    """CPU time against connections: a picture for each floor that was measured at several, with what stands on it."""
    curves: dict[str, dict[int, float]] = {}
    pictures: dict[str, list[str]] = {}
    for trial in measured.trials:
        own, under, found = parted(trial.name), parted(trial.floor), measured.medians(trial.name)
        if own and "cpu" in found:
            curves.setdefault(own[0], {})[own[1]] = found["cpu"]
        if own and under and own[0] not in pictures.setdefault(under[0], []):
            pictures[under[0]].append(own[0])
    if not pictures or (plot := results.pyplot()) is None:
        return
    figure, axes = plot.subplots(1, len(pictures), figsize=(5 * len(pictures), 4.5), layout="constrained", squeeze=False)  # fmt: skip
    for axis, (floor, above) in zip(axes.flat, pictures.items(), strict=True):
        for what in [floor, *above]:
            style = {"linestyle": "--", "color": "grey"} if what == floor else {}
            counts = sorted(curves.get(what, {}))
            axis.plot(counts, [curves[what][count] for count in counts], marker="o", label=what, **style)
        axis.set(xscale="log", xlabel="connections", ylabel="server CPU µs a request")
        axis.set_xticks(CONNECTIONS, CONNECTIONS)
        axis.set_ylim(bottom=0)
        axis.legend(fontsize="small")
    results.drawn(figure, path)


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
