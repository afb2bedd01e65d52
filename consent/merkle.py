"""RFC 9162 hashing of a site's ledger; pure."""

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry): RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()
