"""The API's own description: /openapi.json and a page to read it by."""

from typing import Any

from flask import Blueprint, Response, current_app, render_template

from consent import errors
from consent.web.openapi import document
from consent.web.operations import Answer, operation
from consent.web.responses import json
from consent.web.service import service

blueprint = Blueprint("docs", __name__)
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@blueprint.get("/openapi.json")
@operation("This description (OpenAPI 3.1)", {200: Answer("the document", "application/json")})
def openapi() -> Response:
    return json(_document(), headers={"Cache-Control": "public, max-age=300"})


@blueprint.get("/docs")
@operation("This description as a page", {200: Answer("a page", "text/html")})
def page() -> Response:
    body = render_template("docs.html", document=_document(), codes=error_codes())
    return Response(body, 200, {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "public, max-age=300"})


@blueprint.get("/docs.css")
@operation("Styles of the pages", {200: Answer("a style sheet", "text/css")})
def styles() -> Response:
    return Response(render_template("page.css"), 200, {"Cache-Control": "public, max-age=300"}, "text/css")


def error_codes() -> list[type[errors.ConsentError]]:
    """Every class of the error tree, by code."""
    return sorted(_tree(errors.ConsentError), key=lambda error: error.code)


def _tree(root: type[errors.ConsentError]) -> list[type[errors.ConsentError]]:
    return [root, *(error for child in root.__subclasses__() for error in _tree(child))]


def _document() -> dict[str, Any]:
    return document(current_app, server=service().settings.public_url)  # type: ignore[arg-type]
