"""Checks a log without trusting its keeper: every signature, leaf hash, order and policy named.

Works on a ledger's own entries and on an exported ndjson file with a JWK set, in constant memory.
"""

from collections.abc import Iterable, Iterator

import msgspec

from consent import policy, receipts
from consent.errors import BadSignature
from consent.merkle import leaf_hash
from consent.model import Entry, Receipt


class Line(msgspec.Struct, frozen=True):
    """One line of an ndjson export."""

    index: int
    leaf: str
    receipt: str | None = None
    claims: msgspec.Raw = msgspec.Raw(b"")
    erased: bool = False


class Item(msgspec.Struct, frozen=True):
    """An entry to check."""

    index: int
    leaf: bytes
    token: str | None
    claims: bytes = b""
    """The claims as the file shows them beside the statement; empty where it shows none."""


class Finding(msgspec.Struct, frozen=True):
    """What was found at one entry; `problem` is empty where it holds."""

    index: int
    kind: str
    problem: str = ""


def items_of(entries: Iterable[Entry]) -> Iterator[Item]:
    """The entries of a ledger as items."""
    return (Item(entry.index, entry.leaf, entry.token) for entry in entries)


def items_in(lines: Iterable[bytes]) -> Iterator[Item | Finding]:
    """The lines of an ndjson export as items; a line that cannot be read is a finding already."""
    for number, line in enumerate(lines, 1):
        try:
            yield _item(_LINE.decode(line))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            yield Finding(-1, "line", f"line {number} is not a line of an ndjson export")


def check(
    items: Iterable[Item | Finding],
    keys: dict[str, bytes],
    *,
    site: str | None = None,
    policies: dict[int, bytes] | None = None,
    complete: bool = False,
) -> Iterator[Finding]:
    """A finding for each item. `complete` also demands that no index is missing and that every erased entry is
    named by an erasure; those that are not are found at the end.

    `policies` maps versions to the SHA-256 of their canonical bytes; without it the hashes named are not compared.
    """
    last, unexplained = -1, set[int]()
    for item in items:
        if isinstance(item, Finding):
            yield item
            continue
        problem = _order(item.index, last, complete=complete)
        kind, fault = _entry(item, keys, site, policies)
        last = item.index
        if complete:
            _explain(unexplained, item, kind)
        yield Finding(item.index, kind, problem or fault)
    for index in sorted(unexplained):
        yield Finding(index, "damaged", f"entry {index} is empty, but no erasure names it: it was removed")


_LINE = msgspec.json.Decoder(Line)


class _Claims(msgspec.Struct, frozen=True):
    aud: str
    consent: msgspec.Raw = msgspec.Raw(b"")
    policy: msgspec.Raw = msgspec.Raw(b"")


def _item(row: Line) -> Item:
    if row.erased is (row.receipt is not None):
        raise ValueError("a line has either a receipt or says that it is erased")
    return Item(row.index, bytes.fromhex(row.leaf), row.receipt, bytes(row.claims))


def _explain(unexplained: set[int], item: Item, kind: str) -> None:
    """Keep count of the erased entries that no erasure has named yet; erasures stand after what they emptied."""
    if item.token is None:
        unexplained.add(item.index)
    elif kind == "erasure":
        claims = receipts.read(item.token)[1]
        unexplained.difference_update(msgspec.json.decode(claims, type=receipts.ErasureClaims).erasure.indexes)


def _order(index: int, last: int, *, complete: bool) -> str:
    if index <= last:
        return f"entry {index} stands after entry {last}: the order was changed or an entry was inserted"
    if complete and index != last + 1:
        return f"between entry {last} and entry {index} something was removed"
    return ""


def _entry(item: Item, keys: dict[str, bytes], site: str | None, policies: dict[int, bytes] | None) -> tuple[str, str]:
    """The kind of an entry, and what is wrong with it."""
    if item.token is None:
        return "erased", ""
    if leaf_hash(item.token.encode()) != item.leaf:
        return "damaged", f"entry {item.index} does not have the hash that the ledger kept of it: it was changed"
    try:
        header, claims = receipts.verify(item.token, keys)
        decoded = msgspec.json.decode(claims, type=_Claims)
    except (BadSignature, msgspec.MsgspecError) as error:
        return "damaged", f"entry {item.index}: {error}"
    return receipts.KINDS[header.typ], _claims(item, claims, decoded, site) or _policy(
        item, header.typ, claims, policies
    )


def _claims(item: Item, claims: bytes, decoded: _Claims, site: str | None) -> str:
    if site is not None and decoded.aud != site:
        return f"entry {item.index} belongs to site {decoded.aud!r}, not to {site!r}"
    if item.claims and msgspec.json.decode(item.claims) != msgspec.json.decode(claims):
        return f"entry {item.index} shows other claims than those that were signed"
    return ""


def _policy(item: Item, typ: str, claims: bytes, policies: dict[int, bytes] | None) -> str:
    """Whether the policy a statement names is the one that is stored under that version."""
    if policies is None or typ == receipts.ERASURE:
        return ""
    if typ == receipts.RECEIPT:
        consent = msgspec.json.decode(claims, type=Receipt).consent
        version, hash = consent.policy, consent.policy_hash
    else:
        statement = msgspec.json.decode(claims, type=receipts.PolicyClaims).policy
        version, hash = statement.version, statement.policy_hash
    if version not in policies:
        return f"entry {item.index} names policy version {version}, which is not there"
    if policy.named(policies[version]) != hash:
        return f"entry {item.index} names another policy version {version} than the one that is stored"
    return ""
