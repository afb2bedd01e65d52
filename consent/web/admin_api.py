"""The addresses for administrators (contract, section 3): bearer tokens with roles."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from consent import access, policy, shape
from consent.errors import (
    BadId,
    BadQuery,
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotInstalled,
    Unauthorized,
    Unavailable,
    UnknownPolicy,
    UnknownSite,
    UnsupportedType,
)
from consent.export import FORMATS
from consent.model import (
    Entry,
    Filter,
    Policy,
    Publication,
    Published,
    Role,
    SubjectId,
)
from consent.receipts import read
from consent.times import rfc3339
from consent.web.admin_types import (
    Found,
    NewSite,
    Policies,
    PolicyInfo,
    PublishAnswer,
    Receipts,
    SiteChange,
    SiteInfo,
    Sites,
)
from consent.web.operations import Answer, operation
from consent.web.query import cursor, number, page_size, receipt_filter
from consent.web.responses import json
from consent.web.service import bearer, checked_version, service, shaped, token_holder
from consent.web.streaming import exported, options_of, wanted

blueprint = Blueprint("api", __name__, url_prefix="/api")
GUARDED = (Unauthorized, Forbidden, Unavailable)
LIST = {"limit": "how many items, at most 1000", "cursor": "`next` of the previous page"}
PERIOD = {"since": "from this time on (RFC 3339)", "until": "before this time"}


def needs(role: Role) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Let a view answer only to tokens of this role, for the site in its address."""

    def guard(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: Any) -> Response:
            token = bearer()
            access.allow(token, role, site=arguments.get("site") or token.site)
            return view(**arguments)

        return guarded

    return guard


@blueprint.get("/sites")
@operation(
    "Sites",
    {200: Answer("a page", "application/json", Sites)},
    query=LIST,
    problems=(*GUARDED, BadQuery),
    role="auditor",
)
@needs("auditor")
def list_sites() -> Response:
    rows, only = service().ledger.storage.reading(), bearer().site
    ids = [site.id for site in rows.sites() if only in (None, site.id) and site.id > cursor("")]
    limit = page_size()
    page = ids[:limit]
    return json(Sites([_site(id) for id in page], page[-1] if len(ids) > limit else None))


@blueprint.post("/sites")
@operation(
    "Create a site with the default policy",
    {201: Answer("created", "application/json", SiteInfo)},
    body=NewSite,
    problems=(*GUARDED, Malformed, Invalid, Conflict, UnsupportedType),
    role="owner",
)
@needs("owner")
def create_site() -> Response:
    if bearer().site is not None:
        raise Forbidden("The token is for one site only; creating sites needs a token for the whole installation.")
    new = shape.read(_document(), NewSite, what="The site")
    token_holder().make_usual_site(new.id, new.name, new.origins)
    return json(_site(new.id), 201)


@blueprint.get("/sites/<site>")
@operation(
    "One site",
    {200: Answer("the site", "application/json", SiteInfo)},
    problems=(*GUARDED, UnknownSite),
    role="auditor",
)
@needs("auditor")
def show_site(site: str) -> Response:
    return json(_site(site))


@blueprint.patch("/sites/<site>")
@operation(
    "Change a site's name or origins",
    {200: Answer("changed", "application/json", SiteInfo)},
    body=SiteChange,
    problems=(*GUARDED, Malformed, Invalid, UnknownSite, UnsupportedType),
    role="editor",
)
@needs("editor")
def change_site(site: str) -> Response:
    change = shape.read(_document(), SiteChange, what="The change")
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    token_holder().change_settings(site, given)
    return json(_site(site))


@blueprint.delete("/sites/<site>")
@operation(
    "Delete a site and everything recorded for it",
    {204: Answer("deleted")},
    query={"confirm": "the site's id once more; receipts, policies and counts are lost for ever"},
    problems=(*GUARDED, BadQuery, UnknownSite),
    role="owner",
)
@needs("owner")
def delete_site(site: str) -> Response:
    service().ledger.storage.reading().site(site)
    if request.args.get("confirm") != site:
        raise BadQuery(f"This loses every receipt of the site for ever; say `?confirm={site}` if that is meant.")
    token_holder().delete_site(site)
    return Response(status=204)


@blueprint.get("/sites/<site>/policies")
@operation(
    "Published versions, newest first",
    {200: Answer("a page", "application/json", Policies)},
    query=LIST,
    problems=(*GUARDED, BadQuery, UnknownSite),
    role="auditor",
)
@needs("auditor")
def list_policies(site: str) -> Response:
    before, limit = int(cursor("999999999", digits=True)), page_size()
    all_versions = reversed(service().ledger.storage.reading().publications(site))
    found = [publication for publication in all_versions if publication.version < before]
    page = found[:limit]
    return json(Policies([_info(p) for p in page], str(page[-1].version) if len(found) > limit else None))


@blueprint.post("/sites/<site>/policies")
@operation(
    "Publish a policy (JSON or TOML)",
    {
        201: Answer("published", "application/json", PublishAnswer),
        200: Answer("it says what the newest version says; nothing was published", "application/json", PublishAnswer),
    },
    body=Policy,
    media_types=("application/json", "application/toml"),
    query={"material": "`true` or `false`: whether visitors are asked again; left out, the diff decides"},
    problems=(*GUARDED, BadQuery, Malformed, Invalid, UnknownSite, UnsupportedType),
    role="editor",
)
@needs("editor")
def publish_policy(site: str) -> Response:
    ledger = service().ledger
    ledger.storage.reading().site(site)
    material = {None: None, "true": True, "false": False}.get(request.args.get("material"), "wrong")
    if material == "wrong":
        raise BadQuery("`material` must be true or false.")
    published, changes = token_holder().publish(site, policy.read(_document(toml=True)), material=material)  # type: ignore[arg-type]
    publication = ledger.storage.reading().publication(site, published.version)
    return json(PublishAnswer(_info(publication), changes), 201 if changes else 200)


@blueprint.get("/sites/<site>/policies/<int:version>")
@operation(
    "A published version",
    {200: Answer("the policy", "application/json", Published)},
    problems=(*GUARDED, UnknownSite, UnknownPolicy),
    role="auditor",
)
@needs("auditor")
def show_policy(site: str, version: int) -> Response:
    return json(service().ledger.published(site, checked_version(site, version)))


@blueprint.get("/sites/<site>/receipts")
@operation(
    "Search receipts, newest first",
    {200: Answer("a page", "application/json", Receipts)},
    query={
        **LIST,
        **PERIOD,
        "action": "only this action",
        "policy": "only this policy version",
        "subject": "only this subject",
    },
    problems=(*GUARDED, BadId, BadQuery, UnknownSite),
    role="auditor",
)
@needs("auditor")
def search_receipts(site: str) -> Response:
    limit = page_size()
    before = int(cursor("9" * 18, digits=True))
    entries = (
        service().ledger.storage.reading().newest(site, receipt_filter(erased=False), before=before, limit=limit + 1)
    )
    page = entries[:limit]
    return json(Receipts([_found(entry) for entry in page], str(page[-1].index) if len(entries) > limit else None))


@blueprint.get("/sites/<site>/export")
@operation(
    "The log as a file, streamed",
    {
        200: Answer(
            ", ".join(f"{name}: {format.help}" for name, format in FORMATS.items()),
            ", ".join(format.media_type for format in FORMATS.values()),
        )
    },
    query={
        **PERIOD,
        "format": " or ".join(FORMATS),
        "action": "only this action",
        "policy": "only this policy version",
        "after": "only above this index, to go on where an earlier export broke off or ended",
        "entries": "`all`: policies and erasures too (ndjson)",
    },
    problems=(*GUARDED, BadQuery, UnknownSite, NotInstalled),
    role="auditor",
)
@needs("auditor")
def export_log(site: str) -> Response:
    service().ledger.storage.reading().site(site)
    format, filter, more = _export_asked()
    options = options_of(format, filter, after=number("after"), **more)
    kept = FORMATS[format].holding(msgspec.structs.replace(filter, kinds=() if more else filter.kinds))
    noted = partial(token_holder().exported, site, format, kept, after=number("after"))
    response = Response(status=200, mimetype=FORMATS[format].media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{site}.{format}"'
    response.vary.add("Accept-Encoding")
    if not FORMATS[format].packed and request.accept_encodings.best_match(["gzip"]):
        response.headers["Content-Encoding"] = "gzip"
        options.append("--gzip")
    response.response = wanted(exported(service().settings, site, options), noted)
    return response


def _export_asked() -> tuple[str, Filter, dict[str, str]]:
    """The format, what goes into the file, and whether that is all entries. Raises BadQuery, NotInstalled."""
    format, filter = request.args.get("format", "ndjson"), receipt_filter()
    if format not in FORMATS:
        raise BadQuery(f"`format` must be one of {', '.join(FORMATS)}.")
    if filter.subject is not None:
        raise BadQuery("`subject` is not taken here: search the receipts of one subject instead.")
    FORMATS[format].ready()
    return format, filter, {"entries": "all"} if request.args.get("entries") == "all" else {}


@blueprint.delete("/sites/<site>/subjects/<subject>")
@operation(
    "Erase a subject",
    {204: Answer("nothing about the subject is kept any more")},
    problems=(*GUARDED, BadId, UnknownSite),
    role="editor",
)
@needs("editor")
def erase_subject(site: str, subject: str) -> Response:
    token_holder().erase(site, shaped(subject, SubjectId), reason="requested through an administrator")
    return Response(status=204)


def _site(id: str) -> SiteInfo:
    rows = service().ledger.storage.reading()
    publication = rows.publication(id)
    published = service().ledger.published(id)
    created_at = rfc3339(rows.site(id).created_at) or ""
    return SiteInfo(id, published.name, published.origins, created_at, _info(publication), rows.size(id))


def _info(publication: Publication) -> PolicyInfo:
    hash, published_at = policy.named(publication.hash), rfc3339(publication.published_at) or ""
    return PolicyInfo(publication.version, hash, publication.material_since, published_at)


def _found(entry: Entry) -> Found:
    claims = msgspec.Raw(read(entry.token or "")[1])
    return Found(entry.index, entry.leaf.hex(), entry.token or "", claims)


def _document(*, toml: bool = False) -> Any:
    """The plain data of the body."""
    if request.mimetype == "application/json":
        return shape.decode(request.get_data(), what="The body")
    if toml and request.mimetype == "application/toml":
        return shape.decode(request.get_data(), what="The body", toml=True)
    raise UnsupportedType(f"Send application/json{' or application/toml' if toml else ''}.")
