"""`consent export`, `verify` and `receipt …`: the log and its proof."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec

from consent import receipts
from consent import verify as verification
from consent.cli.shared import as_json, moment, read_file, show, the_ledger
from consent.errors import BadId, BadQuery, BadSignature
from consent.export import FORMATS
from consent.export import export as export_log
from consent.ledger import Ledger
from consent.model import Entry, Filter, ReceiptId
from consent.policy import digest
from consent.times import rfc3339

jwks_option = click.option("--jwks", help="File with the public key set (`/.well-known/jwks.json`).")


@click.command()
@click.argument("site")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), default="ndjson", show_default=True, help="; ".join(f"{name}: {f.help}" for name, f in FORMATS.items()))  # fmt: skip
@click.option("--since", callback=moment, help="From this day or time on.")
@click.option("--until", callback=moment, help="Before this day or time.")
@click.option("--entries", type=click.Choice(["receipts", "all"]), default="receipts", show_default=True, help="`all`: policies and erasures too (ndjson).")  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; standard output if left out."
)
def export(site: str, format_: str, since: int | None, until: int | None, entries: str, output: Path | None) -> None:
    """Export a site's log, oldest first, in constant memory.

    \b
    Example: consent export shop --format csv --since 2026-11-01 --output november.csv
    """
    ledger = the_ledger()
    kinds = () if entries == "all" else ("receipt",)
    watched = _Watched(ledger, ledger.storage.reading().size(site))
    pieces = export_log(watched, site, format_, Filter(kinds=kinds, since=since, until=until))  # type: ignore[arg-type]
    with _target(output) as file, watched.bar(hidden=output is None and sys.stdout.isatty()):
        for piece in pieces:
            file.write(piece)


@click.command()
@click.argument("what", metavar="SITE|FILE")
@jwks_option
@as_json
def verify(what: str, jwks: str | None, as_json: bool) -> None:
    """Check every signature and hash of a site's log, or of an exported ndjson file with a key set.

    \b
    Example: consent verify shop
             consent verify export.ndjson --jwks jwks.json
    """
    findings = (
        _verify_file(Path(what), jwks) if os.path.exists(what) and not os.path.isdir(what) else _verify_site(what, jwks)
    )
    kinds: dict[str, int] = {}
    problems = []
    for finding in findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
        if finding.problem:
            problems.append(finding.problem)
            click.echo(f"Problem: {finding.problem}.", err=True)
    if as_json:
        show({"checked": kinds, "problems": problems})
    else:
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing"
        click.echo(f"{what}: {counted}; {f'{len(problems)} problems' if problems else 'everything holds'}.")
    sys.exit(1 if problems else 0)


@click.group()
def receipt() -> None:
    """Single receipts: show, verify.

    \b
    Example: consent receipt show shop 019ab1c2-77aa-7bbb-8ccc-0123456789ab
    """


@receipt.command("show")
@click.argument("site")
@click.argument("id")
@click.option("--jws", is_flag=True, help="The signed form, for another tool to verify.")
def show_receipt(site: str, id: str, jws: bool) -> None:
    """Print one receipt.

    \b
    Example: consent receipt show shop 019ab1c2-77aa-7bbb-8ccc-0123456789ab
    """
    try:
        token = the_ledger().receipt(site, msgspec.convert(id, ReceiptId))
    except msgspec.ValidationError:
        raise BadId(f"{id!r} is not a receipt id: give a UUID in lower case.") from None
    if jws:
        click.echo(token)
    else:
        show(receipts.receipt(token))


@receipt.command("verify")
@click.argument("file")
@jwks_option
@as_json
def verify_receipt(file: str, jwks: str | None, as_json: bool) -> None:
    """Verify a signed receipt in a file (`-`: standard input) with a key set, by default this installation's.

    \b
    Example: consent receipt verify receipt.jwt --jwks jwks.json
    """
    token = read_file(file).decode(errors="replace").strip()
    keys = _keys(jwks) if jwks else the_ledger().ring.public()
    header, claims = receipts.verify(token, keys)
    decoded = msgspec.json.decode(claims)
    if as_json:
        show(decoded)
    else:
        said = f"{header.typ} of site {decoded['aud']!r}, recorded {rfc3339(decoded['iat'])}"
        click.echo(f"The signature holds: {said}, signed with key {header.kid}.")


class _Watched:
    """A ledger whose reading moves a progress bar on a terminal."""

    def __init__(self, ledger: Ledger, size: int) -> None:
        self._ledger = ledger
        self._size = size
        self._bar: click._termui_impl.ProgressBar[int] | None = None

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._ledger, name)

    def entries(self, site: str, filter: Filter) -> Iterator[Entry]:
        return self.moving(self._ledger.entries(site, filter))

    def moving(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        shown = 0
        for entry in entries:
            if self._bar is not None and entry.index - shown >= 500:
                self._bar.update(entry.index - shown)
                shown = entry.index
            yield entry
        if self._bar is not None:
            self._bar.update(self._size - shown)

    @contextmanager
    def bar(self, *, hidden: bool = False) -> Iterator[None]:
        if hidden or not sys.stderr.isatty():
            yield
            return
        with click.progressbar(length=self._size, file=sys.stderr, label="Entries") as self._bar:
            yield


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears whole or not at all."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    output = output.resolve()
    if output.exists() and not output.is_file():
        raise BadQuery(f"{output} is no regular file; leave --output out to write to standard output.")
    part = output.with_name(output.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
    except OSError as error:
        raise BadQuery(f"{output} cannot be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)


def _verify_site(site: str, jwks: str | None) -> Iterator[verification.Finding]:
    ledger = the_ledger()
    keys = _keys(jwks) if jwks else ledger.ring.public()
    rows = ledger.storage.reading()
    policies = {publication.version: digest(publication.document) for publication in rows.publications(site)}
    watched = _Watched(ledger, rows.size(site))
    items = verification.items_of(watched.entries(site, Filter(kinds=())))
    with watched.bar():
        yield from verification.check(items, keys, site=site, policies=policies, complete=True)


def _verify_file(path: Path, jwks: str | None) -> Iterator[verification.Finding]:
    if jwks is None:
        raise BadQuery("Name the public key set: `consent verify FILE --jwks jwks.json` (from /.well-known/jwks.json).")
    try:
        with path.open("rb") as lines:
            yield from verification.check(verification.items_in(lines), _keys(jwks))
    except OSError as error:
        raise BadQuery(f"{path} cannot be read: {error.strerror}.") from None


def _keys(jwks: str) -> dict[str, bytes]:
    try:
        return receipts.keys_of(msgspec.json.decode(read_file(jwks)))
    except (msgspec.DecodeError, BadSignature):
        raise BadQuery(f"{jwks} is not a JWK set with Ed25519 keys.") from None
