"""The log as files: one generator a format and the FORMATS table that CLI, API and docs read.

Oldest first, streamed, of one snapshot of the log; columns and fields as the contract's section 3 says.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from consent import policy, receipts
from consent.columns import HEAD, TAIL, Said, answer, categories, rows
from consent.errors import NotRenderable
from consent.examination import line_of
from consent.extras import need
from consent.ledger import Ledger
from consent.model import Entry, Filter, Published
from consent.parquet import parquet
from consent.renderings import RENDERINGS
from consent.times import rfc3339

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV injection), and what undoes it."""


class Format(msgspec.Struct, frozen=True):
    """An export format; `rows` turns entries, and the policies they rest on, into pieces of the file."""

    media_type: str
    rows: Callable[[Iterable[Entry], list[Published]], Iterator[bytes]]
    help: str
    packed: bool = False
    """Whether the file is compressed by itself."""
    needs: str = ""
    """The package that has to be installed for it."""
    keeps_erased: bool = False
    """Whether an erased entry has its line in it."""

    def holding(self, filter: Filter) -> Filter:
        """The filter, but for entries that have no line in such a file."""
        return msgspec.structs.replace(filter, erased=self.keeps_erased)

    def ready(self) -> None:
        """Raises NotInstalled where that package is missing."""
        if self.needs:
            need(self.needs, what="This format")


def export(ledger: Ledger, site: str, format: str, filter: Filter, *, after: int = -1) -> Iterator[bytes]:
    """A site's log above an index as pieces of a file. Raises UnknownSite before the first piece."""
    ledger.storage.reading().size(site)
    FORMATS[format].ready()
    return _export(ledger, site, FORMATS[format], filter, after)


def _export(ledger: Ledger, site: str, format: Format, filter: Filter, after: int) -> Iterator[bytes]:
    with ledger.storage.snapshot() as now:
        versions = [policy.load(publication.document) for publication in now.publications(site)]
        yield from format.rows(ledger.entries(site, filter, rows=now, after=after), versions)


def ndjson(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
    """One JSON object a line: index, leaf (hex), receipt (the JWS), claims; an erased entry keeps index and leaf."""
    for entry in entries:
        yield line_of(entry.index, entry.leaf.hex(), entry.token, receipts.claims(entry) if entry.token else b"")


def csv_rows(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
    """RFC 4180 with a header; a category's column says granted, refused or necessary, nothing if it was not asked.

    A cell that a spreadsheet might take for a formula begins with an apostrophe (`harmless`).
    """
    asked = categories(versions)
    yield _line([*HEAD, *asked, *TAIL]).encode() + b"\r\n"
    found = rows(entries, lambda said: _line(_cells(said, asked)))
    for index, id, at, subject, said, until, previous, receipt in found:
        sign = "'" if subject[0] == "-" else ""
        line = f"{index},{id},{rfc3339(at)},{sign}{subject},{said},{rfc3339(until)},{previous or ''},{receipt}\r\n"
        yield line.encode()


def rendered(format: str) -> Callable[[Iterable[Entry], list[Published]], Iterator[bytes]]:
    """One JSON object a line: each receipt in another standard's words, or why it cannot be said in them."""

    def lines(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
        asked = {version.version: version for version in versions}
        for entry in entries:
            if entry.kind == "receipt" and entry.token is not None:
                yield msgspec.json.encode(_said(entry.token, asked, format)) + b"\n"

    return lines


FORMATS = {
    "csv": Format("text/csv", csv_rows, "one row a receipt, for spreadsheets"),
    "ndjson": Format(
        "application/x-ndjson", ndjson, "one JSON object a line, with the signed receipts", keeps_erased=True
    ),
    "parquet": Format(
        "application/vnd.apache.parquet",
        parquet,
        "the columns of csv, typed, for data tools (`consent[parquet]`)",
        packed=True,
        needs="pyarrow",
    ),
    "iso27560": Format(
        "application/x-ndjson", rendered("iso27560"), "ISO/IEC TS 27560 in DPV terms, one JSON-LD object a line"
    ),
    "kantara": Format(
        "application/x-ndjson", rendered("kantara"), "Kantara Consent Receipt 1.1, one JSON object a line"
    ),
}


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; the apostrophe in front is undone by taking one away.

    One that begins with an apostrophe gets another, so that what was there comes back whatever it was.
    """
    return f"'{cell}" if cell.startswith(RISKY) else cell


def _said(token: str, asked: dict[int, Published], format: str) -> dict[str, Any]:
    receipt = receipts.receipt(token)
    try:
        return RENDERINGS[format](receipt, asked[receipt.consent.policy], token)
    except NotRenderable as error:
        return {"receipt_id": receipt.jti, "subject": receipt.sub, "not_rendered": str(error), "receipt": token}


def _cells(said: Said, categories: list[str]) -> list[str]:
    """The cells between a row's subject and `valid_until`."""
    services = [f"{id}={answer(granted)}" for id, granted in said.services.items()]
    gpc = said.signals.get("gpc")
    return [
        str(said.policy),
        said.language,
        said.regime,
        said.country or "",
        said.action,
        said.surface,
        *(said.answer(category) or "" for category in categories),
        " ".join(services),
        "" if gpc is None else str(gpc).lower(),
    ]


def _line(cells: list[str]) -> str:
    """Cells as RFC 4180 joins them, without the end of the line."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(map(harmless, cells))
    return buffer.getvalue()[:-2]
