"""How many recordings an address may make. Addresses live in memory for the length of a window, nowhere else."""

import time
from ipaddress import IPv6Address, ip_address, ip_network

import limits

from consent.errors import TooManyRequests


class RateLimit:
    """A limit per address and worker process."""

    def __init__(self, item: limits.RateLimitItem) -> None:
        self._item = item
        self._limiter = limits.strategies.SlidingWindowCounterRateLimiter(limits.storage.MemoryStorage())

    def hit(self, address: str | None, *, what: str) -> None:
        """Count one recording or showing. Raises TooManyRequests with the seconds to wait."""
        key = (what, _network(address))
        if not self._limiter.hit(self._item, *key):
            reset = self._limiter.get_window_stats(self._item, *key).reset_time
            wait = max(1, int(reset - time.time()) + 1)
            raise TooManyRequests(f"Too many requests from this address; try again in {wait} s.", retry_after=wait)


def _network(address: str | None) -> str:
    """An IPv4 address, or the /64 network of an IPv6 one: that much a single household has."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
