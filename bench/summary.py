"""`python -m bench.summary`: every budget of the server's side beside its newest figure, and whether it is met.

A budget that was measured on logs of several sizes has a line for each. Written to bench/results/summary.md, and drawn to
summary.png: how far each figure is from its limit.
"""

from bench.budgets import BUDGETS, Budget
from bench.results import FOLDER, Noted, aligned, drawn, floored, noted, pyplot, shown

HEAD = ["budget", "receipts", "limit", "figure", "verdict", "floor", "program", "measured", "told beside"]
NOT_MEASURED = "not measured"


def main() -> None:
    """Print, write, draw."""
    lines = [(budget, one) for name, budget in BUDGETS.items() for one in measured(name)]
    rows = [HEAD, *(row(budget, one) for budget, one in lines)]
    said = f"{met(lines)}\n\nThe page's budgets are told by `python -m bench.page` and `bench.blocking`, the script's bytes by `bench.size`."
    print(f"{aligned(rows, told=True)}\n\n{said}")
    FOLDER.mkdir(exist_ok=True)
    marked = [HEAD, ["---"] * len(HEAD), *rows[1:]]
    table = "\n".join(f"| {' | '.join(one)} |" for one in marked)
    (FOLDER / "summary.md").write_text(f"# Budgets\n\n{table}\n\n{said}\n")
    draw([(budget, one) for budget, one in lines if one])


def measured(name: str) -> list[Noted | None]:
    """The figures of a budget; None is one that is missing."""
    found = noted(name)
    enough = any(one.receipts >= BUDGETS[name].receipts for one in found)
    return [*found, *([] if enough else [None])]


def row(budget: Budget, found: Noted | None) -> list[str]:
    """One line of the table."""
    if found is None:
        size = f"{budget.receipts:,}" if budget.receipts else ""
        return [budget.what, size, budget.limited(), "", NOT_MEASURED, "", f"bench.{budget.program}", "", ""]
    size, verdict = f"{found.receipts:,}" if found.receipts else "", budget.verdict(found.figure)
    return [budget.what, size, budget.limited(), shown(found.figure), verdict, floored(found.floor), f"bench.{budget.program}", found.at, found.about]  # fmt: skip


def met(lines: list[tuple[Budget, Noted | None]]) -> str:
    """How many are met."""
    figures = [(budget, one) for budget, one in lines if one]
    kept = sum(budget.over(one.figure) <= 0 for budget, one in figures)
    return f"{kept} of {len(figures)} met; {len(lines) - len(figures)} not measured."


def draw(lines: list[tuple[Budget, Noted]]) -> None:
    """A bar for each figure: its part of the limit, or the limit's part of it where more is better."""
    plot = pyplot()
    if plot is None or not lines:
        return
    figure, axis = plot.subplots(figsize=(11, 1 + 0.28 * len(lines)), layout="constrained")
    parts = [(budget.limit / one.figure if budget.least else one.figure / budget.limit) for budget, one in lines]
    names = [budget.what + (f" ({one.receipts:,})" if one.receipts else "") for budget, one in lines]
    axis.barh(range(len(lines)), parts, color=["tab:red" if part > 1 else "tab:green" for part in parts])
    axis.set_yticks(range(len(lines)), names)
    axis.invert_yaxis()
    axis.axvline(1, color="black")
    axis.set(xlabel="part of the budget that is used: met up to 1", xlim=(0, min(4, max(1.2, *parts) * 1.05)))
    drawn(figure, FOLDER / "summary")


if __name__ == "__main__":
    main()
