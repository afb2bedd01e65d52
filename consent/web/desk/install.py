"""How a site's pages get the tag, and whether they have it."""

from urllib.parse import urlsplit

from flask import Response

from consent.model import Published
from consent.snippet import Snippet, Way, to_paste
from consent.web.desk.frame import blueprint, needs, page
from consent.web.service import service

WAYS: tuple[Way, ...] = ("async", "inline", "strict", "sync")
MARKED = '<script type="text/plain" data-consent="{category}" src="…"></script>'
CONTAINER = """<script>(window.dataLayer = window.dataLayer || []).push({ "gtm.start": Date.now(), event: "gtm.js" })</script>
<script async src="https://www.googletagmanager.com/gtm.js?id=GTM-XXXXXXX"></script>"""
GRANTED = """function () {{
  return !!window.consent && window.consent.granted("{category}");
}}"""
"""For a variable of the container."""
FORWARDED = """proxy_pass http://127.0.0.1:8080{path};
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host $host;
proxy_set_header X-Forwarded-Port $server_port;
proxy_set_header X-Forwarded-Prefix "";"""
HOST = """server {{
    listen 443 ssl;
    server_name {name};
    ssl_certificate /etc/ssl/{name}.pem;
    ssl_certificate_key /etc/ssl/{name}.key;
    client_max_body_size 1m;
    access_log off;  # addresses of the API carry subject ids

    location / {{
        {forwarded}
    }}
}}"""
PATH = """location /privacy/ {{
    access_log off;  # addresses of the API carry subject ids
    {forwarded}
}}"""


@blueprint.get("/sites/<site>/install", endpoint="install")
@needs("auditor")
def show_install(site: str) -> Response:
    """What to paste, each way with what it guarantees; and where the tag was seen."""
    held, base = service(), service().settings.public_url
    published = held.ledger.published(site)
    return page(
        "install",
        text=texts(published, base),
        google=bool(published.signals.google),
        seen=held.sightings.of(site),
        missing=_missing(published),
    )


def texts(published: Published, base: str) -> dict[str, str]:
    """Everything that the page gives to copy, by a short name; `base` is the service's public URL."""
    made: dict[Way, Snippet] = {way: to_paste(published, base, way) for way in WAYS}
    tag, origin = made["async"].html, "/".join(base.split("/")[:3])
    hashes = {f"{way}-hash": made[way].csp for way in ("inline", "strict")}
    lines, category = FORWARDED.splitlines(), _category(published)
    held = MARKED.format(category=category).partition(" src")[0]
    return (
        {way: snippet.html for way, snippet in made.items()}
        | hashes
        | {
            "marked": MARKED.format(category=category),
            "nonce": tag.replace("<script async", '<script async nonce="R4nd0m"'),
            "nonce-header": _header("'nonce-R4nd0m' 'strict-dynamic'", origin, trusted=True),
            "hash-header": _header(f"'self' {origin} {made['inline'].csp}", origin),
            "gtm": f"{made['inline'].html}\n{CONTAINER}",
            "gtm-held": f"{made['inline'].html}\n{CONTAINER.replace('<script async', held)}",
            "gtm-event": "consent_update",
            "gtm-variable": GRANTED.format(category=category),
            "nginx-host": HOST.format(
                name=_sub_domain(published, base), forwarded="\n        ".join(lines).format(path="")
            ),
            "nginx-path": PATH.format(forwarded="\n    ".join(lines).format(path="/")),
        }
    )


def _category(published: Published) -> str:
    """A category to show how something is marked: statistics where the policy has it."""
    ids = [one.id for one in published.categories if not one.necessary]
    return "analytics" if "analytics" in ids else next(iter(ids), "analytics")


def _header(scripts: str, origin: str, *, trusted: bool = False) -> str:
    """A content-security policy under which the banner works, in one line as a server sends it."""
    rules = [f"script-src {scripts}", "style-src 'self'", f"connect-src 'self' {origin}"]
    more = ["require-trusted-types-for 'script'", "trusted-types consent"] * trusted
    return f"Content-Security-Policy: {'; '.join(rules + more)}"


def _sub_domain(published: Published, base: str) -> str:
    """The name of the service below the site's own: the one it has, or one that it may be given."""
    own, sites = urlsplit(base).hostname or "", [urlsplit(origin).hostname or "" for origin in published.origins]
    names = [name.removeprefix("*.").removeprefix("www.") for name in sites]
    return own if own.endswith(tuple(f".{name}" for name in names)) else f"consent.{names[0]}"


def _missing(published: Published) -> list[str]:
    """The site's origins, without patterns, on which no tag was seen yet."""
    seen = {origin for origin, _ in service().sightings.of(published.site)}
    return [origin for origin in published.origins if "*" not in origin and origin not in seen]
