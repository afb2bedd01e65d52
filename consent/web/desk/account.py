"""One's own account: password, second factor."""

from typing import Any

import segno
from flask import Response, flash, redirect, request, session, url_for

from consent import people
from consent.errors import ConsentError, Invalid, NotSignedIn
from consent.sessions import id_of
from consent.web.desk.frame import blueprint, desk, field, needs, noting, page, signed_in
from consent.web.desk.words import say
from consent.web.service import service


@blueprint.get("/account")
@needs(None)
def show_account() -> Response:
    """Password and second factor; a new secret waits in the session until a code from it is typed."""
    return _account()


@blueprint.post("/account/password")
@needs(None)
def change_password() -> Any:
    """A new password ends every other session."""
    person = signed_in()
    try:
        _knows_password(field("code", longest=20))
        if field("password") != field("again"):
            raise Invalid(say("The two new passwords are not the same."))
        desk().people.set_password(
            person.name, field("password"), keep=id_of(session["key"]), also=noting("changed the own password")
        )
    except (Invalid, NotSignedIn) as error:
        return _account(_sentence(error), 422)
    flash(say("The password is changed; every other session has ended."))
    return redirect(url_for("desk.home" if person.must_change else "desk.show_account"), 303)


@blueprint.post("/account/second-factor")
@needs(None)
def turn_on_second_factor() -> Any:
    """Turn the second factor on once a code shows that the app has the secret."""
    secret = session.get("secret", "")
    if not secret or not people.code_holds(secret, field("code", longest=20), service().ledger.now()):
        return _account(say("The code does not fit: scan the picture again and type the newest code."), 422)
    desk().people.set_secret(signed_in().name, secret, also=noting("turned the own second factor on"))
    session.pop("secret", None)
    flash(say("From now on signing in asks for a code."))
    return redirect(url_for("desk.show_account"), 303)


@blueprint.post("/account/second-factor/off")
@needs(None)
def turn_off_second_factor() -> Any:
    """Turn the second factor off; password and code are asked once more."""
    try:
        _knows_password(field("code", longest=20))
    except NotSignedIn as error:
        return _account(_sentence(error), 422)
    desk().people.set_secret(signed_in().name, "", also=noting("turned the own second factor off"))
    flash(say("Signing in asks for no code any more."))
    return redirect(url_for("desk.show_account"), 303)


def _account(error: str = "", status: int = 200) -> Response:
    person = desk().people.get(signed_in().name)
    picture = ""
    if person.hash and not person.secret and not person.must_change:
        secret = session.setdefault("secret", people.new_secret())
        address = people.address_of(secret, person.name, issuer="consent")
        picture = segno.make(address, error="m").svg_data_uri(scale=4, border=4, light="#fff")
    return page("account", status, error=error, owner=person, picture=picture, secret=session.get("secret", ""))


def _knows_password(code: str) -> None:
    """Return if the person typed the present password, and a code where there is a second factor."""
    desk().throttle.hit(request.remote_addr, signed_in().name, id_of(session["key"]))
    desk().people.sign_in(signed_in().name, request.form.get("present", ""), code)


def _sentence(error: ConsentError) -> str:
    if isinstance(error, NotSignedIn):
        return say("The present password or the code is not right.")
    told = [say(f"The password {message}.") for _, message in error.mistakes]
    return " ".join(told) or str(error)
