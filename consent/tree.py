"""The tree of a site's ledger: makes checkpoints, reads proofs and tiles. Its one rule: what was signed is never left.

A checkpoint is signed over entries that are on the disk, from tiles that grow with it in one transaction. Entries are
only ever appended and Ed25519 is deterministic, so that one who dies between signing and storing leaves no second
checkpoint behind that could disagree.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from consent import checkpoint as notes
from consent import merkle
from consent.errors import BadCheckpoint, ConsentError, NotYet, Unavailable, UnknownTile
from consent.keyring import KeyRing
from consent.model import Checkpoint
from consent.storage.base import Rows, Storage, logs

T = TypeVar("T")
STEP = 50_000
"""Entries that one round takes up; more are taken in several."""


class Tree:
    """The trees of one installation's sites."""

    def __init__(self, storage: Storage, ring: KeyRing, *, issuer: str, now: Callable[[], int]) -> None:
        self.storage = storage
        self.ring = ring
        self.issuer = issuer
        self._now = now

    def checkpoint(self, site: str) -> Checkpoint:
        """The checkpoint over everything recorded so far; made now where something is new. Raises UnknownSite."""
        while True:
            rows = self.storage.reading()
            newest = rows.checkpoint(site)
            size = newest.size if newest else 0
            leaves = rows.leaves(site, size, size + STEP)
            if not leaves and newest:
                return newest
            self._extend(site, size, leaves)

    def checkpoint_all(self) -> list[Checkpoint]:
        """The new checkpoints of every site that has something new; none while another process is at it.

        A site that fails holds up no other; its error is raised after all were tried.
        """
        with self.storage.alone("checkpoint") as alone:
            if not alone:
                return []
            rows = self.storage.reading()
            behind = [log for log in logs(rows) if rows.size(log) > _size(rows, log)]
            return list(each(behind, self.checkpoint))

    def sound(self, site: str) -> bool:
        """Whether the tiles are still those that the newest checkpoint was signed over. Raises UnknownSite."""
        rows = self.storage.reading()
        try:
            self._hold(rows, site, _size(rows, site))
        except (LookupError, BadCheckpoint):
            return False
        return True

    def newest(self, site: str) -> Checkpoint:
        """The newest checkpoint. Raises UnknownSite, or NotYet where none was made."""
        found = self.storage.reading().checkpoint(site)
        if found is None:
            raise NotYet(f"Site {site!r} has no checkpoint yet: wait a minute, or run `consent checkpoint {site}`.")
        return found

    def proof(self, site: str, index: int) -> notes.Proof:
        """The proof that an entry is in the newest checkpoint. Raises NotYet for one recorded after it."""
        newest = self.newest(site)
        if index >= newest.size:
            raise NotYet(f"Entry {index} is newer than the newest checkpoint: ask again in a minute.")
        path = merkle.inclusion(index, newest.size, self._node(self.storage.reading(), site))
        return notes.Proof(index, path, newest.note)

    def consistency(self, site: str, old: int, new: int) -> list[bytes]:
        """The proof that the first `old` entries still stand among the first `new`; sizes of checkpoints."""
        return merkle.consistency(old, new, self._node(self.storage.reading(), site))

    def tile(self, site: str, level: int, number: int, width: int = merkle.WIDTH) -> bytes:
        """The first `width` hashes of a tile that the newest checkpoint covers. Raises UnknownTile, UnknownSite."""
        rows = self.storage.reading()
        known = (_size(rows, site) >> (merkle.HEIGHT * level)) - number * merkle.WIDTH
        if width > known:
            raise UnknownTile(
                f"The newest checkpoint does not reach to {width} hashes of tile {number}, level {level}."
            )
        return rows.tile(site, level, number)[: width * merkle.HASH]

    def vkeys(self, site: str) -> list[str]:
        """The keys that verify the checkpoints of a site, newest first. Raises UnknownSite."""
        self.storage.reading().size(site)
        name = notes.origin(self.issuer, site)
        return [notes.vkey(name, key.public) for key in reversed(self.ring.keys())]

    def _extend(self, site: str, size: int, leaves: list[bytes]) -> None:
        """One checkpoint further, unless somebody else was faster."""
        rows = self.storage.reading()

        def known(level: int, number: int) -> bytes:
            return tiles.get((level, number)) or rows.tile(site, level, number)

        tiles: dict[tuple[int, int], bytes] = {}
        try:
            self._hold(rows, site, size)
            tiles = merkle.grow(size, leaves, known)
            root = merkle.root(size + len(leaves), merkle.reader(known))
        except (LookupError, BadCheckpoint) as error:
            raise Unavailable(f"The tree of {site!r} is damaged ({error}): restore a backup.") from None
        head = notes.Head(notes.origin(self.issuer, site), size + len(leaves), root)
        note = notes.make(head, self.ring.newest())
        with self.storage.writing() as writing:
            if _size(writing, site) != size:
                return
            writing.put_tiles(site, tiles)
            writing.add_checkpoint(Checkpoint(site, head.size, root, note, self._now()))

    def _hold(self, rows: Rows, site: str, size: int) -> None:
        """Raises LookupError unless the tiles are those that the checkpoint of this size was signed over."""
        made = rows.checkpoint(site, size)
        if made and merkle.root(size, self._node(rows, site)) != notes.read(made.note).root:
            raise LookupError(f"its tiles are not those of the checkpoint of {size} entries")

    def _node(self, rows: Rows, site: str) -> merkle.Node:
        return merkle.reader(lambda level, number: rows.tile(site, level, number))


def each(sites: Iterable[str], work: Callable[[str], T]) -> Iterator[T]:
    """The work of every site; the last error is raised after all were tried."""
    failed = None
    for site in sites:
        try:
            yield work(site)
        except ConsentError as error:
            failed = error
    if failed:
        raise failed


def checkpoints(rows: Rows, site: str) -> Iterator[Checkpoint]:
    """Every checkpoint, oldest first, in constant memory."""
    after = -1
    while page := rows.checkpoints(site, after=after):
        yield from page
        after = page[-1].size


def _size(rows: Rows, site: str) -> int:
    """How many entries the newest checkpoint covers."""
    newest = rows.checkpoint(site)
    return newest.size if newest else 0
