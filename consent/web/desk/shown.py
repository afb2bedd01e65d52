"""The banner that a visitor answered, to look at: the stored script itself, in the closed page of the preview."""

from contextlib import suppress

import msgspec
from flask import Response

from consent import banner, policy
from consent.errors import UnknownScript
from consent.model import Published, Receipt
from consent.stored import text_of
from consent.web.desk.designer_preview import LOGO, closed_page, has_logo_elsewhere
from consent.web.desk.frame import blueprint, needs
from consent.web.desk.receipts import readable
from consent.web.service import service


@blueprint.get("/sites/<site>/receipts/<id>/banner")
@needs("auditor")
def shown_banner(site: str, id: str) -> Response:
    """The banner or the preferences of a receipt, as they were answered, with the signal that the browser gave."""
    _, receipt = readable(site, id)
    consent = receipt.consent
    asked = service().ledger.published(site, consent.policy)
    return closed_page(
        stored_script(asked, receipt) or _drawn_anew(asked, receipt),
        lang=consent.language,
        layer="preferences" if consent.surface == "preferences" else "banner",
        gpc=consent.signals.get("gpc", False),
    )


def stored_script(asked: Published, receipt: Receipt) -> bytes | None:
    """The script that a receipt names, if it is stored unchanged and fetches no logo from the website."""
    name = receipt.consent.script_hash
    if name is None or has_logo_elsewhere(asked.appearance):
        return None
    with suppress(UnknownScript):
        return text_of(service().ledger.script_by_hash(asked.site, policy.hash_named(name)))
    return None


def _drawn_anew(asked: Published, receipt: Receipt) -> bytes:
    """The stored policy as today's code draws it."""
    if has_logo_elsewhere(asked.appearance):
        asked = msgspec.structs.replace(asked, appearance=msgspec.structs.replace(asked.appearance, logo=LOGO))
    return banner.render(asked, language=receipt.consent.language, regime=receipt.consent.regime)
