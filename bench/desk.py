"""`python -m bench.desk`: what every page of the administrators' desk costs on a large log.

The log holds receipts as recorded, and counts of three years of visitors from many countries. A page is asked for as a
browser does; its first answer and the median of the others are CPU time of the process that answers, its size is that of
the page as it is made, uncompressed, without the pictures and sheets that the browser keeps.
"""

import re
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from flask.testing import FlaskClient

from bench import budgets, large, report, results, servers
from bench.stats import LAST
from consent.ledger import Ledger
from consent.model import Filter
from consent.people import ALL, People
from consent.settings import load
from consent.web import make_app
from consent.web.desk import ahead
from consent.web.desk.overview import LONGEST

AGAIN = 5
BUDGETS = {"desk time": "first", "desk bytes": "kilobytes"}
"""What each limits."""
DAYS_AGO = {"today": 0, "year_ago": 364, "long_ago": LONGEST - 1}
NAME, PASSWORD = "bench", "a long enough password"
DESK = ("", "account", "people", "tokens", "trail", "health", "new-site")
SITE = (
    "overview", "overview?since={long_ago}&until={today}", "overview?since={long_ago}&until={today}&by=country",
    "overview?since={year_ago}&until={today}", "overview.csv", "receipts", "receipts?action=withdraw", "receipts?policy=1&action=custom", "receipts?q={subject}",
    "receipts?q={id}", "receipts/{id}", "receipts/{id}/banner", "receipts/{id}/sheet", "install", "export", "export?format=csv&action=custom",
    "export?format=ndjson", "export?format=evidence", "requests", "requests?q={subject}", "settings", "banner", "banner/texts",
    "banner/services", "banner/looks", "banner/rules", "banner/review", "banner/history", "banner/published", "banner/file", "preview",
)  # fmt: skip


class Page(NamedTuple):
    """What a page took: its status, milliseconds of the first answer and of the others, and how large it was."""

    status: int
    first: float
    then: float
    kilobytes: float


def main() -> None:
    """Fill, ask for every page, print."""
    with large.asked("desk", __doc__, 5_000_000) as (folder, receipts):
        ledger = filled(folder / large.FULL, receipts)
        size = ledger.storage.reading().size(servers.SITE)
        pages = {path: asked(ledger, path) for path in paths(ledger)}
        ledger.storage.close()
    rows = [[f"page, at {size:,} entries", "status", "first, ms", "then, ms", "KB", ""]]
    rows += [[path[:43], str(one.status), f"{one.first:.1f}", f"{one.then:.1f}", f"{one.kilobytes:.1f}", verdict(one)] for path, one in pages.items()]  # fmt: skip
    results.keep("desk", results.aligned(rows, told=True), {path: one._asdict() for path, one in pages.items()})
    for budget, figure in BUDGETS.items():
        worst = max(pages, key=lambda path: getattr(pages[path], figure))
        results.note(budget, getattr(pages[worst], figure), receipts=receipts, about=worst)


def verdict(page: Page) -> str:
    """Whether a page is within its budgets, and by how much it is not."""
    if page.status != 200:
        return "REFUSED"
    over = {figure: budgets.BUDGETS[name].verdict(getattr(page, figure)) for name, figure in BUDGETS.items()}
    return ", ".join(f"{figure} {found}" for figure, found in over.items() if found != "ok") or "ok"


def filled(folder: Path, count: int) -> Ledger:
    """The ledger of a folder with at least so many entries, a checkpoint, an owner and counts."""
    ledger = large.filled(folder, count)
    people = People(ledger.storage, ledger.now)
    if NAME not in {one.name for one in people.all()}:  # a service that ran on it made an owner of its own
        people.add(NAME, {ALL: "owner"}, PASSWORD)
    ledger.tree.checkpoint(servers.SITE)
    return ledger


def paths(ledger: Ledger) -> list[str]:
    """Every page, those of a single receipt for one in the middle of the log."""
    rows = ledger.storage.reading()
    [one] = rows.entries(servers.SITE, Filter(kinds=("receipt",)), after=rows.size(servers.SITE) // 2, limit=1)
    ago = {name: (LAST - timedelta(days=days)).isoformat() for name, days in DAYS_AGO.items()}
    of_site = [f"/admin/sites/{servers.SITE}/{page.format(id=one.id, subject=one.subject, **ago)}" for page in SITE]
    return [*(f"/admin/{page}" for page in DESK), *of_site]


def asked(ledger: Ledger, path: str) -> Page:
    """What a page took of a new process's app."""
    report.say(path)
    browser = signed_in(ledger)
    ahead.reading().join()  # begun by the sign-in
    taken = []
    for _ in range(1 + AGAIN):
        start = time.process_time()
        answer = browser.get(path, follow_redirects=True)
        body = answer.data
        taken.append((time.process_time() - start) * 1e3)
    return Page(answer.status_code, taken[0], median(taken[1:]), len(body) / 1000)


def signed_in(ledger: Ledger) -> FlaskClient:
    """A browser in which an owner is signed in."""
    browser = make_app(load({"CONSENT_PUBLIC_URL": "http://127.0.0.1"}), ledger).test_client()
    found = re.search(r'csrf_token" value="([^"]+)', browser.get("/admin/sign-in").text)
    assert found
    form = {"csrf_token": found[1], "name": NAME, "password": PASSWORD}
    assert browser.post("/admin/sign-in", data=form).status_code == 303
    return browser


if __name__ == "__main__":
    main()
