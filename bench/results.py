"""What measurements leave behind in bench/results/: tables with their figures, drawings, and what each budget was found to be."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.budgets import BUDGETS

FOLDER = Path(__file__).parent / "results"
FIGURES = "figures.jsonl"
"""One line for each figure that a budget limits, the newest last."""


class Finding(NamedTuple):
    """A figure in the table of a program; `budget` is its name in `BUDGETS`, `floor` the least that could be hoped for,
    `about` what is told beside it."""

    what: str
    figure: float
    unit: str
    budget: str = ""
    floor: float | None = None
    about: str = ""


class Noted(NamedTuple):
    """What a budget was found to be: `receipts` is the size of the log, 0 where it does not matter."""

    budget: str
    figure: float
    receipts: int
    floor: float | None
    about: str
    at: str


def aligned(rows: Sequence[Sequence[str]], *, told: bool = False) -> str:
    """Rows of cells as lines: the first column to the left, and the last where it is told in words; the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    end = len(widths) - told
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:end], widths[1:]), *row[end:]] for row in rows)
    return "\n".join("  ".join(line).rstrip() for line in lines)


def keep(program: str, table: str, figures: object) -> Path:
    """Print a table and write it down with its figures; the path of both but for the ending."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{program}-{time.strftime('%Y%m%dT%H%M%S')}"
    path.with_suffix(".txt").write_text(table + "\n")
    path.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    print(f"{table}\n\nKept in {path}.txt and .json", flush=True)
    return path


def findings(program: str, found: Sequence[Finding], *, receipts: int) -> None:
    """Show, keep and note the findings of a program on a log of so many receipts."""
    rows = [[f"{receipts:,} receipts", "", "floor", "budget", "", ""]]
    rows += [
        [one.what, f"{shown(one.figure)} {one.unit}", floored(one.floor), *_judged(one), one.about] for one in found
    ]
    keep(program, aligned(rows, told=True), [one._asdict() | {"receipts": receipts} for one in found])
    judged = [one for one in found if one.budget]
    for one in sorted(
        judged, key=lambda one: BUDGETS[one.budget].over(one.figure)
    ):  # of one budget, the worst is the last
        note(one.budget, one.figure, receipts=receipts, floor=one.floor, about=one.about)


def _judged(one: Finding) -> tuple[str, str]:
    budget = BUDGETS[one.budget] if one.budget else None
    return (budget.limited(), budget.verdict(one.figure)) if budget else ("", "")


def shown(figure: float) -> str:
    """A figure with three digits at least."""
    return f"{figure:,.{0 if figure >= 100 else 1 if figure >= 10 else 2}f}"


def floored(floor: float | None) -> str:
    """A floor as it is shown, where there is one."""
    return "" if floor is None else shown(floor)


def note(budget: str, figure: float, *, receipts: int = 0, floor: float | None = None, about: str = "") -> None:
    """Write down what a budget of `BUDGETS` was found to be."""
    FOLDER.mkdir(exist_ok=True)
    found = Noted(budget, figure, receipts, floor, about, time.strftime("%Y-%m-%d %H:%M"))
    with (FOLDER / FIGURES).open("a") as file:
        file.write(json.dumps(found._asdict()) + "\n")


def noted(budget: str) -> list[Noted]:
    """What a budget was found to be: the newest for each number of receipts, the smallest log first."""
    path = FOLDER / FIGURES
    found = [Noted(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
    newest = {one.receipts: one for one in found if one.budget == budget}
    return [newest[receipts] for receipts in sorted(newest)]


def pyplot() -> Any | None:
    """What is drawn with, or None, said, where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        print("Nothing is drawn: that needs matplotlib (`pip install 'consent[bench]'`).")
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def drawn(figure: Any, path: Path) -> None:
    """Write a drawing down."""
    figure.savefig(path.with_suffix(".png"), dpi=110)
    print(f"Drawn to {path.with_suffix('.png')}", flush=True)
