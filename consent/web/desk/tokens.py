"""Tokens of other programs: made, seen, taken out of use. A token's text is shown once."""

from typing import Any, get_args

import msgspec
from flask import Response, flash, redirect, request, url_for

from consent.errors import ConsentError, Malformed
from consent.fields import Role
from consent.web.desk.frame import administrator, blueprint, confirmed, field, needs, page, told_on
from consent.web.desk.words import say
from consent.web.service import USED, service

LONGEST = 3650
"""Days that a token may live."""


@blueprint.get("/tokens", endpoint="tokens")
@needs("owner", whole=True)
def show_tokens() -> Response:
    """Every token with its role, its life and its last use."""
    return _tokens()


def _tokens(text: str = "", error: ConsentError | None = None, **_: Any) -> Response:
    rows = service().ledger.storage.reading()
    used = {id: msgspec.json.decode(body, type=int) for id, body in rows.documents(USED)}
    return page(
        "tokens",
        error.status if error else 200,
        here="desk.tokens",
        error=error,
        typed=request.form if error else {},
        tokens=[(token, used.get(token.id)) for token in reversed(rows.tokens())],
        text=text,
        now=service().ledger.now(),
        all_sites=[site.id for site in rows.sites()],
        roles=get_args(Role),
    )


@blueprint.post("/tokens")
@needs("owner", whole=True)
@told_on(_tokens)
def make_token() -> Response:
    """A new token; its text is in this answer and nowhere else."""
    role, site, name, days = field("role"), field("site") or None, field("name", longest=100), field("days", longest=5)
    if role not in get_args(Role):
        raise Malformed(say("Choose a role."))
    if not name:
        raise Malformed(say("Say what the token is for."))
    if not (days.isascii() and days.isdecimal() and 1 <= int(days) <= LONGEST):
        raise Malformed(say("A token lives from 1 to {most} days.", most=LONGEST))
    return _tokens(administrator().make_token(role, site=site, name=name, days=int(days)))  # type: ignore[arg-type]


@blueprint.post("/tokens/<id>/revoke")
@needs("owner", whole=True)
@told_on(_tokens)
def revoke_token(id: str) -> Any:
    """Take a token out of use at once; its name, or its id where it has none, is typed to confirm."""
    called = {token.id: token.name.strip() or id for token in service().ledger.storage.reading().tokens()}
    confirmed(called.get(id, id))
    administrator().revoke_token(id)
    flash(say("The token is out of use."))
    return redirect(url_for("desk.tokens"), 303)
