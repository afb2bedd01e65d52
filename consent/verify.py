"""Checks a log without trusting its keeper: signatures, hashes, order, time, policies, erasures, tree, checkpoints.

Works on a ledger's own entries, an evidence bundle or an exported ndjson file, in constant memory; signatures are
checked by as many processes as the machine has cores.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

import msgspec

from consent import checkpoint, merkle, policy
from consent.crew import examined
from consent.errors import BadCheckpoint
from consent.examination import Finding, Says
from consent.model import Parcel

OWN = "the checkpoint"
TOLERANCE = 60
"""Seconds by which an entry may be older than the one before it: two writers of one moment may swap places."""


class Known(msgspec.Struct, frozen=True):
    """What a log is held against. What is None is not compared."""

    site: str | None = None
    policies: dict[int, bytes] | None = None
    """Versions -> SHA-256 of their canonical bytes."""
    scripts: frozenset[str] | None = None
    """Names of the banner scripts that are there."""
    checkpoints: Iterable[str] = ()
    """Signed notes of this log, smallest first."""
    remembered: Sequence[str] = ()
    """Signed notes that the verifier kept from earlier."""
    complete: bool = False
    """Whether no index may be missing and every erased entry must be named by an erasure."""
    sealed: bool = False
    """Whether a checkpoint must cover every entry."""
    tiles: merkle.Tile | None = None
    """The stored tiles of the tree over the first `tiled` entries."""
    tiled: int = 0


def check(parcels: Iterable[Parcel], keys: dict[str, bytes], known: Known, *, workers: int = 1) -> Iterator[Finding]:
    """A finding for each entry, then those about the whole. `keys` maps key ids to raw public keys."""
    history = _History(known, keys)
    for says, rows in examined(parcels, keys, known.site, workers):
        for index, leaf, at, number in rows:
            yield history.add(index, leaf, at, says[number])
    yield from history.end()


class _History:
    """A log as it is walked through once, from its first entry to its last."""

    def __init__(self, known: Known, keys: dict[str, bytes]) -> None:
        self.known = known
        self.last = -1
        self.time = 0
        self.tree = merkle.Frontier()
        self.stored = {version: policy.named(hash) for version, hash in (known.policies or {}).items()}
        self.published: dict[int, str] = {}
        self.told: set[int] = set()
        """The versions that the log says it published."""
        self.scripts: set[str] = set()
        self.emptied = Emptied()
        self.checkpoints = Checkpoints(known, keys)
        self.tracing = merkle.Tracing(known.tiled, known.tiles) if known.tiles else None

    def add(self, index: int, leaf: bytes, at: int, says: Says) -> Finding:
        """What is found at the next entry; one that could not be read has no index."""
        if index < 0:
            return Finding(index, says.kind, says.fault)
        problem = self._order(index) or says.fault or self._time(index, at) or self._policy(index, says)
        problem = problem or self._scripts(index, says)
        self.last = index
        if self.known.complete:
            grown = self._grow(leaf)
            explained = "" if says.kind == "receipt" else self._explain(index, says)
            if grown or explained:
                problem = "; ".join(filter(None, (grown, explained)))
        return Finding(index, says.kind, problem)

    def end(self) -> Iterator[Finding]:
        for index in self.emptied.unexplained():
            yield Finding(index, "damaged", f"entry {index} is empty, but no erasure names it: it was removed")
        for problem in self.checkpoints.beyond(self.tree.size):
            yield Finding(-1, "checkpoint", problem)
        for problem in self._foreign() if self.known.complete else ():
            yield Finding(-1, "file", problem)
        if self.known.sealed and self.checkpoints.covered < self.tree.size:
            yield Finding(
                -1,
                "checkpoint",
                f"no checkpoint is there over more than {self.checkpoints.covered} of {self.tree.size} entries: nothing vouches for the others",
            )

    def _order(self, index: int) -> str:
        if index <= self.last:
            return f"entry {index} stands after entry {self.last}: the order was changed or an entry was inserted"
        if self.known.complete and index != self.last + 1:
            return f"between entry {self.last} and entry {index} something was removed"
        return ""

    def _time(self, index: int, at: int) -> str:
        if at and at < self.time - TOLERANCE:
            return f"entry {index} says that it was recorded before entries that stand before it: it was back-dated"
        self.time = max(self.time, at)
        return ""

    def _policy(self, index: int, says: Says) -> str:
        """Whether the policy a statement names is the one that is stored, and the one that the log published."""
        if not says.version:
            return ""
        version = says.version
        if says.kind == "policy":
            self.told.add(version)
            self.scripts.update(says.scripts)
        if self.known.policies is not None and version not in self.stored:
            return f"entry {index} names policy version {version}, which is not there"
        if self.known.policies is not None and self.stored[version] != says.policy_hash:
            return f"entry {index} names another policy version {version} than the one that is stored"
        if says.kind == "policy":
            self.published[version] = says.policy_hash
        elif self.known.complete and self.published.get(version) != says.policy_hash:
            self.published[version] = says.policy_hash  # said once
            return f"entry {index} names a policy version {version} that the log did not publish before it"
        return ""

    def _scripts(self, index: int, says: Says) -> str:
        if self.known.scripts is None:
            return ""
        missing = [name for name in says.scripts if name not in self.known.scripts]
        return f"entry {index} names banner script {missing[0]}, which is not there" if missing else ""

    def _foreign(self) -> Iterator[str]:
        """What is there beside a whole log, though none of its entries says so."""
        if not self.tree.size:
            yield "the log is empty: even a new site's begins with its policy"
        versions, scripts = self.stored.keys() - self.told, (self.known.scripts or frozenset()) - self.scripts
        for what, found in (("policy version", sorted(versions)), ("banner script", sorted(scripts))):
            more = f", and {len(found) - 1} more," if len(found) > 1 else ""
            if found:
                yield f"{what} {found[0]}{more} is there, but the log never published it"

    def _explain(self, index: int, says: Says) -> str:
        """Keep count of the erased entries; erasures stand after what they emptied and name nothing else."""
        if says.kind == "erased" and index < self.tree.size:
            self.emptied.add(index)
        wrong = [emptied for emptied in says.emptied if not self.emptied.explain(emptied)]
        return (
            f"entry {index} is an erasure of entry {wrong[0]}, which is not empty, or was named before" if wrong else ""
        )

    def _grow(self, leaf: bytes) -> str:
        """The tree one leaf further, held against the checkpoints of that size."""
        full = self.tree.add(leaf)
        tiles = self.tracing.add(leaf, full) if self.tracing else []
        if self.checkpoints.next <= self.tree.size:
            heads = self.checkpoints.at(self.tree.size)
            if wrong := [whose for root, whose in heads if root != self.tree.root()]:
                return f"the first {self.tree.size} entries are not those that {wrong[0]} of {self.tree.size} entries was signed over: history was rewritten"
        if tiles:
            return f"tile {tiles[0][1]} of level {tiles[0][0]} is not of the entries: the tree was changed"
        return ""


class Checkpoints:
    """The checkpoints that a log is held against, each as the walk comes to its size; in constant memory."""

    def __init__(self, known: Known, keys: dict[str, bytes]) -> None:
        self._known = known
        self._keys = list(keys.values())
        self._faults: list[str] = []
        remembered = [self._head(note, "the remembered checkpoint") for note in known.remembered]
        self._remembered = sorted((one for one in remembered if one), key=lambda one: one[0])
        self._own = (found for note in known.checkpoints if (found := self._head(note, OWN)))
        self._next = next(self._own, None)
        self.next = self._soonest()
        """The size of the next checkpoint that the walk comes to."""
        self.covered = 0
        """Entries that the log's own checkpoints met so far cover."""

    def at(self, size: int) -> list[tuple[bytes, str]]:
        """(root, whose) of the checkpoints of this size."""
        met = []
        while self._remembered and self._remembered[0][0] <= size:
            met.append(self._remembered.pop(0))
        while self._next and self._next[0] <= size:
            met.append(self._next)
            self.covered = size
            self._next = next(self._own, None)
        self.next = self._soonest()
        late = [one for one in met if one[0] < size]
        self._faults += [f"{whose} of {other} entries stands after larger ones" for other, _, whose in late]
        return [(root, whose) for other, root, whose in met if other == size]

    def beyond(self, size: int) -> Iterator[str]:
        """What is wrong with those that were not met, and with any as such."""
        for other, _, whose in [*self._remembered, *([self._next] if self._next else []), *self._own]:
            if self._known.complete:
                yield f"{whose} of {other} entries is signed, but the log has {size}: it was rolled back or cut off"
        yield from self._faults

    def _soonest(self) -> float:
        return min((one[0] for one in (*self._remembered[:1], self._next) if one), default=inf)

    def _head(self, note: str, whose: str) -> tuple[int, bytes, str] | None:
        try:
            head = checkpoint.verify(note, self._keys)
        except BadCheckpoint as error:
            self._faults.append(str(error).rstrip("."))
            return None
        if self._known.site is not None and head.origin.rpartition("/sites/")[2] != self._known.site:
            self._faults.append(f"{whose} of {head.size} entries is of {head.origin}, another log")
        if head.size:
            return head.size, head.root, whose
        if head.root != merkle.EMPTY:
            self._faults.append(f"{whose} of no entries was signed over some")
        return None


class Emptied:
    """Which entries are empty and which of them an erasure has named; a byte an entry."""

    def __init__(self) -> None:
        self._marks = bytearray()

    def add(self, index: int) -> None:
        self._marks.extend(bytes(max(0, index + 1 - len(self._marks))))
        self._marks[index] = 1

    def explain(self, index: int) -> bool:
        """Whether an erasure may name this entry now."""
        if not 0 <= index < len(self._marks) or self._marks[index] != 1:
            return False
        self._marks[index] = 2
        return True

    def unexplained(self) -> Iterator[int]:
        found = self._marks.find(1)
        while found >= 0:
            yield found
            found = self._marks.find(1, found + 1)
