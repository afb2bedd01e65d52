"""One receipt: in plain words, checked while it is looked at, printed, taken away."""

import hashlib
import re
from base64 import b64encode

import msgspec
from flask import Response, request

from consent import banner, i18n, receipts
from consent.errors import NotFound, NotRenderable
from consent.fields import ReceiptId
from consent.model import Entry, Filter, Published, Receipt
from consent.renderings import RENDERINGS
from consent.sheet import sheet
from consent.sheet import words as sheet_words
from consent.web.desk import checks, telling, words
from consent.web.desk.designer_preview import without_fetching
from consent.web.desk.frame import blueprint, needs, page
from consent.web.desk.receipts import known, readable
from consent.web.desk.words import say
from consent.web.service import service, shaped

FORMS = {
    "jws": ("jwt", "application/jwt"),
    "claims": ("json", "application/json"),
    "iso27560": ("iso27560.json", "application/ld+json"),
    "kantara": ("kantara.json", "application/json"),
    "proof": ("tlog-proof", "text/plain; charset=utf-8"),
}
"""What can be taken away: how the file's name ends, and its type."""
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@blueprint.get("/sites/<site>/receipts/<id>", endpoint="receipt")
@needs("auditor")
def show_receipt(site: str, id: str) -> Response:
    """What was asked, what was answered, whether it holds, and the choices before and after it."""
    entry, receipt = readable(site, id)
    ledger, consent = service().ledger, receipt.consent
    asked = ledger.published(site, consent.policy)
    shown = checks.shown_banner(receipt)
    unsaid = {form: telling.unsaid(form, receipt, asked, entry.token or "") for form in RENDERINGS}
    rows, same = ledger.storage.reading(), Filter(subject=entry.subject)
    return page(
        "receipt",
        here="desk.receipts",
        entry=entry,
        receipt=receipt,
        consent=consent,
        told=telling,
        asked=asked,
        answers=telling.answers(asked, consent, words.language()),
        layers=telling.answers(asked, consent, consent.language),
        notice=banner.words(asked, consent.language, consent.regime),
        tongue=i18n.locale(consent.language),
        checks=[
            checks.signature(entry),
            checks.asked_words(receipt),
            shown,
            checks.place(entry),
        ],
        earlier=_first(rows.newest(site, same, before=entry.index, limit=1)),
        later=_first(rows.entries(site, same, after=entry.index, limit=1)),
        forms=FORMS,
        is_drawn_anew=not shown.holds or without_fetching(asked.appearance) is not asked.appearance,
        unsaid=unsaid,
        refusals={form: _refusal(asked, missing) for form, missing in unsaid.items()},
        tongues={one: i18n.locale(one).name for one in sorted(sheet_words())},
    )


@blueprint.get("/sites/<site>/receipts/<id>/sheet", endpoint="sheet")
@needs("auditor")
def show_sheet(site: str, id: str) -> Response:
    """The page to print, in the language asked for or the reader's."""
    known(site, shaped(id, ReceiptId))
    text = sheet(service().ledger, site, id, language=request.args.get("lang", words.language()))
    style = STYLE.search(text)
    hash = b64encode(hashlib.sha256(style[1].encode()).digest()).decode() if style else ""
    rule = f"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return Response(text, 200, {"Content-Security-Policy": rule})


@blueprint.get("/sites/<site>/receipts/<id>/<form>")
@needs("auditor")
def receipt_file(site: str, id: str, form: str) -> Response:
    """A receipt in one of FORMS; a refusal is a page that says why."""
    entry = known(site, shaped(id, ReceiptId))
    if form not in FORMS:
        raise NotFound(say("There is no such page."))
    ending, media_type = FORMS[form]
    headers = {"Content-Disposition": f'attachment; filename="receipt-{id}.{ending}"'}
    return Response(_form(entry, form), 200, headers, content_type=media_type)


def _form(entry: Entry, form: str) -> bytes:
    token, id, ledger = entry.token or "", entry.id or "", service().ledger
    if form == "jws":
        return token.encode()
    if form == "claims":
        return msgspec.json.format(receipts.read(token)[1])
    if form == "proof":
        return checks.proof_of(entry)
    receipt = receipts.receipt(token)
    asked = ledger.published(entry.site, receipt.consent.policy)
    if refusal := _refusal(asked, telling.unsaid(form, receipt, asked, token)):
        raise NotRenderable(refusal)
    return msgspec.json.format(msgspec.json.encode(ledger.rendered(entry.site, id, form)))


def _refusal(asked: Published, missing: list[str] | None) -> str:
    """Why a receipt cannot be said in another standard's words (telling.unsaid); empty where it can."""
    if missing is None:
        return ""
    if not missing:
        return say("Nothing was granted, and a Kantara receipt can only say what was: take ISO/IEC TS 27560.")
    return say(
        "Policy version {version} does not say what it needs: {missing}.",
        version=asked.version,
        missing=", ".join(missing),
    )


def _first(found: list[Entry]) -> tuple[Entry, Receipt | None] | None:
    """The first of what was found with its claims, if there is any."""
    return (found[0], telling.receipt_in(found[0])) if found else None
