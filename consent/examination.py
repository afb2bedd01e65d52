"""What can be said of one entry alone: its hash, its signature, whom and what it names; pure, fit for many processes."""

from collections.abc import Iterable

import msgspec

from consent import receipts
from consent.errors import BadSignature
from consent.merkle import leaf_hash
from consent.model import Receipt


class Item(msgspec.Struct, frozen=True, array_like=True):
    """An entry to check."""

    index: int
    leaf: bytes
    token: str | None
    claims: bytes = b""
    """The claims as the file shows them beside the statement; empty where it shows none."""


class Examined(msgspec.Struct, frozen=True, array_like=True):
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


class _Claims(msgspec.Struct, frozen=True):
    aud: str
    iat: int
    consent: msgspec.Raw = msgspec.Raw(b"")
    policy: msgspec.Raw = msgspec.Raw(b"")
    erasure: msgspec.Raw = msgspec.Raw(b"")


class _Rests(msgspec.Struct, frozen=True):
    policy: int
    policy_hash: str
    script_hash: str | None


def examine(items: Iterable[Item], keys: dict[str, bytes], site: str | None) -> list[Examined]:
    """Each entry by itself. `keys` maps key ids to raw public keys; `site` None takes any site's."""
    return [_examined(item, keys, site) for item in items]


def _examined(item: Item, keys: dict[str, bytes], site: str | None) -> Examined:
    if item.token is None:
        return Examined(item.index, item.leaf, "erased")
    if leaf_hash(item.token.encode()) != item.leaf:
        return _damaged(item, f"entry {item.index} does not have the hash that the ledger kept of it: it was changed")
    try:
        header, claims = receipts.verify(item.token, keys)
        said = _CLAIMS.decode(claims)
        if site is not None and said.aud != site:
            return _damaged(item, f"entry {item.index} belongs to site {said.aud!r}, not to {site!r}")
        if item.claims and msgspec.json.decode(item.claims) != msgspec.json.decode(claims):
            return _damaged(item, f"entry {item.index} shows other claims than those that were signed")
        return _said(item, receipts.KINDS[header.typ], said, claims)
    except (BadSignature, msgspec.MsgspecError, RecursionError) as error:
        return _damaged(item, f"entry {item.index}: {error}")


def _said(item: Item, kind: str, said: _Claims, claims: bytes) -> Examined:
    seen = Examined(item.index, item.leaf, kind, at=said.iat)
    if kind == "receipt":
        _RECEIPT.decode(claims)
        rests = _RESTS.decode(said.consent)
        scripts: tuple[str, ...] = (rests.script_hash,) if rests.script_hash else ()
        return msgspec.structs.replace(seen, version=rests.policy, policy_hash=rests.policy_hash, scripts=scripts)
    if kind == "policy":
        policy = msgspec.json.decode(said.policy, type=receipts.PolicyStatement)
        scripts = tuple(dict.fromkeys([policy.script_hash, *policy.scripts.values()]))
        return msgspec.structs.replace(seen, version=policy.version, policy_hash=policy.policy_hash, scripts=scripts)
    erasure = msgspec.json.decode(said.erasure, type=receipts.ErasureStatement)
    return msgspec.structs.replace(seen, emptied=tuple(erasure.indexes))


def _damaged(item: Item, fault: str) -> Examined:
    return Examined(item.index, item.leaf, "damaged", fault)


_CLAIMS = msgspec.json.Decoder(_Claims)
_RESTS = msgspec.json.Decoder(_Rests)
_RECEIPT = msgspec.json.Decoder(Receipt)
