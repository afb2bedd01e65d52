"""`consent user`: who may sign in at the desk."""

from typing import get_args

import click

from consent import people
from consent.cli.shared import as_json, show, table, the_ledger
from consent.fields import Role
from consent.ledger import Ledger
from consent.times import rfc3339
from consent.trail import Trail

FIRST = "owner"
"""The name of the first owner."""
WHO = "(command line)"
"""As whom the trail knows what is done here."""


@click.group()
def user() -> None:
    """People who sign in at the desk (/admin/): add, list, reset, remove.

    \b
    Example: consent user add anna --role editor --site shop
    """


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), default="owner", show_default=True)
@click.option("--site", help="Only for this site; for the whole installation if left out.")
def add(name: str, role: Role, site: str | None) -> None:
    """Let somebody sign in; prints a one-time password.

    \b
    Example: consent user add anna --role editor --site shop
    """
    ledger = the_ledger()
    if site is not None:
        ledger.storage.reading().site(site)
    _, password = _people(ledger).add(name, {site or people.ALL: role})
    Trail(ledger).add(WHO, "added a person", site=site, after={"name": name, "role": role})
    click.echo(f"One-time password of {name}: {password}")
    click.echo(f"Sign in at {ledger.issuer}/admin/ and choose your own.")


@user.command("list")
@as_json
def list_people(as_json: bool) -> None:
    """List who may sign in.

    \b
    Example: consent user list
    """
    rows = [
        {
            "name": one.name,
            "roles": ", ".join(
                f"{role} of {'everything' if site == people.ALL else site}" for site, role in one.roles.items()
            ),
            "account": one.account or None,
            "second_factor": "yes" if one.secret else "no",
            "last_sign_in": rfc3339(one.seen_at or None),
        }
        for one in _people(the_ledger()).all()
    ]
    if as_json:
        show(rows)
    else:
        head = ["name", "roles", "account", "second_factor", "last_sign_in"]
        table(
            [[str(row[name] or "-") for name in head] for row in rows],
            [name.upper().replace("_", " ") for name in head],
        )


@user.command()
@click.argument("name")
def remove(name: str) -> None:
    """Let somebody sign in no more; their sessions end.

    \b
    Example: consent user remove anna
    """
    ledger = the_ledger()
    _people(ledger).remove(name)
    Trail(ledger).add(WHO, "removed a person", before={"name": name})
    click.echo(f"{name} can sign in no more.")


@user.command()
@click.argument("name")
def reset(name: str) -> None:
    """Give somebody a new one-time password and take the second factor off; their sessions end.

    \b
    Example: consent user reset anna
    """
    ledger = the_ledger()
    password = _people(ledger).set_password(name)
    _people(ledger).set_secret(name, "")
    Trail(ledger).add(WHO, "reset a password", after={"name": name})
    click.echo(f"One-time password of {name}: {password}")


def first_owner(ledger: Ledger) -> None:
    """Make and print the first owner where nobody can sign in yet."""
    if _people(ledger).all():
        return
    _, password = _people(ledger).add(FIRST, {people.ALL: "owner"})
    Trail(ledger).add(WHO, "added a person", after={"name": FIRST, "role": "owner"})
    click.echo(f"Sign in at {ledger.issuer}/admin/ as {FIRST} with the one-time password {password}", err=True)


def _people(ledger: Ledger) -> people.People:
    return people.People(ledger.storage, ledger.now)
