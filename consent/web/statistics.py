"""The address of the statistics for administrators (contract, section 3)."""

from flask import Blueprint, Response, request

from consent import stats
from consent.errors import BadQuery, UnknownSite
from consent.web.admin_api import GUARDED, needs
from consent.web.operations import Answer, operation
from consent.web.responses import json
from consent.web.service import service

blueprint = Blueprint("stats", __name__, url_prefix="/api")


@blueprint.get("/sites/<site>/stats")
@operation(
    "Counts of showings and decisions",
    {200: Answer("the groups", "application/json, text/csv", stats.Stats)},
    query={
        "since": "from this day on (UTC); 30 days before `until` if left out",
        "until": "before this day; up to now if left out",
        "by": f"some of {','.join(stats.BY)}; `day,category` if left out",
        "format": "`json` or `csv`; left out, `Accept` decides",
    },
    problems=(*GUARDED, BadQuery, UnknownSite),
    role="auditor",
)
@needs("auditor")
def show_stats(site: str) -> Response:
    ledger, args = service().ledger, request.args
    period = stats.period(args.get("since"), args.get("until"), now=ledger.now())
    by = stats.fields(args.get("by", "day,category"))
    format = args.get("format") or _accepted()
    if format not in ("json", "csv"):
        raise BadQuery("`format` must be json or csv.")
    found = stats.stats(ledger, site, period, by)
    response = json(found) if format == "json" else _file(site, found)
    response.vary.add("Accept")
    return response


def _accepted() -> str:
    wanted = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    return "csv" if wanted == "text/csv" else "json"


def _file(site: str, found: stats.Stats) -> Response:
    response = Response(b"".join(stats.csv_lines(found)), 200, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{site}-stats.csv"'
    return response
