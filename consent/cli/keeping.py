"""`consent init`, `migrate` and `doctor`: keeping an installation."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator

import click

from consent import anchors, banner, checkpoint, open_ledger
from consent.cli.moving import move
from consent.cli.people import first_owner
from consent.cli.shared import as_json, installation, show
from consent.errors import ConsentError
from consent.keyring import KeyRing
from consent.ledger import Ledger
from consent.model import Filter
from consent.reading import reached
from consent.settings import Settings, load
from consent.storage import open_storage

LATE = 600
"""Seconds after which an entry without a checkpoint is a fault."""
RECEIPT_BYTES = 400
DAY = 86_400
LOW_DISK = 256 * 1024 * 1024
"""Bytes free below which the doctor warns."""


@click.command()
def init() -> None:
    """Make the data folder, the database, the first signing key and the first owner; changes nothing that is there.

    \b
    Example: CONSENT_DATA=/var/lib/consent consent init
    """
    ledger, settings = installation()
    click.echo(f"Data folder: {settings.data}\nSigning key: {ledger.ring.newest().kid}")
    first_owner(ledger)
    click.echo("Next: `consent site create SITE --origin URL`, then `consent serve`.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--to", help="Move everything to the empty database at this URL, once the service is stopped.")
def migrate(dry_run: bool, to: str | None) -> None:
    """Bring the database up to date, or move it to another.

    \b
    Example: consent backup before.db && consent migrate
             consent migrate --to postgresql://consent@db.example/consent
    """
    if to:
        move(to, dry_run=dry_run)
        return
    storage = open_ledger(load()).storage
    names = storage.pending() if dry_run else storage.migrate()
    for name in names:
        click.echo(f"{'Would apply' if dry_run else 'Applied'} {name}.")
    if not names:
        click.echo("The database is up to date.")


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Say what is wrong with the installation and how to mend it; exits 1 if something is.

    \b
    Example: consent doctor
    """
    settings = load()
    found = {name: list(_examined(check, settings)) for name, check in CHECKS.items()}
    if as_json:
        show(found)
    else:
        for name, faults in found.items():
            click.echo(f"{'ok  ' if not faults else 'FAIL'}  {name}")
            for fault in faults:
                click.echo(f"      {fault}")
    sys.exit(1 if any(found.values()) else 0)


def _examined(check: Callable[[Settings], Iterator[str]], settings: Settings) -> Iterator[str]:
    try:
        yield from check(settings)
    except ConsentError as error:
        yield str(error)
    except OSError as error:
        yield f"{error.filename or 'A file'} cannot be used: {error.strerror}."


def _folder(settings: Settings) -> Iterator[str]:
    if not settings.data.is_dir():
        yield f"There is no data folder {settings.data}: run `consent init`, or set CONSENT_DATA."
        return
    if not os.access(settings.data, os.W_OK):
        yield f"The data folder {settings.data} cannot be written: give it to the service's account."
    if shutil.disk_usage(settings.data).free < LOW_DISK:
        yield f"Less than 256 MB are free for {settings.data}: make room, or recording will stop."


def _keys(settings: Settings) -> Iterator[str]:
    ring = KeyRing(settings.data / "keys")
    ring.keys()
    yield from ring.faults()


def _database(settings: Settings) -> Iterator[str]:
    storage = open_storage(settings.database)
    if storage.is_empty():
        yield "There is no database yet: run `consent init`."
        return
    storage.check()
    yield from storage.faults()
    path = settings.data / "consent.db"
    if settings.database.endswith(str(path)) and path.stat().st_mode & 0o077:
        yield f"{path} can be read by others: run `chmod go-rwx {path}*`."


def _public_url(settings: Settings) -> Iterator[str]:
    url = settings.public_url
    if url.startswith("http:") and not url.startswith(("http://127.0.0.1", "http://localhost")):
        yield f"CONSENT_PUBLIC_URL is {url}: pages on https cannot load a script from http; put TLS in front."


def _script(settings: Settings) -> Iterator[str]:
    if not banner.source():
        yield "static/banner.js is empty: run `make banner`, or install the package again."


def _sites(settings: Settings) -> Iterator[str]:
    storage = open_storage(settings.database)
    if not storage.is_empty() and not storage.pending() and not storage.reading().sites():
        yield "There is no site yet: run `consent site create SITE --origin URL`."


def _checkpoints(settings: Settings) -> Iterator[str]:
    """Whether somebody makes checkpoints of what is recorded."""
    ledger = _opened(settings)
    for site in ledger.storage.reading().sites() if ledger else []:
        rows = ledger.storage.reading()  # type: ignore[union-attr]
        newest = rows.checkpoint(site.id)
        if not ledger.tree.sound(site.id):  # type: ignore[union-attr]
            yield f"The tree of site {site.id!r} is not what its newest checkpoint was signed over: restore a backup."
        first = rows.entries(site.id, Filter(kinds=()), after=newest.size - 1 if newest else -1, limit=1)
        if first and time.time() - first[0].recorded_at > max(LATE, 10 * settings.checkpoint_seconds):
            yield f"Site {site.id!r} has entries that no checkpoint covers: is the service running? Its log says more."


def _anchored(settings: Settings) -> Iterator[str]:
    """Whether the checkpoints that were left elsewhere are still ours; a restored older backup does not know them."""
    ledger = _opened(settings)
    rows = ledger.storage.reading() if ledger else None
    sites = {site.id for site in rows.sites()} if rows else set()
    for target, newest in anchors.notes_left(settings.data / "anchors").items():
        for site in newest.keys() & sites:
            head = checkpoint.read(newest[site])
            ours = rows.checkpoint(site, head.size)  # type: ignore[union-attr]
            if ours is None or ours.root != head.root:
                yield f"The log of site {site!r} is not the one whose checkpoint of {head.size} entries was left at {anchors.public(target)}: it was rolled back or rewritten."


def _growth(settings: Settings) -> Iterator[str]:
    """Whether the disk is full within a month at today's rate, as under a flood; a server's disk is not seen."""
    ledger = _opened(settings) if settings.database.startswith("sqlite:") else None
    rows = ledger.storage.reading() if ledger else None
    free = shutil.disk_usage(settings.data).free
    for site in rows.sites() if rows else []:
        size = rows.size(site.id)  # type: ignore[union-attr]
        since = reached(rows, site.id, int(time.time()) - DAY)  # type: ignore[arg-type]
        if (size - since) * RECEIPT_BYTES * 30 > free:
            days = free // ((size - since) * RECEIPT_BYTES)
            yield f"Site {site.id!r} had {size - since:,} entries in a day; at that rate the disk is full in {days} days."


def _opened(settings: Settings) -> Ledger | None:
    """The ledger, if it can be read at all; other checks say why it cannot."""
    ledger = open_ledger(settings)
    return None if ledger.storage.is_empty() or ledger.storage.pending() else ledger


CHECKS: dict[str, Callable[[Settings], Iterator[str]]] = {
    "data folder": _folder,
    "signing keys": _keys,
    "database": _database,
    "public address": _public_url,
    "banner script": _script,
    "sites": _sites,
    "checkpoints": _checkpoints,
    "anchors": _anchored,
    "growth": _growth,
}
