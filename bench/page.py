"""`python -m bench.page`: what the banner costs a page and its visitor, in headless Chromium.

The floor, in the same run, is a box of fifteen nodes by one external deferred script; beside it stand a line of HTML without any script
and the page without a banner. Each round visits all of them in turns, so that a busy moment hits all alike; figures
are medians, ratios the medians of the rounds' own ratios. Times are landmarks, ratios what counts: under 30 % they
mean nothing but on slow 4G, where the network decides. What is above is no error: bytes, nodes and heap can be tested
exactly, milliseconds cannot.
"""

import argparse
import json
import shutil
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from bench import page_site, report, results
from bench.budgets import Budget
from bench.page_visit import Figures, hurried, place, seen, weighed

ROUNDS = 15
TRIES = 50
FRAME = 1000 / 60
CLICKABLE = ("floor", "default policy", "twelve services")
OURS = ("default policy", "twelve services")
Round = dict[str, Figures]


class Measure(NamedTuple):
    """One line of the table; the budget limits the value, what is added to the page without a banner, or the ratio to the floor."""

    title: str
    figure: str
    kind: str
    budget: float | None
    shape: str = "{:,.0f}"


MEASURES = [
    Measure("slow 4G: visible, ms", "slow visible", "ratio", 1.05),
    Measure("slow 4G: page's first paint, ms later", "slow first", "added", FRAME),
    Measure("1x: visible, ms", "1x visible", "ratio", 1.3),
    Measure("4x: visible, ms", "4x visible", "ratio", 1.3),
    Measure("6x: visible, ms", "6x visible", "ratio", 1.3),
    Measure("4x: blocking time added, ms", "4x blocked", "added", 20),
    Measure("6x: blocking time added, ms", "6x blocked", "added", None),
    Measure("script, first visit, CPU ms", "script", "value", 3.0, "{:.2f}"),
    Measure("  of it while the page loads", "script early", "value", None, "{:.2f}"),
    Measure("script, returning visit, CPU ms", "script again", "value", 1.0, "{:.2f}"),
    Measure("  of it while the page loads", "script early again", "value", None, "{:.2f}"),
    Measure("heap added, KiB", "heap", "added", 150),
    Measure("nodes added", "nodes", "added", 60),
    Measure("layout shift, slow 4G and refused", "slow shift", "value", 0, "{:.4f}"),
    Measure("layout shift, 1x and accepted", "1x shift", "value", 0, "{:.4f}"),
    Measure("refuse: click to gone, ms", "refuse gone", "value", FRAME, "{:.1f}"),
    Measure("refuse: click to painted, ms", "refuse painted", "value", None, "{:.1f}"),
    Measure("refuse: frames begun before gone", "refuse passed", "value", 0),
    Measure("accept: click to gone, ms", "accept gone", "value", FRAME, "{:.1f}"),
    Measure("accept: click to painted, ms", "accept painted", "value", None, "{:.1f}"),
    Measure("accept: frames begun before gone", "accept passed", "value", 0),
    Measure("accept: click to inline tag runs, ms", "accept began", "value", FRAME, "{:.1f}"),
    Measure("accept: click to file asked for, ms", "accept asked", "value", FRAME, "{:.1f}"),
]


def main() -> None:
    """Measure and print."""
    options = arguments()
    with sync_playwright() as playwright, page_site.serving() as origin:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        visit_all(browser, origin)  # warms up what the browser shares between visits
        rounds = []
        for round in range(options.rounds):
            report.say(f"round {round + 1} of {options.rounds}")
            rounds.append(visit_all(browser, origin))
        report.say("")
        clicks = {name: clicked(browser, origin, name, options.tries) for name in OURS}
        browser.close()
    rows = {name: [row(measure, name, rounds) for measure in MEASURES] for name in OURS}
    figures = {"measures": rows, "clicks": clicks, "rounds": rounds}
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        results.keep("page", "\n\n".join(table(name, rounds, clicks[name]) for name in OURS), figures)


def arguments() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description="Measure the banner in a browser.")
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a figure to quote")
    parser.add_argument("--rounds", type=int, choices=range(1, 51), metavar="1-50")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else ROUNDS)
    options.tries = 10 if options.quick else TRIES
    return options


def visit_all(browser: Browser, origin: str) -> Round:
    """One round: every page in one way of visiting, then all in the next."""
    pages = {name: origin + page_site.path(name) for name in page_site.HEADS}
    found: Round = {name: {} for name in pages}
    for name, url in pages.items():
        found[name] |= _watch(browser, url, "slow", _answer(name, "reject"))
    for name, url in pages.items():
        found[name] |= _watch(browser, url, "1x", _answer(name, "accept"))
    for cpu in (4, 6):
        for name, url in pages.items():
            found[name] |= _watch(browser, url, f"{cpu}x", "")
    for name, url in pages.items():
        found[name] |= weighed(browser, url)
    return found


def clicked(browser: Browser, origin: str, name: str, tries: int) -> Figures:
    """Clicks at the moment the banner stands: accept and refuse, at 1x and 4x, in turns."""
    url = origin + page_site.path(name)
    places = [place(browser, url, f"consent-{answer}") for answer in ("accept", "reject")]
    found = [hurried(browser, url, places[n % 2], cpu=1 if n % 4 < 2 else 4) for n in range(tries)]
    lost = sum(one["lost"] for one in found)
    return {"tries": tries, "lost": lost, "after": median(one["after"] for one in found)}


def row(measure: Measure, name: str, rounds: list[Round]) -> dict[str, Any]:
    """The medians of a measure for a banner and the floors, and the number its budget limits."""
    title, figure, kind, budget, _ = measure
    columns = {one: _median(rounds, one, figure) for one in ("without", "static", "floor", name)}
    ratio = _ratio(rounds, name, figure)
    added = median(one[name][figure] - one["without"].get(figure, 0) for one in rounds)
    limited = {"value": columns[name], "added": added, "ratio": ratio}[kind]
    verdict = "" if budget is None or limited is None else judged(limited, budget)
    return {
        "measure": title,
        **columns,
        "added": added,
        "ratio": ratio,
        "kind": kind,
        "budget": budget,
        "verdict": verdict,
    }


def judged(figure: float, most: float) -> str:
    """Whether a figure is within its budget, or by how much it is not; what must not be at all is above or not."""
    return Budget("", most, "", "page").verdict(figure) if most else "above" if figure else "ok"


def table(name: str, rounds: list[Round], clicks: Figures) -> str:
    """The measures of one banner beside the floors."""
    rows = [[name, "static", "floor", "ours", "÷ floor", "budget", ""]]
    rows += [_cells(measure, name, row(measure, name, rounds)) for measure in MEASURES]
    rows.append(
        [
            f"clicks lost of {clicks['tries']:.0f}, {clicks['after']:.0f} ms after it stood",
            *("", "", f"{clicks['lost']:.0f}", "", "0", judged(clicks["lost"], 0)),
        ]
    )
    return results.aligned(rows)


def _cells(measure: Measure, name: str, found: dict[str, Any]) -> list[str]:
    """A row in words. What is added to the page without a banner is shown as that."""
    base = found["without"] if measure.kind == "added" else 0
    values = [found[one] for one in ("static", "floor", name)]
    shown = ["" if one is None else measure.shape.format(one - base) for one in values]
    ratio = found["ratio"] if measure.kind == "ratio" or measure.figure.startswith("script") else None
    limit = "" if measure.budget is None else f"{measure.budget:g}" if measure.budget != FRAME else "1 frame"
    return [measure.title, *shown, "" if ratio is None else f"{ratio:.2f}", limit, found["verdict"]]


def _watch(browser: Browser, url: str, way: str, button: str) -> Figures:
    """What one visit showed, by the names of the measures."""
    probe = seen(browser, url, click=button, slow=way == "slow", cpu=int(way[0]) if way != "slow" else 1)
    found = {f"{way} {figure}": probe[figure] for figure in ("visible", "first", "blocked") if probe.get(figure)}
    found = {f"{way} blocked": 0, f"{way} shift": probe["shift"], **found}
    if button:
        action = "accept" if button.endswith("accept") else "refuse"
        since = {figure: probe.get(figure) for figure in ("gone", "painted", "began", "asked")}
        found |= {f"{action} {figure}": at - probe["clicked"] for figure, at in since.items() if at is not None}
        found[f"{action} passed"] = probe["passed"]
    return found


def _answer(name: str, answer: str) -> str:
    return f"consent-{answer}" if name in CLICKABLE else ""


def _median(rounds: list[Round], name: str, figure: str) -> float | None:
    """The median; of what must never happen, the worst."""
    values = [one[name][figure] for one in rounds if figure in one[name]]
    worst = figure.endswith(("shift", "passed"))
    return (max if worst else median)(values) if values else None


def _ratio(rounds: list[Round], name: str, figure: str) -> float | None:
    pairs = [(one[name][figure], one["floor"][figure]) for one in rounds]
    return median(ours / floor for ours, floor in pairs) if all(floor for _, floor in pairs) else None


if __name__ == "__main__":
    main()
