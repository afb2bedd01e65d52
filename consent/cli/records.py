"""`consent receipt …`: one receipt and its proof."""

import click
import msgspec

from consent import receipts
from consent.cli.reading import jwks_option, key_set
from consent.cli.shared import as_json, read_file, show, the_ledger
from consent.errors import BadId
from consent.model import ReceiptId
from consent.renderings import RENDERINGS
from consent.sheet import sheet
from consent.times import rfc3339


@click.group()
def receipt() -> None:
    """Single receipts: show, verify.

    \b
    Example: consent receipt show shop 019ab1c2-77aa-7bbb-8ccc-0123456789ab
    """


@receipt.command("show")
@click.argument("site")
@click.argument("id")
@click.option("--jws", "form", flag_value="jws", help="The signed form, for another tool to verify.")
@click.option("--proof", "form", flag_value="proof", help="The proof that it is in the log (C2SP tlog-proof).")
@click.option("--sheet", "form", flag_value="sheet", help="A page to print: who, when, what words, how to check it.")
@click.option("--lang", default="en", show_default=True, help="Language of the sheet, such as de or pt-BR.")
@click.option("--format", "words", type=click.Choice(list(RENDERINGS)), help="In another standard's words, as JSON.")
def show_receipt(site: str, id: str, form: str | None, lang: str, words: str | None) -> None:
    """Print one receipt.

    \b
    Example: consent receipt show shop 019ab1c2-77aa-7bbb-8ccc-0123456789ab
    """
    ledger = the_ledger()
    try:
        token = ledger.receipt(site, msgspec.convert(id, ReceiptId))
    except msgspec.ValidationError:
        raise BadId(f"{id!r} is not a receipt id: give a UUID in lower case.") from None
    if form == "proof":
        ledger.tree.checkpoint(site)
        click.echo(ledger.proof(site, id), nl=False)
    elif form == "sheet":
        click.echo(sheet(ledger, site, id, language=lang))
    elif words:
        show(ledger.rendered(site, id, words))
    elif form == "jws":
        click.echo(token)
    else:
        show(receipts.receipt(token))


@receipt.command("verify")
@click.argument("file")
@jwks_option
@as_json
def verify_receipt(file: str, jwks: str | None, as_json: bool) -> None:
    """Verify a signed receipt in a file (`-`: standard input) with a key set, by default this installation's.

    \b
    Example: consent receipt verify receipt.jwt --jwks jwks.json
    """
    token = read_file(file).decode(errors="replace").strip()
    keys = key_set(jwks) if jwks else the_ledger().ring.public()
    header, claims = receipts.verify(token, keys)
    decoded = msgspec.json.decode(claims)
    if as_json:
        show(decoded)
    else:
        said = f"{header.typ} of site {decoded['aud']!r}, recorded {rfc3339(decoded['iat'])}"
        click.echo(f"The signature holds: {said}, signed with key {header.kid}.")
