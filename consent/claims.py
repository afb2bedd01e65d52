"""What the statements of the ledger say: the claims of receipts and of published policies; pure."""

import msgspec

from consent.fields import ONCE
from consent.merkle import leaf_hash
from consent.model import Choice, Consent, Entry, Heard, Place, Published, Receipt, Script
from consent.packing import pack
from consent.policy import named
from consent.receipts import (
    ACT,
    ERASURE,
    KINDS,
    POLICY,
    RECEIPT,
    ActClaims,
    ErasureClaims,
    Key,
    PolicyClaims,
    PolicyStatement,
    sign,
)
from consent.state import holds
from consent.times import rfc3339

NO_ID = "01900000-0000-7000-8000-000000000000"
NO_TIME = "2026-01-01T00:00:00Z"
"""What stands in a shape for an id and a time."""


def receipt_claims(
    choice: Choice,
    asked: Published,
    place: Place,
    *,
    issuer: str,
    now: int,
    hashes: tuple[bytes, bytes | None],
    previous: str | None,
) -> Receipt:
    """The receipt of a choice (contract, section 2).

    `hashes` are those of the policy's canonical bytes and of the script, None where no script was ever made for it.
    """
    policy_hash, script_hash = hashes
    consent = Consent(
        policy=choice.policy,
        policy_hash=named(policy_hash),
        script_hash=named(script_hash) if script_hash else None,
        language=choice.language,
        regime=place.regime,
        regime_basis=place.basis,
        country=place.country,
        action=choice.action,
        surface=choice.surface,
        grants=choice.grants,
        services=choice.services,
        necessary=[category.id for category in asked.categories if category.necessary],
        signals=_heard(choice.signals),
        decided_at=_claimed(choice),
        previous=previous,
    )
    granted = any((choice.grants | choice.services).values())
    lasts = 0 if choice.action == ONCE else holds(asked, grants=granted)
    return Receipt(issuer, asked.site, choice.subject, choice.id, now, now + lasts, consent)


def policy_claims(
    issuer: str, published: Published, hash: bytes, scripts: list[Script], *, id: str, now: int
) -> PolicyClaims:
    """The ledger's word on a published version and the scripts made from it."""
    statement = PolicyStatement(
        version=published.version,
        policy_hash=named(hash),
        script_hash=named(scripts[0].hash),
        scripts={f"{script.language}/{script.regime}": named(script.hash) for script in scripts},
        material_since=published.material_since,
    )
    return PolicyClaims(issuer, published.site, id, now, statement)


TYPES: dict[type, str] = {Receipt: RECEIPT, PolicyClaims: POLICY, ErasureClaims: ERASURE, ActClaims: ACT}
"""The `typ` that says what claims are."""


def entry_of(
    claims: Receipt | PolicyClaims | ErasureClaims | ActClaims,
    key: Key,
    *,
    subject: str | None = None,
    policy: int | None = None,
    action: str | None = None,
) -> Entry:
    """The ledger's entry of signed claims, with what they can be found by."""
    typ = TYPES[type(claims)]
    token = sign(claims, key, typ=typ)
    leaf = leaf_hash(token.encode())
    shape = shape_of(claims, token) if isinstance(claims, Receipt) else None
    packed = pack(token, shape, (subject or "", claims.jti)) if shape else None
    return Entry(
        claims.aud, KINDS[typ], claims.iat, leaf, token, claims.jti, subject, policy, action, shape=shape, packed=packed
    )


def shape_of(receipt: Receipt, token: str) -> bytes:
    """What a receipt has in common with the others of its policy, language and regime (packing.pack)."""
    consent = msgspec.structs.replace(
        receipt.consent, country=None, action="reject_all", surface="banner", signals={}, services={},
        grants=dict.fromkeys(receipt.consent.grants, False), decided_at=NO_TIME, previous=NO_ID,
    )  # fmt: skip
    blank = msgspec.structs.replace(receipt, sub="A" * 22, jti=NO_ID, iat=0, exp=0, consent=consent)
    return token.partition(".")[0].encode() + b"." + msgspec.json.encode(blank)


def content(receipt: Receipt) -> tuple:
    """What the browser said of a choice, as its receipt keeps it."""
    c = receipt.consent
    said = (c.policy, c.language, c.action, c.surface, c.grants, c.services, c.signals, c.decided_at)
    return (receipt.sub, *said)


def content_of(choice: Choice) -> tuple:
    """The same of a choice that is posted now."""
    said = (choice.policy, choice.language, choice.action, choice.surface, choice.grants, choice.services)
    return (choice.subject, *said, _heard(choice.signals), _claimed(choice))


def _heard(signals: Heard) -> dict[str, bool]:
    return {} if signals.gpc is None else {"gpc": signals.gpc}


def _claimed(choice: Choice) -> str | None:
    return rfc3339(int(choice.decided_at.timestamp())) if choice.decided_at else None
