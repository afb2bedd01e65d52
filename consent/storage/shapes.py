"""Statements in few bytes: each beside the shape that it shares with others (packing)."""

import zlib
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from consent.model import Entry
from consent.packing import unpack

KEY_BYTES = 3
DAMAGED = "damaged"
"""In the place of a statement that cannot be read any more: no leaf hash fits it, so that `verify` names the entry."""


One = Callable[[str, Sequence[Any]], tuple | None]
"""Asks the database for one row."""


class Shapes:
    """The shapes of a database as far as they are known; what a transaction undid is asked for again."""

    def __init__(self) -> None:
        self._shapes: MutableMapping[int, bytes] = {}
        self._keys: MutableMapping[bytes, int] = {}

    def stored(self, entry: Entry, one: One) -> bytes | str | None:
        """What is stored of an entry's statement; call it in the transaction that stores it."""
        if entry.shape is None or entry.packed is None:
            return entry.token
        if entry.shape not in self._keys:
            self._keys[entry.shape] = self._key(entry.shape, one)
        return self._keys[entry.shape].to_bytes(KEY_BYTES) + entry.packed

    def unpacked(self, stored: bytes | str | None, subject: str, id: str, one: One) -> str | None:
        """The statement that is stored for a subject under an id."""
        if not isinstance(stored, bytes):
            return stored
        try:
            shape = self._shape(int.from_bytes(stored[:KEY_BYTES]), one)
            return unpack(stored[KEY_BYTES:], shape, (subject, id))
        except (zlib.error, KeyError, UnicodeDecodeError):
            return DAMAGED

    def _key(self, shape: bytes, one: One) -> int:
        row = one("SELECT key FROM shapes WHERE shape = ?", (shape,))
        row = row or one("INSERT INTO shapes (shape) VALUES (?) RETURNING key", (shape,))
        assert row is not None
        return row[0]

    def _shape(self, key: int, one: One) -> bytes:
        if key not in self._shapes:
            row = one("SELECT shape FROM shapes WHERE key = ?", (key,))
            if row is None:
                raise KeyError(key)
            self._shapes[key] = row[0]
        return self._shapes[key]
