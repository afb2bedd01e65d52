"""The addresses for browsers (contract, section 2)."""

import gzip
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from consent import access, choices, i18n, origins, policy, regime
from consent.banner import brotli_of
from consent.errors import (
    BadId,
    BadQuery,
    Conflict,
    Forbidden,
    ForeignOrigin,
    Invalid,
    Malformed,
    NotRenderable,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnknownPolicy,
    UnknownReceipt,
    UnknownScript,
    UnknownSite,
    UnsupportedType,
)
from consent.model import Choice, Display, Heard, Receipt, ReceiptId, Recorded, Script, State, SubjectId
from consent.receipts import read
from consent.renderings import RENDERINGS
from consent.web.operations import Answer, operation
from consent.web.place import Places
from consent.web.responses import json
from consent.web.service import FOR_EVER, TEXT_OR_JSON, Service, bearer, body, checked_version, service, shaped

BANNER_CACHE = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
SCRIPT = "text/javascript"

blueprint = Blueprint("public", __name__)


@blueprint.get("/sites/<site>/banner.js")
@operation(
    "The script: code, styles, the current policy and the visitor's language in one",
    {200: Answer("the script", SCRIPT), 304: Answer("unchanged since the given ETag")},
    query={"lang": "force a language of the policy"},
    problems=(UnknownSite, BadQuery, Unavailable),
)
def banner(site: str) -> Response:
    ledger, _, places, *_ = service()
    published = ledger.published(site)
    forced = request.args.get("lang")
    if forced is not None and not i18n.offers(published.languages, forced):
        raise BadQuery(f"`lang` must be one of {', '.join(published.languages)}.")
    language = i18n.negotiate(forced or request.headers.get("Accept-Language", ""), published.languages)
    place = regime.place(published, places.of(request.environ))
    response = _script(ledger.script(site, language=language, regime=place.regime, version=published.version))
    response.headers["Cache-Control"] = BANNER_CACHE
    if forced is None and len(published.languages) > 1:
        response.vary.add("Accept-Language")
    if regime.depends_on_place(published):
        _vary_by_place(response, places)
    response.make_conditional(request)
    return response


@blueprint.get("/sites/<site>/banner.<hash>.js")
@operation(
    "The same bytes for ever, for Subresource Integrity; `hash` is their SHA-256 in base64url",
    {200: Answer("the script", SCRIPT), 304: Answer("unchanged since the given ETag")},
    problems=(UnknownSite, UnknownScript, Unavailable),
)
def banner_version(site: str, hash: str) -> Response:
    script = service().ledger.script_by_hash(site, policy.hash_named(hash))
    response = _script(script)
    response.headers["Cache-Control"] = FOR_EVER
    response.make_conditional(request)
    return response


@blueprint.post("/sites/<site>/receipts")
@operation(
    "Record one choice",
    {
        201: Answer("recorded durably", "application/json", Recorded),
        200: Answer("the same choice again; the receipt it got the first time", "application/json", Recorded),
    },
    body=Choice,
    media_types=TEXT_OR_JSON,
    problems=(Malformed, Unauthorized, ForeignOrigin, Forbidden, UnknownSite, Conflict, TooLarge, UnsupportedType, Invalid, TooManyRequests, Unavailable),
)  # fmt: skip
def record(site: str) -> Response:
    _check_origin(site)
    recorded, is_new = take(service(), site, body(Choice), request.environ)
    return json(recorded, 201 if is_new else 200)


def take(service: Service, site: str, choice: Choice, environ: Mapping[str, Any]) -> tuple[Recorded, bool]:
    """Record a choice that came with a request (PEP 3333); what to answer and whether it is new."""
    ledger, _, places, rate_limit, *_ = service
    if not choices.is_refusal(choice):
        rate_limit.hit(environ.get("REMOTE_ADDR"), what="receipts")
    recorded, is_new = ledger.record(site, _with_header(choice, environ), where=places.of(environ))
    service.counts.recorded(is_new=is_new)
    return recorded, is_new


@blueprint.post("/sites/<site>/displays")
@operation(
    "Count one showing of the banner; no identifier, kept only as a daily count",
    {204: Answer("counted")},
    body=Display,
    media_types=TEXT_OR_JSON,
    problems=(
        Malformed,
        Unauthorized,
        ForeignOrigin,
        Forbidden,
        UnknownSite,
        TooLarge,
        UnsupportedType,
        Invalid,
        TooManyRequests,
        Unavailable,
    ),
)
def displays(site: str) -> Response:
    _check_origin(site)
    count(service(), site, body(Display), request.environ)
    return Response(status=204)


def count(service: Service, site: str, display: Display, environ: Mapping[str, Any]) -> None:
    """Count a showing that a request told of (PEP 3333)."""
    service.rate_limit.hit(environ.get("REMOTE_ADDR"), what="displays")
    service.ledger.count_display(site, display, where=service.places.of(environ))
    service.sightings.note(site, environ.get("HTTP_ORIGIN"), first=display.first)


@blueprint.get("/sites/<site>/subjects/<subject>/state")
@operation(
    "The consent state of a subject now",
    {200: Answer("the state; `unknown` for a subject never seen", "application/json", State)},
    problems=(BadId, UnknownSite, Unavailable),
)
def subject_state(site: str, subject: str) -> Response:
    return json(service().ledger.state(site, shaped(subject, SubjectId)))


class Held(msgspec.Struct, frozen=True):
    """A receipt and its claims."""

    receipt: str
    claims: Receipt


class History(msgspec.Struct, frozen=True):
    """A subject's receipts, newest first."""

    items: list[Held]


@blueprint.get("/sites/<site>/subjects/<subject>/receipts")
@operation(
    "A subject's receipts, newest first",
    {200: Answer("the receipts", "application/json", History)},
    problems=(BadId, UnknownSite, Unavailable),
)
def subject_receipts(site: str, subject: str) -> Response:
    entries = service().ledger.history(site, shaped(subject, SubjectId))
    held = [Held(entry.token or "", msgspec.Raw(read(entry.token or "")[1])) for entry in entries]  # type: ignore[arg-type]
    return json(History(held))


@blueprint.delete("/sites/<site>/subjects/<subject>")
@operation(
    "Erase a subject",
    {204: Answer("nothing about the subject is kept any more")},
    problems=(BadId, UnknownSite, Unavailable),
)
def erase_subject(site: str, subject: str) -> Response:
    service().ledger.erase(site, shaped(subject, SubjectId), reason="requested by the subject")
    return Response(status=204)


@blueprint.get("/sites/<site>/receipts/<id>")
@operation(
    "One receipt",
    {200: Answer("the signed receipt, or its claims where JSON is asked for", "application/jwt, application/json")},
    query={"format": f"in another standard's words: {' or '.join(RENDERINGS)}"},
    problems=(BadId, BadQuery, UnknownSite, UnknownReceipt, NotRenderable, Unavailable),
)
def receipt(site: str, id: str) -> Response:
    if format := request.args.get("format"):
        if format not in RENDERINGS:
            raise BadQuery(f"`format` must be one of {', '.join(RENDERINGS)}.")
        return json(service().ledger.rendered(site, shaped(id, ReceiptId), format))
    token = service().ledger.receipt(site, shaped(id, ReceiptId))
    wanted = request.accept_mimetypes.best_match(["application/jwt", "application/json"], "application/jwt")
    body = token.encode() if wanted == "application/jwt" else read(token)[1]
    response = Response(body, 200, mimetype=wanted)
    response.vary.add("Accept")
    return response


@blueprint.get("/sites/<site>/policies/<int:version>")
@operation(
    "A published policy, exactly the bytes its hash is over",
    {200: Answer("the policy", "application/json"), 304: Answer("unchanged since the given ETag")},
    problems=(UnknownSite, UnknownPolicy, Unavailable),
)
def published_policy(site: str, version: int) -> Response:
    publication = service().ledger.storage.reading().publication(site, checked_version(site, version))
    response = Response(publication.document, 200, {"Cache-Control": FOR_EVER}, "application/json")
    response.set_etag(policy.named(publication.hash))
    response.make_conditional(request)
    return response


@blueprint.get("/.well-known/jwks.json")
@operation("All public keys, current and past", {200: Answer("a JWK set (RFC 7517)", "application/json")})
def jwks() -> Response:
    headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    return json(service().ledger.ring.jwks(), headers=headers)


@blueprint.get("/.well-known/gpc.json")
@operation("What the service does with Global Privacy Control", {200: Answer("it abides", "application/json")})
def gpc() -> Response:
    return json({"gpc": True, "lastUpdate": "2026-11-23"}, headers={"Cache-Control": "public, max-age=86400"})


class Health(msgspec.Struct, frozen=True):
    """A probe's answer."""

    status: str


@blueprint.get("/healthz")
@operation("Alive", {200: Answer("the process answers", "application/json", Health)})
def healthz() -> Response:
    return json(Health("alive"))


@blueprint.get("/readyz")
@operation(
    "Ready: database writable, migrations applied",
    {200: Answer("ready", "application/json", Health)},
    problems=(Unavailable,),
)
def readyz() -> Response:
    service().ledger.storage.check()
    service().ledger.ring.newest()
    return json(Health("ready"))


def _script(script: Script) -> Response:
    """The smallest form of a script that the browser takes, with an ETag of its own (RFC 9110, section 8.8.3)."""
    encoding = request.accept_encodings.best_match(["br", "gzip"]) or "identity"
    bodies: dict[str, Callable[[], bytes]] = {
        "br": lambda: brotli_of(script.gzip),
        "gzip": lambda: script.gzip,
        "identity": lambda: gzip.decompress(script.gzip),
    }
    response = Response(bodies[encoding](), 200, {"Cross-Origin-Resource-Policy": "cross-origin"}, SCRIPT)
    if encoding != "identity":
        response.headers["Content-Encoding"] = encoding
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{policy.named(script.hash)}-{encoding}")
    return response


def _vary_by_place(response: Response, places: Places) -> None:
    if places.header:
        response.vary.add(places.header)
    if places.by_address:
        response.headers["Cache-Control"] = BANNER_CACHE.replace("public", "private")


def _with_header(choice: Choice, environ: Mapping[str, Any]) -> Choice:
    """A choice with the Global Privacy Control that only the request's header tells (`Sec-GPC`, GPC section 3.3)."""
    if choice.signals.gpc is None and environ.get("HTTP_SEC_GPC") == "1":
        return msgspec.structs.replace(choice, signals=Heard(gpc=True))
    return choice


def _check_origin(site: str) -> None:
    """The site's own pages may record; another server needs a token (role editor)."""
    ledger = service().ledger
    published = ledger.published(site)
    if request.headers.get("Authorization"):
        access.allow(bearer(), "editor", site=site)
        return
    origin = request.headers.get("Origin")
    if origin is None:
        raise ForeignOrigin("The Origin header is missing; a server needs a bearer token instead.")
    if not origins.allows(origins.patterns(published.origins), origin):
        raise ForeignOrigin(f"The origin {origin[:200]!r} is not one of the site's; add it to the policy's origins.")
