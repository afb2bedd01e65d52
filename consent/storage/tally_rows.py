"""The SQL of the daily counts.

Its rule: what one transaction counts is gathered and written once, just before its commit. The same counts are kept in
two tables, in full and summed to answers, because most questions are about answers and find there a hundredth of the rows.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from msgspec.structs import astuple

from consent.model import Tally
from consent.storage.document_rows import DocumentRows

FIELDS = Tally.__struct_fields__


class Counts(NamedTuple):
    """A table of counts by the first fields of a tally."""

    name: str
    fields: tuple[str, ...]

    def add(self) -> str:
        key = ", ".join(("site", *self.fields))
        marks = ", ".join("?" * (len(self.fields) + 2))
        return (
            f"INSERT INTO {self.name} ({key}, count) VALUES ({marks})"
            f" ON CONFLICT ({key}) DO UPDATE SET count = {self.name}.count + excluded.count"
        )

    def drop(self) -> str:
        return f"DELETE FROM {self.name} WHERE {' AND '.join(f'{name} = ?' for name in ('site', *self.fields))} AND count <= 0"  # fmt: skip


IN_FULL = Counts("tallies", FIELDS)
ANSWERS = Counts("answers", FIELDS[:4])
STATEMENTS = [(counts, counts.add(), counts.drop()) for counts in (IN_FULL, ANSWERS)]


class TallyRows(DocumentRows):
    """Daily counts as one connection sees them (see base.Rows)."""

    def __init__(self) -> None:
        self._counted: dict[int, Counter[Tally]] = {}
        """What this transaction counted, by the site's key."""

    def tally(self, site: str, counts: Mapping[Tally, int]) -> None:
        counted = self._counted.setdefault(self._key(site), Counter())
        for tally, count in counts.items():
            counted[tally] += count

    def tallies(self, site: str, since: str, until: str, *, by: Collection[str] = FIELDS) -> list[tuple[Tally, int]]:
        self.finish()
        named = [name for name in FIELDS if name in by]
        table = ANSWERS.name if set(named) <= set(ANSWERS.fields) else IN_FULL.name
        columns = ", ".join(name if name in by else "0" if name == "policy" else "''" for name in FIELDS)
        group = f" GROUP BY {', '.join(named)} ORDER BY {', '.join(named)}" if named else " HAVING count(*) > 0"
        sql = (
            f"SELECT {columns}, CAST(sum(count) AS BIGINT) FROM {table} WHERE site = ? AND day >= ? AND day < ?{group}"
        )
        return [(Tally(*row[:-1]), row[-1]) for row in self._all(sql, (self._key(site), since, until))]

    def finish(self) -> None:
        """Write what was gathered; a transaction calls it just before its commit."""
        for key, counted in self._counted.items():
            for table, add, drop in STATEMENTS:
                summed = Counter[tuple]()
                for tally, count in counted.items():
                    summed[(key, *astuple(tally)[: len(table.fields)])] += count
                self._many(add, [(*values, count) for values, count in summed.items() if count])
                self._many(drop, [values for values, count in summed.items() if count < 0])
        self._counted.clear()
