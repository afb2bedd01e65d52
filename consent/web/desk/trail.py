"""What was done at the desk and on the command line, newest first, and as a file."""

from flask import Response, request

from consent.errors import BadQuery
from consent.export import export
from consent.pieces import gathered
from consent.storage.base import TRAIL
from consent.trail import ACTS
from consent.web.desk.frame import HEADERS, blueprint, desk, needs, noted, page
from consent.web.desk.words import say
from consent.web.query import DIGITS
from consent.web.service import service

PAGE = 50


@blueprint.get("/trail", endpoint="trail")
@needs("auditor", whole=True)
def show_trail() -> Response:
    """A page of acts."""
    before = request.args.get("before", "")
    if before and not DIGITS.fullmatch(before):
        raise BadQuery(say("There is no such page."))
    acts = desk().trail.newest(before=int(before) if before else None, limit=PAGE + 1)
    more = acts[PAGE - 1].index if len(acts) > PAGE else None
    return page("trail", acts=acts[:PAGE], more=more, log=TRAIL, address=service().settings.public_url)


@blueprint.get("/trail.ndjson")
@needs("auditor", whole=True)
def export_trail() -> Response:
    """Every signed statement of the trail, oldest first, a line each, as sites' logs are exported."""
    noted("exported the trail")
    headers = HEADERS | {"Content-Disposition": 'attachment; filename="trail.ndjson"'}
    lines = export(service().ledger, TRAIL, "ndjson", ACTS)
    return Response(gathered(lines), 200, headers, "application/x-ndjson")
