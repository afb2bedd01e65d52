"""Counting what is stored already, for installations from before the daily counts (schema.m009_tallies).

Its rule: constant memory, however many receipts there are.
"""

import sqlite3
from collections import Counter

from msgspec.structs import astuple

from consent import tallies
from consent.model import Tally
from consent.storage.parcels import statement
from consent.storage.shapes import Shapes

MOST = 20_000
"""Tallies that are gathered before they are written."""
KEY = "site, day, policy, action, granted, language, country, regime, surface"
ADD = (
    f"INSERT INTO tallies ({KEY}, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    f" ON CONFLICT ({KEY}) DO UPDATE SET count = tallies.count + excluded.count"
)
"""As the table was then: a row for every day (schema.m010_months)."""


def recount(connection: sqlite3.Connection) -> None:
    """Count every receipt of every site, the erased ones too."""
    shapes = Shapes()

    def shape(number: bytes) -> bytes:
        return shapes.shape(number, lambda sql, values: connection.execute(sql, values).fetchone())

    counted = Counter[tuple[int, Tally]]()
    for site, stored, recorded_at in connection.execute("SELECT site, token, recorded_at FROM entries WHERE kind = 0"):
        counted[site, tallies.of_stored(statement(stored, shape), recorded_at)] += 1
        if len(counted) >= MOST:
            _write(connection, counted)
    _write(connection, counted)


def _write(connection: sqlite3.Connection, counted: Counter[tuple[int, Tally]]) -> None:
    connection.executemany(ADD, [(site, *astuple(tally), count) for (site, tally), count in counted.items()])
    counted.clear()
