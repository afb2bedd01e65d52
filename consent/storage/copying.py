"""A whole database into another, whatever either is: every row as it is stored.

Its rule: all or nothing, and nothing that was recorded meanwhile is lost in silence.
"""

from collections.abc import Callable

from consent.errors import Conflict
from consent.storage.base import Rows, Storage, logs
from consent.storage.parcels import ENTRY
from consent.storage.rows import POLICY, SCRIPT, TOKEN
from consent.storage.tally_rows import ANSWERS, DAYS, IN_FULL
from consent.storage.tree_rows import CHECKPOINT

TABLES = {
    "sites": "key, id, created_at",
    "policies": f"site, {POLICY}",
    "scripts": f"site, rowid, {SCRIPT}",
    "shapes": "key, shape",
    "entries": f"site, position, {ENTRY.removesuffix(', position')}",
    "tiles": "site, level, number, hashes",
    "checkpoints": f"site, {CHECKPOINT}",
    "tokens": TOKEN,
    **{counts.name: ", ".join([*counts.key, *(f"d{day}" for day in DAYS)]) for counts in (IN_FULL, ANSWERS)},
    "documents": "kind, id, body",
    "removed_sites": "id",
}
"""Every table and its columns; the first, and the second where there is one, tell its order."""


def copy(source: Storage, target: Storage) -> None:
    """Fill a database that is migrated and empty with what another holds now. Raises Conflict where it is not empty."""
    with source.snapshot() as rows, target.writing() as new:
        _fill(rows, new, lambda _: None)


def move(source: Storage, target: Storage, *, moved: Callable[[int], object]) -> None:
    """The same for one that takes the other's place; `moved` hears of entries.

    Raises Conflict where something was recorded meanwhile, too: whoever recorded it would miss it afterwards.
    """
    with source.snapshot() as rows, target.writing() as new:
        _fill(rows, new, moved)
        if sizes(source.reading()) != sizes(rows):
            raise Conflict("Something was recorded meanwhile: stop the service, then move again. Nothing was moved.")


def _fill(rows: Rows, new: Rows, moved: Callable[[int], object]) -> None:
    if new.sites() or new.tokens():
        raise Conflict("There is something in the target database already: name an empty one.")
    for table, columns in TABLES.items():
        for batch in rows.table(table, columns):
            new.fill(table, columns, batch)
            if table == "entries":
                moved(len(batch))
    new.filled()


def sizes(rows: Rows) -> dict[str, int]:
    """How many entries each log has."""
    return {log: rows.size(log) for log in logs(rows)}
