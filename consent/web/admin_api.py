"""The addresses for administrators (contract, section 3): bearer tokens with roles."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from consent import access, policy, shape
from consent.errors import (
    BadQuery,
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    Unauthorized,
    Unavailable,
    UnknownPolicy,
    UnknownSite,
    UnsupportedType,
)
from consent.export import FORMATS, export
from consent.model import (
    Action,
    Entry,
    Filter,
    Line,
    Origin,
    Policy,
    Publication,
    Published,
    Role,
    SiteId,
    Strict,
    SubjectId,
)
from consent.policy_diff import Change, diff
from consent.receipts import read
from consent.times import rfc3339, seconds
from consent.web.operations import Answer, operation
from consent.web.responses import json
from consent.web.service import bearer, service, shaped

blueprint = Blueprint("api", __name__, url_prefix="/api")
GUARDED = (Unauthorized, Forbidden, Unavailable)
LIST = {"limit": "how many items, at most 1000", "cursor": "`next` of the previous page"}
PERIOD = {"since": "from this time on (RFC 3339)", "until": "before this time"}


class NewSite(Strict, frozen=True):
    """A site to create."""

    id: SiteId
    origins: list[Origin]
    name: Line | None = None


class SiteChange(Strict, frozen=True):
    """What to change of a site; it publishes a version that is not material."""

    name: Line | None = None
    origins: list[Origin] | None = None


class PolicyInfo(msgspec.Struct, frozen=True):
    """A published version, without its document."""

    version: int
    hash: str
    material_since: int
    published_at: str


class SiteInfo(msgspec.Struct, frozen=True):
    """A site as lists show it."""

    id: str
    name: str
    origins: list[str]
    created_at: str
    policy: PolicyInfo
    entries: int
    """How many entries the ledger has, erased ones included."""


class Sites(msgspec.Struct, frozen=True):
    """A page of sites."""

    items: list[SiteInfo]
    next: str | None


class Policies(msgspec.Struct, frozen=True):
    """A page of versions, newest first."""

    items: list[PolicyInfo]
    next: str | None


class PublishAnswer(msgspec.Struct, frozen=True):
    """The version that is in force now, and what changed."""

    policy: PolicyInfo
    changes: list[Change]


class Found(msgspec.Struct, frozen=True):
    """A receipt in the ledger."""

    index: int
    leaf: str
    receipt: str
    claims: Any


class Receipts(msgspec.Struct, frozen=True):
    """A page of receipts, newest first."""

    items: list[Found]
    next: str | None


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
    ids = [site.id for site in rows.sites() if only in (None, site.id) and site.id > _cursor("")]
    page, limit = ids[: _limit()], _limit()
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
    draft = policy.default(new.name or new.id, new.origins)
    service().ledger.create_site(new.id, policy.read(msgspec.to_builtins(draft)))
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
    ledger = service().ledger
    change = shape.read(_document(), SiteChange, what="The change")
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    draft = msgspec.structs.replace(policy.draft(ledger.published(site)), **given)
    ledger.publish(site, policy.read(msgspec.to_builtins(draft)), material=False)
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
    storage = service().ledger.storage
    storage.reading().site(site)
    if request.args.get("confirm") != site:
        raise BadQuery(f"This loses every receipt of the site for ever; say `?confirm={site}` if that is meant.")
    with storage.writing() as rows:
        rows.remove_site(site)
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
    before, limit = int(_cursor("999999999", digits=True)), _limit()
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
    before = ledger.published(site)
    material = {None: None, "true": True, "false": False}.get(request.args.get("material"), "wrong")
    if material == "wrong":
        raise BadQuery("`material` must be true or false.")
    published, is_new = ledger.publish(site, policy.read(_document(toml=True)), material=material)  # type: ignore[arg-type]
    changes = diff(policy.draft(before), policy.draft(published)) if is_new else []
    publication = ledger.storage.reading().publication(site, published.version)
    return json(PublishAnswer(_info(publication), changes), 201 if is_new else 200)


@blueprint.get("/sites/<site>/policies/<int:version>")
@operation(
    "A published version",
    {200: Answer("the policy", "application/json", Published)},
    problems=(*GUARDED, UnknownSite, UnknownPolicy),
    role="auditor",
)
@needs("auditor")
def show_policy(site: str, version: int) -> Response:
    return json(service().ledger.published(site, version))


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
    problems=(*GUARDED, BadQuery, UnknownSite),
    role="auditor",
)
@needs("auditor")
def search_receipts(site: str) -> Response:
    limit = _limit()
    before = int(_cursor(str(2**62), digits=True))
    entries = service().ledger.storage.reading().newest(site, _filter(erased=False), before=before, limit=limit + 1)
    page = entries[:limit]
    return json(Receipts([_found(entry) for entry in page], str(page[-1].index) if len(entries) > limit else None))


@blueprint.get("/sites/<site>/export")
@operation(
    "The log as a file, streamed",
    {200: Answer(", ".join(f"{name}: {format.help}" for name, format in FORMATS.items()), "application/x-ndjson")},
    query={**PERIOD, "format": " or ".join(FORMATS), "entries": "`all`: policies and erasures too (ndjson)"},
    problems=(*GUARDED, BadQuery, UnknownSite),
    role="auditor",
)
@needs("auditor")
def export_log(site: str) -> Response:
    name = request.args.get("format", "ndjson")
    if name not in FORMATS:
        raise BadQuery(f"`format` must be one of {', '.join(FORMATS)}.")
    kinds = () if request.args.get("entries") == "all" else ("receipt",)
    pieces = export(service().ledger, site, name, msgspec.structs.replace(_filter(), kinds=kinds))
    response = Response(_zipped(pieces), 200, {"Cache-Control": "no-store"}, content_type=FORMATS[name].media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{site}.{name}"'
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.best_match(["gzip"]):
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.response = _gathered(pieces)
    return response


@blueprint.delete("/sites/<site>/subjects/<subject>")
@operation(
    "Erase a subject",
    {204: Answer("nothing about the subject is kept any more")},
    problems=(*GUARDED, UnknownSite),
    role="editor",
)
@needs("editor")
def erase_subject(site: str, subject: str) -> Response:
    service().ledger.erase(site, shaped(subject, SubjectId), reason="requested through an administrator")
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
        return policy.decode(request.get_data(), toml=False)
    if toml and request.mimetype == "application/toml":
        return policy.decode(request.get_data(), toml=True)
    raise UnsupportedType(f"Send application/json{' or application/toml' if toml else ''}.")


def _filter(*, erased: bool = True) -> Filter:
    args = request.args
    action, subject, version = args.get("action"), args.get("subject"), args.get("policy")
    if action is not None and action not in Action.__args__:  # type: ignore[attr-defined]
        raise BadQuery(f"`action` must be one of {', '.join(Action.__args__)}.")  # type: ignore[attr-defined]
    if version is not None and not (version.isascii() and version.isdigit()):
        raise BadQuery("`policy` must be a version number.")
    return Filter(
        since=_moment("since"),
        until=_moment("until"),
        action=action,
        policy=int(version) if version else None,
        subject=shaped(subject, SubjectId) if subject is not None else None,
        erased=erased,
    )


def _moment(name: str) -> int | None:
    text = request.args.get(name)
    try:
        return seconds(text) if text else None
    except (ValueError, OverflowError):
        raise BadQuery(f"`{name}` must be a time such as 2026-11-23T18:46:00Z.") from None


def _limit() -> int:
    text = request.args.get("limit", "100")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise BadQuery("`limit` must be a number from 1 to 1000.")
    return int(text)


def _cursor(first: str, *, digits: bool = False) -> str:
    text = request.args.get("cursor", first)
    if digits and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadQuery("`cursor` must be the `next` of an earlier page.")
    return text


def _gathered(pieces: Iterable[bytes], size: int = 65_536) -> Iterator[bytes]:
    """Small pieces gathered into larger ones, so that a row does not cost a write."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= size:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """gzip (RFC 1952), streamed."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for piece in _gathered(pieces):
        yield packer.compress(piece)
    yield packer.flush()
