"""`consent user`: who may sign in at the desk."""

from typing import get_args

import click

from consent import people
from consent.administrator import Administrator
from consent.cli.shared import administrator, as_json, show, table, the_ledger
from consent.fields import Role
from consent.times import rfc3339

FIRST = "owner"
"""The name of the first owner."""


@click.group()
def user() -> None:
    """People who sign in at the desk (/admin/): add, list, reset, remove.

    \b
    Example: consent user add anna --role editor --site shop
    """


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), default="owner", show_default=True)
@click.option(
    "--site", "sites", multiple=True, help="Only for this site, or these; for the whole installation if left out."
)
def add(name: str, role: Role, sites: tuple[str, ...]) -> None:
    """Let somebody sign in; prints a one-time password.

    \b
    Example: consent user add anna --role editor --site shop --site blog
    """
    who = administrator()[0]
    for site in sites:
        who.ledger.storage.reading().site(site)
    click.echo(f"One-time password of {name}: {who.add_person(name, dict.fromkeys(sites or [people.ALL], role))}")
    click.echo(f"Sign in at {who.ledger.issuer}/admin/ and choose your own.")


@user.command("list")
@as_json
def list_people(as_json: bool) -> None:
    """List who may sign in.

    \b
    Example: consent user list
    """
    ledger = the_ledger()
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
        for one in people.People(ledger.storage, ledger.now).all()
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
    administrator()[0].remove_person(name)
    click.echo(f"{name} can sign in no more.")


@user.command()
@click.argument("name")
def reset(name: str) -> None:
    """Give somebody a new one-time password and take the second factor off; their sessions end.

    \b
    Example: consent user reset anna
    """
    click.echo(f"One-time password of {name}: {administrator()[0].reset_person(name)}")


def first_owner(who: Administrator) -> None:
    """Make and print the first owner where nobody can sign in yet."""
    ledger = who.ledger
    if people.People(ledger.storage, ledger.now).all():
        return
    password = who.add_person(FIRST, {people.ALL: "owner"})
    click.echo(f"Sign in at {ledger.issuer}/admin/ as {FIRST} with the one-time password {password}", err=True)
