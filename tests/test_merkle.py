"""The tree: RFC 6962's vectors, two other implementations, and what hypothesis thinks of."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scitt_cose import merkle as scitt
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from consent import merkle

# The inputs and roots that RFC 6962's reference implementation publishes for its first eight trees.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def grown(leaves: list[bytes], steps: list[int]) -> dict[tuple[int, int], bytes]:
    """The tiles of a tree that grew by so many leaves at a time, then by the rest."""
    tiles: dict[tuple[int, int], bytes] = {}
    size = 0

    def known(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    for step in [*steps, len(leaves)]:
        tiles |= merkle.grow(size, leaves[size : size + step], known)
        size = min(size + step, len(leaves))
    return tiles


def node(leaves: list[bytes], steps: tuple[int, ...] = ()) -> merkle.Node:
    tiles = grown(leaves, list(steps))
    return merkle.reader(lambda level, number: tiles.get((level, number), b""))


def made(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(count)]


@pytest.mark.parametrize("size", ROOTS)
def test_the_published_vectors_of_rfc_6962_hold(size: int):
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[:size]]
    assert merkle.root(size, node(leaves)).hex() == ROOTS[size]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert hashlib.sha256(b"").digest() == merkle.EMPTY


@given(st.integers(1, 900), st.data())
@settings(max_examples=60, deadline=None)
def test_two_other_implementations_take_our_inclusion_proofs(size: int, data: st.DataObject):
    index = data.draw(st.integers(0, size - 1))
    leaves = made(size)
    tree = node(leaves, (data.draw(st.integers(0, size)),))
    root, path = merkle.root(size, tree), merkle.inclusion(index, size, tree)
    entry = b"%d" % index
    assert scitt.verify_inclusion(entry.hex(), index, size, [hash.hex() for hash in path], root.hex())
    InclusionProof(index, size, path).check(leaves[index], root)
    assert merkle.includes(root, size, leaves[index], index, path)


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_the_proofs_are_those_that_another_implementation_makes(size: int, data: st.DataObject):
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    entries = [(b"%d" % number).hex() for number in range(size)]
    tree = node(made(size))
    assert [hash.hex() for hash in merkle.inclusion(index, size, tree)] == scitt.inclusion_proof(entries, index)
    assert [hash.hex() for hash in merkle.consistency(old, size, tree)] == scitt.consistency_proof(entries, old, size)


@given(st.integers(0, 700), st.integers(0, 700), st.integers(0, 700))
@settings(max_examples=80, deadline=None)
def test_every_earlier_tree_is_proved_to_stand_in_a_later_one(old: int, more: int, step: int):
    leaves = made(old + more)
    tree = node(leaves, (step,))
    before, after = (old, merkle.root(old, tree)), (old + more, merkle.root(old + more, tree))
    path = merkle.consistency(old, old + more, tree)
    assert merkle.extends(before, after, path)
    ConsistencyProof(old, old + more, path).check(before[1], after[1])


@given(st.integers(2, 300), st.data())
@settings(max_examples=80, deadline=None)
def test_a_proof_for_anything_else_is_refused(size: int, data: st.DataObject):
    index, place = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 63))
    leaves = made(size)
    tree = node(leaves)
    root, path = merkle.root(size, tree), merkle.inclusion(index, size, tree)
    bent = [hash if at != place % len(path) else merkle.leaf_hash(hash) for at, hash in enumerate(path)]
    assert not merkle.includes(root, size, leaves[index], index, bent)
    assert not merkle.includes(root, size, merkle.leaf_hash(b"other"), index, path)
    assert not merkle.includes(root, size, leaves[index], (index + 1) % size, path)
    assert not merkle.includes(root, size, leaves[index], index, [*path, root])
    assert not merkle.includes(root, size, leaves[index], index, path[:-1])


@given(st.integers(1, 300), st.integers(1, 300), st.data())
@settings(max_examples=80, deadline=None)
def test_a_rewritten_history_has_no_consistency_proof(old: int, more: int, data: st.DataObject):
    changed = data.draw(st.integers(0, old - 1))
    leaves = made(old + more)
    forged = [leaf if at != changed else merkle.leaf_hash(b"forged") for at, leaf in enumerate(leaves)]
    before = (old, merkle.root(old, node(leaves)))
    tree = node(forged)
    after = (old + more, merkle.root(old + more, tree))
    assert not merkle.extends(before, after, merkle.consistency(old, old + more, tree))


def test_proofs_at_ten_million_entries_read_few_tiles():
    """A tree whose leaves are all alike has few different tiles; only how many are read counts."""
    size, levels, read = 10_000_001, [merkle.leaf_hash(b"")], []
    for _ in range(30):
        levels.append(merkle.node_hash(levels[-1], levels[-1]))

    def tile(level: int, number: int) -> bytes:
        read.append((level, number))
        return levels[8 * level] * min(256, (size >> (8 * level)) - 256 * number)

    tree = merkle.reader(tile)
    path = merkle.inclusion(5_000_000, size, tree)
    assert merkle.includes(merkle.root(size, merkle.reader(tile)), size, levels[0], 5_000_000, path)
    assert len(set(read)) <= 10
    read.clear()
    merkle.consistency(3_333_333, size, merkle.reader(tile))
    assert len(read) <= 10


def test_what_tiles_do_not_cover_is_an_error_not_a_wrong_root():
    with pytest.raises(LookupError):
        merkle.root(5, node(made(4)))
    with pytest.raises(ValueError, match="no leaf 4"):
        merkle.inclusion(4, 4, node(made(4)))
    with pytest.raises(ValueError, match="never one of 5"):
        merkle.consistency(5, 4, node(made(4)))
