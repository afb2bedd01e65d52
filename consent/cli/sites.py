"""`consent site …` and `consent snippet`: websites and the tag they paste."""

import click

from consent.cli.shared import administrator, as_json, installation, show, table, the_ledger
from consent.errors import BadQuery
from consent.shape import read
from consent.snippet import Way, to_paste
from consent.times import rfc3339
from consent.web.admin_types import NewSite


@click.group()
def site() -> None:
    """Websites: list, create, show, delete.

    \b
    Example: consent site create shop --origin https://shop.example
    """


@site.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the sites.

    \b
    Example: consent site list
    """
    ledger = the_ledger()
    found = [_described(ledger, row.id) for row in ledger.storage.reading().sites()]
    if as_json:
        show(found)
    elif found:
        table(
            [[s["id"], s["name"], str(s["policy"]), " ".join(s["origins"])] for s in found],
            ["SITE", "NAME", "POLICY", "ORIGINS"],
        )
    else:
        click.echo("No site yet: run `consent site create SITE --origin URL`.")


@site.command()
@click.argument("site")
@click.option("--origin", "origins", multiple=True, required=True, help="Origin of the website; may be repeated.")
@click.option("--name", help="Name shown to administrators; the site id if left out.")
def create(site: str, origins: tuple[str, ...], name: str | None) -> None:
    """Create a site and publish the default policy as its version 1.

    \b
    Example: consent site create shop --origin https://shop.example
    """
    who, settings = administrator()
    new = read({"id": site, "origins": list(origins), "name": name}, NewSite, what="The site")
    made = who.make_usual_site(new.id, new.name, new.origins)
    click.echo("Published the default policy as version 1. Paste this first into <head>:\n")
    click.echo(to_paste(made, settings.public_url, "async").html)


@site.command("show")
@click.argument("site")
@as_json
def show_(site: str, as_json: bool) -> None:
    """Show one site.

    \b
    Example: consent site show shop
    """
    described = _described(the_ledger(), site)
    if as_json:
        show(described)
    else:
        for name, value in described.items():
            click.echo(f"{name:12}{' '.join(value) if isinstance(value, list) else value}")


@site.command()
@click.argument("site")
@click.option(
    "--confirm",
    prompt="Every receipt of the site is lost for ever, and its id stays taken. Type it to go on",
    help="The site's id once more.",
)
def delete(site: str, confirm: str) -> None:
    """Delete a site and everything recorded for it. Its id stays taken: no second log begins under the same name.

    \b
    Example: consent site delete shop --confirm shop
    """
    who = administrator()[0]
    who.ledger.storage.reading().site(site)
    if confirm != site:
        raise BadQuery(f"Nothing was deleted: {confirm!r} is not {site!r}.")
    who.delete_site(site)
    click.echo(f"Deleted {site}.")


@click.command()
@click.argument("site")
@click.option("--inline", "way", flag_value="inline", help="With a guard that acts before the script is there.")
@click.option("--strict", "way", flag_value="strict", help="With a guard that also shuts out unmarked trackers.")
@click.option(
    "--sync", "way", flag_value="sync", help="The old-fashioned tag that the page waits for. Never recommended."
)
@as_json
def snippet(site: str, way: Way | None, as_json: bool) -> None:
    """Print what a website pastes first into <head>.

    What each way guarantees stands in docs/embed.md. A guard holds the policy it was made from: paste it anew after
    publishing another one.

    \b
    Example: consent snippet shop --inline
    """
    ledger, settings = installation()
    made = to_paste(ledger.published(site), settings.public_url, way or "async")
    if as_json:
        show(made)
        return
    click.echo(made.html)
    if made.csp:
        click.echo(f"For a content-security policy, in script-src: {made.csp}", err=True)


def _described(ledger, id: str) -> dict:  # type: ignore[no-untyped-def]
    rows = ledger.storage.reading()
    published = ledger.published(id)
    return {
        "id": id,
        "name": published.name,
        "origins": published.origins,
        "created_at": rfc3339(rows.site(id).created_at),
        "policy": published.version,
        "languages": published.languages,
        "entries": rows.size(id),
    }
