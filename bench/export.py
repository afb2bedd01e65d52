"""Exporting a site's log in each format, beside a plain sqlite3 cursor that reads the same rows and writes them out.

Each run is a process of its own (bench/export_run.py), so that its peak memory is its own too. Then recording into a log
while exports of it run one after another, beside recording alone.
"""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event, Thread
from urllib.request import Request, urlopen
from uuid import uuid4

import msgspec

from bench import load, servers
from bench.fresh import subject
from bench.recording import CHOICE, HEADERS, PATH
from bench.trial import Figures, Plan, Trial, named
from consent import access, open_ledger, policy, receipts, tallies
from consent.claims import entry_of
from consent.export import FORMATS
from consent.ids import uuid7
from consent.ledger import Ledger
from consent.model import Choice, Entry, Filter, Receipt
from consent.settings import load as load_settings

BATCH = 5_000
LARGE = ("csv", "ndjson", "parquet")
CONNECTIONS = 16
LONG_ENOUGH = 4
"""Seconds of a load beside exports, so that starting them does not count."""
PATIENCE = 300
"""Seconds after which an export has failed."""


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """One trial a format."""
    folder = plan.folder / "export"
    fill(folder, plan.receipts)
    floor = f"sqlite3 cursor, {plan.receipts:,} rows"
    formats = [
        Trial(f"export {name}, {plan.receipts:,} rows", partial(run, name, folder), floor, receipts=plan.receipts)
        for name in FORMATS
    ]
    judged = [
        one._replace(budget={kind: f"{name} {kind}" for kind in ("rate", "peak")}) if name in LARGE else one
        for name, one in zip(FORMATS, formats, strict=True)
    ]
    return [*judged, Trial(floor, partial(run, "cursor", folder)), *meanwhile(plan, stack)]


def meanwhile(plan: Plan, stack: ExitStack) -> list[Trial]:
    """Recording alone, and while the log is exported as each of the large formats."""
    folder = plan.folder / "meanwhile"
    service = stack.enter_context(servers.service(folder))
    first(folder)
    more(folder, plan.receipts - 1)
    token = auditor(folder)
    job = load.Job(service.port, PATH, CONNECTIONS, max(plan.seconds, LONG_ENOUGH), 201, HEADERS, CHOICE)
    floor = named("record a choice into a log that is exported", CONNECTIONS)
    alone = Trial(floor, partial(load.measure, service, job))
    return [
        alone,
        *(
            Trial(
                f"the same, exporting {name}",
                partial(beside, service, job, token, name),
                floor,
                {"share": f"beside {name}"},
                plan.receipts,
            )
            for name in LARGE
        ),
    ]


def beside(service: servers.Running, job: load.Job, token: str, format: str) -> Figures:
    """A load on a service while its log is exported over HTTP, again and again, from the first piece of the first on."""
    begun, ended = Event(), Event()

    def export() -> None:
        url = f"http://127.0.0.1:{service.port}/api/sites/{servers.SITE}/export?format={format}"
        asked = Request(url, headers={"Authorization": f"Bearer {token}"})
        while not ended.is_set():
            with urlopen(asked, timeout=PATIENCE) as answer:
                while answer.read(1_000_000) and not ended.is_set():
                    begun.set()

    reader = Thread(target=export)
    reader.start()
    try:
        if not begun.wait(PATIENCE):
            raise SystemExit(f"Nothing came of an export as {format}.")
        return load.measure(service, job)
    finally:
        ended.set()
        reader.join()


def run(what: str, folder: Path) -> Figures:
    """One export in a child process."""
    command = [sys.executable, "-m", "bench.export_run", what, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise SystemExit(f"Exporting {what} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def fill(folder: Path, count: int) -> None:
    """A site with `count` receipts: one recorded, the others like it but for their ids, each signed by itself."""
    ledger = open_ledger(load_settings({"CONSENT_DATA": str(folder)}))
    ledger.storage.migrate()
    ledger.create_site(servers.SITE, policy.default("Bench", [servers.ORIGIN]))
    ledger.storage.close()
    first(folder)
    more(folder, count - 1)


def first(folder: Path) -> None:
    """Record one receipt."""
    ledger = open_ledger(load_settings({"CONSENT_DATA": str(folder)}))
    choice = msgspec.convert({"id": str(uuid4()), "subject": subject(), **CHOICE}, Choice)
    ledger.record(servers.SITE, choice)
    ledger.storage.close()


def more(folder: Path, count: int) -> None:
    """`count` receipts more, like the first one."""
    ledger = open_ledger(load_settings({"CONSENT_DATA": str(folder)}))
    model = receipts.receipt(ledger.storage.reading().entries(servers.SITE, Filter(), limit=1)[0].token or "")
    for start in range(0, count, BATCH):
        entries = [_entry(ledger, model) for _ in range(min(BATCH, count - start))]
        with ledger.storage.writing() as rows:
            rows.tally(servers.SITE, {tallies.of_receipt(model): len(entries)})
            for entry in entries:
                rows.append(entry)
    ledger.storage.close()


def auditor(folder: Path) -> str:
    """A new token that may export."""
    ledger = open_ledger(load_settings({"CONSENT_DATA": str(folder)}))
    stored, text = access.issue(role="auditor", site=None, name="bench", now=ledger.now())
    with ledger.storage.writing() as rows:
        rows.add_token(stored)
    ledger.storage.close()
    return text


def _entry(ledger: Ledger, model: Receipt) -> Entry:
    """One like the first, of now: it may stand behind what was recorded meanwhile."""
    now = time.time()
    iat = int(now)
    claims = msgspec.structs.replace(model, jti=uuid7(now), sub=subject(), iat=iat, exp=iat + model.exp - model.iat)
    return entry_of(claims, ledger.ring.newest(), subject=claims.sub, policy=1, action="custom")
