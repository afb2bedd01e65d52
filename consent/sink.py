"""A file that is given away while it is written, for libraries that want to write into one."""

import io
from collections.abc import Iterator


class Sink(io.RawIOBase):
    """Takes what a writer of files writes and gives it away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def,override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        yield from pieces
