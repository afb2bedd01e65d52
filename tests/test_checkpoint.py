"""Signed notes: another implementation reads ours, and whatever is bent is refused."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint

from consent import checkpoint
from consent.errors import BadCheckpoint
from consent.receipts import Key

ORIGIN = "consent.example.org/sites/shop"
HEAD = checkpoint.Head(ORIGIN, 20852163, bytes(range(32)))


def key(seed: int = 1) -> Key:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Key("kid", 0, private.public_key().public_bytes_raw(), private.private_bytes_raw())


def test_another_implementation_verifies_our_checkpoint():
    note = checkpoint.make(HEAD, key())
    theirs = Checkpoint.from_text(note)
    assert (theirs.origin, theirs.size, theirs.root_hash) == (ORIGIN, HEAD.size, HEAD.root)
    theirs.verify(Vkey.from_string(checkpoint.vkey(ORIGIN, key().public)))
    with pytest.raises(RuntimeError):
        theirs.verify(Vkey.from_string(checkpoint.vkey(ORIGIN, key(2).public)))


@pytest.mark.parametrize("text", [
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
])  # fmt: skip
def test_published_keys_of_other_logs_are_written_as_they_publish_them(text: str):
    name, _, encoded = text.split("+", 2)
    assert checkpoint.vkey(name, base64.b64decode(encoded)[1:]) == text


def test_a_checkpoint_says_what_was_put_into_it():
    assert checkpoint.verify(checkpoint.make(HEAD, key()), [key(2).public, key().public]) == HEAD


def test_the_same_head_and_key_give_the_same_note():
    assert checkpoint.make(HEAD, key()) == checkpoint.make(HEAD, key())


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_every_head_survives_the_note(size: int, root: bytes):
    head = checkpoint.Head(ORIGIN, size, root)
    assert checkpoint.read(checkpoint.make(head, key())) == head


def test_a_changed_size_or_root_is_a_forgery():
    note = checkpoint.make(HEAD, key())
    for old, new in (("20852163", "20852164"), ("AAECAw", "AAECBA")):
        with pytest.raises(BadCheckpoint, match="forged"):
            checkpoint.verify(note.replace(old, new, 1), [key().public])


def test_a_note_signed_by_nobody_we_know_is_refused():
    with pytest.raises(BadCheckpoint, match="not signed with a key of the key set"):
        checkpoint.verify(checkpoint.make(HEAD, key(2)), [key().public])


def test_signatures_of_others_are_passed_over():
    note = checkpoint.make(HEAD, key()) + f"— witness.example {base64.b64encode(bytes(76)).decode()}\n"
    assert checkpoint.verify(note, [key().public]) == HEAD


@given(st.text(max_size=200))
def test_any_text_is_refused_or_read(text: str):
    for read in (checkpoint.read, checkpoint.read_proof):
        with pytest.raises(BadCheckpoint):
            read(text)


@pytest.mark.parametrize(
    "bent", ["", "\n\n", "a\n1\n\n— a b\n", "a\n01\n" + "A" * 43 + "=\n\n— a AAAA\n", "\ud800\n\n"]
)
def test_what_is_no_checkpoint_is_refused_with_a_sentence(bent: str):
    with pytest.raises(BadCheckpoint, match="not a checkpoint"):
        checkpoint.read(bent)


def test_a_proof_survives_its_text():
    proof = checkpoint.Proof(7, [bytes([at]) * 32 for at in range(5)], checkpoint.make(HEAD, key()))
    assert checkpoint.read_proof(checkpoint.proof_text(proof)) == proof
    extra = checkpoint.proof_text(proof).replace("index", "extra aGVsbG8=\nindex", 1)
    assert checkpoint.read_proof(extra) == proof


@pytest.mark.parametrize("bent", ["index 1", "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx"])  # fmt: skip
def test_what_is_no_proof_is_refused(bent: str):
    with pytest.raises(BadCheckpoint, match="not a proof"):
        checkpoint.read_proof(bent)
