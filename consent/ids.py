"""Ids: those that the service itself makes, and those that open what is found under them."""

import hmac
import secrets
from uuid import UUID


def uuid7(now: float) -> str:
    """A time-ordered UUID, version 7 (RFC 9562, section 5.7); `now` is in seconds since the epoch."""
    value = (int(now * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def same(found: str | None, asked: str) -> bool:
    """Whether what was found is what was asked for, in a time that does not depend on where they differ.

    An index finds it first; this holds too where the index is damaged and leads to somebody else's entry.
    """
    return hmac.compare_digest((found or "").encode(), asked.encode())
