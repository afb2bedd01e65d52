"""Checkpoints: C2SP signed notes (signed-note v1.0.0, tlog-checkpoint v1.0.0) and proofs (tlog-proof); pure.

A checkpoint says how many entries a site's ledger has and what their root is, signed by the service's Ed25519 key.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from consent.errors import BadCheckpoint
from consent.receipts import Key, raw_signature, signature_holds

ED25519 = b"\x01"
"""The signature type of a note (signed-note, section "Signature types")."""
BODY = re.compile(r"([^\s+\x00-\x1f\x7f-\x9f]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n")
LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
NOTES = re.compile(r"[^\n]+\n[0-9]+\n[^\n]+\n\n(?:— [^\n]+\n?)+")
PROOF = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63


class Head(msgspec.Struct, frozen=True):
    """What a checkpoint says: the log it is of, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes


class Proof(msgspec.Struct, frozen=True):
    """A `tlog-proof`: the index of an entry, the path from its leaf to the root, and the checkpoint of that root."""

    index: int
    path: list[bytes]
    note: str


def origin(issuer: str, site: str) -> str:
    """The name of a site's log: the address of the service without its scheme, then the site."""
    parts = urlsplit(issuer)
    return f"{parts.netloc}{parts.path}/sites/{site}"


def vkey(name: str, public: bytes) -> str:
    """The key that verifies a log's notes, as Go's and C2SP's tools take it: name+id+base64(type and key)."""
    return f"{name}+{_key_id(name, public).hex()}+{_base64(ED25519 + public)}"


def notes(text: str) -> list[str]:
    """The notes of a file, as a file anchor and `consent checkpoint` write them one after another; the text if none."""
    found = [f"{one[0].strip()}\n" for one in NOTES.finditer(text.lstrip("\n"))]
    return found or [text]


def make(head: Head, key: Key) -> str:
    """A signed checkpoint. Ed25519 is deterministic: the same head and key always give the same note."""
    body = f"{head.origin}\n{head.size}\n{_base64(head.root)}\n"
    signed = _key_id(head.origin, key.public) + raw_signature(body.encode(), key.private)
    return f"{body}\n— {head.origin} {_base64(signed)}\n"


def read(note: str) -> Head:
    """What a checkpoint says, its signatures not looked at. Raises BadCheckpoint."""
    body, signatures = _parts(note)
    found = BODY.fullmatch(body)
    if not found or not signatures:
        raise BadCheckpoint("This is not a checkpoint: three lines (origin, size, root), an empty one, signatures.")
    return Head(found[1], int(found[2]), base64.b64decode(found[3]))


def verify(note: str, keys: Iterable[bytes]) -> Head:
    """What a checkpoint says, at least one of these raw public keys having signed it. Raises BadCheckpoint.

    Signatures of keys we do not know are passed over; one of a key we know that fails makes the whole note fail.
    """
    head = read(note)
    body, signatures = _parts(note)
    known = {_key_id(head.origin, key): key for key in keys}
    held = False
    for name, signed in signatures:
        key = known.get(signed[:4])
        if name != head.origin or key is None:
            continue
        if not signature_holds(signed[4:], body.encode(), key):
            raise BadCheckpoint(
                f"The checkpoint of {head.size} entries has a signature that does not fit: it is forged."
            )
        held = True
    if not held:
        raise BadCheckpoint(f"The checkpoint of {head.size} entries is not signed with a key of the key set.")
    return head


def proof_text(proof: Proof) -> str:
    """A proof as a `.tlog-proof` file."""
    lines = [PROOF, f"index {proof.index}", *map(_base64, proof.path)]
    return "\n".join(lines) + "\n\n" + proof.note


def read_proof(text: str) -> Proof:
    """A `.tlog-proof` file. Raises BadCheckpoint."""
    head, _, note = text.partition("\n\n")
    lines = [line for line in head.split("\n") if not line.startswith("extra ")]
    try:
        if lines[0] != PROOF or not (index := re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[1])):
            raise ValueError
        path = [base64.b64decode(line, validate=True) for line in lines[2:]]
        if len(path) > LONGEST_PATH or any(len(hash) != 32 for hash in path):
            raise ValueError
    except (ValueError, IndexError):
        raise BadCheckpoint(f"This is not a proof: it should begin with {PROOF!r}, an index and hashes.") from None
    return Proof(int(index[1]), path, note)


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    body, gap, rest = note.rpartition("\n\n")
    if not gap or not rest.endswith("\n"):
        return body, []
    found = [LINE.fullmatch(line) for line in rest[:-1].split("\n")]
    try:
        signatures = [(line[1], base64.b64decode(line[2], validate=True)) for line in found if line]
    except binascii.Error:
        return body, []
    return body + "\n", signatures if all(found) else []


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
