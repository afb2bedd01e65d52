"""Statements in few bytes: each beside the shape that it shares with others (packing)."""

import sqlite3
import zlib

from consent.model import Entry
from consent.packing import Unpacker, unpacker

KEY_BYTES = 3
DAMAGED = "damaged"
"""In the place of a statement that cannot be read any more: no leaf hash fits it, so that `verify` names the entry."""


class Shapes:
    """The shapes of a database as one connection knows them; what a transaction undid is asked for again."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._unpackers: dict[bytes, Unpacker] = {}
        self._keys: dict[bytes, int] = {}

    def stored(self, entry: Entry) -> bytes | str | None:
        """What is stored of an entry's statement; call it in the transaction that stores it."""
        if entry.shape is None or entry.packed is None:
            return entry.token
        if entry.shape not in self._keys:
            self._keys[entry.shape] = self._key(entry.shape)
        return self._keys[entry.shape].to_bytes(KEY_BYTES) + entry.packed

    def unpacked(self, stored: bytes | str | None, subject: str, id: str) -> tuple[str | None, bytes | None]:
        """The statement that is stored for a subject under an id, and its claims where they come for nothing."""
        if not isinstance(stored, bytes):
            return stored, None
        try:
            unpacker = self._unpackers.get(stored[:KEY_BYTES]) or self._unpacker(stored[:KEY_BYTES])
            return unpacker.unpack(stored[KEY_BYTES:], (subject, id))
        except (zlib.error, KeyError, UnicodeDecodeError):
            return DAMAGED, None

    def _key(self, shape: bytes) -> int:
        row = self._connection.execute("SELECT key FROM shapes WHERE shape = ?", (shape,)).fetchone()
        if row:
            return row[0]
        return self._connection.execute("INSERT INTO shapes (shape) VALUES (?) RETURNING key", (shape,)).fetchone()[0]

    def _unpacker(self, key: bytes) -> Unpacker:
        row = self._connection.execute("SELECT shape FROM shapes WHERE key = ?", (int.from_bytes(key),)).fetchone()
        if row is None:
            raise KeyError(key)
        return self._unpackers.setdefault(key, unpacker(row[0]))
