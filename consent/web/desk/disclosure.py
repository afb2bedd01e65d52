"""Everything that is known about one subject, for the person who asks (GDPR, articles 15 and 20)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from consent import banner
from consent.ledger import Ledger
from consent.model import Filter, Receipt
from consent.receipts import read
from consent.times import rfc3339
from consent.web.desk import telling

ABOUT = (
    "Everything that this service keeps about the browser known by the random number `subject`. No name, no address, "
    "no IP address, no device and no page is kept. Each receipt is a signed statement (JWS, RFC 7515), `claims` what it "
    "says, `notices` the words that were shown."
)


def disclosure(ledger: Ledger, site: str, subject: str, *, retention_days: int) -> dict[str, Any]:
    """What is known, as plain data; `retention_days` where the site's policy names none."""
    newest = ledger.published(site)
    receipts, notices = [], {}
    for entry in ledger.entries(site, Filter(subject=subject)):
        claims = read(entry.token or "")[1]
        name, words = _notice(ledger, msgspec.json.decode(claims, type=Receipt))
        notices[name] = words
        said: dict[str, Any] = {"index": entry.index, "recorded_at": rfc3339(entry.recorded_at), "notice": name}
        receipts.append(said | {"receipt": entry.token, "claims": msgspec.Raw(claims), "leaf": entry.leaf.hex()})
    return {
        "about": ABOUT,
        "site": site,
        "name": newest.name,
        "controller": newest.controller,
        "subject": subject,
        "made_at": rfc3339(ledger.now()),
        "kept_for": f"{ledger.retention(site, retention_days)} days after the last choice",
        "state": ledger.state(site, subject),
        "receipts": receipts,
        "notices": notices,
        "keys": f"{ledger.issuer}/.well-known/jwks.json",
    }


def _notice(ledger: Ledger, receipt: Receipt) -> tuple[str, dict[str, Any]]:
    """What was shown for a receipt: a name that says which, and the words."""
    consent = receipt.consent
    asked = ledger.published(receipt.aud, consent.policy)
    words = banner.words(asked, consent.language, consent.regime)
    shown = {name: words[name] for name in ("title", "body", "accept", "reject", "preferences")}
    categories = telling.answers(asked, consent, consent.language)
    return f"{consent.policy}/{consent.language}/{consent.regime}", shown | {"categories": _purposes(categories)}


def _purposes(asked: Iterable[telling.Answer]) -> list[dict[str, Any]]:
    """Categories or services as they were described."""
    said = [(one, _purposes(one.services)) for one in asked]
    return [
        {"name": one.name, "purpose": one.purpose}
        | ({"provider": one.provider} if one.provider else {})
        | ({"services": services} if services else {})
        for one, services in said
    ]
