"""CORS by the site's own origins, through flask-cors; no credentials are ever used."""

from typing import Any

from flask import Flask, Response, current_app, request
from flask_cors.core import get_cors_options, set_cors_headers

from consent import origins
from consent.errors import ConsentError
from consent.model import Published

SHARED = {"methods": ["GET", "POST", "DELETE", "OPTIONS"], "allow_headers": ["Content-Type"], "max_age": 86_400}
EXPOSED = ["ETag", "Retry-After"]


class Cors:
    """The CORS options of every policy seen so far."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._options: dict[tuple[str, ...], Any] = {}

    def options(self, published: Published) -> Any:
        key = tuple(published.origins)
        if key not in self._options:
            found = {"origins": origins.patterns(key), "expose_headers": EXPOSED, "vary_header": False, **SHARED}
            self._options[key] = get_cors_options(self._app, found)
        return self._options[key]


def share(response: Response) -> Response:
    """Add CORS headers to an answer of a site's own addresses; the plain script is no business of CORS."""
    if request.blueprint != "public" or request.endpoint == "public.banner":
        return response
    site = (request.view_args or {}).get("site")
    if site is None:
        return response
    response.vary.add("Origin")
    if "Origin" not in request.headers:
        return response
    service = current_app.extensions["consent"]
    try:
        published = service.ledger.published(site)
    except ConsentError:
        return response
    return set_cors_headers(response, service.cors.options(published))
