"""The address of the trail for administrators: what was done at the desk, with tokens, on the command line and by schedule."""

from flask import Blueprint, Response

from consent.errors import Forbidden
from consent.web.admin_api import GUARDED, needs
from consent.web.operations import Answer, operation
from consent.web.service import bearer, service, token_holder
from consent.web.streaming import trail

blueprint = Blueprint("trail", __name__, url_prefix="/api")


@blueprint.get("/trail")
@operation(
    "What administrators did, as a file",
    {200: Answer("ndjson: one JSON object a line, with the signed statements", "application/x-ndjson")},
    problems=GUARDED,
    role="auditor",
)
@needs("auditor")
def export_trail() -> Response:
    if bearer().site is not None:
        raise Forbidden("The token is for one site only; the trail needs a token for the whole installation.")
    headers = {"Content-Disposition": 'attachment; filename="trail.ndjson"'}
    return Response(trail(service().settings, "ndjson", token_holder()), 200, headers, "application/x-ndjson")
