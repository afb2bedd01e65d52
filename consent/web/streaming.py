"""Long answers in constant memory."""

import zlib
from collections.abc import Iterable, Iterator


def gathered(pieces: Iterable[bytes], size: int = 65_536) -> Iterator[bytes]:
    """Small pieces gathered into larger ones, so that a row does not cost a write."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= size:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def zipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """gzip (RFC 1952), streamed."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    for piece in gathered(pieces):
        yield packer.compress(piece)
    yield packer.flush()
