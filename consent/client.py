"""For a website's own server: reads the consent cookie of a request, whatever the framework.

Needs nothing but the Cookie header (WSGI: `environ.get("HTTP_COOKIE")`, Django: `request.headers.get("Cookie")`,
ASGI: the decoded `cookie` header), writes nothing and asks nobody. What is not granted by the cookie is not granted.

    from consent.client import read_cookie
    state = read_cookie(request.headers.get("Cookie"), policy)
    if state.granted("analytics"): ...
"""

import time
from typing import Any

import msgspec

from consent.model import Regime, State
from consent.state import AskedPolicy, derive, derive_alone, parse


def read_cookie(
    header: str | None,
    policy: "bytes | str | dict[str, Any] | None" = None,
    *,
    name: str = "consent",
    regime: Regime = "opt-in",
    gpc: bool = False,
    now: float | None = None,
) -> State:
    """The consent state a Cookie header carries.

    `policy` is what `GET /sites/{site}/policies/{version}` answers for the newest version (bytes, text or decoded).
    Without it only what the cookie names is granted, a choice lapses after 180 days, `outdated` cannot be told, and
    a choice that grants anything is `partial`. `gpc` is whether the request carried `Sec-GPC: 1`; `now` is in
    seconds since the epoch. Raises msgspec.ValidationError where `policy` is not a published policy.
    """
    choices = [choice for value in _values(header or "", name) if (choice := parse(value))]
    kept = max(choices, key=lambda choice: choice.decided_at, default=None)
    at = int(time.time() if now is None else now)
    if policy is None:
        return derive_alone(kept, now=at, regime=regime)
    return derive(_asked(policy), kept, now=at, regime=regime, gpc=gpc)


def _values(header: str, name: str) -> list[str]:
    """The values of every cookie of that name (RFC 6265, section 4.2.1): two domains may each send one."""
    pairs = [pair.strip().partition("=") for pair in header.split(";")]
    return [value.strip('"') for key, _, value in pairs if key == name]


def _asked(policy: "bytes | str | dict[str, Any]") -> AskedPolicy:
    if isinstance(policy, bytes | str):
        return _POLICY.decode(policy)
    return msgspec.convert(policy, AskedPolicy)


_POLICY = msgspec.json.Decoder(AskedPolicy)
"""Made before a website's server has threads: msgspec's plan of a type must not be used half made (consent/shape.py)."""
