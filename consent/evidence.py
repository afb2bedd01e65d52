"""The evidence bundle: one zip file with all that an auditor needs to check a site's log with public tools.

Its rule: nothing in it has to be believed. Every file but the README is checked against a hash or a signature
(bundle.Bundle reads it).
"""

import gzip
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import msgspec

from consent import checkpoint as notes
from consent import merkle, policy
from consent.anchors import stamps
from consent.export import ndjson
from consent.fields import TRAIL
from consent.ledger import Ledger
from consent.model import Filter, Script
from consent.pieces import Sink
from consent.storage.base import Rows
from consent.tree import checkpoints

ENTRIES = "entries.ndjson"
TEMPLATES = Path(__file__).parent / "templates"


def bundle(ledger: Ledger, site: str, *, anchors: Path) -> Iterator[bytes]:
    """A site's whole log, or that of what administrators did, as pieces of a zip file, a checkpoint over all of it made; with the time stamps that lie in the
    folder `anchors`. Raises UnknownSite.
    """
    sink = Sink()
    with (
        _settled(ledger, site) as (rows, size),
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name, pieces in chain(_files(ledger, site, rows, size), _stamps(rows, site, size, anchors)):
            with archive.open(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    yield from sink.taken()
    yield from sink.taken()


@contextmanager
def _settled(ledger: Ledger, site: str) -> Iterator[tuple[Rows, int]]:
    """The log at rest and how much of it a checkpoint covers, with every policy and the erasure of everything that is empty in it."""
    while True:
        size = ledger.tree.checkpoint(site).size
        with ledger.storage.snapshot() as rows:
            if not rows.entries(site, Filter(kinds=("erasure", "policy")), after=size - 1, limit=1):
                yield rows, size
                return


def _files(ledger: Ledger, site: str, rows: Rows, size: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    readme = "evidence_trail.txt" if site == TRAIL else "evidence.txt"
    yield "README.txt", [(TEMPLATES / readme).read_bytes()]
    yield "site.txt", [site.encode() + b"\n"]
    yield "jwks.json", [msgspec.json.format(msgspec.json.encode(ledger.ring.jwks()), indent=2)]
    yield "vkey.txt", _vkeys(ledger, rows, site)
    for publication in rows.publications(site):
        yield f"policies/{publication.version}.json", [publication.document]
    for hash in rows.scripts(site):
        script: Script = ledger.script_by_hash(site, hash)
        yield f"scripts/{policy.named(hash)}.js", [gzip.decompress(script.gzip)]
    for made in checkpoints(rows, site):
        if made.size <= size:
            yield f"checkpoints/{made.size}.txt", [made.note.encode()]
    yield from _tiles(ledger, site, size)
    yield ENTRIES, ndjson(ledger.entries(site, Filter(kinds=()), rows=rows, end=size), [])


def _vkeys(ledger: Ledger, rows: Rows, site: str) -> Iterator[bytes]:
    """A key is named after the log, and so after the service's address: those of its earlier addresses follow."""
    origins = dict.fromkeys(made.note.partition("\n")[0] for made in checkpoints(rows, site))
    for name in dict.fromkeys([notes.origin(ledger.issuer, site), *origins]):
        for key in reversed(ledger.ring.keys()):
            yield f"{notes.vkey(name, key.public)}\n".encode()


def _stamps(rows: Rows, site: str, size: int, folder: Path) -> Iterator[tuple[str, Iterable[bytes]]]:
    """What authorities said of the checkpoints above."""
    for covered, path in stamps(folder, site):
        if covered <= size and rows.checkpoint(site, covered):
            yield f"stamps/{path.name}", [path.read_bytes()]


def _tiles(ledger: Ledger, site: str, size: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The tree as a static log that tools for C2SP tlog-tiles can read."""
    level, hashes = 0, size
    while hashes:
        full, rest = divmod(hashes, merkle.WIDTH)
        for number in range(full):
            yield f"tile/{level}/{merkle.spelled(number)}", [ledger.tree.tile(site, level, number)]
        if rest:
            yield f"tile/{level}/{merkle.spelled(full)}.p/{rest}", [ledger.tree.tile(site, level, full, rest)]
        level, hashes = level + 1, full
