"""Exports: what is wanted, how much it is, and the file; each is noted in the trail."""

from typing import Any

import msgspec
from flask import Response, request

from consent import search
from consent.errors import BadQuery
from consent.export import FORMATS
from consent.model import Filter
from consent.times import rfc3339
from consent.web.desk import asking, telling
from consent.web.desk.frame import HEADERS, blueprint, needs, noted, page
from consent.web.desk.words import say
from consent.web.service import service
from consent.web.streaming import begun, exported, options_of

EVIDENCE = "evidence"
HELP = {name: format.help for name, format in FORMATS.items()} | {
    EVIDENCE: "everything an auditor needs to check the whole log, as a zip file"
}
"""What can be chosen, the evidence bundle besides the formats."""
TEXT = ("text/csv", "application/x-ndjson")
"""Formats whose rows all take about the same room."""
SAMPLE = 50


@blueprint.get("/sites/<site>/export", endpoint="exports")
@needs("auditor")
def show_exports(site: str) -> Response:
    """The form; once a format is chosen, how much it is and where to get it."""
    asked, format = asking.typed(), request.args.get("format", "")
    newest = service().ledger.published(site).version
    shown: dict[str, Any] = {
        "asked": asked,
        "format": format,
        "help": HELP,
        "actions": telling.ACTIONS,
        "newest": newest,
    }
    try:
        counted = _count(site, format, _filter(asked, format)) if format else None
    except BadQuery as error:
        return page("exports", error.status, error=error, counted=None, **shown)
    size = _size(site, format, _filter(asked, format), counted.rows) if counted else None
    return page("exports", error=None, counted=counted, size=size, **shown)


@blueprint.get("/sites/<site>/export/file")
@needs("auditor")
def export_file(site: str) -> Response:
    """The file, streamed."""
    asked, format = asking.typed(), request.args.get("format", "")
    filter = _filter(asked, format)
    counted = _count(site, format, filter)
    noted("exported the log", site=site, after=_told(format, filter, counted))
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{_name(site, format)}"'}
    media_type = "application/zip" if format == EVIDENCE else FORMATS[format].media_type
    pieces = exported(service().settings, site, options_of(format, filter))
    return Response(begun(pieces), 200, headers, media_type)


def _filter(asked: dict[str, str], format: str) -> Filter:
    """Which entries go into the file. Raises BadQuery."""
    if format not in HELP:
        raise BadQuery(say("Choose a format."))
    filter = asking.filter_of(asked)
    if format != EVIDENCE:
        return msgspec.structs.replace(filter, erased=format == "ndjson")  # there they keep their line
    if filter != Filter(erased=False):
        raise BadQuery(say("Evidence is of the whole log: leave period, action and policy version out."))
    return Filter(kinds=())


def _count(site: str, format: str, filter: Filter) -> search.Count:
    rows = service().ledger.storage.reading()
    if format == EVIDENCE:
        return search.Count(rows.size(site), rows.size(site), True)
    return search.count(rows, site, filter)


def _size(site: str, format: str, filter: Filter, rows: int) -> int | None:
    """About how many bytes so many rows take, as the newest of them tell; None where they do not."""
    if format == EVIDENCE or FORMATS[format].media_type not in TEXT or not rows:
        return None
    ledger = service().ledger
    few = msgspec.structs.replace(filter, erased=False)
    found = search.newest(ledger.storage.reading(), site, few, limit=SAMPLE).entries
    if not found:
        return None
    asked = [ledger.published(site, version) for version in {entry.policy for entry in found}]
    sample = sum(len(piece) for piece in FORMATS[format].rows(found, asked))
    return sample * rows // len(found)


def _name(site: str, format: str) -> str:
    day = (rfc3339(service().ledger.now()) or "")[:10]
    return f"{site}-{day}.{'zip' if format == EVIDENCE else format}"


def _told(format: str, filter: Filter, counted: search.Count) -> dict[str, Any]:
    """What the trail says of an export."""
    said = {
        "format": format,
        "since": rfc3339(filter.since),
        "until": rfc3339(filter.until),
        "action": filter.action,
        "policy": filter.policy,
        "rows": counted.rows if counted.exact else f"about {counted.rows}",
    }
    return {name: value for name, value in said.items() if value is not None}
