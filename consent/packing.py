"""Statements on the disk: their signature as it is, their claims compressed against what they have in common; pure.

Its rule: what comes out is what went in, byte for byte, or it is kept as it is.
"""

import binascii
import zlib
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache

WINDOW = -12
"""Raw deflate (RFC 1951) with a window of 4 KiB: more than a statement and its shape."""
SIGNATURE = 64
"""Bytes of an Ed25519 signature."""
PADDING = -2
"""What base64 puts behind 64 bytes, and base64url in a JWS does not (RFC 7515, section 2)."""
TO_URL = bytes.maketrans(b"+/", b"-_")
"""From the alphabet of base64 to that of base64url (RFC 4648)."""
MARKS = (b"\x00", b"\x01")
"""What stands in the claims for each text that is known from elsewhere."""


def pack(token: str, shape: bytes, known: Sequence[str] = ()) -> bytes | None:
    """A statement in few bytes; None where it cannot be made again from them exactly.

    `shape` is the statement's header in base64url, a dot, and claims like the statement's. `known` are texts in the
    claims that are kept elsewhere as well.
    """
    header, _, dictionary = shape.partition(b".")
    try:
        theirs, claims, signature = token.encode("ascii").split(b".")
        said, signed = _decode(claims), _decode(signature)
    except (ValueError, binascii.Error):
        return None
    deflate = zlib.compressobj(9, zlib.DEFLATED, WINDOW, zdict=dictionary)
    for mark, text in zip(MARKS, known, strict=False):
        said = said.replace(text.encode(), mark, 1)
    packed = signed + deflate.compress(said) + deflate.flush()
    if theirs != header or len(signed) != SIGNATURE or unpack(packed, shape, known) != token:
        return None
    return packed


class Unpacker:
    """Unpacks the statements of one shape; made once, for beginning anew costs more than the work itself."""

    def __init__(self, shape: bytes) -> None:
        header, _, dictionary = shape.partition(b".")
        self._header = header + b"."
        self._fresh = zlib.decompressobj(WINDOW, zdict=dictionary)

    def unpack(self, packed: bytes, known: Sequence[str] = ()) -> tuple[str, bytes]:
        """A statement that was packed with the same texts known, and its claims."""
        claims = self._fresh.copy().decompress(packed[SIGNATURE:])
        for mark in range(len(known) - 1, -1, -1):
            claims = claims.replace(MARKS[mark], known[mark].encode(), 1)
        said, signed = b2a_base64(claims, newline=False).rstrip(b"="), b2a_base64(packed[:SIGNATURE], newline=False)
        return (self._header + (said + b"." + signed[:PADDING]).translate(TO_URL)).decode(), claims


@lru_cache(maxsize=256)
def unpacker(shape: bytes) -> Unpacker:
    """What unpacks the statements of a shape."""
    return Unpacker(shape)


def unpack(packed: bytes, shape: bytes, known: Sequence[str] = ()) -> str:
    """The statement that was packed against a shape, with the same texts known."""
    return unpacker(shape).unpack(packed, known)[0]


def _decode(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
