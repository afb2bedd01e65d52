"""When the database was last copied, as the database itself remembers it."""

from contextlib import suppress

import msgspec

from consent.errors import Unavailable
from consent.storage.base import Storage

LAST = ("backup", "last")
"""Kind and id of the document."""


class Copy(msgspec.Struct, frozen=True):
    """A backup that was made; `at` in seconds since the epoch."""

    at: int
    with_keys: bool = False


def noted(storage: Storage, copy: Copy) -> None:
    """Remember a backup; one that cannot be written down was made all the same."""
    with suppress(Unavailable), storage.writing() as rows:
        rows.put_document(*LAST, msgspec.json.encode(copy))
