"""Signed statements: JWS in compact form (RFC 7515) with Ed25519 (RFC 8037), made with itsdangerous.

A statement is `base64url(header).base64url(claims).base64url(signature)`; any JOSE library verifies it with the
published key set. No storage, no Flask.
"""

import binascii
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from itsdangerous import Signer
from itsdangerous.signer import SigningAlgorithm

from consent.errors import BadSignature
from consent.model import Entry, Kind, Receipt
from consent.packing import Parts

RECEIPT = "consent-receipt+jwt"
POLICY = "consent-policy+jwt"
ERASURE = "consent-erasure+jwt"
ACT = "consent-act+jwt"
KINDS: dict[str, Kind] = {RECEIPT: "receipt", POLICY: "policy", ERASURE: "erasure", ACT: "act"}
"""The kind of entry a statement makes, by its `typ`."""


FROM_URL = bytes.maketrans(b"-_+/=", b"+/   ")
"""From the alphabet of base64url to that of base64, whose own three signs are none of base64url's (RFC 4648)."""
PADDING = (b"", b"", b"==", b"=")
LAST = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
"""What may stand last where so many signs follow the last four: the bits that mean nothing are zero (section 3.5)."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The protected header: these three members and no other (RFC 7515, section 4.1.11: no unknown `crit`)."""

    alg: str
    kid: str
    typ: str


class PolicyStatement(msgspec.Struct, frozen=True):
    """What the ledger says of a published policy: its version and hash, and the hash of every script made from it."""

    version: int
    policy_hash: str
    script_hash: str
    """Of the script in the policy's first language, for an unknown place."""
    scripts: dict[str, str]
    """`<language>/<regime>` -> hash."""
    material_since: int


class PolicyClaims(msgspec.Struct, frozen=True):
    """Claims of a `consent-policy+jwt`; times in seconds since the epoch."""

    iss: str
    aud: str
    jti: str
    iat: int
    policy: PolicyStatement


class ErasureStatement(msgspec.Struct, frozen=True):
    """Which entries were emptied, and why."""

    indexes: list[int]
    reason: str


class ErasureClaims(msgspec.Struct, frozen=True):
    """Claims of a `consent-erasure+jwt`; times in seconds since the epoch."""

    iss: str
    aud: str
    jti: str
    iat: int
    erasure: ErasureStatement


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an administrator did: who, what, to which site, what was there before and after."""

    who: str
    what: str
    site: str | None = None
    before: Any = None
    after: Any = None


class ActClaims(msgspec.Struct, frozen=True):
    """Claims of a `consent-act+jwt`; times in seconds since the epoch."""

    iss: str
    aud: str
    jti: str
    iat: int
    act: Act


class Key(msgspec.Struct, frozen=True):
    """A key pair; `kid` is its RFC 7638 thumbprint, keys are 32 raw bytes, `created_at` seconds since the epoch."""

    kid: str
    created_at: int
    public: bytes
    private: bytes


class Ed25519(SigningAlgorithm):
    """EdDSA over curve Ed25519 (RFC 8032) for itsdangerous; keys are their 32 raw bytes."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return raw_signature(value, key)

    def verify_signature(self, key: bytes, value: bytes, sig: bytes) -> bool:
        return signature_holds(sig, value, key)


def raw_signature(value: bytes, private: bytes) -> bytes:
    """The Ed25519 signature (64 bytes) over any bytes, by a raw private key."""
    return _private(private).sign(value)


def signature_holds(signature: bytes, value: bytes, public: bytes) -> bool:
    """Whether an Ed25519 signature fits bytes and a raw public key."""
    try:
        _public(public).verify(signature, value)
    except InvalidSignature:
        return False
    return True


def sign(claims: msgspec.Struct, key: Key, *, typ: str) -> str:
    """A statement over claims, signed with one key."""
    value = f"{_header(key.kid, typ)}.{_encode(msgspec.json.encode(claims))}"
    return _signer(key.private).sign(value).decode()


def verify(token: str, keys: dict[str, bytes], parts: Parts | None = None) -> tuple[Header, bytes]:
    """The header and the claims (JSON bytes) of a statement whose signature holds.

    `keys` maps key ids to raw public keys; `parts` are those it was put together from. Raises BadSignature.
    """
    header, claims, signature = _joined(parts) if parts else _parts(token)
    if header.alg != "EdDSA" or header.typ not in KINDS:
        raise BadSignature(f"The statement says alg {header.alg!r} and typ {header.typ!r}; that is not one of ours.")
    if header.kid not in keys:
        raise BadSignature(f"The statement is signed with key {header.kid!r}, which is not in the key set.")
    if not signature_holds(signature, token[: token.rindex(".")].encode(), keys[header.kid]):
        raise BadSignature("The signature does not fit the statement: it was changed, or signed by somebody else.")
    return header, claims


def read(token: str) -> tuple[Header, bytes]:
    """The header and the claims (JSON bytes) of a statement, its signature not looked at. Raises BadSignature."""
    return _parts(token)[:2]


def claims(entry: Entry) -> bytes:
    """The claims (JSON bytes) of an entry's statement, which it must have. Raises BadSignature."""
    return entry.parts[1] if entry.parts else read(entry.token or "")[1]


def receipt(token: str) -> Receipt:
    """The claims of one of our own stored receipts."""
    return _RECEIPT.decode(_decode(token.split(".", 2)[1]))


def jwk(public: bytes, kid: str) -> dict[str, str]:
    """A public key as a JWK (RFC 8037, section 2)."""
    return {"kty": "OKP", "crv": "Ed25519", "x": _encode(public), "kid": kid, "use": "sig", "alg": "EdDSA"}


def keys_of(jwks: Any) -> dict[str, bytes]:
    """Key ids and raw public keys of a JWK set (RFC 7517, section 5). Raises BadSignature if it is none."""
    try:
        listed = [(key["kid"], _decode(key["x"])) for key in jwks["keys"] if key.get("crv") == "Ed25519"]
        found = dict(listed)
    except (TypeError, KeyError, ValueError, AttributeError):
        raise BadSignature("This is not a JWK set with Ed25519 keys.") from None
    if not found or any(len(key) != 32 for key in found.values()) or not all(isinstance(kid, str) for kid in found):
        raise BadSignature("The JWK set has no Ed25519 key, or one that has not 32 bytes.")
    if len(found) != len(listed):
        raise BadSignature("The JWK set names two keys alike.")
    return found


def read_keys(text: bytes) -> dict[str, bytes]:
    """The keys of a JWK set as JSON. Raises BadSignature if it is none."""
    try:
        return keys_of(msgspec.json.decode(text))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BadSignature("This is not a JWK set with Ed25519 keys.") from None


_RECEIPT = msgspec.json.Decoder(Receipt)


def _parts(token: str) -> tuple[Header, bytes, bytes]:
    """Header, claims and signature of a statement. Raises BadSignature."""
    try:
        header, claims, signature = token.split(".")
        decoded = _header_in(header), _decode(claims), _decode(signature)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise BadSignature("This is not a signed statement in compact form.") from None
    if len(decoded[2]) != 64:
        raise BadSignature("The signature does not have 64 bytes.")
    return decoded


def _joined(parts: Parts) -> tuple[Header, bytes, bytes]:
    """The same of parts. Raises BadSignature."""
    header, claims, signature = parts
    try:
        return _header_in(header.decode()), claims, signature
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise BadSignature("This is not a signed statement in compact form.") from None


@lru_cache(maxsize=64)
def _header_in(text: str) -> Header:
    return msgspec.json.decode(_decode(text), type=Header)


@lru_cache(maxsize=64)
def _header(kid: str, typ: str) -> str:
    return _encode(msgspec.json.encode(Header("EdDSA", kid, typ)))


@lru_cache(maxsize=64)
def _signer(key: bytes) -> Signer:
    return Signer(key, sep=b".", key_derivation="none", algorithm=Ed25519())


@lru_cache(maxsize=64)
def _private(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


@lru_cache(maxsize=64)
def _public(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Strict base64url: one spelling per value, so that no second token says the same."""
    given = text.encode("ascii").translate(FROM_URL)
    rest = len(given) % 4
    if rest and given[-1] not in LAST[rest]:
        raise ValueError("not base64url")
    return binascii.a2b_base64(given + PADDING[rest], strict_mode=True)
