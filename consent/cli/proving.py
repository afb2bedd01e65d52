"""`consent verify` and `checkpoint`: the log and its proof."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from urllib.parse import unquote

import click

from consent import crew, stored
from consent import verify as verification
from consent.bundle import LARGEST, Bundle
from consent.checkpoint import notes
from consent.cli.reading import Watched, jwks_option, key_set
from consent.cli.shared import as_json, read_file, show, the_ledger
from consent.errors import BadQuery
from consent.examination import is_trail
from consent.fields import TRAIL, is_site
from consent.keyring import KeyRing
from consent.ledger import Ledger
from consent.mirror import Mirror
from consent.model import Parcel
from consent.settings import load
from consent.storage import named, open_storage
from consent.storage.base import Storage, logs
from consent.storage.sqlite import SqliteFile
from consent.times import rfc3339

MOST = 10_000
"""Problems that are kept for the JSON; each is printed as it is found."""
Findings = Iterable[verification.Finding]


@click.command()
@click.argument("what", metavar="SITE|_trail|FILE|URL")
@jwks_option
@click.option(
    "--since", multiple=True, help="File with a checkpoint that you kept: nothing it covers may have changed."
)
@as_json
def verify(what: str, jwks: str | None, since: tuple[str, ...], as_json: bool) -> None:
    """Check a log without trusting its keeper: every signature, hash, order, policy, erasure and checkpoint.

    WHAT is a site of this installation, `_trail` (what its administrators did), an evidence bundle, a database file or its
    URL, an exported ndjson file, or the address of a site elsewhere (https://consent.example.org/sites/shop), of which keys,
    checkpoint and tree are checked.

    \b
    Example: consent verify shop
             consent verify evidence.zip --since checkpoint-of-last-year.txt
             consent verify export.ndjson --jwks jwks.json
    """
    remembered = [note for path in since for note in notes(read_file(path).decode(errors="replace"))]
    kinds: dict[str, int] = {}
    problems: list[str] = []
    count = 0
    for finding in _findings(what, jwks, remembered):
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
        if finding.problem:
            count += 1
            problems += [finding.problem] if count <= MOST else []
            click.echo(f"Problem: {finding.problem}.", err=True)
    if as_json:
        show({"checked": kinds, "problems": problems + ([f"and {count - MOST} more"] if count > MOST else [])})
    else:
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing"
        click.echo(f"{what}: {counted}; {f'{count} problems' if count else 'everything holds'}.")
    sys.exit(1 if count else 0)


@click.command()
@click.argument("site", required=False)
@as_json
def checkpoint(site: str | None, as_json: bool) -> None:
    """Make a checkpoint now, of one log or of all, and print the newest. Keep a copy where nobody can change it.

    \b
    Example: consent checkpoint shop > shop-2026-11-23.txt
    """
    ledger = the_ledger()
    sites = [site] if site else logs(ledger.storage.reading())
    made = [ledger.tree.checkpoint(one) for one in sites]
    if as_json:
        show([{"site": one.site, "size": one.size, "root": one.root.hex(), "made_at": rfc3339(one.made_at), "note": one.note} for one in made])  # fmt: skip
    else:
        click.echo("\n".join(one.note for one in made), nl=False)


def _findings(what: str, jwks: str | None, remembered: list[str]) -> Findings:
    if what.startswith(("http://", "https://")):
        return Mirror(what).findings(key_set(jwks) if jwks else None, remembered)
    if what.startswith("postgresql://"):
        return _database(open_storage(what), named(what), jwks, remembered)
    path = Path(unquote(what.removeprefix("sqlite://")) if what.startswith("sqlite://") else what)
    if not _is_file(path):
        if what != TRAIL and not is_site(what):
            raise BadQuery(f"There is no file {what}.")
        ledger = the_ledger()
        return _log(ledger, what, key_set(jwks) if jwks else ledger.ring.public(), remembered)
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"PK"):
        return _bundle(path, jwks, remembered)
    if start == b"SQLite format 3\0":
        return _database(SqliteFile(path), str(path), jwks, remembered)
    return _lines(path, jwks, remembered)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # no name that a file could have


def _log(ledger: Ledger, site: str, keys: dict[str, bytes], remembered: list[str]) -> Findings:
    with ledger.storage.snapshot() as rows:
        known = stored.known(rows, site, remembered)
        watched = Watched(ledger, rows.size(site))
        with watched.bar():
            parcels = watched.carrying(ledger.parcels(site, rows=rows))
            yield from verification.check(parcels, keys, known, workers=crew.CORES)
        for fault in stored.faults(rows, site):
            yield verification.Finding(-1, "file", fault)


def _database(storage: Storage, name: str, jwks: str | None, remembered: list[str]) -> Findings:
    """Every log of a database: a backup, or another installation's."""
    ring = KeyRing(load().data / "keys")
    if not jwks and not ring.files():
        raise BadQuery(
            f"Name the public key set: `consent verify {name} --jwks jwks.json` (from /.well-known/jwks.json)."
        )
    keys = key_set(jwks) if jwks else ring.public()
    ledger = Ledger(storage, ring, issuer="", scripts=lambda _: [], clock=time.time)
    found = logs(ledger.storage.reading())
    for log in found:
        theirs = [note for note in remembered if note.partition("\n")[0].endswith(f"/sites/{log}")]
        yield from _log(ledger, log, keys, theirs)
    for origin in {note.partition("\n")[0] for note in remembered}:
        if origin.rpartition("/sites/")[2] not in found:
            yield verification.Finding(
                -1, "checkpoint", f"the remembered checkpoint is of {origin}, which is not there"
            )
    if not found:
        raise BadQuery(f"{name} has no site.")


def _bundle(path: Path, jwks: str | None, remembered: list[str]) -> Findings:
    with Bundle(path) as bundle:
        keys = key_set(jwks) if jwks else bundle.keys()
        if not jwks:
            click.echo(
                "The keys are the bundle's own: compare its jwks.json with the one its keeper publishes.", err=True
            )
        with closing(bundle.parcels()) as carried, _shown(carried) as parcels:
            yield from verification.check(parcels, keys, bundle.known(remembered), workers=crew.CORES)
        for fault in bundle.faults(keys):
            yield verification.Finding(-1, "file", fault)


def _shown(parcels: Iterator[Parcel]) -> AbstractContextManager[Iterable[Parcel]]:
    """The same with a bar that moves, where somebody looks on."""
    if sys.stderr.isatty():
        return click.progressbar(parcels, file=sys.stderr, label="Entries")
    return nullcontext(parcels)


def _lines(path: Path, jwks: str | None, remembered: list[str]) -> Iterator[verification.Finding]:
    """Lines of a site's log are part of it; those of the trail are always the whole of it."""
    try:
        with path.open("rb") as lines:
            whole = is_trail(iter(lambda: lines.readline(LARGEST), b""))
            if remembered and not whole:
                raise BadQuery(
                    "A checkpoint is held against a whole log: give an evidence bundle, a database or a site."
                )
            if jwks is None:
                raise BadQuery("Name the public key set: `consent verify FILE --jwks jwks.json` (from /.well-known/jwks.json).")  # fmt: skip
            lines.seek(0)
            known = verification.Known(site=TRAIL, remembered=remembered, complete=True)
            held = known if whole else verification.Known()
            yield from verification.check(crew.lines(lines), key_set(jwks), held, workers=crew.CORES)
    except OSError as error:
        raise BadQuery(f"{path} cannot be read: {error.strerror}.") from None
