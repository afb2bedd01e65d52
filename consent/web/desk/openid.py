"""Signing in with OpenID Connect: out to the provider, and back with its answer (`consent.openid` says what holds).

Its rule: a browser leaves the desk by a link that somebody follows, and comes back to one fixed address; what it went with
waits in its signed cookie, for one return.
"""

import logging
from typing import Any

from flask import redirect, request, session, url_for

from consent.administrator import Administrator
from consent.errors import ConsentError, NotFound, NotSignedIn, TooManyRequests, Unavailable
from consent.openid import FOREIGN, Begun, Provider
from consent.people import Account, Person
from consent.storage.base import Rows
from consent.web.desk.frame import blueprint, desk
from consent.web.desk.refusals import refusal
from consent.web.desk.signing import REFUSED, enter, inside
from consent.web.desk.words import say
from consent.web.service import service

log = logging.getLogger("consent")

BEGUN = "openid"
"""In the browser's session: what it was sent to the provider with."""
LONGEST = 600
"""Seconds in which it has to come back."""
WIDEST = 1000
"""Characters of an address that are remembered meanwhile: browsers keep no cookie above 4096 bytes."""


@blueprint.get("/sign-in/openid")
def begin_openid() -> Any:
    """Send the browser to the provider."""
    provider, following = _provider(), inside(request.args.get("next", ""))
    try:
        desk().throttle.hit_address(request.remote_addr, "openid")
        address, begun = provider.begin()
    except (TooManyRequests, Unavailable) as error:
        return _refused(error, following)
    until = service().ledger.now() + LONGEST
    session[BEGUN] = [*begun, until, following if len(following) <= WIDEST else url_for("desk.home")]
    return redirect(address, 303)


@blueprint.get("/sign-in/openid/callback")
def finish_openid() -> Any:
    """Take the browser's return from the provider."""
    provider = _provider()
    following, account = url_for("desk.home"), None
    try:
        desk().throttle.hit_address(request.remote_addr, "openid callback")
        begun, following = _begun()
        account = provider.finish(begun, _code(), now=service().ledger.now())
        person = desk().people.sign_in_with(account, also=_noted)
    except (NotSignedIn, TooManyRequests, Unavailable) as error:
        return _refused(error, following, account)
    return enter(person, following)


def _noted(rows: Rows, before: Person, person: Person) -> None:
    """Note which account is bound by a first sign-in."""
    if before.bound is None and person.bound:
        issuer, subject = person.bound
        bound = {"name": person.name, "account": person.account, "issuer": issuer, "subject": subject}
        Administrator(service().ledger, person.name).noting("bound the own account", after=bound)(rows)


def _provider() -> Provider:
    if not service().settings.oidc_issuer:
        raise NotFound(say("There is no such page."))
    return Provider(service().settings)


def _begun() -> tuple[Begun, str]:
    """What this browser was sent out with, once, and where it wanted to. Raises NotSignedIn."""
    state, nonce, verifier, until, following = session.get(BEGUN) or ("", "", "", 0, "")
    if not state or request.args.get("state") != state or service().ledger.now() >= until:
        raise NotSignedIn("This sign-in is over, or was begun in another browser. Begin again.")
    session.pop(BEGUN)
    return Begun(state, nonce, verifier), following


def _code() -> str:
    """The code of the provider's answer (RFC 6749, section 4.1.2; RFC 9207). Raises NotSignedIn."""
    if request.args.get("iss", service().settings.oidc_issuer) != service().settings.oidc_issuer:
        raise NotSignedIn(FOREIGN)
    if not (code := request.args.get("code")):
        log.warning("OpenID Connect: the provider answers %.200r", request.args.get("error", ""))
        raise NotSignedIn("The sign-in provider did not let you in.")
    return code


def _refused(error: ConsentError, following: str, account: Account | None = None) -> Any:
    """Back to the form, which says why: the address of this answer holds what is used up."""
    if error.__cause__:
        log.warning("OpenID Connect: %s (%.300r)", error, str(error.__cause__))
    told = refusal(error)
    if account:
        told += " " + say("The account's subject is {subject}.", subject=account.subject)
    session[REFUSED] = [error.status, told]
    return redirect(url_for("desk.show_sign_in", next=following), 303)
