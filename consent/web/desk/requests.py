"""What a visitor may ask for: to see what is known, and to have it erased."""

from typing import Any, NamedTuple

import msgspec
from flask import Response, flash, redirect, request, url_for

from consent.errors import BadQuery, ConsentError, Malformed, NotFound
from consent.model import Entry, Filter, State
from consent.receipts import ErasureClaims, read
from consent.web.desk import asking, checks, telling
from consent.web.desk.disclosure import disclosure
from consent.web.desk.frame import administrator, blueprint, confirmed, field, needs, page, told_on
from consent.web.desk.words import say
from consent.web.service import service

SHOWN = 20
"""Choices of a subject that are listed; the others are in the file."""
INDEXES = 200
REASON = "requested through an administrator"


class Known(NamedTuple):
    """What there is of a subject."""

    subject: str
    entries: int
    newest: list[Entry]
    state: State


@blueprint.get("/sites/<site>/requests", endpoint="requests")
@needs("editor")
def show_requests(site: str) -> Response:
    """The form; for somebody who is known, what there is and what can be done with it."""
    return _requests(site)


def _requests(site: str, error: ConsentError | None = None) -> Response:
    """The page, of whom a refused form was about where it says so."""
    asked = request.values.get("q", request.form.get("subject", ""))[: asking.LONGEST].strip()
    cookie = service().ledger.published(site).cookie.name
    known = None
    try:
        known = _known(site, asked) if asked else None
    except BadQuery as refused:
        error = error or refused
    status = error.status if error else 200
    return page(
        "requests",
        status,
        here="desk.requests",
        asked=asked,
        known=known,
        error=error,
        cookie=cookie,
        actions=telling.ACTIONS,
    )


@blueprint.post("/sites/<site>/requests/access")
@needs("editor")
@told_on(_requests)
def answer_access(site: str) -> Response:
    """Everything about a subject as one file."""
    subject, held = _subject(), service()
    known = disclosure(held.ledger, site, subject, retention_days=held.settings.retention_days)
    administrator().gave("answered a request for access", site=site)
    headers = {"Content-Disposition": f'attachment; filename="{site}-access.json"'}
    return Response(msgspec.json.format(msgspec.json.encode(known)), 200, headers, "application/json")


@blueprint.post("/sites/<site>/requests/erase")
@needs("editor")
@told_on(_requests)
def answer_erasure(site: str) -> Any:
    """Erase a subject for ever; the site's name is typed to confirm."""
    subject = _subject()
    confirmed(site)
    erased = administrator().erase(site, subject, reason=REASON)
    if erased.entry is None:
        flash(say("There was nothing to erase."))
        return redirect(url_for("desk.requests", site=site), 303)
    flash(say("It is erased."))
    return redirect(url_for("desk.erasure", site=site, index=erased.entry), 303)


@blueprint.get("/sites/<site>/erasures/<int:index>", endpoint="erasure")
@needs("auditor")
def show_erasure(site: str, index: int) -> Response:
    """An erasure entry: what was emptied, when, why, and how that is proved."""
    entry, claims = _erasure(site, index)
    found = [checks.signature(entry), checks.place(entry)]
    listed = claims.erasure.indexes[:INDEXES]
    return page("erasure", here="desk.requests", entry=entry, claims=claims, checks=found, listed=listed, words=REASONS)


@blueprint.get("/sites/<site>/erasures/<int:index>/<any(jws, proof):form>")
@needs("auditor")
def erasure_file(site: str, index: int, form: str) -> Response:
    """The signed statement of an erasure, or the proof of its place in the log."""
    entry, _ = _erasure(site, index)
    content = checks.proof_of(entry) if form == "proof" else (entry.token or "").encode()
    ending, media_type = ("tlog-proof", "text/plain") if form == "proof" else ("jwt", "application/jwt")
    headers = {"Content-Disposition": f'attachment; filename="erasure-{index}.{ending}"'}
    return Response(content, 200, headers, media_type)


REASONS = {
    REASON: "requested through an administrator",
    "requested by the subject": "requested by the subject",
    "past its retention": "past its retention",
}
"""Reasons that the log gives and the desk has words for."""


def _known(site: str, text: str) -> Known | None:
    """What there is of the subject that a text names, by its own id or by a receipt's. Raises BadQuery."""
    rows, named = service().ledger.storage.reading(), asking.named(text)
    entry = rows.entry(site, named.receipt) if named.receipt else None
    subject = named.subject or (entry.subject if entry else None)
    newest = rows.newest(site, Filter(subject=subject), limit=SHOWN) if subject else []
    if not subject or not newest:
        return None
    return Known(subject, rows.count(site, Filter(subject=subject)), newest, service().ledger.state(site, subject))


def _subject() -> str:
    """The subject that the form carries. Raises Malformed."""
    subject = field("subject", longest=22)
    if not asking.SUBJECT.fullmatch(subject):
        raise Malformed(say("The form names no subject: look the visitor up again."))
    return subject


def _erasure(site: str, index: int) -> tuple[Entry, ErasureClaims]:
    """An erasure entry and its claims. Raises NotFound."""
    rows = service().ledger.storage.reading()
    entry = rows.entries(site, Filter(kinds=()), after=index - 1, limit=1)[0] if index < rows.size(site) else None
    if entry is None or entry.kind != "erasure":
        raise NotFound(say("This entry of the log is no erasure."))
    return entry, _claims(entry)


def _claims(entry: Entry) -> ErasureClaims:
    return msgspec.json.decode(read(entry.token or "")[1], type=ErasureClaims)
