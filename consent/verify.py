"""Checks a log without trusting its keeper: signatures, hashes, order, time, policies, erasures, tree, checkpoints.

Works on a ledger's own entries, an evidence bundle or an exported ndjson file, in constant memory; signatures are
checked by as many processes as the machine has cores.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import msgspec

from consent import checkpoint, merkle, policy
from consent.errors import BadCheckpoint
from consent.examination import Examined, Item, examine
from consent.model import Entry

BATCH = 2000
"""Entries that a process takes at a time."""
OWN = "the checkpoint"
TOLERANCE = 60
"""Seconds by which an entry may be older than the one before it: two writers of one moment may swap places."""


class Line(msgspec.Struct, frozen=True):
    """One line of an ndjson export."""

    index: int
    leaf: str
    receipt: str | None = None
    claims: msgspec.Raw = msgspec.Raw(b"")
    erased: bool = False


class Finding(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """What was found at one entry, or at the log as a whole (index -1); `problem` is empty where it holds."""

    index: int
    kind: str
    problem: str = ""


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


def items_of(entries: Iterable[Entry]) -> Iterator[Item]:
    """The entries of a ledger as items."""
    return (
        Item(e.index, e.leaf, e.token, row=(e.kind, e.recorded_at, e.id, e.subject, e.policy, e.action))
        for e in entries
    )


def items_in(lines: Iterable[bytes]) -> Iterator[Item | Finding]:
    """The lines of an ndjson export as items; a line that cannot be read is a finding already."""
    for number, line in enumerate(lines, 1):
        try:
            yield _item(_LINE.decode(line))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            yield Finding(-1, "line", f"line {number} is not a line of an ndjson export")


def check(
    items: Iterable[Item | Finding], keys: dict[str, bytes], known: Known, *, workers: int = 1
) -> Iterator[Finding]:
    """A finding for each item, then those about the whole. `keys` maps key ids to raw public keys."""
    history = _History(known, keys)
    for seen in _examined(items, keys, known.site, workers):
        yield seen if isinstance(seen, Finding) else history.add(seen)
    yield from history.end()


class _History:
    """A log as it is walked through once, from its first entry to its last."""

    def __init__(self, known: Known, keys: dict[str, bytes]) -> None:
        self.known = known
        self.last = -1
        self.time = 0
        self.tree = merkle.Frontier()
        self.published: dict[int, str] = {}
        self.emptied = Emptied()
        self.checkpoints = Checkpoints(known, keys)
        self.tracing = merkle.Tracing(known.tiled, known.tiles) if known.tiles else None

    def add(self, seen: Examined) -> Finding:
        problem = self._order(seen) or seen.fault or self._time(seen) or self._policy(seen) or self._scripts(seen)
        self.last = seen.index
        if self.known.complete:
            problem = "; ".join(filter(None, (self._grow(seen), self._explain(seen)))) or problem
        return Finding(seen.index, seen.kind, problem)

    def end(self) -> Iterator[Finding]:
        for index in self.emptied.unexplained():
            yield Finding(index, "damaged", f"entry {index} is empty, but no erasure names it: it was removed")
        for problem in self.checkpoints.beyond(self.tree.size):
            yield Finding(-1, "checkpoint", problem)
        if self.known.sealed and self.checkpoints.covered < self.tree.size:
            yield Finding(
                -1,
                "checkpoint",
                f"no checkpoint is there over more than {self.checkpoints.covered} of {self.tree.size} entries: nothing vouches for the others",
            )

    def _order(self, seen: Examined) -> str:
        if seen.index <= self.last:
            return f"entry {seen.index} stands after entry {self.last}: the order was changed or an entry was inserted"
        if self.known.complete and seen.index != self.last + 1:
            return f"between entry {self.last} and entry {seen.index} something was removed"
        return ""

    def _time(self, seen: Examined) -> str:
        if seen.at and seen.at < self.time - TOLERANCE:
            return (
                f"entry {seen.index} says that it was recorded before entries that stand before it: it was back-dated"
            )
        self.time = max(self.time, seen.at)
        return ""

    def _policy(self, seen: Examined) -> str:
        """Whether the policy a statement names is the one that is stored, and the one that the log published."""
        if not seen.version:
            return ""
        stored, index, version = self.known.policies, seen.index, seen.version
        if stored is not None and version not in stored:
            return f"entry {index} names policy version {version}, which is not there"
        if stored is not None and policy.named(stored[version]) != seen.policy_hash:
            return f"entry {index} names another policy version {version} than the one that is stored"
        if seen.kind == "policy":
            self.published[version] = seen.policy_hash
        elif self.known.complete and self.published.get(version) != seen.policy_hash:
            self.published[version] = seen.policy_hash  # said once
            return f"entry {index} names a policy version {version} that the log did not publish before it"
        return ""

    def _scripts(self, seen: Examined) -> str:
        if self.known.scripts is None:
            return ""
        missing = [name for name in seen.scripts if name not in self.known.scripts]
        return f"entry {seen.index} names banner script {missing[0]}, which is not there" if missing else ""

    def _explain(self, seen: Examined) -> str:
        """Keep count of the erased entries; erasures stand after what they emptied and name nothing else."""
        if seen.kind == "erased" and 0 <= seen.index < self.tree.size:
            self.emptied.add(seen.index)
        wrong = [index for index in seen.emptied if not self.emptied.explain(index)]
        return (
            f"entry {seen.index} is an erasure of entry {wrong[0]}, which is not empty, or was named before"
            if wrong
            else ""
        )

    def _grow(self, seen: Examined) -> str:
        """The tree one leaf further, held against the checkpoints of that size."""
        self.tree.add(seen.leaf)
        heads = self.checkpoints.at(self.tree.size)
        wrong = [whose for root, whose in heads if root != self.tree.root()]
        tiles = self.tracing.add(seen.leaf) if self.tracing else []
        if not wrong:
            return (
                f"tile {tiles[0][1]} of level {tiles[0][0]} is not of the entries: the tree was changed"
                if tiles
                else ""
            )
        return f"the first {self.tree.size} entries are not those that {wrong[0]} of {self.tree.size} entries was signed over: history was rewritten"


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
        late = [one for one in met if one[0] < size]
        self._faults += [f"{whose} of {other} entries stands after larger ones" for other, _, whose in late]
        return [(root, whose) for other, root, whose in met if other == size]

    def beyond(self, size: int) -> Iterator[str]:
        """What is wrong with those that were not met, and with any as such."""
        for other, _, whose in [*self._remembered, *([self._next] if self._next else []), *self._own]:
            if self._known.complete:
                yield f"{whose} of {other} entries is signed, but the log has {size}: it was rolled back or cut off"
        yield from self._faults

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


def _examined(
    items: Iterable[Item | Finding], keys: dict[str, bytes], site: str | None, workers: int
) -> Iterator[Examined | Finding]:
    """Every item examined, in order; by `workers` processes where there are more than a few."""
    batches = _batches(items)
    first = next(batches, [])
    if workers < 2 or len(first) < BATCH:
        yield from _one(first, keys, site)
        for batch in batches:
            yield from _one(batch, keys, site)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[bytes]] = deque([pool.submit(_sent, _ENCODER.encode(first), keys, site)])
        for batch in batches:
            waiting.append(pool.submit(_sent, _ENCODER.encode(batch), keys, site))
            if len(waiting) > 2 * workers:
                yield from _ANSWER.decode(waiting.popleft().result())
        while waiting:
            yield from _ANSWER.decode(waiting.popleft().result())


def _batches(items: Iterable[Item | Finding]) -> Iterator[list[Item | Finding]]:
    batch: list[Item | Finding] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _sent(batch: bytes, keys: dict[str, bytes], site: str | None) -> bytes:
    """A batch examined in another process; MessagePack costs a quarter of pickling."""
    return _ENCODER.encode(_one(_BATCH.decode(batch), keys, site))


def _one(batch: list[Item | Finding], keys: dict[str, bytes], site: str | None) -> list[Examined | Finding]:
    return [one if isinstance(one, Finding) else examine([one], keys, site)[0] for one in batch]


def _item(row: Line) -> Item:
    if row.erased is (row.receipt is not None):
        raise ValueError("a line has either a receipt or says that it is erased")
    return Item(row.index, bytes.fromhex(row.leaf), row.receipt, bytes(row.claims))


_LINE = msgspec.json.Decoder(Line)
_ENCODER = msgspec.msgpack.Encoder()
_BATCH = msgspec.msgpack.Decoder(list[Item | Finding])
_ANSWER = msgspec.msgpack.Decoder(list[Examined | Finding])

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
