"""What the commands share: the installation they work on, printing, reading files."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from consent import open_ledger
from consent.administrator import Administrator, by_command_line
from consent.errors import BadQuery, PendingMigrations
from consent.ledger import Ledger
from consent.settings import Settings, load
from consent.times import seconds

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def installation(settings: Settings | None = None) -> tuple[Ledger, Settings]:
    """The ledger of this installation, its database made where there was none. Raises PendingMigrations."""
    settings = settings or load()
    ledger = open_ledger(settings)
    if ledger.storage.is_empty():
        ledger.storage.migrate()
    if ledger.storage.pending():
        raise PendingMigrations(
            "The database is from an older version: run `consent backup FILE`, then `consent migrate`."
        )
    return ledger, settings


def the_ledger() -> Ledger:
    """The ledger alone."""
    return installation()[0]


def administrator() -> tuple[Administrator, Settings]:
    """Whoever works on the command line, at this installation."""
    ledger, settings = installation()
    return acting(ledger, settings), settings


def acting(ledger: Ledger, settings: Settings) -> Administrator:
    """The same at a ledger that is open."""
    return Administrator(ledger, by_command_line(settings.operator))


def show(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))


def table(rows: list[list[str]], head: list[str]) -> None:
    """Print rows in columns."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def moment(_: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """A time given on the command line, in seconds since the epoch."""
    try:
        return seconds(text) if text else None
    except (ValueError, OverflowError):
        raise click.BadParameter("give a day or time such as 2026-11-23 or 2026-11-23T18:46:00Z") from None


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write, its owner's alone to read, that appears under its name whole or not at all. Raises BadQuery."""
    part = None
    try:
        if path.exists() and not path.is_file():
            raise BadQuery(f"{path} is not a file: give the name of one to write.")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        os.close(handle)
        part = Path(name)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise BadQuery(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        if part:
            part.unlink(missing_ok=True)


def read_file(path: str) -> bytes:
    """A file's bytes, `-` for standard input. Raises BadQuery."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise BadQuery(f"{path} cannot be read: {error.strerror}.") from None
