"""What a database keeps beside its entries: policies, banner scripts, checkpoints and tiles.

Its rule: what a column says is held against the bytes it was made from, never believed.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from consent import checkpoint, policy, receipts
from consent.errors import BadCheckpoint, BadSignature
from consent.model import Checkpoint, Filter, Publication, Script
from consent.storage.base import Rows
from consent.tree import checkpoints
from consent.verify import Known

GZIP = 31
"""The window of zlib that reads gzip (RFC 1952)."""
LARGEST = 1 << 24
"""Bytes of a script that are unpacked; ours have some ten thousand."""
BROKEN = (TypeError, ValueError, AttributeError, EOFError, OSError, zlib.error, msgspec.MsgspecError)
"""What values of kinds that we never write lead to."""


def known(rows: Rows, site: str, remembered: list[str]) -> Known:
    """What the entries of a site are held against: hashes are made anew from what is stored."""
    newest = rows.checkpoint(site)
    return Known(
        site=site,
        policies={one.version: policy.digest(one.document) for one in rows.publications(site) if not _policy(one)},
        scripts=frozenset(policy.named(hash) for hash in rows.scripts(site) if isinstance(hash, bytes)),
        checkpoints=(str(one.note) for one in checkpoints(rows, site)),
        remembered=remembered,
        complete=True,
        tiles=lambda level, number: _bytes(rows.tile(site, level, number)),
        tiled=newest.size if newest else 0,
    )


def faults(rows: Rows, site: str) -> Iterator[str]:
    """What is filed under other data than its own bytes, whatever the entries are."""
    for publication in rows.publications(site):
        if _policy(publication):
            yield f"policy version {publication.version} is filed under other data than its own: it was changed"
    published = _published(rows, site)
    for hash in rows.scripts(site):
        script = rows.script(site, hash)
        if script is None or text_of(script) is None:
            yield f"banner script {_name(hash)} has other bytes than its name says: it was changed"
        elif (script.version, f"{script.language}/{script.regime}", policy.named(hash)) not in published:
            yield f"banner script {_name(hash)} is filed under another version, language or regime than it was published for"
    for made in checkpoints(rows, site):
        if _checkpoint(made):
            yield f"the checkpoint of {made.size} entries is filed under another size or root than it was signed over"


def _published(rows: Rows, site: str) -> set[tuple[int, str, str]]:
    """Version, language and regime, and name of every script that the log published."""
    found: set[tuple[int, str, str]] = set()
    after = -1
    while page := rows.entries(site, Filter(kinds=("policy",)), after=after):
        for entry in page:
            with suppress(BadSignature, *BROKEN):
                said = msgspec.json.decode(receipts.read(entry.token or "")[1], type=receipts.PolicyClaims).policy
                found |= {(said.version, place, name) for place, name in said.scripts.items()}
        after = page[-1].index
    return found


def _policy(stored: Publication) -> bool:
    try:
        said = policy.load(stored.document)
        kept = (stored.hash, stored.version, stored.material_since)
        return kept != (policy.digest(stored.document), said.version, said.material_since)
    except BROKEN:
        return True


def text_of(stored: Script) -> bytes | None:
    """What a stored script says; None where that is not what its hash names."""
    try:
        unpacked = zlib.decompressobj(GZIP).decompress(stored.gzip, LARGEST)
    except BROKEN:
        return None
    return unpacked if policy.digest(unpacked) == stored.hash else None


def _checkpoint(stored: Checkpoint) -> bool:
    try:
        head = checkpoint.read(stored.note)
        return (head.size, head.root) != (stored.size, stored.root)
    except (*BROKEN, BadCheckpoint):
        return True


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _name(hash: object) -> str:
    return policy.named(hash) if isinstance(hash, bytes) else repr(hash)
