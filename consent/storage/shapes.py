"""Statements in few bytes: each beside the shape that it shares with others (packing)."""

import sqlite3

from consent.model import Entry
from consent.storage.parcels import KEY_BYTES


class Shapes:
    """The shapes of a database as one connection knows them; what a transaction undid is asked for again."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._shapes: dict[bytes, bytes] = {}
        self._keys: dict[bytes, int] = {}

    def stored(self, entry: Entry) -> bytes | str | None:
        """What is stored of an entry's statement; call it in the transaction that stores it."""
        if entry.shape is None or entry.packed is None:
            return entry.token
        if entry.shape not in self._keys:
            self._keys[entry.shape] = self._key(entry.shape)
        return self._keys[entry.shape].to_bytes(KEY_BYTES) + entry.packed

    def shape(self, number: bytes) -> bytes:
        """The shape with a number, as it stands before a packed statement. Raises KeyError."""
        if number not in self._shapes:
            sql = "SELECT shape FROM shapes WHERE key = ?"
            row = self._connection.execute(sql, (int.from_bytes(number),)).fetchone()
            if row is None or not isinstance(row[0], bytes):
                raise KeyError(number)
            self._shapes[number] = row[0]
        return self._shapes[number]

    def _key(self, shape: bytes) -> int:
        row = self._connection.execute("SELECT key FROM shapes WHERE shape = ?", (shape,)).fetchone()
        if row:
            return row[0]
        return self._connection.execute("INSERT INTO shapes (shape) VALUES (?) RETURNING key", (shape,)).fetchone()[0]
