"""From a draft to what visitors see, and back: review, publish, history, file.

Its rule: what is published is what was reviewed, and a person says whether everybody is asked again.
"""

import re
from typing import Any

import msgspec
import tomli_w
from flask import Response, current_app, flash, redirect, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from consent import policy as policies
from consent import shape
from consent.administrator import MOST_NOTED
from consent.drafts import Draft
from consent.errors import BadQuery, Conflict, TooLarge, UnknownPolicy
from consent.lean import lean
from consent.model import Policy, Publication
from consent.policy_diff import Change, differences, is_material
from consent.times import rfc3339
from consent.web.demo import SITE as DEMO
from consent.web.desk.designer import drafts, kept, sheet_of, surroundings
from consent.web.desk.designer_words import Told, in_words
from consent.web.desk.frame import (
    LARGEST_FORM,
    MOST_FIELDS,
    administrator,
    blueprint,
    confirmed,
    field,
    needs,
    noting,
    page,
    told_on,
)
from consent.web.desk.words import say
from consent.web.service import service

VERSIONS = 8
"""On one page of the history."""
SHOWN = 12
"""Changes of a version there; the others are counted."""


class Past(msgspec.Struct, frozen=True):
    """A version in the history."""

    version: int
    published_at: str
    asks_again: bool
    changes: list[Told]
    more: int
    """How many changes are not listed."""


@blueprint.get("/sites/<site>/banner/review")
@needs("auditor")
def review(site: str) -> Response:
    """What publishing would change, and whether everybody would be asked again."""
    return _review(site)


@blueprint.post("/sites/<site>/banner/publish")
@needs("editor")
def publish(site: str) -> Any:
    """Publish the draft that was reviewed."""
    sheet, before = sheet_of(site), service().ledger.published(site)
    reviewed = (field("stamp"), field("version"))
    if reviewed != (sheet.draft.stamp, str(before.version)):
        return _published_meanwhile(site)
    if sheet.mistakes:
        return _review(site, 422)
    material = {"yes": True, "no": False}.get(field("material"))
    if material is None:
        return _review(site, 422, error=say("Say whether everybody is asked again."))
    try:
        _, changes = administrator().publish(
            site,
            policies.read(sheet.document),
            material=material,
            drafted_from=before.version,
            also=lambda rows: drafts().take(rows, site, stamp=sheet.draft.stamp),
        )
    except Conflict:
        return _published_meanwhile(site)
    if not changes:
        return _review(site, 409, error=say("Nothing was published: the draft says what visitors see already."))
    return redirect(url_for("desk.published_banner", site=site), 303)


@blueprint.get("/sites/<site>/banner/published")
@needs("auditor")
def published_banner(site: str) -> Response:
    """Where the banner that was just published can be seen."""
    published = service().ledger.published(site)
    plain = [origin for origin in published.origins if "*" not in origin]
    demo = url_for("demo.page") if site == DEMO and "demo.page" in current_app.view_functions else ""
    script = url_for("public.banner", site=site)
    return page("banner_published", published=published, origins=plain, demo=demo, script=script, **surroundings(site, "review", sheet_of(site)))  # fmt: skip


@blueprint.get("/sites/<site>/banner/history")
@needs("auditor")
def history(site: str) -> Response:
    """Every version with its date and what it changed, newest first."""
    rows, newest = service().ledger.storage.reading(), service().ledger.published(site).version
    before = min(request.args.get("before", newest + 1, type=int), newest + 1)
    wanted = range(max(1, before - VERSIONS - 1), before)
    listed = past([rows.publication(site, version) for version in wanted])
    older = listed[0].version if listed and listed[0].version > 1 else 0
    return page("banner_history", past=listed[::-1], older=older, **surroundings(site, "history", sheet_of(site)))


@blueprint.post("/sites/<site>/banner/restore")
@needs("editor")
@told_on(lambda site, error: _review(site, error.status, error=error))
def restore(site: str) -> Any:
    """Make an earlier version the draft; it is reviewed and published like any other."""
    _may_replace(site)
    version = field("version", longest=9)
    document = lean(_draft_of(site, version))
    _replace(
        site, document, drafts().get(site), "made an earlier version the draft of the banner", version=int(version)
    )
    flash(say("The draft is version {version} now. Review it, then publish.", version=version))
    return redirect(url_for("desk.review", site=site), 303)


@blueprint.post("/sites/<site>/banner/discard")
@needs("editor")
@told_on(lambda site, error: _review(site, error.status, error=error))
def discard(site: str) -> Any:
    """Forget the draft; what is published stays."""
    _may_replace(site)
    sheet = sheet_of(site)
    lost = differences(lean(sheet.published), sheet.document)[:MOST_NOTED]
    before = {change.path: change.after for change in lost}
    note = noting("discarded the draft of the banner", site=site, before=before)
    drafts().drop(site, stamp=sheet.draft.stamp, also=note)
    flash(say("The draft is gone; what is published stays."))
    return redirect(url_for("desk.banner", site=site), 303)


@blueprint.get("/sites/<site>/banner/file")
@needs("auditor")
def show_file(site: str) -> Response:
    """The draft as a file, to take away and to bring back."""
    return _file(site)


@blueprint.get("/sites/<site>/banner/policy.toml")
@needs("auditor")
def download(site: str) -> Response:
    """The draft, or a published version, as TOML."""
    version = request.args.get("version", "")
    document = lean(_draft_of(site, version)) if version else sheet_of(site).document
    name = f"{site}-{version}.toml" if version else f"{site}.toml"
    more = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(tomli_w.dumps(document), 200, more, "application/toml")


@blueprint.post("/sites/<site>/banner/import")
@needs("editor")
@told_on(lambda site, error: _file(site, error.status, error=error))
def bring(site: str) -> Any:
    """Make a file the draft; a file with mistakes is refused with all of them."""
    _may_replace(site)
    document = lean(_read_upload())
    _replace(site, document, drafts().get(site), "made a file the draft of the banner")
    flash(say("The file is the draft now. Review it, then publish."))
    return redirect(url_for("desk.review", site=site), 303)


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(_: RequestEntityTooLarge) -> Response:
    text = say(
        "Nothing was done: the form or file is larger than {size} kB, or has more than {most} fields.",
        size=LARGEST_FORM // 1024,
        most=MOST_FIELDS,
    )
    return page("error", 413, error=TooLarge(text))


def _review(site: str, status: int = 200, **values: Any) -> Response:
    sheet = sheet_of(site)
    return page(
        "banner_review", status, material=is_material(sheet.changes), **surroundings(site, "review", sheet), **values
    )


def _published_meanwhile(site: str) -> Any:
    """What to answer where the draft or what is published is not what was reviewed: the same form may have come before."""
    newest = service().ledger.storage.reading().publication(site)  # as stored: another process may have published it
    asks_again = {True: "yes", False: "no"}[newest.material_since == newest.version]
    sent = (field("stamp"), field("version"), field("material"))
    if sent == (drafts().taken(site), str(newest.version - 1), asks_again):
        return redirect(url_for("desk.published_banner", site=site), 303)
    return _review(site, 409, error=say("Nothing was published: the draft or what is published has changed since you looked. This is how it stands now."))  # fmt: skip


def past(publications: list[Publication]) -> list[Past]:
    """Versions with what each changed; the first of them is there for the second's sake, unless it is version 1."""
    documents = [policies.unpublished(msgspec.json.decode(one.document)) for one in publications]
    olders = [None, *documents]
    return [
        _past_one(publication, differences(older, newer) if older else [])
        for publication, older, newer in zip(publications, olders, documents, strict=False)
        if older or publication.version == 1
    ]


def _past_one(publication: Publication, changes: list[Change]) -> Past:
    told = [in_words(change) for change in changes[:SHOWN]]
    asked = publication.material_since == publication.version
    at = rfc3339(publication.published_at) or ""
    return Past(publication.version, at, asked, told, max(0, len(changes) - SHOWN))


def _replace(site: str, document: dict[str, Any], before: Draft, what: str, **told: Any) -> None:
    kept(site, document, before, base=service().ledger.published(site).version, what=what, **told)


def _may_replace(site: str) -> None:
    """Return if the draft is the one that was looked at, and the site's name is typed to lose it where somebody saved it.

    Raises Conflict or Malformed.
    """
    sheet = sheet_of(site)
    if field("stamp", longest=40) != sheet.draft.stamp:
        raise Conflict(say("Nothing was done: somebody changed the draft meanwhile. Look at it, then try again."))
    if sheet.is_begun:
        confirmed(site)


def _draft_of(site: str, version: str) -> Policy:
    """The policy of a published version. Raises UnknownPolicy."""
    if not re.fullmatch("[1-9][0-9]{0,8}", version):
        raise UnknownPolicy(say("There is no such version."))
    return policies.draft(service().ledger.published(site, int(version)))


def _file(site: str, status: int = 200, **values: Any) -> Response:
    return page("banner_file", status, **surroundings(site, "file", sheet_of(site)), **values)


def _read_upload() -> Policy:
    """The policy in the file. Raises BadQuery, Malformed or Invalid."""
    file = request.files.get("file")
    data = file.read() if file else b""
    if not data.strip():
        raise BadQuery(say("Choose a file first."))
    document = shape.decode(data, what=say("The file"), toml=not data.lstrip().startswith(b"{"))
    return policies.read(policies.unpublished(document))
