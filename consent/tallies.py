"""What is counted together: daily counts of showings and decisions that name nobody; pure.

Its rule: a receipt is counted under what it says for as long as it can be read, and under its day alone afterwards.
"""

from base64 import urlsafe_b64decode
from functools import lru_cache

import msgspec

from consent.model import Display, Entry, Place, Receipt, Tally
from consent.times import DAY, rfc3339

SHOWN = "shown"
ERASED = "erased"
"""Beside the actions of receipts: the banner was shown; a receipt that was erased or purged since, or is damaged."""


class _Said(msgspec.Struct):
    policy: int
    language: str
    country: str | None
    regime: str
    surface: str
    action: str
    grants: dict[str, bool]


class _Claims(msgspec.Struct):
    iat: int
    consent: _Said


_CLAIMS = msgspec.json.Decoder(_Claims)


def of_receipt(receipt: Receipt | _Claims) -> Tally:
    """What a receipt is counted under."""
    said = receipt.consent
    granted = "~".join(sorted([id for id, answer in said.grants.items() if answer]))
    return Tally(
        day_of(receipt.iat), said.policy, said.action, granted,
        said.language, said.country or "", said.regime, said.surface,
    )  # fmt: skip


def of_stored(token: str | None, recorded_at: int) -> Tally:
    """The same of a receipt as it is stored; None is one that was erased."""
    try:
        claims = urlsafe_b64decode((token or "").split(".")[1] + "==")
    except (IndexError, ValueError):
        return erased(recorded_at)
    return _of_claims(claims, recorded_at)


def of_entry(entry: Entry) -> Tally:
    """The same of a receipt's entry."""
    return _of_claims(entry.parts[1], entry.recorded_at) if entry.parts else of_stored(entry.token, entry.recorded_at)


def _of_claims(claims: bytes, recorded_at: int) -> Tally:
    try:
        return of_receipt(_CLAIMS.decode(claims))
    except ValueError:  # damaged: `consent verify` names it
        return erased(recorded_at)


def of_display(display: Display, place: Place, now: int) -> Tally:
    """What a showing of the banner is counted under."""
    return Tally(
        day_of(now), display.policy, SHOWN, "", display.language, place.country or "", place.regime, display.surface
    )


def erased(recorded_at: int) -> Tally:
    """What a receipt is counted under when nothing but its time is left: the log itself says no more of it."""
    return Tally(day_of(recorded_at), 0, ERASED, "", "", "", "", "")


def day_of(seconds: int) -> str:
    """The day of a time in UTC, as `2026-11-23`."""
    return _day(seconds // DAY)


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return (rfc3339(number * DAY) or "")[:10]
