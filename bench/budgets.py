"""Every budget of the server's side, once: what is limited, by how much, and which program measures it.

The page's own stand in `bench.page`, the script's bytes in `bench.size`: they are no part of this table.
"""

from typing import NamedTuple

FULL = 5_000_000
"""Receipts of the log for which some budgets are said."""
TOLD = 0.1
"""What is missed by less than this part is told to a tenth of a percent."""


class Budget(NamedTuple):
    """A limit of one figure: the most that it may be, or the least."""

    what: str
    limit: float
    unit: str
    program: str
    """The module that measures it, without `bench.`."""
    least: bool = False
    stretch: float | None = None
    """The limit that is hoped for."""
    receipts: int = 0
    """How many receipts there have to be; 0 where that is not said."""

    def over(self, figure: float, limit: float | None = None) -> float:
        """By what part of the limit a figure is on its wrong side; negative where it is met."""
        part = figure / (limit or self.limit) - 1
        return -part if self.least else part

    def verdict(self, figure: float) -> str:
        """Whether it is met, or by how much it is missed."""
        over = self.over(figure)
        if over > 0:
            return f"{over * 100:.{0 if over >= TOLD else 1}f} % {'below' if self.least else 'above'}"
        return "ok, stretch too" if self.stretch and self.over(figure, self.stretch) <= 0 else "ok"

    def limited(self) -> str:
        """The limit in words."""
        stretch = f" (stretch {self.stretch:,g})" if self.stretch else ""
        return f"{'at least' if self.least else 'at most'} {self.limit:,g} {self.unit}{stretch}"


JUDGED = (16, 64)
"""Connections at which CPU time is judged; it is measured and shown at 1 and 256 as well."""


def _a_request(key: str, what: str, limit: float, program: str, stretch: float | None = None) -> dict[str, Budget]:
    return {
        f"{key} {count}": Budget(f"{what}, {count} connections", limit, "µs CPU", program, stretch=stretch)
        for count in JUDGED
    }


def _export(format: str, rate: float) -> dict[str, Budget]:
    return {
        f"{format} rate": Budget(f"export as {format}", rate, "rows/s", "growth", least=True, receipts=FULL),
        f"{format} peak": Budget(f"export as {format}, memory", 100, "MB", "growth", receipts=FULL),
        f"beside {format}": Budget(f"recording while {format} is exported", 0.8, "of its rate", "growth", least=True, receipts=FULL),
    }  # fmt: skip


BUDGETS = {
    **_a_request("recording", "recording a choice", 400, "recording", stretch=260),
    "recording p99": Budget("recording a choice, p99, 64 connections", 100, "ms", "recording"),
    "lone": Budget("a lone request, p50, more than one commit", 2, "ms", "recording"),
    "recording full": Budget("recording into a full log", 0.9, "of an empty one's rate", "growth", least=True, receipts=FULL),
    **_a_request("postgres", "recording on PostgreSQL, service and database", 600, "postgres"),
    "c15t empty": Budget("CPU of c15t's backend, empty store", 6, "times ours", "peer", least=True, stretch=9),
    "c15t stored": Budget("CPU of c15t's backend, 100,000 stored", 25, "times ours", "peer", least=True, stretch=40),
    **_a_request("script", "banner.js in full", 200, "script"),
    **_a_request("unchanged", "banner.js unchanged (304)", 150, "script"),
    **_a_request("state", "state of a subject", 300, "state"),
    "state worst": Budget("state of a subject, p99 of its answer in process", 1, "ms", "growth", receipts=FULL),
    **_export("csv", 100_000),
    **_export("ndjson", 100_000),
    **_export("parquet", 150_000),
    "statistics": Budget("statistics of 90 days, the slowest of the desk's", 5, "ms", "stats", receipts=FULL),
    "purge": Budget("purging a month, recording going on", 10, "s", "purge", receipts=FULL),
    "memory": Budget("two processes and gunicorn's own, resident, shared pages once", 120, "MB", "recording"),
    # Of the records, the statistics and the desk.
    "checkpoint": Budget("checkpoint over 10,000 new entries", 0.5, "s", "ledger"),
    "proof": Budget("inclusion proof", 5, "ms", "ledger"),
    "opening": Budget("opening, more than an empty log", 1, "s", "ledger"),
    "bytes": Budget("disk", 400, "bytes a receipt", "ledger"),
    "verify": Budget("verifying a log", 0.8, "of the Ed25519 checks", "ledger", least=True),
    "tree": Budget("the tree's part of recording", 5, "%", "ledger"),
    "counting": Budget("counting a receipt", 10, "µs CPU", "stats"),
    "desk time": Budget("the slowest page of the desk", 100, "ms CPU", "desk", receipts=FULL),
    "desk bytes": Budget("the largest page of the desk", 150, "KB", "desk", receipts=FULL),
}  # fmt: skip
"""By the name that a finding gives."""
