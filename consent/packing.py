"""Statements on the disk: their signature as it is, their claims compressed against what they have in common; pure.

Its rule: what comes out is what went in, byte for byte, or it is kept as it is.
"""

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

WINDOW = -12
"""Raw deflate (RFC 1951) with a window of 4 KiB: more than a statement and its shape."""
SIGNATURE = 64
"""Bytes of an Ed25519 signature."""


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
    for mark, text in enumerate(known):
        said = said.replace(text.encode(), bytes([mark]), 1)
    packed = signed + deflate.compress(said) + deflate.flush()
    if theirs != header or len(signed) != SIGNATURE or unpack(packed, shape, known) != token:
        return None
    return packed


def unpack(packed: bytes, shape: bytes, known: Sequence[str] = ()) -> str:
    """The statement that was packed against a shape, with the same texts known."""
    header, _, dictionary = shape.partition(b".")
    claims = zlib.decompressobj(WINDOW, zdict=dictionary).decompress(packed[SIGNATURE:])
    for mark, text in reversed(tuple(enumerate(known))):
        claims = claims.replace(bytes([mark]), text.encode(), 1)
    return b".".join((header, _encode(claims), _encode(packed[:SIGNATURE]))).decode()


def _decode(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
