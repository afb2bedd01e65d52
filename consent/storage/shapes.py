"""Statements in few bytes: each beside the shape that it shares with others (packing)."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from consent.model import Entry
from consent.storage.parcels import KEY_BYTES

One = Callable[[str, Sequence[Any]], tuple | None]
"""Asks the database for one row."""


class Shapes:
    """The shapes of a database as far as they are known; what a transaction undid is asked for again."""

    def __init__(self) -> None:
        self._shapes: MutableMapping[bytes, bytes] = {}
        self._keys: MutableMapping[bytes, int] = {}

    def stored(self, entry: Entry, one: One) -> bytes | str | None:
        """What is stored of an entry's statement; call it in the transaction that stores it."""
        if entry.shape is None or entry.packed is None:
            return entry.token
        if entry.shape not in self._keys:
            self._keys[entry.shape] = self._key(entry.shape, one)
        return self._keys[entry.shape].to_bytes(KEY_BYTES) + entry.packed

    def shape(self, number: bytes, one: One) -> bytes:
        """The shape with a number, as it stands before a packed statement. Raises KeyError."""
        if number not in self._shapes:
            row = one("SELECT shape FROM shapes WHERE key = ?", (int.from_bytes(number),))
            if row is None or not isinstance(row[0], bytes):
                raise KeyError(number)
            self._shapes[number] = row[0]
        return self._shapes[number]

    def _key(self, shape: bytes, one: One) -> int:
        row = one("SELECT key FROM shapes WHERE shape = ?", (shape,))
        row = row or one("INSERT INTO shapes (shape) VALUES (?) RETURNING key", (shape,))
        assert row is not None
        return row[0]
