"""Statements on the disk: their signature as it is, their claims compressed against what they have in common; pure.

Its rule: what comes out is what went in, byte for byte, or it is kept as it is.
"""

import binascii
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Sequence

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
    return f"{header.decode()}.{_encode(claims)}.{_encode(signature)}"


def parts(packed: bytes, shape: bytes, known: Sequence[str] = ()) -> Parts:
    """What a statement is put together from. Raises ValueError where it cannot be unpacked."""
    header, _, dictionary = shape.partition(b".")
    try:
        claims = zlib.decompressobj(WINDOW, zdict=dictionary).decompress(packed[SIGNATURE:], LONGEST)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    for mark in range(len(known) - 1, -1, -1):
        claims = claims.replace(MARKS[mark], known[mark].encode(), 1)
    return header, claims, packed[:SIGNATURE]


def _decode(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(URL, b"=").decode()
