"""How many recordings an address may make. Addresses live in memory for the length of two windows, nowhere else.

The notation is the limits library's, the counting our own: that library's memory would start a thread every hundredth
of a second under load.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

import limits

from consent.errors import TooManyRequests

Key = tuple[str, str]


class RateLimit:
    """A limit per address and worker process: a sliding window, its past taken as evenly filled."""

    def __init__(self, rate: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        item = limits.parse(rate)
        self._most = item.amount
        self._seconds = item.get_expiry()
        self._clock = clock
        self._window = -1.0
        self._now: Counter[Key] = Counter()
        self._before: Counter[Key] = Counter()
        self._turn = threading.Lock()

    def hit(self, address: str | None, *, what: str) -> None:
        """Count one recording or showing. Raises TooManyRequests with the seconds to wait."""
        key, (window, into) = (what, _network(address)), divmod(self._clock(), self._seconds)
        with self._turn:
            if window != self._window:
                self._before = self._now if window == self._window + 1 else Counter()
                self._now, self._window = Counter(), window
            past = self._before[key] * (1 - into / self._seconds)
            if past + self._now[key] + 1 > self._most:
                wait = int(self._free(key) - into) + 1
                raise TooManyRequests(f"Too many requests from this address; try again in {wait} s.", retry_after=wait)
            self._now[key] += 1

    def _free(self, key: Key) -> float:
        """Seconds from the window's begin until one more is taken."""
        before, now = self._before[key], self._now[key]
        if now < self._most:
            return self._seconds * (1 - (self._most - 1 - now) / before)
        return self._seconds * (2 - (self._most - 1) / now)


def _network(address: str | None) -> str:
    """An IPv4 address, or the /64 network of an IPv6 one: that much a single household has."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
