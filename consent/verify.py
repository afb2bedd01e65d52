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
    checkpoints: Sequence[str] = ()
    """Signed notes of this log, in any order."""
    remembered: Sequence[str] = ()
    """Signed notes that the verifier kept from earlier."""
    complete: bool = False
    """Whether no index may be missing and every erased entry must be named by an erasure."""
    sealed: bool = False
    """Whether a checkpoint must cover every entry."""
    tiles: merkle.Tile | None = None
    """The stored tiles of the tree that the largest of `checkpoints` was signed over."""


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
        self.heads, self.bad = _heads(known, keys)
        self.covered = max((size for size, heads in self.heads.items() if any(own for *_, own in heads)), default=0)
        self.tracing = merkle.Tracing(self.covered, known.tiles) if known.tiles else None

    def add(self, seen: Examined) -> Finding:
        problem = self._order(seen) or seen.fault or self._time(seen) or self._policy(seen) or self._scripts(seen)
        self.last = seen.index
        if self.known.complete:
            problem = self._grow(seen) or self._explain(seen) or problem
        return Finding(seen.index, seen.kind, problem)

    def end(self) -> Iterator[Finding]:
        for index in self.emptied.unexplained():
            yield Finding(index, "damaged", f"entry {index} is empty, but no erasure names it: it was removed")
        yield from self.bad
        if self.known.complete:
            beyond = sorted(size for size in self.heads if size > self.tree.size)
            gone = f"but the log has {self.tree.size}: it was rolled back or cut off"
            for size in beyond:
                for _, whose, _ in self.heads[size]:
                    yield Finding(-1, "checkpoint", f"{whose} of {size} entries is signed, {gone}")
        if self.known.sealed and self.covered < self.tree.size:
            yield Finding(
                -1,
                "checkpoint",
                f"no checkpoint is there over more than {self.covered} of {self.tree.size} entries: nothing vouches for the others",
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
        heads = self.heads.get(self.tree.size, [])
        wrong = [whose for root, whose, _ in heads if root != self.tree.root()]
        tiles = self.tracing.add(seen.leaf) if self.tracing else []
        if not wrong:
            return (
                f"tile {tiles[0][1]} of level {tiles[0][0]} is not of the entries: the tree was changed"
                if tiles
                else ""
            )
        return f"the first {self.tree.size} entries are not those that {wrong[0]} of {self.tree.size} entries was signed over: history was rewritten"


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


def _heads(known: Known, keys: dict[str, bytes]) -> tuple[dict[int, list[tuple[bytes, str, bool]]], list[Finding]]:
    """(root, whose checkpoint, the log's own?) by size, and what is wrong with them before any entry is read."""
    heads: dict[int, list[tuple[bytes, str, bool]]] = {}
    bad = []
    notes = [(note, OWN) for note in known.checkpoints]
    notes += [(note, "the remembered checkpoint") for note in known.remembered]
    for note, whose in notes:
        try:
            head = checkpoint.verify(note, keys.values())
        except BadCheckpoint as error:
            bad.append(Finding(-1, "checkpoint", str(error).rstrip(".")))
            continue
        if known.site is not None and head.origin.rpartition("/sites/")[2] != known.site:
            bad.append(Finding(-1, "checkpoint", f"{whose} of {head.size} entries is of {head.origin}, another log"))
        heads.setdefault(head.size, []).append((head.root, whose, whose == OWN))
    return heads, bad


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
