"""What a website pastes: the tag, and the guard that stands in the page itself (contract, section 1)."""

import hashlib
from base64 import b64encode
from itertools import chain
from typing import Any, Literal

from msgspec import Struct

from consent import patterns
from consent.banner import bound, held_urls, is_plain, spoken
from consent.model import Published, Service

Way = Literal["async", "sync", "inline", "strict"]

STOP = '<meta http-equiv="Content-Security-Policy" content="base-uri *">'
"""Harmless in itself; any policy in a `<meta>` halts Chromium's preload scanner until the parser has passed it."""
OWN = ("'self'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:")
"""What the strict policy always lets through: the page's own files and code."""


class Snippet(Struct, frozen=True):
    """Lines of HTML, and the hash by which a content-security policy may name the inline script."""

    html: str
    csp: str = ""


def to_paste(published: Published, base: str, way: Way) -> Snippet:
    """What to paste first into `<head>` for one way of installing; `base` is the service's public URL."""
    waits = "" if way == "sync" else "async "
    tag = f'<script {waits}src="{base}/sites/{published.site}/banner.js"></script>'
    if way in ("async", "sync"):
        return Snippet(tag)
    code = guard(published) + (_strict(published, base) if way == "strict" else "")
    hash = b64encode(hashlib.sha256(code.encode()).digest()).decode()
    lines = [STOP] * (way == "strict") + [f"<script>{code}</script>", tag]
    return Snippet("\n".join(lines), f"'sha256-{hash}'")


def guard(published: Published) -> str:
    """The guard's script for a policy version, in the policy's first language."""
    return bound("guard-plain.js" if is_plain(published) else "guard.js", _settings(published))


def _settings(published: Published) -> dict[str, Any]:
    settings = {
        "site": published.site,
        "policy": published.version,
        "language": published.languages[0],
        "material_since": published.material_since,
        "valid_days": published.valid_days,
        "refusal_days": published.refusal_days,
        "cookie": published.cookie.name,
        "categories": [[one.id, 1] if one.necessary else [one.id] for one in published.categories],
        "services": [_service(published, one) for one in published.services],
        "google": _google(published),
        "uet": spoken(published.signals, "uet"),
        "clarity": spoken(published.signals, "clarity"),
    }
    return {name: value for name, value in settings.items() if value or name == "services"}


def _google(published: Published) -> list[Any] | None:
    signals, options = published.signals, published.signals.google_options
    if not signals.google:
        return None
    first = {"wait_for_update": options.wait_for_update, **({"region": options.regions} if options.regions else {})}
    return [spoken(signals, "google"), first, options.ads_data_redaction, options.url_passthrough]


def _service(published: Published, service: Service) -> list[str]:
    """Its id and category, what its addresses match, what its cookies' names match; as little as there is to say."""
    urls = patterns.one_of_urls(held_urls(published, service)) if published.blocking.urls else ""
    names = [one.name for one in service.cookies if one.kind == "cookie"] if published.blocking.storage else []
    said = [service.id, service.category, urls, patterns.one_of_names(names)]
    while not said[-1]:
        said.pop()
    return said


def _strict(published: Published, base: str) -> str:
    """The strict guard's second half: everything that may load without consent, and what each service adds."""
    necessary = {one.id for one in published.categories if one.necessary}
    sources = {
        one.id: " ".join(dict.fromkeys(chain(*map(patterns.csp_sources, one.urls)))) for one in published.services
    }
    always = [sources[one.id] for one in published.services if one.category in necessary]
    own = [*OWN, "/".join(base.split("/")[:3]), *published.origins, *always]
    asked = {one.id: sources[one.id] for one in published.services if one.category not in necessary}
    return bound("strict.js", {"sources": " ".join(dict.fromkeys(own)), "services": asked})
