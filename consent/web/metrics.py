"""Metrics for Prometheus: what all processes counted, and what the ledgers are like at the moment of asking."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from consent.anchors import Anchors
from consent.errors import Forbidden, NotInstalled
from consent.extras import need
from consent.storage.base import Rows
from consent.web.admin_api import GUARDED, needs
from consent.web.counts import BUCKET, BUCKETS, RECORDED, REFUSED, REQUESTS, WAITED, WAITING
from consent.web.operations import Answer, operation
from consent.web.service import bearer, service
from consent.web.tally import Key

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    REQUESTS: ("Requests answered.", ("method", "route", "status")),
    RECORDED: ("Choices made durable; `again` for one that was recorded before.", ("result",)),
    REFUSED: ("Refusals by their error code.", ("reason",)),
}
"""Name -> help and labels."""

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@operation(
    "Metrics for Prometheus",
    {200: Answer("the metrics of all processes of this machine", "text/plain, application/openmetrics-text")},
    problems=(*GUARDED, NotInstalled),
    role="auditor",
)
@needs("auditor")
def metrics() -> Response:
    need("prometheus_client", what="/metrics")
    if bearer().site is not None:
        raise Forbidden("The token is for one site only; metrics need a token for the whole installation.")
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry()
    registry.register(_Collector())  # type: ignore[arg-type]
    encode, media_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), 200, content_type=media_type)


class _Collector:
    """What the library asks for the metrics."""

    def collect(self) -> "Iterable[Metric]":
        totals = service().counts.tally.totals()
        yield from _counted(totals)
        yield from _commits(totals)
        yield from _ledgers()


def _counted(totals: dict[Key, float]) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily

    for name, (help, labels) in COUNTERS.items():
        family = CounterMetricFamily(name, help, labels=labels)
        for (metric, *values), total in totals.items():
            if metric == name:
                family.add_metric(values, total)
        yield family


def _commits(totals: dict[Key, float]) -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

    yield GaugeMetricFamily(WAITING, "Choices that wait for their transaction now.", totals.get((WAITING,), 0.0))
    waited, buckets = 0.0, []
    for bound in (*map(str, BUCKETS), "+Inf"):
        waited += totals.get((BUCKET, bound), 0.0)
        buckets.append((bound, waited))
    help = "How long choices waited until they were durable."
    yield HistogramMetricFamily("consent_commit_seconds", help, buckets, totals.get((WAITED,), 0.0))


def _ledgers() -> "Iterator[Metric]":
    """How far each site's ledger and its checkpoint have come; two or three look-ups by index a site."""
    from prometheus_client.core import GaugeMetricFamily

    of = service()
    anchors = Anchors(of.settings.anchors, of.settings.data / "anchors")
    families = {name: GaugeMetricFamily(name, help, labels=("site",)) for name, help in LEDGERS.items()}
    rows = of.ledger.storage.reading()
    for site in rows.sites():
        for family, value in zip(families.values(), _ledger(rows, site.id, anchors, of.ledger.now()), strict=True):
            family.add_metric((site.id,), value)
    yield from families.values()


LEDGERS = {
    "consent_ledger_entries": "Entries of the ledger, erased ones included.",
    "consent_uncovered_entries": "Entries that no checkpoint covers yet.",
    "consent_checkpoint_age_seconds": "Since the newest checkpoint was made; 0 before the first.",
    "consent_unanchored": "Anchors at which the newest checkpoint is not left yet.",
}
"""Gauges of a site: name -> help."""


def _ledger(rows: Rows, site: str, anchors: Anchors, now: int) -> tuple[float, ...]:
    size, newest = rows.size(site), rows.checkpoint(site)
    if newest is None:
        return size, size, 0, 0
    return size, size - newest.size, now - newest.made_at, anchors.behind(newest)
