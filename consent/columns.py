"""A receipt as a row: the columns that CSV and Parquet have in common (contract, section 3).

Its rule: a row says what the signed claims say. Most of that many receipts say word for word alike, so it is read once.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from consent import receipts
from consent.errors import BadSignature, Unavailable
from consent.model import Entry, Published, Receipt

T = TypeVar("T")
HEAD = ("index", "id", "recorded_at", "subject", "policy", "language", "regime", "country", "action", "surface")
TAIL = ("services", "gpc", "valid_until", "previous", "receipt")
LAYOUT = re.compile(
    r'\{"iss":"[^"\\]*","aud":"[^"\\]*","sub":"(?P<subject>[\w-]{22})","jti":"(?P<id>[0-9a-f-]{36})"'
    r',"iat":(?P<at>[0-9]{1,11}),"exp":(?P<until>[0-9]{1,11}),"consent":(?P<alike>\{.*)'
    r',"decided_at":(?:null|"[^"\\]*"),"previous":(?:null|"(?P<previous>[0-9a-f-]{36})")\}\}',
    re.ASCII | re.DOTALL,
)
"""Claims as we write them: what differs from receipt to receipt, around what is alike in many. Any others are read whole."""
MOST = 4096
"""How many different things said are remembered."""


class Said(msgspec.Struct, frozen=True):
    """What of a choice is alike in many receipts."""

    policy: int
    language: str
    regime: str
    country: str | None
    action: str
    surface: str
    grants: dict[str, bool]
    services: dict[str, bool]
    necessary: list[str]
    signals: dict[str, bool]

    def answer(self, category: str) -> str | None:
        """What was answered to a category; None where nobody asked."""
        if category in self.grants:
            return answer(self.grants[category])
        return "necessary" if category in self.necessary else None


Row = tuple[int, str, int, str, T, int, str | None, str]
"""Index, id, when recorded, subject, what the reader makes of what is said, when it lapses, previous id, statement."""


def rows(entries: Iterable[Entry], make: Callable[[Said], T]) -> Iterator[Row[T]]:
    """The rows of the receipts among entries. Raises Unavailable at one that cannot be read any more."""
    known: dict[str, T] = {}
    for entry in entries:
        if entry.kind != "receipt" or entry.token is None:
            continue
        try:
            claims = receipts.claims(entry).decode()
            found = LAYOUT.fullmatch(claims)
            if found is None:
                yield _whole(entry, entry.token, claims, make)
                continue
            subject, id, at, until, alike, previous = found.groups()
            if alike not in known:
                if len(known) == MOST:
                    known.clear()
                known[alike] = make(_SAID.decode(alike + "}"))
        except (BadSignature, msgspec.MsgspecError, ValueError) as error:
            raise Unavailable(f"Entry {entry.index} is damaged ({error}): run `consent verify`.") from None
        yield entry.index, id, int(at), subject, known[alike], int(until), previous, entry.token


def categories(versions: list[Published]) -> list[str]:
    """Every category any version of the policy had, in order of first appearance."""
    return list(dict.fromkeys(category.id for version in versions for category in version.categories))


def answer(granted: bool) -> str:
    """The word for an answer."""
    return "granted" if granted else "refused"


_SAID = msgspec.json.Decoder(Said)
_RECEIPT = msgspec.json.Decoder(Receipt)


def _whole(entry: Entry, token: str, claims: str, make: Callable[[Said], T]) -> Row[T]:
    receipt = _RECEIPT.decode(claims)
    said = msgspec.convert(receipt.consent, Said, from_attributes=True)
    previous = receipt.consent.previous
    return entry.index, receipt.jti, receipt.iat, receipt.sub, make(said), receipt.exp, previous, token
