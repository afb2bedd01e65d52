"""Statements on the disk: their signature as it is, their claims compressed against what they have in common; pure.

Its rule: what comes out is what went in, byte for byte, or it is kept as it is.
"""

import binascii
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from functools import lru_cache

Parts = tuple[bytes, bytes, bytes]
"""A statement's header in base64url, its claims as JSON, and its signature."""
WINDOW = -12
"""Raw deflate (RFC 1951) with a window of 4 KiB: more than a statement and its shape."""
SIGNATURE = 64
"""Bytes of an Ed25519 signature."""
LONGEST = 1 << 20
"""Bytes of claims that are unpacked; ours have a thousand."""
MARKS = tuple(bytes([mark]) for mark in range(8))
"""What stands for a known text."""
URL = bytes.maketrans(b"+/", b"-_")
"""From the alphabet of base64 to that of base64url (RFC 4648)."""


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
        said = said.replace(text.encode(), MARKS[mark], 1)
    packed = signed + deflate.compress(said) + deflate.flush()
    if theirs != header or len(signed) != SIGNATURE or unpack(packed, shape, known) != token:
        return None
    return packed


def unpack(packed: bytes, shape: bytes, known: Sequence[str] = ()) -> str:
    """The statement that was packed against a shape, with the same texts known. Raises ValueError where none can be."""
    return joined(parts(packed, shape, known))


def joined(parts: Parts) -> str:
    """The statement of its parts."""
    header, claims, signature = parts
    said = binascii.b2a_base64(claims, newline=False).rstrip(b"=")
    signed = binascii.b2a_base64(signature, newline=False).rstrip(b"=")
    whole = b".".join((header, said, signed))  # the few signs are found faster than all are translated
    return whole.replace(b"+", b"-").replace(b"/", b"_").decode("ascii")


def parts(packed: bytes, shape: bytes, known: Sequence[str] = ()) -> Parts:
    """What a statement is put together from. Raises ValueError where it cannot be unpacked."""
    header, fresh = _unpacker(shape)
    try:
        claims = fresh.copy().decompress(packed[SIGNATURE:], LONGEST)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    for mark in range(len(known) - 1, -1, -1):
        claims = claims.replace(MARKS[mark], known[mark].encode(), 1)
    return header, claims, packed[:SIGNATURE]


@lru_cache(maxsize=256)
def _unpacker(shape: bytes) -> tuple[bytes, "zlib._Decompress"]:
    """A shape's header and what unpacks its claims, to be copied: beginning anew costs more than the work itself."""
    header, _, dictionary = shape.partition(b".")
    return header, zlib.decompressobj(WINDOW, zdict=dictionary)


def _decode(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
