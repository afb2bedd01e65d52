"""Downloads on their way: how far each has come, for whoever waits for it at the desk.

Its rule: numbers alone, and a download never breaks off because they cannot be kept.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from consent.errors import ConsentError
from consent.storage.base import DOWNLOAD, Storage

KEPT = 86_400
"""Seconds after which what was last told of a download is forgotten, when the next one begins."""
SILENCE = 300
"""Seconds without a word after which nobody knows: its process was killed, or whoever takes it has paused."""
Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}(?![\s\S])")]
"""What a page calls its download: 128 random bits, in hex."""
Tell = Callable[[int], None]
"""Takes how many rows were read so far, which runs a little ahead of what was given away."""


class Download(msgspec.Struct, frozen=True):
    """One on its way, not heard of any more, whole, or cut short; `at` in seconds since the epoch."""

    rows: int
    of: int
    stage: Literal["coming", "silent", "whole", "cut"]
    at: int


class Downloads:
    """The downloads of an installation, whichever process gives them."""

    def __init__(self, storage: Storage, now: Callable[[], int]) -> None:
        self._storage = storage
        self._now = now

    def find(self, site: str, key: str) -> Download | None:
        """How far a download of a site has come; None where nothing was told of one so called."""
        body = self._storage.reading().document(DOWNLOAD, f"{site} {key}")
        found = msgspec.json.decode(body, type=Download) if body else None
        if found and found.stage == "coming" and self._now() - found.at > SILENCE:
            return msgspec.structs.replace(found, stage="silent")
        return found

    def followed(self, site: str, key: Key, rows: int, *, making: Callable[[Tell], Iterator[bytes]]) -> Iterator[bytes]:
        """The pieces of a download of so many rows; whoever makes them tells how many of those are done."""
        id, done = f"{site} {key}", 0

        def tell(read: int) -> None:
            nonlocal done
            done = min(read, rows)
            self._keep(id, Download(done, rows, "coming", self._now()))

        self._forget()
        tell(0)
        try:
            yield from making(tell)
        except BaseException:  # GeneratorExit too: whoever asked has gone
            self._keep(id, Download(done, rows, "cut", self._now()))
            raise
        self._keep(id, Download(rows, rows, "whole", self._now()))

    def _keep(self, id: str, download: Download) -> None:
        with suppress(ConsentError), self._storage.writing() as kept:
            kept.site(id.split()[0])  # one that was removed meanwhile leaves nothing behind
            kept.put_document(DOWNLOAD, id, msgspec.json.encode(download))

    def _forget(self) -> None:
        """Drop what was told of downloads long ago."""
        with suppress(ConsentError), self._storage.writing() as kept:
            for id, body in kept.documents(DOWNLOAD):
                if msgspec.json.decode(body, type=Download).at < self._now() - KEPT:
                    kept.drop_document(DOWNLOAD, id)
