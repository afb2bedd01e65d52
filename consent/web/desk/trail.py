"""What was done at the desk and on the command line, newest first, and as a file."""

import re

from flask import Response, request

from consent.administrator import EVIDENCE
from consent.errors import BadQuery
from consent.fields import TRAIL
from consent.web.desk.frame import HEADERS, administrator, blueprint, desk, needs, page
from consent.web.desk.words import say
from consent.web.query import DIGITS
from consent.web.service import service
from consent.web.streaming import trail

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
    return _file("ndjson", "trail.ndjson", "application/x-ndjson")


@blueprint.get("/trail.zip")
@needs("auditor", whole=True)
def export_evidence() -> Response:
    """The same with its checkpoints, tree and keys: all that is needed to check it without this service."""
    return _file(EVIDENCE, "trail.zip", "application/zip")


@blueprint.app_template_filter()
def by_whom(who: str) -> str:
    """Who acted, with the words for how in the reader's language."""
    name, way = re.fullmatch(r"(.*?)(\((?:schedule|command line|token [0-9a-f]+)\))?", who, re.S).groups()  # type: ignore[union-attr]
    return f"{name}{_way(way)}"


def _way(way: str | None) -> str:
    if way and way.startswith("(token "):
        return say("(token {id})", id=way[7:-1])
    return {"(schedule)": say("(schedule)"), "(command line)": say("(command line)")}.get(way or "", "")


def _file(format: str, name: str, media_type: str) -> Response:
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(trail(service().settings, format, administrator()), 200, headers, media_type)
