"""How the installation is: what may be wrong, keys, checkpoints, the last backup. Plain facts, each with what to do."""

import shutil
from typing import Any

import msgspec
from flask import Response

from consent import checkup
from consent.copies import LAST, Copy
from consent.web.desk.frame import blueprint, needs, page
from consent.web.service import service

WEEK = 7 * 86_400
"""Seconds after which a backup is old."""


@blueprint.get("/health", endpoint="health")
@needs("auditor", whole=True)
def show_health() -> Response:
    """The page; the whole database is not read for it."""
    held = service()
    ledger, settings, rows = held.ledger, held.settings, held.ledger.storage.reading()
    backup = rows.document(*LAST)
    last = msgspec.json.decode(backup, type=Copy) if backup else None
    return page(
        "health",
        found=checkup.found(settings, but=checkup.SLOW),
        keys=list(reversed(ledger.ring.keys())),
        logs=[_log(site.id) for site in rows.sites()],
        last=last,
        is_old=last is None or ledger.now() - last.at > WEEK,
        free=shutil.disk_usage(settings.data).free // 2**20,
        retention=settings.retention_days,
        anchors=len(settings.anchors),
        address=settings.public_url,
    )


def _log(site: str) -> dict[str, Any]:
    ledger = service().ledger
    rows = ledger.storage.reading()
    newest = rows.checkpoint(site)
    return {
        "site": site,
        "size": rows.size(site),
        "covered": newest.size if newest else 0,
        "made_at": newest.made_at if newest else None,
        "days": ledger.retention(site, service().settings.retention_days),
    }
