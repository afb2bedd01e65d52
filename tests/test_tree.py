"""Checkpoints and proofs of a real ledger."""

import itertools
import threading

import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint, ConsistencyProof, InclusionProof

from consent import checkpoint, merkle
from consent.errors import NotYet, UnknownSite, UnknownTile
from consent.ledger import Ledger
from consent.model import Choice, Filter
from tests.conftest import body, choice


def record(ledger: Ledger, count: int = 1) -> list[Choice]:
    made = [choice(**body()) for _ in range(count)]
    for one in made:
        ledger.record("shop", one)
    return made


def test_a_receipt_is_proved_by_another_implementation(ledger: Ledger):
    ids = [one.id for one in record(ledger, 20)]
    ledger.tree.checkpoint("shop")
    proof = checkpoint.read_proof(ledger.proof("shop", ids[7]))
    theirs = Checkpoint.from_text(proof.note)
    theirs.verify(Vkey.from_string(ledger.tree.vkeys("shop")[0]))
    leaf = merkle.leaf_hash(ledger.receipt("shop", ids[7]).encode())
    InclusionProof(proof.index, theirs.size, proof.path).check(leaf, theirs.root_hash)


def test_every_checkpoint_stands_in_every_later_one(ledger: Ledger):
    for count in (1, 3, 300, 7):
        record(ledger, count)
        ledger.tree.checkpoint("shop")
    made = ledger.storage.reading().checkpoints("shop")
    assert [one.size for one in made] == [2, 5, 305, 312]
    for old, new in itertools.pairwise(made):
        path = ledger.tree.consistency("shop", old.size, new.size)
        ConsistencyProof(old.size, new.size, path).check(old.root, new.root)


def test_the_root_is_that_of_the_entries(ledger: Ledger):
    record(ledger, 600)
    newest = ledger.tree.checkpoint("shop")
    leaves = [entry.leaf for entry in ledger.entries("shop", Filter(kinds=()))]
    tiles = merkle.grow(0, leaves, lambda level, number: b"")
    assert newest.root == merkle.root(601, merkle.reader(lambda level, number: tiles[level, number]))


def test_nothing_new_makes_no_checkpoint(ledger: Ledger):
    first = ledger.tree.checkpoint("shop")
    assert ledger.tree.checkpoint("shop") == first
    assert ledger.tree.checkpoint_all() == []
    assert len(ledger.storage.reading().checkpoints("shop")) == 1


def test_everything_new_is_covered_however_much_it_is(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("consent.tree.STEP", 100)
    record(ledger, 349)
    assert ledger.tree.checkpoint("shop").size == 350


def test_erasing_leaves_every_proof_as_it_was(ledger: Ledger):
    kept = record(ledger, 5)
    gone = choice(**body(subject="AAAAAAAAAAAAAAAAAAAAAA"))
    ledger.record("shop", gone)
    before = ledger.tree.checkpoint("shop")
    ledger.erase("shop", gone.subject, reason="requested by the subject")
    after = ledger.tree.checkpoint("shop")
    path = ledger.tree.consistency("shop", before.size, after.size)
    assert merkle.extends((before.size, before.root), (after.size, after.root), path)
    proof = checkpoint.read_proof(ledger.proof("shop", kept[2].id))
    leaf = merkle.leaf_hash(ledger.receipt("shop", kept[2].id).encode())
    assert merkle.includes(after.root, after.size, leaf, proof.index, proof.path)


def test_a_receipt_newer_than_the_newest_checkpoint_has_its_proof_later(ledger: Ledger):
    ledger.tree.checkpoint("shop")
    one = record(ledger)[0]
    with pytest.raises(NotYet, match="ask again"):
        ledger.proof("shop", one.id)


def test_a_site_without_a_checkpoint_says_so(ledger: Ledger):
    with pytest.raises(NotYet, match="no checkpoint yet"):
        ledger.tree.newest("shop")
    with pytest.raises(UnknownSite):
        ledger.tree.newest("other")


def test_only_one_process_at_a_time_makes_checkpoints(ledger: Ledger):
    with ledger.storage.alone("checkpoint") as alone:
        assert alone
        assert ledger.tree.checkpoint_all() == []
    assert [one.site for one in ledger.tree.checkpoint_all()] == ["shop"]


def test_many_at_once_never_make_two_of_one_size_that_differ(ledger: Ledger):
    record(ledger, 50)
    threads = [threading.Thread(target=ledger.tree.checkpoint, args=("shop",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    record(ledger, 20)
    for thread in threads:
        thread.join()
    ledger.tree.checkpoint("shop")
    made = ledger.storage.reading().checkpoints("shop")
    assert made[-1].size == 71
    for old, new in itertools.pairwise(made):
        path = ledger.tree.consistency("shop", old.size, new.size)
        assert merkle.extends((old.size, old.root), (new.size, new.root), path)


def test_tiles_are_served_as_far_as_the_newest_checkpoint_reaches(ledger: Ledger):
    record(ledger, 299)
    with pytest.raises(UnknownTile):
        ledger.tree.tile("shop", 0, 0)
    ledger.tree.checkpoint("shop")
    assert len(ledger.tree.tile("shop", 0, 0)) == 256 * 32
    assert len(ledger.tree.tile("shop", 0, 1, 44)) == 44 * 32
    assert len(ledger.tree.tile("shop", 1, 0, 1)) == 32
    with pytest.raises(UnknownTile):
        ledger.tree.tile("shop", 0, 1, 45)


def test_a_rotated_key_signs_and_the_old_checkpoints_still_verify(ledger: Ledger, clock):
    ledger.tree.checkpoint("shop")
    clock.forward(seconds=5)
    ledger.ring.rotate()
    record(ledger)
    ledger.tree.checkpoint("shop")
    keys = list(ledger.ring.public().values())
    made = ledger.storage.reading().checkpoints("shop")
    assert [checkpoint.verify(one.note, keys).size for one in made] == [1, 2]
    assert len(ledger.tree.vkeys("shop")) == 2
