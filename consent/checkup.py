"""What may be wrong with an installation, each with a sentence on how to mend it: `consent doctor`, and the desk's page.

Its rule: it looks and changes nothing.
"""

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator

from consent import anchors, banner, checkpoint, open_ledger
from consent.errors import ConsentError, Unavailable
from consent.keyring import KeyRing
from consent.ledger import Ledger
from consent.model import Filter
from consent.openid import Provider
from consent.reading import reached
from consent.settings import Settings
from consent.storage import open_storage
from consent.storage.base import logs

LATE = 600
"""Seconds after which an entry without a checkpoint is a fault."""
RECEIPT_BYTES = 400
DAY = 86_400
LOW_DISK = 256 * 1024 * 1024
"""Bytes free below which the doctor warns."""


def found(settings: Settings, *, but: Collection[str] = ()) -> dict[str, list[str]]:
    """The faults that each check finds, none where it is well; checks named in `but` are left out."""
    return {name: list(_examined(check, settings)) for name, check in CHECKS.items() if name not in but}


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
    path = settings.data / "consent.db"
    if settings.database.endswith(str(path)) and path.stat().st_mode & 0o077:
        yield f"{path} can be read by others: run `chmod go-rwx {path}*`."


def _database_file(settings: Settings) -> Iterator[str]:
    storage = open_storage(settings.database)
    if not storage.is_empty():
        yield from storage.faults()


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
    for log in logs(ledger.storage.reading()) if ledger else []:
        rows = ledger.storage.reading()  # type: ignore[union-attr]
        newest = rows.checkpoint(log)
        if not ledger.tree.sound(log):  # type: ignore[union-attr]
            yield f"The tree of {log!r} is not what its newest checkpoint was signed over: restore a backup."
        first = rows.entries(log, Filter(kinds=()), after=newest.size - 1 if newest else -1, limit=1)
        if first and time.time() - first[0].recorded_at > max(LATE, 10 * settings.checkpoint_seconds):
            yield f"The log {log!r} has entries that no checkpoint covers: is the service running? Its log says more."


def _anchored(settings: Settings) -> Iterator[str]:
    """Whether the checkpoints that were left elsewhere are still ours; a restored older backup does not know them."""
    ledger = _opened(settings)
    rows = ledger.storage.reading() if ledger else None
    known = set(logs(rows)) if rows else set()
    for target, newest in anchors.notes_left(settings.data / "anchors").items():
        for site in newest.keys() & known:
            head = checkpoint.read(newest[site])
            ours = rows.checkpoint(site, head.size)  # type: ignore[union-attr]
            if ours is None or ours.root != head.root:
                yield f"The log {site!r} is not the one whose checkpoint of {head.size} entries was left at {anchors.public(target)}: it was rolled back or rewritten."


def _sign_in_provider(settings: Settings) -> Iterator[str]:
    """Whether the OpenID provider answers, and is the one that is set."""
    if settings.oidc_issuer:
        try:
            Provider(settings).check()
        except Unavailable as error:
            yield f"CONSENT_OIDC_ISSUER is {settings.oidc_issuer!r}, which cannot be used: {error.__cause__}."


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
    "database file": _database_file,
    "public address": _public_url,
    "banner script": _script,
    "sites": _sites,
    "checkpoints": _checkpoints,
    "anchors": _anchored,
    "growth": _growth,
    "sign-in provider": _sign_in_provider,
}

SLOW = ("database file", "sign-in provider")
"""Checks that read the whole database, or ask somebody else's server."""
