"""The log as files: one generator a format and the FORMATS table that CLI, API and docs read.

Oldest first, streamed; columns and fields as the contract's section 3 says.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from consent import receipts
from consent.errors import NotRenderable
from consent.examination import line_of
from consent.ledger import Ledger
from consent.model import Entry, Filter, Published, Receipt
from consent.renderings import RENDERINGS
from consent.times import rfc3339

HEAD = ("index", "id", "recorded_at", "subject", "policy", "language", "regime", "country", "action", "surface")
TAIL = ("services", "gpc", "valid_until", "previous", "receipt")


class Format(msgspec.Struct, frozen=True):
    """An export format; `rows` turns entries, and the policies they rest on, into pieces of the file."""

    media_type: str
    rows: Callable[[Iterable[Entry], list[Published]], Iterator[bytes]]
    help: str


def export(ledger: Ledger, site: str, format: str, filter: Filter) -> Iterator[bytes]:
    """A site's log as pieces of a file. Raises UnknownSite before the first piece."""
    return FORMATS[format].rows(ledger.entries(site, filter), ledger.versions(site))


def ndjson(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
    """One JSON object a line: index, leaf (hex), receipt (the JWS), claims; an erased entry keeps index and leaf."""
    for entry in entries:
        claims = receipts.read(entry.token)[1] if entry.token is not None else b""
        yield line_of(entry.index, entry.leaf.hex(), entry.token, claims)


def csv_rows(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
    """RFC 4180 with a header; a category's column says granted, refused or necessary, nothing if it was not asked."""
    categories = _categories(versions)
    yield _line([*HEAD, *categories, *TAIL])
    for entry in entries:
        if entry.kind == "receipt" and entry.token is not None:
            yield _line(_row(entry, receipts.receipt(entry.token), categories))


def rendered(format: str) -> Callable[[Iterable[Entry], list[Published]], Iterator[bytes]]:
    """One JSON object a line: each receipt in another standard's words, or why it cannot be said in them."""

    def rows(entries: Iterable[Entry], versions: list[Published]) -> Iterator[bytes]:
        asked = {version.version: version for version in versions}
        for entry in entries:
            if entry.kind == "receipt" and entry.token is not None:
                yield msgspec.json.encode(_said(entry.token, asked, format)) + b"\n"

    return rows


FORMATS = {
    "csv": Format("text/csv", csv_rows, "one row a receipt, for spreadsheets"),
    "ndjson": Format("application/x-ndjson", ndjson, "one JSON object a line, with the signed receipts"),
    "iso27560": Format(
        "application/x-ndjson", rendered("iso27560"), "ISO/IEC TS 27560 in DPV terms, one JSON-LD object a line"
    ),
    "kantara": Format(
        "application/x-ndjson", rendered("kantara"), "Kantara Consent Receipt 1.1, one JSON object a line"
    ),
}


def _said(token: str, asked: dict[int, Published], format: str) -> dict[str, Any]:
    receipt = receipts.receipt(token)
    try:
        return RENDERINGS[format](receipt, asked[receipt.consent.policy], token)
    except NotRenderable as error:
        return {"receipt_id": receipt.jti, "subject": receipt.sub, "not_rendered": str(error), "receipt": token}


def _categories(versions: list[Published]) -> list[str]:
    """Every category any version of the policy had, in order of first appearance."""
    return list(dict.fromkeys(category.id for version in versions for category in version.categories))


def _row(entry: Entry, receipt: Receipt, categories: list[str]) -> list[str]:
    consent = receipt.consent
    answers = dict.fromkeys(consent.necessary, "necessary")
    answers |= {id: "granted" if granted else "refused" for id, granted in consent.grants.items()}
    services = [f"{id}={'granted' if granted else 'refused'}" for id, granted in consent.services.items()]
    gpc = consent.signals.get("gpc")
    return [
        str(entry.index),
        receipt.jti,
        rfc3339(receipt.iat) or "",
        receipt.sub,
        str(consent.policy),
        consent.language,
        consent.regime,
        consent.country or "",
        consent.action,
        consent.surface,
        *(answers.get(category, "") for category in categories),
        " ".join(services),
        "" if gpc is None else str(gpc).lower(),
        rfc3339(receipt.exp) or "",
        consent.previous or "",
        entry.token or "",
    ]


def _line(fields: Iterable[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(fields)
    return buffer.getvalue().encode()
