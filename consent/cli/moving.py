"""`consent migrate --to`: an installation from one database to another, checked before it is called done."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import msgspec

from consent import open_ledger
from consent.cli.shared import acting, installation
from consent.errors import BadQuery, Unavailable
from consent.storage import copying, named, open_storage


def move(to: str, *, dry_run: bool) -> None:
    """Move the installation's database. Raises BadQuery, or Conflict where the target is not empty."""
    ledger, settings = installation()
    source, target = ledger.storage, open_storage(to)
    shown = named(to)
    if to == settings.database:
        raise BadQuery("The installation is in that database already; name another.")
    if faults := source.faults():
        raise BadQuery(f"The database is not moved as it is: {faults[0]}")
    sizes = copying.sizes(source.reading())
    total = f"{sum(sizes.values())} entries of {len(sizes)} logs"
    if dry_run:
        click.echo(f"Would move {total} to {shown}.")
        return
    target.migrate()
    with _bar(sum(sizes.values())) as moved:
        copying.move(source, target, moved=moved)
    moved_to = open_ledger(msgspec.structs.replace(settings, database=to))
    for site in sizes:
        if not moved_to.tree.sound(site):
            raise Unavailable(f"The tree of {site!r} is another in {shown}: keep the old database, and report this.")
    before, after = {"database": named(settings.database)}, {"database": shown}
    acting(moved_to, settings).did("moved the database", before=before, after=after)
    click.echo(f"Moved {total} to {shown}, with the same checkpoints.")
    click.echo("Next: set CONSENT_DATABASE to it everywhere, run `consent verify SITE`, start the service, put the old database away.")  # fmt: skip


@contextmanager
def _bar(size: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=size, file=sys.stderr, label="Entries") as bar:
        yield bar.update
