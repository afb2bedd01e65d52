"""`consent policy …`: what a site asks."""

import json

import click

from consent import policy as policies
from consent import shape
from consent.cli.shared import administrator, as_json, read_file, show, the_ledger
from consent.model import Policy
from consent.policy_diff import Change, diff, is_material

VERSION = click.IntRange(1, 999_999_999)

material_option = click.option(
    "--material/--not-material", default=None, help="Whether visitors are asked again; left out, the diff decides."
)


@click.group("policy")
def policy() -> None:
    """Policies: check, publish, show, diff, schema.

    \b
    Example: consent policy publish shop policy.toml
    """


@policy.command()
@click.argument("file")
def check(file: str) -> None:
    """Check a policy file (TOML or JSON) and report every mistake.

    \b
    Example: consent policy check policy.toml
    """
    checked = policies.complete(_read(file))
    click.echo(f"{file} is a valid policy: {len(checked.categories)} categories, {len(checked.services)} services, {len(checked.languages)} languages.")  # fmt: skip
    for advice in _advice(checked):
        click.echo(f"Advice: {advice}")


@policy.command()
@click.argument("site")
@click.argument("file")
@material_option
def publish(site: str, file: str, material: bool | None) -> None:
    """Publish a policy file as the next version.

    \b
    Example: consent policy publish shop policy.toml --not-material
    """
    published, changes = administrator()[0].publish(site, _read(file), material=material)
    if not changes:
        click.echo(f"Version {published.version} says the same already; nothing was published.")
        return
    _print_changes(changes)
    asked = (
        "visitors are asked again" if published.material_since == published.version else "earlier choices still hold"
    )
    click.echo(f"Published version {published.version}; {asked}.")


@policy.command("show")
@click.argument("site")
@click.option("--version", type=VERSION, help="A version number; the newest if left out.")
@click.option("--canonical", is_flag=True, help="Exactly the bytes that the version's hash is over.")
def show_(site: str, version: int | None, canonical: bool) -> None:
    """Print a published policy as JSON that can be edited and published again.

    \b
    Example: consent policy show shop > policy.json
    """
    ledger = the_ledger()
    publication = ledger.storage.reading().publication(site, version)
    if canonical:
        click.echo(publication.document, nl=False)
    else:
        show(policies.draft(policies.load(publication.document)))


@policy.command("diff")
@click.argument("site")
@click.argument("file", required=False)
@click.option("--version", type=VERSION, help="Compare with this version instead of the newest.")
@as_json
def diff_(site: str, file: str | None, version: int | None, as_json: bool) -> None:
    """Show what a file, or without one the newest version, changes.

    \b
    Example: consent policy diff shop policy.toml
             consent policy diff shop --version 1
    """
    ledger = the_ledger()
    newest = ledger.published(site)
    old = ledger.published(site, version or (newest.version if file else max(1, newest.version - 1)))
    changes = diff(policies.draft(old), policies.complete(_read(file)) if file else policies.draft(newest))
    if as_json:
        show(changes)
        return
    _print_changes(changes)
    click.echo("Material: visitors would be asked again." if is_material(changes) else "Not material.")


@policy.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors.

    \b
    Example: consent policy schema > policy.schema.json
    """
    click.echo(json.dumps(policies.schema(), indent=2))


def _read(file: str) -> Policy:
    """A checked policy from a file; what a published version adds is left out."""
    data = read_file(file)
    document = shape.decode(data, what=file, toml=not data.lstrip().startswith(b"{"))
    return policies.read(policies.unpublished(document))


def _print_changes(changes: list[Change]) -> None:
    for change in changes:
        click.echo(f"  {change}")
    if not changes:
        click.echo("No difference.")


def _advice(policy: Policy) -> list[str]:
    """What a good policy would still say."""
    missing = {
        "controller": policy.controller is None,
        "privacy_url": policy.privacy_url is None,
    }
    found = [f"add `{name}`; visitors are owed it." for name, is_missing in missing.items() if is_missing]
    bare = [service.id for service in policy.services if not service.cookies]
    return found + [f"service {id!r} lists no cookies." for id in bare]
