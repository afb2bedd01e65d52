"""The demo shop: a site of its own whose trackers stay dead until consent. Only with `consent serve --demo`.

It uses the service as any website does: the tag, marked markup and `window.consent`, nothing that others lack.
Everything it shows is drawn here, so it works without the internet; its policy stands in templates/demo/policy.toml.
"""

from importlib.resources import files

from flask import Blueprint, Response, abort, render_template, url_for

from consent import origins as own
from consent import policy, shape
from consent.administrator import Administrator
from consent.errors import UnknownSite
from consent.model import Policy
from consent.web.service import service

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

SITE = "demo"
MOST_ORIGINS = 100
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types consent"
)
VIDEO_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
FILES = {
    "demo.css": "text/css",
    "video.css": "text/css",
    "demo.js": "text/javascript",
    "panel.js": "text/javascript",
    "receipt.js": "text/javascript",
    "tracker.js": "text/javascript",
    "badge.svg": "image/svg+xml",
    "icon.svg": "image/svg+xml",
}


@blueprint.get("/")
def page() -> Response:
    """The shop, with a panel made from the site's published policy."""
    published = service().ledger.published(SITE)
    body = render_template("demo/page.html", policy=published, language=published.languages[0])
    return Response(body, 200, {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"})


@blueprint.get("/video")
def video() -> Response:
    """What is embedded: a film of shapes that moves by itself, and that leaves a cookie as embedded films do."""
    headers = {"Content-Security-Policy": VIDEO_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    response = Response(render_template("demo/video.html"), 200, headers)
    response.set_cookie("_demo_reel", "seen", max_age=30 * 86_400, path=url_for("demo.page"), samesite="Lax")
    return response


@blueprint.get("/<name>")
def file(name: str) -> Response:
    """One of the files above."""
    if name not in FILES:
        abort(404)
    return Response(_read(name), 200, {"Cache-Control": "no-cache"}, FILES[name])


def demo_policy(origins: list[str]) -> Policy:
    """The shop's policy for these origins: the default categories, one service for each thing that waits."""
    document = shape.decode(_read("policy.toml"), what="The policy", toml=True)
    return policy.read({**document, "origins": list(dict.fromkeys(origins))})


def prepare(who: Administrator, origins: list[str]) -> None:
    """Make the site, or let it answer to more origins; nobody is asked again for that."""
    try:
        published = who.ledger.published(SITE)
    except UnknownSite:
        who.make_site(SITE, demo_policy(origins))
        return
    known = own.patterns(published.origins)
    missing = [origin for origin in dict.fromkeys(origins) if not own.allows(known, origin)]
    if missing:
        kept = [*published.origins, *missing][-MOST_ORIGINS:]
        who.change_settings(SITE, {"origins": kept})


def _read(name: str) -> bytes:
    return files("consent").joinpath("templates", "demo", name).read_bytes()
