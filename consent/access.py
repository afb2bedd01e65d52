"""API tokens and roles: who may do what.

A token is `consent_<id>_<secret>`, shown once; only the SHA-256 of its 256-bit secret is kept. Pure.
"""

import hashlib
import hmac
import secrets

from consent.errors import Forbidden, Unauthorized
from consent.model import Role, Token

RANK: dict[Role, int] = {"auditor": 1, "editor": 2, "owner": 3}


def issue(*, role: Role, site: str | None, name: str, now: int, expires_at: int | None = None) -> tuple[Token, str]:
    """A new token as stored, and the text to hand out."""
    id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = Token(id, _hash(secret), role, site, name, now, expires_at)
    return token, f"consent_{id}_{secret}"


def token_id(text: str) -> str:
    """The id inside a token's text. Raises Unauthorized if it is none."""
    prefix, _, rest = text.partition("_")
    id, _, secret = rest.partition("_")
    if prefix != "consent" or not id.isalnum() or not secret or not text.isascii():
        raise Unauthorized(
            "The Authorization header must be `Bearer consent_…`; make a token with `consent token create`."
        )
    return id


def check(token: Token | None, text: str, *, now: int) -> Token:
    """The stored token if the text is really it and it is in force. Raises Unauthorized."""
    secret = text.split("_", 2)[2]
    known = token.hash if token else b"\0" * 32
    if not hmac.compare_digest(_hash(secret), known) or token is None:
        raise Unauthorized("This token is not known here.")
    if token.revoked_at is not None:
        raise Unauthorized("This token was revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise Unauthorized("This token has expired.")
    return token


def allow(token: Token, role: Role, *, site: str | None) -> None:
    """Return if the token may act in this role on this site (None: on the whole installation). Raises Forbidden."""
    if RANK[token.role] < RANK[role]:
        raise Forbidden(f"This needs the role {role}; the token has {token.role}.")
    if token.site is not None and token.site != site:
        raise Forbidden(f"The token is for site {token.site!r} only.")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
