"""The SQL of the daily counts.

Its rule: what one transaction counts is gathered and written once, just before its commit.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping

from msgspec.structs import astuple

from consent.model import Tally
from consent.storage.tree_rows import TreeRows

FIELDS = Tally.__struct_fields__
KEY = f"site, {', '.join(FIELDS)}"
ADD = (
    f"INSERT INTO tallies ({KEY}, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    f" ON CONFLICT ({KEY}) DO UPDATE SET count = tallies.count + excluded.count"
)
DROP = f"DELETE FROM tallies WHERE {' AND '.join(f'{name} = ?' for name in KEY.split(', '))} AND count <= 0"


class TallyRows(TreeRows):
    """Daily counts as one connection sees them (see base.Rows)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._counted: dict[int, Counter[Tally]] = {}
        """What this transaction counted, by the site's key."""
        self._keys: dict[str, int] = {}

    def tally(self, site: str, counts: Mapping[Tally, int]) -> None:
        if site not in self._keys:
            self._keys[site] = self._key(site)
        counted = self._counted.setdefault(self._keys[site], Counter())
        for tally, count in counts.items():
            counted[tally] += count

    def tallies(self, site: str, since: str, until: str, *, by: Collection[str] = FIELDS) -> list[tuple[Tally, int]]:
        self.finish()
        named = [name for name in FIELDS if name in by]
        blank = {"policy": "0"}
        columns = ", ".join(name if name in by else blank.get(name, "''") for name in FIELDS)
        group = f" GROUP BY {', '.join(named)} ORDER BY {', '.join(named)}" if named else " HAVING count(*) > 0"
        sql = f"SELECT {columns}, sum(count) FROM tallies WHERE site = ? AND day >= ? AND day < ?{group}"
        return [(Tally(*row[:-1]), row[-1]) for row in self._all(sql, (self._key(site), since, until))]

    def finish(self) -> None:
        """Write what was gathered; a transaction calls it just before its commit."""
        for key, counted in self._counted.items():
            for tally, count in counted.items():
                values = (key, *astuple(tally))
                if count:
                    self._execute(ADD, (*values, count))
                if count < 0:
                    self._execute(DROP, values)
        self._counted.clear()
        self._keys.clear()
