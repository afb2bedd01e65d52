"""Exports: what is wanted, how much it is, and the file; each is noted in the trail."""

from functools import partial
from typing import Any

import msgspec
from flask import Response, request

from consent import search
from consent.administrator import EVIDENCE
from consent.downloads import Download, Key
from consent.errors import BadQuery, NotFound, NotInstalled
from consent.export import FORMATS
from consent.model import Entry, Filter
from consent.renderings import RENDERINGS
from consent.web.desk import asking, telling
from consent.web.desk.frame import administrator, blueprint, desk, needs, page
from consent.web.desk.words import say
from consent.web.desk.written import day, grouped
from consent.web.service import service
from consent.web.streaming import exported, options_of, wanted

HELP = {name: format.help.replace("`", "") for name, format in FORMATS.items()} | {
    EVIDENCE: "everything an auditor needs to check the whole log, as a zip file"
}
"""What can be chosen, the evidence bundle besides the formats."""
SAMPLE = 50
"""Rows that tell how large the others are."""


@blueprint.get("/sites/<site>/export", endpoint="exports")
@needs("auditor")
def show_exports(site: str) -> Response:
    """The form; once a format is chosen, how much it is and where to get it."""
    asked, format = asking.typed(), request.args.get("format", "")
    newest = service().ledger.published(site).version
    shown: dict[str, Any] = {"asked": asked, "format": format, "help": HELP, "actions": telling.ACTIONS}
    try:
        filter = _filter(asked, format) if format else None
    except (BadQuery, NotInstalled) as error:
        return page("exports", 400, error=error, rows=None, newest=newest, **shown)
    rows = _count(site, format, filter) if filter else None
    sample = _newest(site, filter) if filter and rows and format in FORMATS and not FORMATS[format].packed else []
    size, missing = _size(format, sample, rows or 0), _missing(format, sample)
    return page("exports", error=None, rows=rows, size=size, missing=missing, newest=newest, **shown)


@blueprint.get("/sites/<site>/export/file")
@needs("auditor")
def export_file(site: str) -> Response:
    """The file, streamed from a process of its own; a page that gave it a key can ask how far it has come."""
    format = request.args.get("format", "")
    filter = _filter(asking.typed(), format)
    noted = partial(administrator().exported, site, format, filter)
    making = partial(exported, service().settings, site, options_of(format, filter))
    if "key" in request.args:
        pieces = desk().downloads.followed(site, _key(), _count(site, format, filter), making=making)
    else:
        pieces = making()
    headers = {"Content-Disposition": f'attachment; filename="{_name(site, format)}"'}
    headers["X-Accel-Buffering"] = "no"  # a proxy that took all of it at once would make what is told of it untrue
    media_type = "application/zip" if format == EVIDENCE else FORMATS[format].media_type
    return Response(wanted(pieces, noted), 200, headers, media_type)


@blueprint.get("/sites/<site>/export/progress")
@needs("auditor")
def export_progress(site: str) -> Response:
    """How far a download has come, as JSON: its stage, how much of it is done (0 to 1), and that in words."""
    found = desk().downloads.find(site, _key())
    if found is None:
        raise NotFound(say("Nothing is known of this download."))
    told = {"stage": found.stage, "done": found.rows / found.of if found.of else 1, "text": _told(found)}
    return Response(msgspec.json.encode(told), 200, mimetype="application/json")


def _key() -> Key:
    """What a page calls its download. Raises BadQuery."""
    try:
        return msgspec.convert(request.args.get("key", ""), Key)
    except msgspec.ValidationError:
        raise BadQuery(say("This is no key of a download.")) from None


def _told(download: Download) -> str:
    if download.stage == "whole":
        return say("The service has sent the whole file.")
    if download.stage == "cut":
        return say("The file broke off and is not complete. Download it again.")
    if download.stage == "silent":
        return say("Nothing was heard of this download for minutes: see what your browser says of it.")
    return say("{done} of {all} so far", done=grouped(download.rows), all=grouped(download.of))


def _filter(asked: dict[str, str], format: str) -> Filter:
    """Which entries go into the file. Raises BadQuery or NotInstalled."""
    if format not in HELP:
        raise BadQuery(say("Choose a format."))
    filter = asking.filter_of(asked)
    if format != EVIDENCE:
        FORMATS[format].ready()
        return FORMATS[format].holding(filter)
    if filter != Filter(erased=False):
        raise BadQuery(say("Evidence is of the whole log: leave period, action and policy version out."))
    return Filter(kinds=())


def _count(site: str, format: str, filter: Filter) -> int:
    rows = service().ledger.storage.reading()
    return rows.size(site) if format == EVIDENCE else search.count(rows, site, filter)


def _newest(site: str, filter: Filter) -> list[Entry]:
    """Some of the receipts that are wanted, which tell what the file will be like."""
    few = msgspec.structs.replace(filter, erased=False)
    return search.newest(service().ledger.storage.reading(), site, few, limit=SAMPLE).entries


def _size(format: str, sample: list[Entry], rows: int) -> int | None:
    """About how many bytes so many rows take; None where that cannot be told."""
    if not sample:
        return None
    asked = [service().ledger.published(sample[0].site, version) for version in {entry.policy for entry in sample}]
    return sum(len(piece) for piece in FORMATS[format].rows(sample, asked)) * rows // len(sample)


def _missing(format: str, sample: list[Entry]) -> str:
    """What a policy of the newest receipts leaves out that a format needs, in words; empty where nothing."""
    for entry in sample if format in RENDERINGS else []:
        if receipt := telling.receipt_in(entry):
            asked = service().ledger.published(receipt.aud, receipt.consent.policy)
            if missing := telling.unsaid(format, receipt, asked, entry.token or ""):
                return ", ".join(missing)
    return ""


def _name(site: str, format: str) -> str:
    return f"{site}-{day(service().ledger.now())}.{'zip' if format == EVIDENCE else format}"
