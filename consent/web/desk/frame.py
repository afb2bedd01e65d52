"""What every page of the desk has in common: who is signed in and may see it, how it is drawn, what protects it."""

import hashlib
import hmac
from collections.abc import Callable
from functools import cache, wraps
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect

from consent.administrator import Administrator
from consent.downloads import Downloads
from consent.errors import (
    BadQuery,
    Conflict,
    ConsentError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    NotSignedIn,
    Unavailable,
    UnknownPerson,
    UnknownSite,
)
from consent.fields import HIDDEN, Role
from consent.ledger import Ledger
from consent.people import People, Person
from consent.sessions import Sessions
from consent.storage.base import Also
from consent.trail import Trail
from consent.web.desk import words
from consent.web.desk.designer_mistakes import said
from consent.web.desk.names import NAMES
from consent.web.desk.refusals import refusal
from consent.web.desk.throttle import Throttle
from consent.web.service import service

blueprint = Blueprint("desk", __name__, url_prefix="/admin")
View = Callable[..., Any]

SECRETS = {"present", "password", "again", "code"}
"""Fields of forms that no page shows."""

Link = tuple[str, str, Role]
"""In the menu: endpoint, name, least role."""
SITE_PAGES: tuple[Link, ...] = (
    ("desk.overview", "Overview", "auditor"),
    ("desk.receipts", "Receipts", "auditor"),
    ("desk.banner", "Banner", "auditor"),
    ("desk.install", "Install", "auditor"),
    ("desk.exports", "Export", "auditor"),
    ("desk.requests", "Requests", "editor"),
    ("desk.settings", "Settings", "editor"),
)
"""The first is where one arrives."""
WHOLE_PAGES: tuple[Link, ...] = (
    ("desk.people", "People", "owner"),
    ("desk.tokens", "Tokens", "owner"),
    ("desk.trail", "Trail", "auditor"),
    ("desk.health", "Health", "auditor"),
)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
"""Of every answer below /admin that has none of its own, on top of those of the whole service."""
FILES = {
    "desk.css": "text/css",
    "desk.js": "text/javascript",
    "designer.css": "text/css",
    "designer.js": "text/javascript",
}
LARGEST_FORM = 524_288
"""Bytes of a form, a policy as a file included."""
MOST_FIELDS = 5_000
"""Of a form: a service may have hundreds of cookies."""

csrf = CSRFProtect()


class Desk(NamedTuple):
    """What the pages work with besides the service; at `app.extensions["consent.desk"]`."""

    people: People
    sessions: Sessions
    trail: Trail
    throttle: Throttle
    downloads: Downloads

    @classmethod
    def of(cls, ledger: Ledger) -> "Desk":
        people = People(ledger.storage, ledger.now)
        sessions = Sessions(ledger.storage, people, ledger.now)
        return cls(people, sessions, Trail(ledger), Throttle(), Downloads(ledger.storage, ledger.now))


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for the desk alone; its key comes from the key ring, so that every process has the same."""

    def open_session(self, app: Flask, request: Request) -> Any:
        if not request.path.startswith("/admin"):
            return None
        if app.secret_key is None:
            oldest = app.extensions["consent"].ledger.ring.keys()[0]
            app.secret_key = hmac.digest(oldest.private, b"sessions of the desk", "sha256")
        return super().open_session(app, request)

    def get_cookie_path(self, app: Flask) -> str:
        return urlsplit(app.extensions["consent"].settings.public_url).path.rstrip("/") + "/admin"


def prepare(app: Flask) -> None:
    """Sessions and protection against forged requests (CSRF), for the desk alone."""
    app.session_interface = CookieSessions()
    app.config.update(
        SESSION_COOKIE_NAME="consent_desk",
        SESSION_COOKIE_SECURE=is_secure(app.extensions["consent"].settings.public_url),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    csrf.init_app(app)
    app.after_request(_bounded)


def is_secure(public_url: str) -> bool:
    """Whether browsers reach the service by https; only a trial on one's own machine does not."""
    return public_url.startswith("https:")


def desk() -> Desk:
    return current_app.extensions["consent.desk"]


def needs(role: Role | None, *, whole: bool = False) -> Callable[[View], View]:
    """Let a page answer only to people of this role on the site in its address, or on the installation if `whole`.

    None: to everybody who is signed in.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> Any:
            person = signed_in()
            site = None if whole else arguments.get("site")
            if role and not person.may(role, site):
                raise Forbidden(words.say("This page needs the role {role}.", role=words.say(role)))
            if arguments.get("site") is not None:
                service().ledger.storage.reading().site(arguments["site"])
            return view(**arguments)

        return guarded

    return guard


def told_on(draw: Callable[..., Any]) -> Callable[[View], View]:
    """Tell what a form is refused for on a page that `draw` makes of the error, where what was typed still stands."""

    def guard(view: View) -> View:
        @wraps(view)
        def told(**arguments: Any) -> Any:
            try:
                return view(**arguments)
            except (BadQuery, Conflict, Invalid, Malformed, UnknownSite) as error:
                return draw(**arguments, error=error)

        return told

    return guard


def signed_in() -> Person:
    """Who is signed in. Raises NotSignedIn."""
    if "person" not in g:
        key = session.get("key")
        if not key:
            raise NotSignedIn(words.say("Sign in first."))
        try:
            g.person = desk().sessions.person(key)
        except UnknownPerson:
            raise NotSignedIn(words.say("Sign in first.")) from None
    if g.person.must_change and request.endpoint not in ("desk.show_account", "desk.change_password", "desk.sign_out"):
        raise MustChange(words.say("Choose a password of your own first."))
    return g.person


class MustChange(Forbidden):
    """A one-time password opens nothing but the page that changes it."""

    code, title = "must-change", "The one-time password must be changed first"


def administrator() -> Administrator:
    """Who is signed in, as somebody who acts."""
    return Administrator(service().ledger, signed_in().name)


def noting(what: str, **told: Any) -> Also:
    """To note in the trail what the person who is signed in does, in the transaction that does it (Administrator.noting)."""
    return administrator().noting(what, **told)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of the desk."""
    return Response(render_template(f"desk/{template}.html", **values), status)


def sites_of(person: Person) -> list[str]:
    """The sites that somebody may see."""
    return [site.id for site in service().ledger.storage.reading().sites() if person.may("auditor", site.id)]


def field(name: str, *, longest: int = 2000) -> str:
    """A field of the form, without spaces around it. Raises Malformed."""
    text = request.form.get(name, "").strip()
    if HIDDEN.search(text):
        raise Malformed(words.say("The field {name} has control characters.", name=words.say(NAMES.get(name, name))))
    if len(text) > longest:
        raise Malformed(words.say("The field {name} is too long.", name=words.say(NAMES.get(name, name))))
    return text


def confirmed(name: str) -> None:
    """Return if the person typed the name of what is to be destroyed. Raises Malformed."""
    if field("confirm") != name:
        raise Malformed(words.say("Nothing was done: type {name} to confirm.", name=name))


@blueprint.before_request
def _protect() -> None:
    request.max_content_length, request.max_form_parts = LARGEST_FORM, MOST_FIELDS
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.protect()


def _bounded(response: Response) -> Response:
    """Set HEADERS, also on redirects and refusals that are made before any page of the desk is found."""
    if request.path == "/admin" or request.path.startswith("/admin/"):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


@blueprint.context_processor
def _frame() -> dict[str, Any]:
    person = g.get("person")
    site = (request.view_args or {}).get("site")
    return {
        "say": words.say,
        "refusal": refusal,
        "explained": said,
        "language": words.language(),
        "person": person,
        "sites": sites_of(person) if person and not person.must_change else [],
        "here": request.endpoint,
        "site": site,
        "site_pages": SITE_PAGES,
        "whole_pages": WHOLE_PAGES,
        "first_page": SITE_PAGES[0][0],
        "may": lambda role, site=site: person is not None and person.may(role, site),
        "asset": lambda name: url_for("desk.file", name=name, v=_digest(name)),
    }


@blueprint.errorhandler(NotSignedIn)
def _sign_in_first(error: NotSignedIn) -> Any:
    if request.method == "GET" and request.endpoint != "desk.sign_in":
        return redirect(url_for("desk.show_sign_in", next=request.full_path.rstrip("?")), 303)
    return page("error", error.status, error=error, again=_typed())


@blueprint.errorhandler(MustChange)
def _change_first(_: MustChange) -> Any:
    return redirect(url_for("desk.show_account"), 303)


@blueprint.errorhandler(CSRFError)
def _forged(_: CSRFError) -> Response:
    text = words.say(
        "The form was too old or came from another page. Nothing was done: go back, load the page again, and retry."
    )
    return page("error", 400, error=Malformed(text), again=_typed())


@blueprint.errorhandler(ConsentError)
def _refused(error: ConsentError) -> Response:
    return page("error", error.status, error=error)


@blueprint.errorhandler(Unavailable)
def _not_now(error: Unavailable) -> Response:
    return page("error", error.status, error=error, again=_typed())


def _typed() -> list[tuple[str, str]]:
    """What a form of the desk itself held, to be sent once more; a password or a file is to be given anew.

    Browsers say where a form came from (Fetch Metadata, section 2.3, or its `Origin`): another website's is not offered.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_ours = site == "same-origin" if site else not origin or urlsplit(origin).netloc == request.host
    if not is_ours or request.method != "POST" or request.files or SECRETS & request.form.keys():
        return []
    return [one for one in request.form.items(multi=True) if one[0] != "csrf_token"]


@blueprint.get("/<name>", endpoint="file")
def _file(name: str) -> Response:
    """A file of the desk, kept by browsers for ever under its version."""
    if name not in FILES:
        raise NotFound(words.say("There is no such page."))
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"}
    return Response(_read(name), 200, headers, FILES[name])


@blueprint.route("/<path:rest>", methods=["GET", "POST"])
def _nowhere(rest: str) -> Response:
    raise NotFound(words.say("There is no such page."))


@cache
def _read(name: str) -> bytes:
    return files("consent").joinpath("templates", "desk", name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_read(name)).hexdigest()[:12]
