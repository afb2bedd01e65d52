"""What is new with every choice that a load sends: the ids, as the clients make them."""

import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any

from consent.ids import uuid7

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
C15T_EPOCH = 1_700_000_000_000
"""Where c15t's client begins to count milliseconds (npm c15t 2.2.1, dist/index.js)."""
C15T_LENGTH = 20
"""Bytes of its ids: eight of time, twelve of chance."""


def subject() -> str:
    """A new browser's subject id."""
    return urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def choice() -> dict[str, Any]:
    """The ids of a choice as our banner sends them."""
    return {"id": uuid7(time.time()), "subject": subject()}


def c15t() -> dict[str, Any]:
    """A new subject and a time, as c15t's client sends them."""
    now = time.time_ns() // 1_000_000
    return {"subjectId": c15t_subject(now), "givenAt": now}


def c15t_subject(now: int) -> str:
    """A subject id as c15t's client makes it at a time in milliseconds: bytes in base 58, leading zeros as ones."""
    data = (now - C15T_EPOCH).to_bytes(8) + secrets.token_bytes(C15T_LENGTH - 8)
    number, digits = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        digits = BASE58[digit] + digits
    return f"sub_{'1' * (C15T_LENGTH - len(data.lstrip(bytes(1))))}{digits}"


KINDS = {"choice": choice, "c15t": c15t, "nothing": dict}
