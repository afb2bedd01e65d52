"""Ids that the service itself makes."""

import secrets
from uuid import UUID


def uuid7(now: float) -> str:
    """A time-ordered UUID, version 7 (RFC 9562, section 5.7); `now` is in seconds since the epoch."""
    value = (int(now * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))
