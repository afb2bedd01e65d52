"""What a storage backend promises; the contract suite in tests/test_storage*.py holds every backend to it.

Rows are read through `reading()` and changed inside `writing()`: one durable transaction, all or nothing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

from consent.errors import UnknownSite
from consent.fields import TRAIL
from consent.model import Checkpoint, Entry, Filter, Parcel, Publication, Script, Site, Tally, Token

DRAFT = "draft"
TAKEN = "taken"
SIGHTING = "sighting"
DOWNLOAD = "download"
OF_SITES = (DRAFT, TAKEN, SIGHTING, DOWNLOAD)
"""Kinds of documents that go with a site: their id is the site's, or begins with it and a space."""
MOST_IDLE = 100_000
"""Idle subjects that are told at once."""

Also = Callable[..., object]
"""What else a transaction does at its end: given its rows, and what was done. What it raises undoes the whole."""


def nothing(*_: object) -> None:
    """Nothing else."""


class Rows(Protocol):
    """The rows as one connection sees them. Anything about a site that is not there raises UnknownSite."""

    def sites(self) -> list[Site]:
        """The sites, in order of their ids; the log of what administrators did (`TRAIL`) is none."""

    def site(self, site: str) -> Site:
        """One of them."""

    def add_site(self, site: Site) -> None:
        """Raises Conflict where the id is taken, or was by a site that is removed."""

    def remove_site(self, site: str) -> None:
        """Remove a site and everything recorded for it; its id alone is kept, and stays taken."""

    def publications(self, site: str) -> list[Publication]:
        """Every version, oldest first."""

    def publication(self, site: str, version: int | None = None) -> Publication:
        """One version, or the newest. Raises UnknownPolicy."""

    def edition(self, site: str) -> tuple[int, int]:
        """The newest version, 0 before the first, and a number that grows with every script added."""

    def add_publication(self, publication: Publication) -> None: ...

    def script(self, site: str, hash: bytes) -> Script | None: ...
    def scripts(self, site: str) -> list[bytes]:
        """The hashes of every script of a site."""

    def newest_script(self, site: str, version: int, *, language: str, regime: str) -> Script | None: ...
    def add_script(self, script: Script) -> None:
        """Keep a script; the same hash twice is kept once."""

    def size(self, site: str) -> int:
        """How many entries the ledger of a site has, erased ones included."""

    def last_time(self, site: str) -> int:
        """When the newest entry was recorded; 0 before the first."""

    def append(self, entry: Entry) -> int:
        """Append to the site's sequence and return the index. Raises Conflict where the id is taken, nothing undone."""

    def entry(self, site: str, id: str) -> Entry | None: ...
    def latest(self, site: str, subject: str, *, but: str | None = None) -> Entry | None:
        """The last receipt of a subject, leaving out those of one action."""

    def latest_id(self, site: str, subject: str) -> str | None:
        """The id of the last receipt of a subject."""

    def entries(self, site: str, filter: Filter, *, after: int = -1, limit: int = 1000) -> list[Entry]:
        """Entries with an index above `after`, oldest first; the filter's kinds may be empty for all."""

    def parcels(self, site: str, *, end: int) -> Iterator[Parcel]:
        """Every entry below an index, oldest first, some thousands at a time, to be opened by any process."""

    def newest(
        self, site: str, filter: Filter, *, before: int | None = None, after: int = -1, limit: int = 1000
    ) -> list[Entry]:
        """Entries with an index below `before` and above `after`, newest first."""

    def count(self, site: str, filter: Filter, *, before: int | None = None, after: int = -1) -> int:
        """How many entries there are with an index below `before` and above `after`; each of them is looked at."""

    def idle(self, site: str, before: int) -> list[str]:
        """Subjects whose last receipt is older than a time, at most `MOST_IDLE` of them, the oldest first."""

    def of_subjects(self, site: str, subjects: list[str], *, after: int = -1, limit: int = 1000) -> list[Entry]:
        """Receipts of any of some subjects with an index above `after`, oldest first."""

    def empty(self, site: str, indexes: list[int]) -> None:
        """Remove everything from some entries but index, kind, time and leaf."""

    def leaves(self, site: str, start: int, end: int) -> list[bytes]:
        """The leaf hashes from index `start` up to `end`, that not included."""

    def tile(self, site: str, level: int, number: int) -> bytes:
        """The hashes of a tile as far as they are known; empty where there is none."""

    def put_tiles(self, site: str, tiles: dict[tuple[int, int], bytes]) -> None:
        """Keep tiles by (level, number) in the place of shorter ones."""

    def checkpoint(self, site: str, size: int | None = None) -> Checkpoint | None:
        """The checkpoint of a size, or the newest."""

    def checkpoints(self, site: str, *, after: int = -1, limit: int = 1000) -> list[Checkpoint]:
        """Checkpoints of more than `after` entries, oldest first."""

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Raises Conflict where there is one of that size."""

    def documents(self, kind: str) -> list[tuple[str, bytes]]:
        """Every document of a kind with its id, in order of the ids."""

    def document(self, kind: str, id: str) -> bytes | None: ...
    def put_document(self, kind: str, id: str, body: bytes) -> None:
        """Keep a document in the place of an older one."""

    def drop_document(self, kind: str, id: str) -> bool:
        """False where there was none."""

    def tokens(self) -> list[Token]: ...
    def token(self, id: str) -> Token | None: ...
    def add_token(self, token: Token) -> None:
        """Raises Conflict where the id is taken."""

    def revoke_token(self, id: str, at: int) -> bool:
        """False where there is no such token in use."""

    def tally(self, site: str, counts: Mapping[Tally, int]) -> None:
        """Add to the daily counts; numbers below nought take away, and what comes to nought is gone."""

    def tallies(
        self, site: str, since: str, until: str, *, by: Collection[str] = Tally.__struct_fields__
    ) -> list[tuple[Tally, int]]:
        """The daily counts from the day `since` on and before the day `until`, in the order of their fields.

        They are summed over the fields that `by` does not name, which are left blank ("" or 0).
        """

    def table(self, name: str, columns: str) -> Iterator[list[tuple]]:
        """Every row of a table of a snapshot as it is stored, ordered by its first two columns, some at a time."""

    def fill(self, name: str, columns: str, rows: list[tuple]) -> None:
        """Put rows as another database stores them into a table (copying.copy)."""

    def filled(self) -> None:
        """Take up what was filled in, which is everything now."""


def logs(rows: Rows) -> list[str]:
    """The ids of every log: those of the sites, and that of what administrators did, if they did anything."""
    found = [site.id for site in rows.sites()]
    with suppress(UnknownSite):
        rows.size(TRAIL)
        found.append(TRAIL)
    return found


class Storage(Protocol):
    """A database. Raises Unavailable where it cannot be read or written now; the next call tries again."""

    far: bool
    """Whether it answers over a network, and so may keep a reader waiting."""

    def reading(self) -> Rows: ...
    def snapshot(self) -> AbstractContextManager[Rows]:
        """The rows as they are now for as long as the block takes, whatever is written meanwhile."""

    def writing(self) -> AbstractContextManager[Rows]:
        """One transaction, durable when the block ends without an error, undone when it raises."""

    def published(self) -> int:
        """Another number as soon as something was published through this database, as far as that is seen from here."""

    def alone(self, task: str) -> AbstractContextManager[bool]:
        """Whether no other process is at this task; it is ours until the block ends or the process dies."""

    def migrate(self) -> list[str]:
        """Bring the schema up to date and return what was applied. Raises NewerDatabase."""

    def pending(self) -> list[str]:
        """Names of migrations not applied yet. Raises NewerDatabase."""

    def is_empty(self) -> bool:
        """Whether nothing was ever created here."""

    def check(self) -> None:
        """Return when rows could be written now; raises Unavailable, PendingMigrations or NewerDatabase."""

    def scrub(self) -> bool:
        """Leave no trace of removed rows in files beside the database; False where a reader holds it up, try later."""

    def faults(self) -> list[str]:
        """Sentences on what is broken inside the database; empty when it is sound."""

    def backup(self, path: Path) -> None:
        """Copy everything to a new SQLite file while recording goes on."""

    def close(self) -> None: ...
