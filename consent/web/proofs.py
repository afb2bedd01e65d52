"""The addresses by which anyone checks the log: checkpoints, tiles, keys, proofs (C2SP tlog-tiles, tlog-proof)."""

from flask import Blueprint, Response

from consent import merkle
from consent.errors import BadId, NotYet, Unavailable, UnknownReceipt, UnknownSite, UnknownTile
from consent.model import ReceiptId
from consent.web.operations import Answer, operation
from consent.web.responses import text
from consent.web.service import FOR_EVER, service, shaped

LEVELS = tuple("01234567")
"""Eight levels of tiles hold 2**64 entries; each has one spelling."""

blueprint = Blueprint("proofs", __name__)


@blueprint.get("/sites/<site>/receipts/<id>/proof")
@operation(
    "The proof that a receipt is in the log, against the newest checkpoint",
    {200: Answer("a C2SP tlog-proof", "text/plain")},
    problems=(BadId, UnknownSite, UnknownReceipt, NotYet, Unavailable),
)
def receipt_proof(site: str, id: str) -> Response:
    return text(service().ledger.proof(site, shaped(id, ReceiptId)))


@blueprint.get("/sites/<site>/ledger/checkpoint")
@operation(
    "The newest checkpoint",
    {200: Answer("a C2SP signed note", "text/plain")},
    problems=(UnknownSite, NotYet, Unavailable),
)
def newest_checkpoint(site: str) -> Response:
    return text(service().ledger.tree.newest(site).note, {"Access-Control-Allow-Origin": "*"})


@blueprint.get("/sites/<site>/ledger/vkey")
@operation(
    "The keys that verify the checkpoints, one a line, newest first",
    {200: Answer("note verifier keys", "text/plain")},
    problems=(UnknownSite, Unavailable),
)
def vkey(site: str) -> Response:
    return text("\n".join(service().ledger.tree.vkeys(site)) + "\n", {"Access-Control-Allow-Origin": "*"})


@blueprint.get("/sites/<site>/ledger/tile/<level>/<path:number>")
@operation(
    "A tile of hashes; `number` is written in groups of three digits, `x001/234`, and ends in `.p/W` for W hashes",
    {200: Answer("hashes of 32 bytes", "application/octet-stream")},
    problems=(UnknownSite, UnknownTile, Unavailable),
)
def tile(site: str, level: str, number: str) -> Response:
    hashes = service().ledger.tree.tile(site, *_tile(level, number))
    headers = {"Cache-Control": FOR_EVER, "Access-Control-Allow-Origin": "*"}
    return Response(hashes, 200, headers, "application/octet-stream")


def _tile(level: str, path: str) -> tuple[int, int, int]:
    """The level, number and width that an address names: one spelling each (tlog-tiles, "Merkle Tree"). Raises UnknownTile."""
    spelled, partial, width = path.partition(".p/")
    *above, last = spelled.split("/")
    groups = [*(group.removeprefix("x") for group in above), last]
    wide = int(width) if partial and width.isdecimal() and width.isascii() and len(width) < 4 else merkle.WIDTH
    wrong = (
        level not in LEVELS
        or len(groups) > 6
        or not all(len(group) == 3 and group.isdecimal() and group.isascii() for group in groups)
        or not all(group.startswith("x") for group in above)
        or (len(groups) > 1 and groups[0] == "000")
        or (bool(partial) and (width != str(wide) or not 0 < wide < merkle.WIDTH))
    )
    if wrong:
        raise UnknownTile("A tile is named by its level, its number as in x001/234, and .p/W for W of 255 hashes.")
    return int(level), int("".join(groups)), wide
