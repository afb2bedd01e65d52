"""A site's log seen from outside, through its public addresses: keys, checkpoint and tree; no entry is ever asked for."""

from collections.abc import Iterator

from consent import checkpoint, merkle, receipts
from consent.errors import BadCheckpoint, BadQuery, BadSignature
from consent.merkle import spelled
from consent.remote import fetched
from consent.verify import Finding

TIMEOUT = 30
"""Seconds."""
LARGEST = 1 << 20
"""Bytes of an answer that are read; none of ours is larger."""


class Mirror:
    """The log of a site at an address such as `https://consent.example.org/sites/shop`. Raises BadQuery."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        base, _, self.site = self.address.rpartition("/sites/")
        if not base or not self.site or "/" in self.site:
            raise BadQuery("Give the address of a site, such as https://consent.example.org/sites/shop.")
        self._base = base

    def findings(self, keys: dict[str, bytes] | None, remembered: list[str]) -> Iterator[Finding]:
        """What holds and what does not of the newest checkpoint; `keys` None takes the published key set."""
        keys = keys or self._keys()
        try:
            newest = checkpoint.verify(
                self._get(f"{self.address}/ledger/checkpoint").decode(errors="replace"), keys.values()
            )
        except BadCheckpoint as error:
            yield Finding(-1, "checkpoint", str(error).rstrip("."))
            return
        if newest.origin.rpartition("/sites/")[2] != self.site:
            yield Finding(-1, "checkpoint", f"the checkpoint is of {newest.origin}, another log")
        node = merkle.reader(lambda level, number: self._tile(newest.size, level, number))
        yield Finding(-1, "checkpoint", self._root(newest, node))
        for note in remembered:
            yield Finding(-1, "remembered checkpoint", self._since(note, newest, keys, node))

    def _root(self, newest: checkpoint.Head, node: merkle.Node) -> str:
        holds = _told(lambda: merkle.root(newest.size, node) == newest.root)
        return "" if holds else "the tiles are not of the tree that the checkpoint was signed over"

    def _since(self, note: str, newest: checkpoint.Head, keys: dict[str, bytes], node: merkle.Node) -> str:
        try:
            old = checkpoint.verify(note, keys.values())
        except BadCheckpoint as error:
            return str(error).rstrip(".")
        if old.origin.rpartition("/sites/")[2] != self.site:
            return f"the remembered checkpoint is of {old.origin}, another log"
        if old.size > newest.size:
            return f"the remembered checkpoint has {old.size} entries, the log {newest.size}: it was rolled back"
        before, after = (old.size, old.root), (newest.size, newest.root)
        holds = _told(lambda: merkle.extends(before, after, merkle.consistency(old.size, newest.size, node)))
        return (
            ""
            if holds
            else f"the first {old.size} entries are not those of the remembered checkpoint: history was rewritten"
        )

    def _keys(self) -> dict[str, bytes]:
        try:
            return receipts.read_keys(self._get(f"{self._base}/.well-known/jwks.json"))
        except BadSignature:
            raise BadQuery(f"{self._base}/.well-known/jwks.json is not a JWK set with Ed25519 keys.") from None

    def _tile(self, size: int, level: int, number: int) -> bytes:
        known = min(merkle.WIDTH, (size >> (merkle.HEIGHT * level)) - number * merkle.WIDTH)
        partial = f".p/{known}" if known < merkle.WIDTH else ""
        return self._get(f"{self.address}/ledger/tile/{level}/{spelled(number)}{partial}")

    def _get(self, url: str) -> bytes:
        try:
            return fetched(url, patience=TIMEOUT, largest=LARGEST)
        except OSError as error:
            raise BadQuery(f"{url} cannot be read: {error}.") from None


def _told(holds) -> bool:  # type: ignore[no-untyped-def]
    """Whether something holds; tiles that are too short tell nothing."""
    try:
        return bool(holds())
    except LookupError:
        return False
