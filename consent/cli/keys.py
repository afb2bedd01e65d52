"""`consent keys …` and `consent token …`: what signs, and who may ask."""

import click

from consent import access
from consent.cli.shared import as_json, show, table, the_ledger
from consent.errors import UnknownToken
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
    click.echo(f"Key {the_ledger().ring.rotate().kid} signs from now on.")


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
    ledger = the_ledger()
    if site is not None:
        ledger.storage.reading().site(site)
    expires_at = ledger.now() + days * 86_400 if days else None
    stored, text = access.issue(role=role, site=site, name=name, now=ledger.now(), expires_at=expires_at)
    with ledger.storage.writing() as rows:
        rows.add_token(stored)
    click.echo(text)


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
    ledger = the_ledger()
    with ledger.storage.writing() as rows:
        revoked = rows.revoke_token(id, ledger.now())
    if not revoked:
        raise UnknownToken(f"There is no token {id!r} in use; see `consent token list`.")
    click.echo(f"Revoked {id}.")
