"""`consent keys …` and `consent token …`: what signs, and who may ask."""

import click

from consent.cli.shared import administrator, as_json, show, table, the_ledger
from consent.model import Role
from consent.times import rfc3339

ROLES = list(Role.__args__)  # type: ignore[attr-defined]


@click.group()
def keys() -> None:
    """Signing keys: list, rotate.

    \b
    Example: consent keys rotate
    """


@keys.command("list")
@as_json
def list_keys(as_json: bool) -> None:
    """List the keys, the one that signs first.

    \b
    Example: consent keys list --json > jwks.json
    """
    ring = the_ledger().ring
    if as_json:
        show(ring.jwks())
    else:
        table([[key.kid, rfc3339(key.created_at) or ""] for key in reversed(ring.keys())], ["KEY", "CREATED"])


@keys.command()
def rotate() -> None:
    """Make a new key, which signs from now on; earlier ones go on verifying.

    \b
    Example: consent keys rotate
    """
    click.echo(f"Key {administrator()[0].rotate_keys().kid} signs from now on.")


@click.group()
def token() -> None:
    """API tokens: create, list, revoke.

    \b
    Example: consent token create --role auditor --site shop
    """


@token.command()
@click.option("--role", type=click.Choice(ROLES), required=True, help="auditor: read, export; editor: also publish, erase, record; owner: all.")  # fmt: skip
@click.option("--site", help="Only this site; the whole installation if left out.")
@click.option("--name", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; for ever if left out.")
def create(role: Role, site: str | None, name: str, days: int | None) -> None:
    """Make a token; it is shown once.

    \b
    Example: consent token create --role auditor --site shop --days 90
    """
    click.echo(administrator()[0].make_token(role, site=site, name=name, days=days))


@token.command("list")
@as_json
def list_tokens(as_json: bool) -> None:
    """List the tokens; their secrets are not kept.

    \b
    Example: consent token list
    """
    rows = [
        {
            "id": t.id,
            "role": t.role,
            "site": t.site,
            "name": t.name,
            "created_at": rfc3339(t.created_at),
            "expires_at": rfc3339(t.expires_at),
            "revoked_at": rfc3339(t.revoked_at),
        }
        for t in the_ledger().storage.reading().tokens()
    ]
    if as_json:
        show(rows)
    else:
        head = ["id", "role", "site", "name", "created_at", "expires_at", "revoked_at"]
        table([[str(row[name] or "-") for name in head] for row in rows], [name.upper() for name in head])


@token.command()
@click.argument("id")
def revoke(id: str) -> None:
    """Take a token out of use.

    \b
    Example: consent token revoke 3f9a12bc44de
    """
    administrator()[0].revoke_token(id)
    click.echo(f"Revoked {id}.")
