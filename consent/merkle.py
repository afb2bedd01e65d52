"""The Merkle tree over a site's ledger: RFC 9162 hashing, proofs and tiles of 256 hashes (C2SP tlog-tiles); pure.

A tree is read through `Node`: (height, index) -> hash of the complete subtree of `2**height` leaves that begins at
leaf `index * 2**height`. Proofs ask for a logarithmic number of them and never for an entry.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]
Tile = Callable[[int, int], bytes]
"""(level, number) -> the hashes of a tile, 32 bytes each, as far as they are known; empty where there is none."""

HASH = 32
WIDTH = 256
"""Hashes in a full tile."""
HEIGHT = 8
"""Levels of the tree that one level of tiles spans."""
EMPTY = sha256(b"").digest()
"""The root of an empty tree."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry): RFC 9162, section 2.1.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): RFC 9162, section 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


def root(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves."""
    return _subtree(0, size, node) if size else EMPTY


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The proof that leaf `index` is among the first `size`, from leaf to root: RFC 9162, section 2.1.3.1."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start = 0
    while size > 1:
        half = _split(size)
        if index - start < half:
            path.append(_subtree(start + half, size - half, node))
            size = half
        else:
            path.append(_subtree(start, half, node))
            start, size = start + half, size - half
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """The proof that the first `old` leaves of a tree of `new` are what they were: RFC 9162, section 2.1.4.1."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves was never one of {old}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, size, whole = 0, new, True
    while old != size:
        half = _split(size)
        if old <= half:
            path.append(_subtree(start + half, size - half, node))
            size = half
        else:
            path.append(_subtree(start, half, node))
            start, size, old, whole = start + half, size - half, old - half, False
    if not whole:
        path.append(_subtree(start, size, node))
    return path[::-1]


def includes(root: bytes, size: int, leaf: bytes, index: int, proof: Sequence[bytes]) -> bool:
    """Whether an inclusion proof holds: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for hash in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(hash, found)
            at, last = _climb(at, last)
        else:
            found = node_hash(found, hash)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def extends(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Whether a consistency proof between two (size, root) holds: RFC 9162, section 2.1.4.2."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY
    if not 0 < old_size < new_size:
        return False
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        return False
    was = now = path[0]
    for hash in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            was, now = node_hash(hash, was), node_hash(hash, now)
            at, last = _climb(at, last)
        else:
            now = node_hash(now, hash)
        at, last = at >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def reader(tile: Tile) -> Node:
    """A tree that is read from tiles; each is fetched once."""
    kept: dict[tuple[int, int], bytes] = {}

    def node(height: int, index: int) -> bytes:
        level, above = divmod(height, HEIGHT)
        first = index << above
        place = (level, first // WIDTH)
        if place not in kept:
            kept[place] = tile(*place)
        start = first % WIDTH * HASH
        hashes = kept[place][start : start + (HASH << above)]
        if len(hashes) != HASH << above:
            raise LookupError(f"tile {place[1]} of level {level} does not reach to hash {first + (1 << above)}")
        return _perfect(hashes)

    return node


def grow(size: int, leaves: Iterable[bytes], tile: Tile) -> dict[tuple[int, int], bytes]:
    """The tiles that are new or longer once `leaves` follow the first `size`: (level, number) -> hashes."""
    changed: dict[tuple[int, int], bytes] = {}
    level, fresh = 0, list(leaves)
    while fresh:
        number, held = divmod(size, WIDTH)
        known = tile(level, number)[: held * HASH] if held else b""
        if len(known) != held * HASH:
            raise LookupError(f"tile {number} of level {level} is shorter than the tree says")
        hashes = known + b"".join(fresh)
        full = []
        for start in range(0, len(hashes), WIDTH * HASH):
            piece = hashes[start : start + WIDTH * HASH]
            changed[level, number + start // (WIDTH * HASH)] = piece
            if len(piece) == WIDTH * HASH:
                full.append(_perfect(piece))
        level, size, fresh = level + 1, number, full
    return changed


def spelled(number: int) -> str:
    """A tile's number as its address has it: groups of three digits, `x001/234` (tlog-tiles)."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


class Frontier:
    """The right edge of a tree: enough to go on growing it and to know its root."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> list[bytes]:
        """Grow by a leaf; the roots of the tiles that it fills, from the lowest level up."""
        self.size = rest = self.size + 1
        height, full, peak = 0, [], leaf
        while rest & 1 == 0:
            peak = sha256(b"\x01" + self._peaks.pop() + peak).digest()
            rest >>= 1
            height += 1
            if height % HEIGHT == 0:
                full.append(peak)
        self._peaks.append(peak)
        return full

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY
        *others, found = self._peaks
        for peak in reversed(others):
            found = node_hash(peak, found)
        return found


class Tracing:
    """The leaves of a tree as they come, held against its tiles."""

    def __init__(self, size: int, tile: Tile) -> None:
        self._size = size
        self._tile = tile
        self._count = 0
        self._rows = [bytearray()]
        self._numbers = [0]

    def add(self, leaf: bytes, full: Sequence[bytes]) -> list[tuple[int, int]]:
        """The tiles (level, number) that end with this leaf and are not what they should be; `full` as of Frontier."""
        self._count += 1
        if self._count > self._size:
            return []
        self._rows[0] += leaf
        wrong: list[tuple[int, int]] = []
        for level, hash in enumerate(full):
            wrong += self._compared(level)
            self._climb(level, hash)
        if self._count == self._size:
            wrong += [place for level in range(len(self._rows)) for place in self._compared(level)]
        return wrong

    def _climb(self, level: int, hash: bytes) -> None:
        """Begin the next tile of a level, and put the root of the last into the level above."""
        self._rows[level] = bytearray()
        self._numbers[level] += 1
        if level + 1 == len(self._rows):
            self._rows.append(bytearray())
            self._numbers.append(0)
        self._rows[level + 1] += hash

    def _compared(self, level: int) -> list[tuple[int, int]]:
        number, row = self._numbers[level], bytes(self._rows[level])
        return [] if not row or self._tile(level, number)[: len(row)] == row else [(level, number)]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(start: int, size: int, node: Node) -> bytes:
    if size & (size - 1) == 0:
        return node(size.bit_length() - 1, start // size)
    half = _split(size)
    return node_hash(_subtree(start, half, node), _subtree(start + half, size - half, node))


def _climb(at: int, last: int) -> tuple[int, int]:
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _perfect(hashes: bytes) -> bytes:
    """The root over a power of two of hashes."""
    row = [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
