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

from flask.testing import FlaskClient

from bench import export, large, servers
from bench.stats import LAST, leave_behind
from consent import open_ledger
from consent.ledger import Ledger
from consent.model import Filter
from consent.people import ALL, People
from consent.settings import load
from consent.web import make_app
from consent.web.desk import ahead
from consent.web.desk.overview import LONGEST

AGAIN = 5
MOST_MS = 100
MOST_BYTES = 150_000
DAYS_AGO = {"today": 0, "year_ago": 364, "long_ago": LONGEST - 1}
PASSWORD = "a long enough password"
DESK = ("", "account", "people", "tokens", "trail", "health", "new-site")
SITE = (
    "overview", "overview?since={long_ago}&until={today}", "overview?since={long_ago}&until={today}&by=country",
    "overview?since={year_ago}&until={today}", "overview.csv", "receipts", "receipts?action=withdraw", "receipts?policy=1&action=custom", "receipts?q={subject}",
    "receipts?q={id}", "receipts/{id}", "receipts/{id}/banner", "receipts/{id}/sheet", "install", "export", "export?format=csv&action=custom",
    "export?format=ndjson", "export?format=evidence", "requests", "requests?q={subject}", "settings", "banner", "banner/texts",
    "banner/services", "banner/looks", "banner/rules", "banner/review", "banner/history", "banner/published", "banner/file", "preview",
)  # fmt: skip


def main() -> None:
    """Fill, ask for every page, print."""
    with large.asked("desk", __doc__, 5_000_000) as (folder, receipts):
        ledger = filled(folder / "full", receipts)
        size = ledger.storage.reading().size(servers.SITE)
        print(f"{f'page, at {size:,} entries':<44}{'status':>8}{'first, ms':>12}{'then, ms':>12}{'KB':>8}", flush=True)
        for path in paths(ledger):
            status, first, then, length = asked(ledger, path)
            holds = status == 200 and first <= MOST_MS and length <= MOST_BYTES
            verdict = "ok" if holds else "ABOVE"
            print(f"{path[:43]:<44}{status:>8}{first:>12.1f}{then:>12.1f}{length / 1000:>8.1f}  {verdict}", flush=True)
        ledger.storage.close()


def filled(folder: Path, count: int) -> Ledger:
    """The ledger of a folder with at least so many receipts, a checkpoint, an owner and counts."""
    fresh = not (folder / "consent.db").exists()
    if fresh:
        export.fill(folder, 1)
    ledger = open_ledger(load({"CONSENT_DATA": str(folder)}))
    ledger.storage.migrate()
    export.more(folder, count - ledger.storage.reading().size(servers.SITE))
    if fresh:
        leave_behind(ledger, count)
    people = People(ledger.storage, ledger.now)
    if not people.all():
        people.add("bench", {ALL: "owner"}, PASSWORD)
    ledger.tree.checkpoint(servers.SITE)
    return ledger


def paths(ledger: Ledger) -> list[str]:
    """Every page, those of a single receipt for one in the middle of the log."""
    rows = ledger.storage.reading()
    [one] = rows.entries(servers.SITE, Filter(kinds=("receipt",)), after=rows.size(servers.SITE) // 2, limit=1)
    ago = {name: (LAST - timedelta(days=days)).isoformat() for name, days in DAYS_AGO.items()}
    of_site = [f"/admin/sites/{servers.SITE}/{page.format(id=one.id, subject=one.subject, **ago)}" for page in SITE]
    return [*(f"/admin/{page}" for page in DESK), *of_site]


def asked(ledger: Ledger, path: str) -> tuple[int, float, float, int]:
    """Status, milliseconds of the first answer of a new process's app and of the others, bytes of the page."""
    browser = signed_in(ledger)
    ahead.reading().join()  # begun by the sign-in
    taken = []
    for _ in range(1 + AGAIN):
        start = time.process_time()
        answer = browser.get(path, follow_redirects=True)
        body = answer.data
        taken.append((time.process_time() - start) * 1e3)
    return answer.status_code, taken[0], median(taken[1:]), len(body)


def signed_in(ledger: Ledger) -> FlaskClient:
    """A browser in which an owner is signed in."""
    browser = make_app(load({"CONSENT_PUBLIC_URL": "http://127.0.0.1"}), ledger).test_client()
    found = re.search(r'csrf_token" value="([^"]+)', browser.get("/admin/sign-in").text)
    assert found
    form = {"csrf_token": found[1], "name": "bench", "password": PASSWORD}
    assert browser.post("/admin/sign-in", data=form).status_code == 303
    return browser


if __name__ == "__main__":
    main()
