"""Receipts: searched, newest first."""

from typing import Any

from flask import Response, redirect, url_for

from consent import search
from consent.errors import BadQuery, Unavailable, UnknownReceipt
from consent.fields import ReceiptId
from consent.model import Entry, Receipt
from consent.web.desk import asking, telling
from consent.web.desk.frame import blueprint, needs, page
from consent.web.desk.words import say
from consent.web.desk.written import day
from consent.web.service import service, shaped

PAGE = 50


@blueprint.get("/sites/<site>/receipts", endpoint="receipts")
@needs("auditor")
def show_receipts(site: str) -> Any:
    """A page of what is searched for; a receipt's id leads to its page."""
    asked, rows = asking.typed(), service().ledger.storage.reading()
    shown: dict[str, Any] = {
        "asked": asked,
        "actions": telling.ACTIONS,
        "newest": service().ledger.published(site).version,
    }
    try:
        named = asking.named(asked["q"])
        if named.receipt:
            return _to_receipt(site, named.receipt)
        filter = asking.filter_of(asked, subject=named.subject)
        found = search.newest(rows, site, filter, before=asking.before(), limit=PAGE)
    except (BadQuery, UnknownReceipt) as error:
        return page("receipts", error.status, error=error, found=None, **shown)
    lines = [(entry, telling.receipt_in(entry)) for entry in found.entries]
    ended = _ended(site, filter.policy, shown["newest"]) if found.looked_to else ""
    return page("receipts", error=None, found=found, lines=lines, granted=telling.granted, ended=ended, **shown)


def known(site: str, id: str) -> Entry:
    """The entry of a receipt. Raises UnknownReceipt."""
    entry = service().ledger.storage.reading().entry(site, id)
    if entry is None or entry.kind != "receipt" or entry.token is None:
        raise UnknownReceipt(say("There is no receipt with this id on this site. If there was one, it is erased."))
    return entry


def readable(site: str, id: str) -> tuple[Entry, Receipt]:
    """A receipt's entry, and what it says. Raises UnknownReceipt or Unavailable."""
    entry = known(site, shaped(id, ReceiptId))
    receipt = telling.receipt_in(entry)
    if receipt is None:
        raise Unavailable(say("This receipt cannot be read any more: run `consent verify {site}`.", site=site))
    return entry, receipt


def _ended(site: str, version: int | None, newest: int) -> str:
    """The day on which another policy version came after this one; empty where none did."""
    if version is None or not 0 < version < newest:
        return ""
    return day(service().ledger.storage.reading().publication(site, version + 1).published_at)


def _to_receipt(site: str, id: str) -> Response:
    known(site, id)
    return redirect(url_for("desk.receipt", site=site, id=id), 303)  # type: ignore[return-value]
