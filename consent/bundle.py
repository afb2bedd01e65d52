"""An evidence bundle that is read. Its rule: what it holds may come from anybody and is believed in nothing."""

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from consent import checkpoint, crew, merkle, policy, receipts
from consent.errors import BadCheckpoint, BadQuery, BadSignature
from consent.evidence import ENTRIES
from consent.model import Parcel
from consent.verify import Known

LARGEST = 1 << 26
"""Bytes of a file, or of a line of the entries, that are read."""
NAMES = re.compile(
    r"README\.txt|site\.txt|jwks\.json|vkey\.txt|entries\.ndjson|policies/[1-9][0-9]{0,8}\.json"
    r"|scripts/sha256-[A-Za-z0-9_-]{43}\.js|checkpoints/(0|[1-9][0-9]{0,18})\.txt"
    r"|stamps/(0|[1-9][0-9]{0,18})@[a-z0-9.-]{1,253}\.tsr|tile/[0-9]/(x[0-9]{3}/)*[0-9]{3}(\.p/[1-9][0-9]{0,2})?",
    re.ASCII,
)


PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The forms of files in it; others make Python's zipfile fail in ways of their own."""


class Bundle:
    """An evidence bundle, open for a block. Raises BadQuery, here and when it is read, where a file is none or is broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._told():
            self._archive = zipfile.ZipFile(path)
        names = self._archive.namelist()
        self._all = set(names)
        foreign = [name for name in names if not NAMES.fullmatch(name)]
        strange = [one.filename for one in self._archive.infolist() if one.compress_type not in PACKED]
        twice = [name for name, times in Counter(names).items() if times > 1]
        missing = [name for name in (ENTRIES, "site.txt") if name not in self._all]
        for found, what in ((foreign, "holds {!r}, which is no part of one"), (twice, "holds {!r} twice"), (strange, "holds {!r} in a form that we never write"), (missing, "lacks {!r}")):  # fmt: skip
            if found:
                self._archive.close()
                raise BadQuery(f"{path} is not an evidence bundle of ours: it {what.format(found[0])}.")

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def keys(self) -> dict[str, bytes]:
        """The key set that the bundle itself brings; to be compared with the one its keeper publishes."""
        try:
            return receipts.read_keys(self._read("jwks.json") if "jwks.json" in self._all else b"")
        except BadSignature:
            raise BadQuery("The bundle has no jwks.json with Ed25519 keys: name a key set with --jwks.") from None

    def known(self, remembered: list[str]) -> Known:
        """What the entries are held against: hashes are made anew from the files."""
        return Known(
            site=self._text("site.txt").strip(),
            policies={int(Path(name).stem): policy.digest(self._read(name)) for name in self._names("policies/")},
            scripts=frozenset(Path(name).stem for name in self._names("scripts/")),
            checkpoints=(note for _, note in self._notes()),
            remembered=remembered,
            complete=True,
            sealed=True,
            tiles=self._tile(max(self._sizes(), default=0)),
            tiled=max(self._sizes(), default=0),
        )

    def faults(self, keys: dict[str, bytes]) -> Iterator[str]:
        """What contradicts its own name, or the keys, whatever the entries are."""
        for name in self._names("scripts/"):
            if policy.named(policy.digest(self._read(name))) != Path(name).stem:
                yield f"{name} has other bytes than its name says"
        for name in self._names("stamps/"):
            noted = f"checkpoints/{Path(name).name.partition('@')[0]}.txt"
            if noted not in self._all or policy.digest(self._read(noted)) not in self._read(name):
                yield f"{name} is not of {noted}"
        largest = max(self._sizes(), default=0)
        for name in self._names("tile/"):
            if name != _tile_name(largest, *_tile_place(name)):
                yield f"{name} is no tile of a tree of {largest} entries"
        origins = set()
        for size, note in self._notes():
            try:
                head = checkpoint.read(note)
            except BadCheckpoint:
                continue  # said where it is held against the entries
            origins.add(head.origin)
            if head.size != size:
                yield f"checkpoints/{size}.txt is of {head.size} entries"
        allowed = {checkpoint.vkey(origin, key) for origin in origins for key in keys.values()}
        if "jwks.json" in self._all and not self.keys().items() <= keys.items():
            yield "jwks.json names a key that is not in the key set"
        if not set(self._text("vkey.txt").split()) <= allowed:
            yield "vkey.txt names a key that is not in the key set"

    def parcels(self) -> Generator[Parcel, None, None]:
        """The entries, in constant memory; close it when no more are wanted."""
        with self._told(), self._archive.open(ENTRIES) as lines:
            yield from crew.lines(iter(lambda: lines.readline(LARGEST), b""))

    def _sizes(self) -> list[int]:
        return sorted(int(Path(name).stem) for name in self._names("checkpoints/"))

    def _notes(self) -> Iterator[tuple[int, str]]:
        return ((size, self._text(f"checkpoints/{size}.txt")) for size in self._sizes())

    def _tile(self, size: int) -> merkle.Tile:
        def tile(level: int, number: int) -> bytes:
            name = _tile_name(size, level, number)
            return self._read(name) if name in self._all else b""

        return tile

    def _names(self, folder: str) -> list[str]:
        return [name for name in self._archive.namelist() if name.startswith(folder)]

    def _text(self, name: str) -> str:
        return self._read(name).decode(errors="replace") if name in self._all else ""

    def _read(self, name: str) -> bytes:
        if self._archive.getinfo(name).file_size > LARGEST:
            raise BadQuery(f"{self.path}: {name!r} is larger than anything we write.")
        with self._told():
            return self._archive.read(name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the archive complains of into BadQuery; it complains in many ways."""
        try:
            yield
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise BadQuery(f"{self.path} is not an evidence bundle, or is broken ({error}).") from None


def _tile_name(size: int, level: int, number: int) -> str:
    """The name of a tile in a tree of so many entries; empty where it has none."""
    width = min(merkle.WIDTH, (size >> (merkle.HEIGHT * level)) - number * merkle.WIDTH)
    partial = f".p/{width}" if width < merkle.WIDTH else ""
    return f"tile/{level}/{merkle.spelled(number)}{partial}" if width > 0 else ""


def _tile_place(name: str) -> tuple[int, int]:
    """The level and number that a tile's name says."""
    level, *groups = name.removeprefix("tile/").partition(".p/")[0].split("/")
    return int(level), int("".join(group.removeprefix("x") for group in groups))
