"""`consent init`, `migrate` and `doctor`: keeping an installation."""

import sys

import click

from consent import checkup, open_ledger
from consent.cli.moving import move
from consent.cli.people import first_owner
from consent.cli.shared import acting, administrator, as_json, show
from consent.settings import load


@click.command()
def init() -> None:
    """Make the data folder, the database, the first signing key and the first owner; changes nothing that is there.

    \b
    Example: CONSENT_DATA=/var/lib/consent consent init
    """
    who, settings = administrator()
    click.echo(f"Data folder: {settings.data}\nSigning key: {who.ledger.ring.newest().kid}")
    first_owner(who)
    click.echo("Next: `consent site create SITE --origin URL`, then `consent serve`.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--to", help="Move everything to the empty database at this URL, once the service is stopped.")
def migrate(dry_run: bool, to: str | None) -> None:
    """Bring the database up to date, or move it to another.

    \b
    Example: consent backup before.db && consent migrate
             consent migrate --to postgresql://consent@db.example/consent
    """
    if to:
        move(to, dry_run=dry_run)
        return
    settings = load()
    ledger = open_ledger(settings)
    names = ledger.storage.pending() if dry_run else ledger.storage.migrate()
    for name in names:
        click.echo(f"{'Would apply' if dry_run else 'Applied'} {name}.")
    if names and not dry_run:
        acting(ledger, settings).did("brought the database up to date", after={"applied": names})
    if not names:
        click.echo("The database is up to date.")


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Say what is wrong with the installation and how to mend it; exits 1 if something is.

    \b
    Example: consent doctor
    """
    settings = load()
    found = checkup.found(settings)
    if as_json:
        show(found)
    else:
        for name, faults in found.items():
            click.echo(f"{'ok  ' if not faults else 'FAIL'}  {name}")
            for fault in faults:
                click.echo(f"      {fault}")
    sys.exit(1 if any(found.values()) else 0)
