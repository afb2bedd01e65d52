"""What can be said of one entry alone: its hash, its signature, whom and what it names; pure, fit for many processes."""

import json
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Any, get_type_hints

import msgspec

from consent import receipts
from consent.errors import BadSignature
from consent.fields import TRAIL
from consent.merkle import leaf_hash
from consent.model import Entry, Receipt
from consent.packing import Parts

FARTHEST = 2**53
"""No index, time or version of ours comes near; numbers beyond are lost on the way (RFC 8259, section 6)."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of an ndjson export."""

    index: Annotated[int, msgspec.Meta(ge=0, lt=FARTHEST)]
    leaf: str
    receipt: str | None = None
    claims: msgspec.Raw = msgspec.Raw(b"")
    erased: bool = False


def line_of(index: int, leaf: str, token: str | None, claims: bytes) -> bytes:
    """A line of an ndjson export as we write it; `token` None is an erased entry's."""
    if token is None:
        return b'{"index":%d,"leaf":"%s","erased":true}\n' % (index, leaf.encode())
    return b'{"index":%d,"leaf":"%s","receipt":"%s","claims":%s}\n' % (index, leaf.encode(), token.encode(), claims)


def read_line(text: bytes) -> Line:
    """A line that says everything once and nothing besides. Raises ValueError, RecursionError or msgspec's errors."""
    line = _LINE.decode(text)
    if line.erased is (line.receipt is not None) or (line.erased and line.claims):
        raise ValueError("a line has either a receipt or says that it is erased")
    if len(line.leaf) != 64 or bytes.fromhex(line.leaf).hex() != line.leaf:
        raise ValueError("a hash is 64 hexadecimal digits in lower case")
    if line_of(line.index, line.leaf, line.receipt, bytes(line.claims)) != text:
        _spelled(text)
    return line


def is_trail(lines: Iterable[bytes]) -> bool:
    """Whether the first line that says whose log it is of names that of what administrators did."""
    for text in lines:
        with suppress(msgspec.MsgspecError, BadSignature, ValueError, LookupError, TypeError, RecursionError):
            return msgspec.json.decode(receipts.read(read_line(text).receipt or "")[1])["aud"] == TRAIL
    return False


class Finding(msgspec.Struct, frozen=True):
    """What was found at one entry, or at the log as a whole (index -1); `problem` is empty where it holds."""

    index: int
    kind: str
    problem: str = ""


class Says(msgspec.Struct, frozen=True, array_like=True):
    """What kind of entry it is and what it rests on; `fault` is empty where it holds by itself."""

    kind: str
    fault: str = ""
    version: int = 0
    policy_hash: str = ""
    scripts: tuple[str, ...] = ()
    """Names of the scripts it rests on."""
    emptied: tuple[int, ...] = ()
    """The indexes that an erasure names."""


class Examined(msgspec.Struct, frozen=True):
    """What an entry is and says."""

    index: int
    leaf: bytes
    at: int
    """When it says it was recorded, in seconds since the epoch; 0 where it does not say."""
    says: Says


def _plain(type_: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """A type without the patterns of its fields, which take longer than all else: what was signed is not input."""
    hints = get_type_hints(type_)
    inner = {name: _plain(hint) for name, hint in hints.items() if isinstance(hint, type(msgspec.Struct))}
    return msgspec.defstruct(type_.__name__, list((hints | inner).items()), frozen=True, gc=False)


DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    receipts.RECEIPT: msgspec.json.Decoder(_plain(Receipt)),
    receipts.POLICY: msgspec.json.Decoder(receipts.PolicyClaims),
    receipts.ERASURE: msgspec.json.Decoder(receipts.ErasureClaims),
    receipts.ACT: msgspec.json.Decoder(receipts.ActClaims),
}
"""The claims of a statement by its `typ`."""
_LINE = msgspec.json.Decoder(Line)
ERASED = Says("erased")
KEPT = "entry {} is empty, though what administrators did is never erased"


def examine(one: Entry | Line | Finding, keys: dict[str, bytes], site: str | None) -> Examined:
    """An entry by itself. `keys` maps key ids to raw public keys; `site` None takes any site's."""
    if isinstance(one, Entry):
        return _entry(one, keys, site)
    return _line(one, keys, site) if isinstance(one, Line) else Examined(-1, b"", 0, Says(one.kind, one.problem))


def _entry(entry: Entry, keys: dict[str, bytes], site: str | None) -> Examined:
    """An entry of a database, held against what it is filed under."""
    if entry.token is None:
        if site == TRAIL:
            return _damaged(entry.index, entry.leaf, KEPT.format(entry.index))
        if (entry.id, entry.subject, entry.policy, entry.action) == (None, None, None, None):
            return Examined(entry.index, entry.leaf, entry.recorded_at or -1, ERASED)  # 0 is for what does not say
        fault = f"entry {entry.index} has no statement, but is still filed under something"
        return _damaged(entry.index, entry.leaf, fault)
    try:
        kind, said, _ = _signed(entry.index, entry.leaf, entry.token, keys, site, entry.parts)
        filed = (entry.kind, entry.recorded_at, entry.id, entry.subject, entry.policy, entry.action)
        if filed != _row(kind, said):
            raise BadSignature(f"entry {entry.index} is filed under other data than those that were signed")
        return Examined(entry.index, entry.leaf, said.iat, _says(kind, said))
    except BadSignature as error:
        return _damaged(entry.index, entry.leaf, str(error))


def _line(line: Line, keys: dict[str, bytes], site: str | None) -> Examined:
    """A line of a file, its claims held against those that were signed."""
    leaf = bytes.fromhex(line.leaf)
    if line.receipt is None:
        if site == TRAIL:
            return _damaged(line.index, leaf, KEPT.format(line.index))
        return Examined(line.index, leaf, 0, ERASED)
    try:
        kind, said, claims = _signed(line.index, leaf, line.receipt, keys, site)
        shown = bytes(line.claims)
        if shown and shown != claims and not _same(shown, claims):
            raise BadSignature(f"entry {line.index} shows other claims than those that were signed")
        return Examined(line.index, leaf, said.iat, _says(kind, said))
    except BadSignature as error:
        return _damaged(line.index, leaf, str(error))


def _signed(
    index: int, leaf: bytes, token: str, keys: dict[str, bytes], site: str | None, parts: Parts | None = None
) -> tuple[str, Any, bytes]:
    """A statement's kind, what it says, and its claims, once hash and signature hold. Raises BadSignature naming the entry."""
    try:
        if leaf_hash(token.encode()) != leaf:
            raise BadSignature(f"entry {index} does not have the hash that the ledger kept of it: it was changed")
        header, claims = receipts.verify(token, keys, parts)
        said = DECODERS[header.typ].decode(claims)
    except BadSignature as error:
        raise error if str(error).startswith("entry ") else BadSignature(f"entry {index}: {error}") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadSignature(f"entry {index}: {error}") from None
    if site is not None and said.aud != site:
        raise BadSignature(f"entry {index} belongs to site {said.aud!r}, not to {site!r}")
    kind = receipts.KINDS[header.typ]
    if (kind == "act") is not (said.aud == TRAIL):
        raise BadSignature(f"entry {index} is of the kind {kind!r}, which has no place in the log {said.aud!r}")
    if not _countable(kind, said):
        raise BadSignature(f"entry {index} names a time, a version or an index that cannot be")
    return kind, said, claims


def _countable(kind: str, said: Any) -> bool:
    """Whether the time, and the version or indexes, are numbers that can be."""
    if kind == "erasure":
        return all(abs(number) < FARTHEST for number in (said.iat, *said.erasure.indexes))
    if kind == "act":
        return abs(said.iat) < FARTHEST
    version = said.consent.policy if kind == "receipt" else said.policy.version
    return abs(said.iat) < FARTHEST and abs(version) < FARTHEST


def _row(kind: str, said: Any) -> tuple[str, int, str | None, str | None, int | None, str | None]:
    """What a statement should be filed under: kind, time, id, subject, policy version and action."""
    if kind == "receipt":
        return (kind, said.iat, said.jti, said.sub, said.consent.policy, said.consent.action)
    return (kind, said.iat, said.jti, None, said.policy.version if kind == "policy" else None, None)


def _says(kind: str, said: Any) -> Says:
    if kind == "receipt":
        return _rests(said.consent.policy, said.consent.policy_hash, said.consent.script_hash)
    if kind == "act":
        return Says(kind)
    if kind == "erasure":
        return Says(kind, emptied=tuple(said.erasure.indexes))
    policy = said.policy
    names = tuple(dict.fromkeys([policy.script_hash, *policy.scripts.values()]))
    return Says(kind, "", policy.version, policy.policy_hash, names)


@lru_cache(maxsize=256)
def _rests(version: int, policy_hash: str, script_hash: str | None) -> Says:
    """What a receipt rests on: the same for all that were asked the same."""
    return Says("receipt", "", version, policy_hash, (script_hash,) if script_hash else ())


def _same(shown: bytes, claims: bytes) -> bool:
    """Whether two texts of JSON say the same."""
    try:
        return _spelled(shown) == _spelled(claims)
    except (ValueError, RecursionError):
        return False


def _spelled(claims: bytes) -> str:
    """JSON with its members in order; a member that stands there twice is refused (RFC 8259, section 4)."""

    def once(members: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(members)
        if len(found) != len(members):
            raise ValueError("a member of its claims stands there twice")
        return found

    return json.dumps(json.loads(claims, object_pairs_hook=once), sort_keys=True)


def _damaged(index: int, leaf: bytes, fault: str) -> Examined:
    return Examined(index, leaf, 0, Says("damaged", fault))
