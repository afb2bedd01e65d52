"""What was done at the desk and on the command line, newest first, and as a file."""

import re
from contextlib import suppress

import msgspec
from flask import Response, request

from consent.administrator import EVIDENCE, PUBLISHED
from consent.errors import BadQuery, NotFound, UnknownPolicy, UnknownSite
from consent.fields import TRAIL
from consent.receipts import Act
from consent.web.desk.designer_publish import Past, past
from consent.web.desk.designer_words import place_in_words
from consent.web.desk.frame import administrator, blueprint, desk, needs, page
from consent.web.desk.names import NAMES
from consent.web.desk.words import say
from consent.web.query import DIGITS
from consent.web.service import service
from consent.web.streaming import trail

PAGE = 50
BRIEF = 1_000
"""Bytes of what was before and after, as JSON, that are told in a list of acts; more has a page of its own."""


@blueprint.get("/trail", endpoint="trail")
@needs("auditor", whole=True)
def show_trail() -> Response:
    """A page of acts."""
    before = request.args.get("before", "")
    if before and not DIGITS.fullmatch(before):
        raise BadQuery(say("There is no such page."))
    acts = desk().trail.newest(before=int(before) if before else None, limit=PAGE + 1)
    more = acts[PAGE - 1].index if len(acts) > PAGE else None
    return page("trail", acts=acts[:PAGE], more=more, log=TRAIL)


@blueprint.get(f"/trail/<int(max={10**18 - 1}):index>")
@needs("auditor", whole=True)
def show_act(index: int) -> Response:
    """One act, with all that was before and after."""
    acts = [told for told in desk().trail.newest(before=index + 1, limit=1) if told.index == index]
    if not acts:
        raise NotFound(say("There is no such act."))
    act, published = acts[0].act, _published(acts[0].act)
    after = {name: told for name, told in act.after.items() if name != "changes"} if published else act.after
    return page("act", one=acts[0], after=after, published=published, here="desk.trail")


def _published(act: Act) -> Past | None:
    """The version that an act published, as long as its site is there: its history tells the changes in words."""
    version = act.after.get("version") if act.what == PUBLISHED and isinstance(act.after, dict) else None
    if not act.site or not isinstance(version, int):
        return None
    rows = service().ledger.storage.reading()
    with suppress(UnknownSite, UnknownPolicy):
        return past([rows.publication(act.site, one) for one in (version - 1, version)])[-1]
    return None


@blueprint.app_template_test()
def brief(act: Act) -> bool:
    """Whether an act is told in full among others."""
    return len(msgspec.json.encode((act.before, act.after))) <= BRIEF


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


@blueprint.app_template_filter()
def in_trail(name: str, act: Act) -> str:
    """What a name in an act's before and after means: in a draft it is a place in the policy."""
    if "draft" in act.what and name != "version":
        return place_in_words(name)
    return say(NAMES[name]) if name in NAMES else name


def _way(way: str | None) -> str:
    if way and way.startswith("(token "):
        return say("(token {id})", id=way[7:-1])
    return {"(schedule)": say("(schedule)"), "(command line)": say("(command line)")}.get(way or "", "")


def _file(format: str, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(trail(service().settings, format, administrator()), 200, headers, media_type)
