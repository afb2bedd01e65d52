"""The banner that a visitor answered, to look at: the stored script itself, in the closed page of the preview."""

from contextlib import suppress

import msgspec
from flask import Response

from consent import banner, policy
from consent.errors import UnknownScript
from consent.model import Receipt
from consent.stored import text_of
from consent.web.desk.designer_preview import closed_page, without_fetching
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
    looks = without_fetching(asked.appearance)
    script = _stored(receipt) if looks is asked.appearance else None
    if script is None:  # the stored policy, as today's code draws it
        asked = msgspec.structs.replace(asked, appearance=looks)
        script = banner.render(asked, language=consent.language, regime=consent.regime)
    return closed_page(
        script,
        lang=consent.language,
        layer="preferences" if consent.surface == "preferences" else "banner",
        gpc=consent.signals.get("gpc", False),
    )


def _stored(receipt: Receipt) -> bytes | None:
    """The script that a receipt names, if it is stored unchanged."""
    with suppress(UnknownScript):
        name = policy.hash_named(receipt.consent.script_hash or "")
        return text_of(service().ledger.script_by_hash(receipt.aud, name))
    return None
