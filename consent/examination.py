"""What can be said of one entry alone: its hash, its signature, whom and what it names; pure, fit for many processes."""

import json
from collections.abc import Iterable

import msgspec

from consent import receipts
from consent.errors import BadSignature
from consent.merkle import leaf_hash
from consent.model import Receipt

Row = tuple[str, int, str | None, str | None, int | None, str | None]
"""Kind, time, id, subject, policy version and action."""


class Item(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """An entry to check."""

    index: int
    leaf: bytes
    token: str | None
    claims: bytes = b""
    """The claims as the file shows them beside the statement; empty where it shows none."""
    row: Row | None = None
    """What a database files the entry under."""


class Examined(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """What an entry is and says; `fault` is empty where it holds by itself."""

    index: int
    leaf: bytes
    kind: str
    fault: str = ""
    at: int = 0
    """When it says it was recorded, in seconds since the epoch."""
    version: int = 0
    policy_hash: str = ""
    scripts: tuple[str, ...] = ()
    """Names of the scripts it rests on."""
    emptied: tuple[int, ...] = ()
    """The indexes that an erasure names."""


Said = Receipt | receipts.PolicyClaims | receipts.ErasureClaims

DECODERS: dict[str, msgspec.json.Decoder[Said]] = {
    receipts.RECEIPT: msgspec.json.Decoder(Receipt),
    receipts.POLICY: msgspec.json.Decoder(receipts.PolicyClaims),
    receipts.ERASURE: msgspec.json.Decoder(receipts.ErasureClaims),
}
"""The claims of a statement by its `typ`."""


def examine(items: Iterable[Item], keys: dict[str, bytes], site: str | None) -> list[Examined]:
    """Each entry by itself. `keys` maps key ids to raw public keys; `site` None takes any site's."""
    return [_examined(item, keys, site) for item in items]


def _examined(item: Item, keys: dict[str, bytes], site: str | None) -> Examined:
    if item.token is None:
        return _erased(item)
    if leaf_hash(item.token.encode()) != item.leaf:
        return _damaged(item, f"entry {item.index} does not have the hash that the ledger kept of it: it was changed")
    try:
        header, claims = receipts.verify(item.token, keys)
        said = DECODERS[header.typ].decode(claims)
        if site is not None and said.aud != site:
            return _damaged(item, f"entry {item.index} belongs to site {said.aud!r}, not to {site!r}")
        if item.claims and item.claims != claims and _spelled(item.claims) != _spelled(claims):
            return _damaged(item, f"entry {item.index} shows other claims than those that were signed")
        if item.row and item.row != _row(said):
            return _damaged(item, f"entry {item.index} is filed under other data than those that were signed")
        return _said(item, said)
    except (BadSignature, msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _damaged(item, f"entry {item.index}: {error}")


def _erased(item: Item) -> Examined:
    if item.row and any(kept is not None for kept in item.row[2:]):
        return _damaged(item, f"entry {item.index} has no statement, but is still filed under something")
    return Examined(item.index, item.leaf, "erased", at=item.row[1] if item.row else 0)


def _row(said: Said) -> Row:
    """What a statement should be filed under."""
    if isinstance(said, Receipt):
        return ("receipt", said.iat, said.jti, said.sub, said.consent.policy, said.consent.action)
    if isinstance(said, receipts.PolicyClaims):
        return ("policy", said.iat, said.jti, None, said.policy.version, None)
    return ("erasure", said.iat, said.jti, None, None, None)


def _spelled(claims: bytes) -> str:
    """JSON with its members in order; a member that stands there twice is refused (RFC 8259, section 4)."""

    def once(members: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(members)
        if len(found) != len(members):
            raise ValueError("a member of its claims stands there twice")
        return found

    return json.dumps(json.loads(claims, object_pairs_hook=once), sort_keys=True)


def _said(item: Item, said: Said) -> Examined:
    if isinstance(said, Receipt):
        rests = said.consent
        scripts = (rests.script_hash,) if rests.script_hash else ()
        return Examined(item.index, item.leaf, "receipt", "", said.iat, rests.policy, rests.policy_hash, scripts)
    if isinstance(said, receipts.PolicyClaims):
        policy = said.policy
        names = tuple(dict.fromkeys([policy.script_hash, *policy.scripts.values()]))
        return Examined(item.index, item.leaf, "policy", "", said.iat, policy.version, policy.policy_hash, names)
    return Examined(item.index, item.leaf, "erasure", at=said.iat, emptied=tuple(said.erasure.indexes))


def _damaged(item: Item, fault: str) -> Examined:
    return Examined(item.index, item.leaf, "damaged", fault)
