"""`consent erase` and `purge`: what is removed on request, and what is removed by age."""

import click

from consent.cli.shared import administrator, as_json, show
from consent.errors import BadId
from consent.model import SubjectId
from consent.shape import mistakes


@click.command()
@click.argument("site")
@click.argument("subject")
@click.option("--reason", default="requested through an administrator", show_default=True, help="Kept in the log.")
@as_json
def erase(site: str, subject: str, reason: str, as_json: bool) -> None:
    """Erase everything known of a subject. The log keeps hashes, and says which entries were emptied.

    \b
    Example: consent erase shop fZk3PpQ0Tz2mYw4uJr8aBg
    """
    if wrong := mistakes(subject, SubjectId):
        raise BadId(f"{subject!r} is not a subject id: it {wrong[0][1]}.")
    who = administrator()[0]
    emptied = who.erase(site, subject, reason=reason[:200]).indexes
    if who.ledger.erasure.traces:
        click.echo(
            "A reader, such as a backup, still holds old pages: run `consent purge` when it has ended.", err=True
        )
    if as_json:
        show({"emptied": emptied})
    elif emptied:
        click.echo(f"Emptied {len(emptied)} entries of {subject}: {', '.join(map(str, emptied))}.")
    else:
        click.echo(f"Nothing was recorded for {subject}.")


@click.command()
@click.argument("site", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would be purged.")
@as_json
def purge(site: str | None, dry_run: bool, as_json: bool) -> None:
    """Purge what is past its retention, of one site or of all; the service does it by itself once an hour.

    \b
    Example: consent purge --dry-run
    """
    who, settings = administrator()
    ledger = who.ledger
    sites = [site] if site else [one.id for one in ledger.storage.reading().sites()]
    done = {}
    for one in sites:
        days = ledger.retention(one, settings.retention_days)
        done[one] = len(ledger.erasure.overdue(one, days)) if dry_run else who.purge(one, days)
    if not dry_run and not ledger.erasure.scrub():
        click.echo("A reader, such as a backup, still holds old pages: purge again when it has ended.", err=True)
    if as_json:
        show({"subjects" if dry_run else "emptied": done})
        return
    for one, count in done.items():
        click.echo(f"{one}: {f'{count} subjects would be purged' if dry_run else f'{count} entries emptied'}.")
