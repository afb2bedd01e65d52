"""Exporting a site's log in each format, beside a plain sqlite3 cursor that reads the same rows and writes them out.

Each run is a process of its own (bench/export_run.py), so that its peak memory is its own too.
"""

import json
import subprocess
import sys
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from secrets import token_bytes
from uuid import UUID, uuid4

import msgspec

from bench import servers
from bench.recording import CHOICE
from bench.trial import Figures, Plan, Trial
from consent import open_ledger, policy, receipts, tallies
from consent.claims import entry_of
from consent.export import FORMATS
from consent.ledger import Ledger
from consent.model import Choice, Entry, Filter, Receipt
from consent.settings import load

BATCH = 5_000
PATIENCE = 300
"""Seconds after which an export has failed."""


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """One trial a format."""
    folder = plan.folder / "export"
    fill(folder, plan.receipts)
    floor = f"sqlite3 cursor, {plan.receipts:,} rows"
    formats = [Trial(f"export {name}, {plan.receipts:,} rows", partial(run, name, folder), floor) for name in FORMATS]
    return [*formats, Trial(floor, partial(run, "cursor", folder))]


def run(what: str, folder: Path) -> Figures:
    """One export in a child process."""
    command = [sys.executable, "-m", "bench.export_run", what, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise SystemExit(f"Exporting {what} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def fill(folder: Path, count: int) -> None:
    """A site with `count` receipts: one recorded, the others like it but for their ids, each signed by itself."""
    ledger = open_ledger(load({"CONSENT_DATA": str(folder)}))
    ledger.storage.migrate()
    ledger.create_site(servers.SITE, policy.default("Bench", [servers.ORIGIN]))
    first = msgspec.convert({"id": str(uuid4()), "subject": subject(), **CHOICE}, Choice)
    ledger.record(servers.SITE, first)
    ledger.storage.close()
    more(folder, count - 1)


def more(folder: Path, count: int) -> None:
    """`count` receipts more, like the first one."""
    ledger = open_ledger(load({"CONSENT_DATA": str(folder)}))
    model = receipts.receipt(ledger.storage.reading().entries(servers.SITE, Filter(), limit=1)[0].token or "")
    for start in range(0, count, BATCH):
        entries = [_entry(ledger, model) for _ in range(min(BATCH, count - start))]
        with ledger.storage.writing() as rows:
            rows.tally(servers.SITE, {tallies.of_receipt(model): len(entries)})
            for entry in entries:
                rows.append(entry)
    ledger.storage.close()


def _entry(ledger: Ledger, model: Receipt) -> Entry:
    claims = msgspec.structs.replace(model, jti=str(UUID(bytes=token_bytes(16))), sub=subject())
    return entry_of(claims, ledger.ring.newest(), subject=claims.sub, policy=1, action="custom")


def subject() -> str:
    """A new browser's subject id."""
    return urlsafe_b64encode(token_bytes(16)).rstrip(b"=").decode()
