"""What every answer has in common: problem+json (RFC 9457), JSON, security headers, quiet logs."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from consent import errors
from consent.errors import ConsentError
from consent.web.watch import ROUTE

log = logging.getLogger("consent")

PROBLEM = "application/problem+json"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Frame-Options": "DENY",
}
"""Of every answer that does not say otherwise: what no view thought about is kept by nobody and can do nothing."""
BY_STATUS = {
    400: errors.Malformed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedType,
}


class FieldError(msgspec.Struct, frozen=True):
    """One mistake of a document."""

    path: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The one shape of every refusal (RFC 9457, section 3.1)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer that no cache keeps unless `headers` says otherwise."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def text(value: str, headers: dict[str, str] | None = None) -> Response:
    """A plain text answer that no cache keeps unless `headers` says otherwise."""
    return Response(value, 200, headers, "text/plain; charset=utf-8")


def problem(error: ConsentError) -> Response:
    """The answer to something refused."""
    current_app.extensions["consent"].counts.refused(error)
    base = current_app.extensions["consent"].settings.public_url
    fields = [FieldError(path, message) for path, message in error.mistakes]
    body = Problem(f"{base}/docs#{error.code}", error.title, error.status, _detail(error), fields)
    response = Response(msgspec.json.encode(body), error.status, mimetype=PROBLEM)
    if retry_after := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _detail(error: ConsentError) -> str:
    """What the caller is told: of the installation's own troubles, which may name files, not more than their title."""
    is_ours = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, errors.NotInstalled)
    return f"{error.title}; the service's log says more." if is_ours else str(error)


def register(app: Flask) -> None:
    """Answer every error in one shape and put the security headers on every answer."""
    app.before_request(_refused_already)
    app.register_error_handler(ConsentError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)
    app.after_request(_secure)


def _refused_already() -> None:
    """Raise what the short way in front of Flask met (quick.Quick)."""
    if error := request.environ.get("consent.refused"):
        raise error


def _refused(error: ConsentError) -> Response:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s: %s", request.endpoint, error)
    return problem(error)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    known = BY_STATUS.get(status, ConsentError)
    refused = known(_sentence(error, status))
    refused.status = status
    response = problem(refused)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _sentence(error: HTTPException, status: int) -> str:
    sentences = {
        404: "There is nothing at this address; see /docs for what there is.",
        405: f"{request.method} is not taken at this address.",
        413: "The body is larger than this address takes.",
    }
    return sentences.get(status, error.description or HTTPStatus(status).phrase)


def _broken(error: Exception) -> Response:
    """A fault of ours: the log gets the trace, the caller one sentence."""
    log.error("%s failed", request.endpoint, exc_info=error)
    return problem(ConsentError("This is a fault of the service; its log says more."))


def _secure(response: Response) -> Response:
    request.environ[ROUTE] = request.url_rule.rule if request.url_rule else "other"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.extensions["consent"].settings.public_url.startswith("https:"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
