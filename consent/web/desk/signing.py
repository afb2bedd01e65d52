"""Signing in and out."""

import secrets
from typing import Any

from flask import Response, current_app, g, redirect, request, session, url_for
from itsdangerous import BadSignature, URLSafeSerializer

from consent import people
from consent.errors import NotSignedIn, TooManyRequests
from consent.people import Person
from consent.web.desk.frame import blueprint, desk, field, is_secure, page
from consent.web.desk.words import LANGUAGES, say
from consent.web.service import service

DEVICE = "consent_device"
YEAR = 365 * 86_400
REFUSED = "refused"
"""In the browser's session: status and sentence of a sign-in that was refused elsewhere."""


@blueprint.get("/sign-in")
def show_sign_in() -> Response:
    """The form, with what was said where signing in with OpenID Connect was refused."""
    status, told = session.pop(REFUSED, (200, None))
    return _form(inside(request.args.get("next", "")), status, told, nobody=not desk().people.all())


@blueprint.post("/sign-in")
def sign_in() -> Any:
    """Try name, password and code."""
    name, following = field("name", longest=64).lower(), inside(field("next"))
    password = request.form.get("password", "")
    try:
        desk().throttle.hit(request.remote_addr, "" if people.is_one_time(password) else name, _device(name))
        person = desk().people.sign_in(name, password, field("code", longest=20))
    except (NotSignedIn, TooManyRequests) as error:
        told = say("Name, password or code is not right.") if isinstance(error, NotSignedIn) else str(error)
        answer = _form(following, error.status, told, name=name)
        if isinstance(error, TooManyRequests):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    done = enter(person, following)
    _know(done, name)
    return done


def enter(person: Person, following: str) -> Any:
    """Begin a session of somebody who proved to be it, and go on to an address within the desk."""
    language = session.get("language")
    session.clear()  # what was there before belongs to nobody
    session["key"] = desk().sessions.start(person)
    if language:
        session["language"] = language
    return redirect(following, 303)


@blueprint.post("/sign-out")
def sign_out() -> Any:
    """End the session."""
    if key := session.get("key"):
        desk().sessions.end(key)
    session.clear()
    return redirect(url_for("desk.show_sign_in"), 303)


@blueprint.post("/language")
def choose_language() -> Any:
    """The language of the desk, for this browser."""
    chosen = field("language")
    if chosen in LANGUAGES:
        session["language"] = chosen
        g.pop("language", None)
    return redirect(inside(field("next")), 303)


def inside(address: str) -> str:
    """An address within the desk, so that nobody is sent elsewhere after signing in; else its first page.

    It may come without the path of the public address, and goes with it.
    """
    path = address.removeprefix(request.script_root)
    plain = all(" " < letter < "\x7f" and letter != "\\" for letter in path)
    steps = path.partition("?")[0].lower().replace("%2e", ".").split("/")
    inner = plain and path.startswith("/admin/") and "//" not in path and not {".", ".."} & set(steps)
    return request.script_root + path if inner else url_for("desk.home")


def _form(following: str, status: int, error: str | None, *, name: str = "", nobody: bool = False) -> Response:
    provider = service().settings.oidc_name
    return page("sign_in", status, next=following, name=name, error=error, nobody=nobody, provider=provider)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="device")


def _device(name: str) -> str:
    """The id of a browser that signed in under this name before."""
    try:
        known, id = _serializer().loads(request.cookies.get(DEVICE, ""))
    except (BadSignature, ValueError, TypeError):
        return ""
    return id if known == name else ""


def _know(answer: Any, name: str) -> None:
    value = _serializer().dumps([name, secrets.token_urlsafe(12)])
    secure = is_secure(service().settings.public_url)
    path = current_app.session_interface.get_cookie_path(current_app)
    answer.set_cookie(DEVICE, value, max_age=YEAR, path=path, secure=secure, httponly=True, samesite="Lax")
