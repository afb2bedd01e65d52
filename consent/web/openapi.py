"""The OpenAPI 3.1 document, made from the addresses, their descriptions and the types that validate."""

import re
from typing import Annotated, Any, Literal

import msgspec
from flask import Flask
from werkzeug.routing import Rule

import consent
from consent.errors import ConsentError, MethodNotAllowed, TooLarge
from consent.export import FORMATS
from consent.model import Action, Language, ReceiptId, SiteId, SubjectId, Version
from consent.web.operations import Answer, Operation
from consent.web.responses import PROBLEM, Problem

REF = "#/components/schemas/{name}"
PARAMETERS: dict[str, Any] = {
    "site": SiteId,
    "subject": SubjectId,
    "id": ReceiptId,
    "version": Version,
    "policy": Version,
    "action": Action,
    "lang": Language,
    "limit": Annotated[int, msgspec.Meta(ge=1, le=1000)],
    "material": bool,
    "format": Literal[tuple(FORMATS)],
    "entries": Literal["all"],
}
"""The types of path and query parameters; the others are plain text."""


def document(app: Flask, *, server: str) -> dict[str, Any]:
    """The document of every described address."""
    operations = described(app)
    types = {type_ for _, _, op in operations for type_ in _types(op)} | {Problem}
    ordered = sorted(types, key=lambda type_: type_.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=REF)
    refs = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Any] = {}
    for rule, method, op in operations:
        paths.setdefault(path_of(rule), {})[method.lower()] = _operation(rule, op, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "consent", "version": consent.__version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def described(app: Flask) -> list[tuple[Rule, str, Operation]]:
    """Every address with its method and description, in order of registration."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if hasattr(view, "operation"):
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            found += [(rule, method, view.operation) for method in methods]
    return found


def path_of(rule: Rule) -> str:
    """A rule as OpenAPI writes it: `/sites/{site}`."""
    return re.sub(r"<(?:[a-z]+:)?([a-z]+)>", r"{\1}", rule.rule)


def _types(op: Operation) -> list[type]:
    bodies = [op.body, *(answer.body for answer in op.answers.values())]
    return [body for body in bodies if body is not None]


def _operation(rule: Rule, op: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    path = [{"name": name, "in": "path", "required": True, "schema": _schema(name)} for name in sorted(rule.arguments)]
    query = [
        {"name": name, "in": "query", "description": text, "schema": _schema(name)} for name, text in op.query.items()
    ]
    described: dict[str, Any] = {
        "summary": op.summary,
        "operationId": rule.endpoint.replace(".", "_"),
        "parameters": path + query,
        "responses": {str(status): _answer(answer, refs) for status, answer in op.answers.items()}
        | _problems(op, refs),
    }
    if op.body is not None:
        content = {media_type: {"schema": refs[op.body]} for media_type in op.media_types}
        described["requestBody"] = {"required": True, "content": content}
    if op.role is not None:
        described["security"] = [{"token": []}]
        described["description"] = f"Needs a token with the role {op.role} or above."
    return described


def _schema(parameter: str) -> dict[str, Any]:
    """The shape of a parameter, from the type that checks it."""
    return msgspec.json.schema(PARAMETERS.get(parameter, str))


def _answer(answer: Answer, refs: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.description}
    if answer.media_type:
        schema = {"schema": refs[answer.body]} if answer.body else {}
        found["content"] = {media_type.strip(): schema for media_type in answer.media_type.split(",")}
    return found


def _problems(op: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    """One answer a status; several errors of the same status are named together."""
    by_status: dict[int, list[type[ConsentError]]] = {}
    always: tuple[type[ConsentError], ...] = (MethodNotAllowed, ConsentError)
    with_body: tuple[type[ConsentError], ...] = (TooLarge,) if op.body is not None else ()
    for error in dict.fromkeys((*op.problems, *with_body, *always)):
        by_status.setdefault(error.status, []).append(error)
    return {
        str(status): {
            "description": "; ".join(f"{error.title} ({error.code})" for error in errors),
            "content": {PROBLEM: {"schema": refs[Problem]}},
        }
        for status, errors in sorted(by_status.items())
    }
