"""The evidence bundle: one zip file with all that an auditor needs to check a site's log with public tools.

Its rule: nothing in it has to be believed. Every file is named by, or checked against, a hash or a signature.
"""

import gzip
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from consent import merkle, policy, receipts
from consent.errors import BadQuery, BadSignature
from consent.export import ndjson
from consent.ledger import Ledger
from consent.model import Filter, Script
from consent.verify import Known, items_in

ENTRIES = "entries.ndjson"
README = Path(__file__).parent / "templates" / "evidence.txt"


def bundle(ledger: Ledger, site: str) -> Iterator[bytes]:
    """A site's whole log as pieces of a zip file, a checkpoint over all of it made first. Raises UnknownSite."""
    newest = ledger.tree.checkpoint(site)
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, pieces in _files(ledger, site, newest.size):
            with archive.open(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    yield from sink.taken()
    yield from sink.taken()


class Bundle:
    """An evidence bundle that is read. Raises BadQuery where a file is none."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
            self._archive.getinfo(ENTRIES)
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise BadQuery(f"{path} is not an evidence bundle ({error}).") from None

    def keys(self) -> dict[str, bytes]:
        """The key set that the bundle itself brings; to be compared with the one its keeper publishes."""
        try:
            return receipts.keys_of(msgspec.json.decode(self._archive.read("jwks.json")))
        except (KeyError, msgspec.DecodeError, BadSignature):
            raise BadQuery("The bundle has no jwks.json with Ed25519 keys: name a key set with --jwks.") from None

    def known(self, remembered: list[str]) -> Known:
        """What the entries are held against: hashes are made anew from the files."""
        return Known(
            site=self._archive.read("site.txt").decode(errors="replace").strip() if self._has("site.txt") else None,
            policies={int(Path(name).stem): policy.digest(self._archive.read(name)) for name in self._names("policies", ".json")},
            scripts=frozenset(policy.named(policy.digest(self._archive.read(name))) for name in self._names("scripts", ".js")),
            checkpoints=[self._archive.read(name).decode(errors="replace") for name in self._names("checkpoints", ".txt")],
            remembered=remembered,
            complete=True,
        )  # fmt: skip

    def items(self) -> Iterator:  # type: ignore[type-arg]
        """The entries, in constant memory."""
        with self._archive.open(ENTRIES) as lines:
            yield from items_in(lines)

    def _has(self, name: str) -> bool:
        return name in self._archive.namelist()

    def _names(self, folder: str, suffix: str) -> list[str]:
        names = [name for name in self._archive.namelist() if name.startswith(folder + "/") and name.endswith(suffix)]
        return [name for name in names if folder != "policies" or Path(name).stem.isdecimal()]


class _Sink(io.RawIOBase):
    """Takes what the archive writes and gives it away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def,override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        yield from pieces


def _files(ledger: Ledger, site: str, size: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    rows = ledger.storage.reading()
    yield "README.txt", [README.read_bytes()]
    yield "site.txt", [site.encode() + b"\n"]
    yield "jwks.json", [msgspec.json.format(msgspec.json.encode(ledger.ring.jwks()), indent=2)]
    yield "vkey.txt", ["\n".join(ledger.tree.vkeys(site)).encode() + b"\n"]
    for publication in rows.publications(site):
        yield f"policies/{publication.version}.json", [publication.document]
    for hash in rows.scripts(site):
        script: Script = ledger.script_by_hash(site, hash)
        yield f"scripts/{policy.named(hash)}.js", [gzip.decompress(script.gzip)]
    for made in rows.checkpoints(site):
        if made.size <= size:
            yield f"checkpoints/{made.size}.txt", [made.note.encode()]
    yield from _tiles(ledger, site, size)
    entries = (entry for entry in ledger.entries(site, Filter(kinds=())) if entry.index < size)
    yield ENTRIES, ndjson(entries, [])


def _tiles(ledger: Ledger, site: str, size: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The tree as a static log that tools for C2SP tlog-tiles can read."""
    level, hashes = 0, size
    while hashes:
        full, rest = divmod(hashes, merkle.WIDTH)
        for number in range(full):
            yield f"tile/{level}/{spelled(number)}", [ledger.tree.tile(site, level, number)]
        if rest:
            yield f"tile/{level}/{spelled(full)}.p/{rest}", [ledger.tree.tile(site, level, full, rest)]
        level, hashes = level + 1, full


def spelled(number: int) -> str:
    """A tile's number as its address has it: groups of three digits, `x001/234` (tlog-tiles)."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)
