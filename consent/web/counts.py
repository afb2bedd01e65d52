"""What a process counts of its work, for metrics (the address is in metrics.py).

Its rule: no number's name comes from a request as it is, so that they are few whatever is sent, and name nobody.
"""

import time
from bisect import bisect_left

from consent.errors import ConsentError
from consent.extras import installed
from consent.settings import Settings
from consent.web.tally import Key, Tally

METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"))
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds."""
REQUESTS, RECORDED, REFUSED = "consent_requests", "consent_receipts_recorded", "consent_refusals"
WAITING, WAITED, BUCKET = "consent_commit_waiting", "consent_commit_seconds_sum", "consent_commit_seconds_bucket"


class Counts:
    """What one process counts."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._add = tally.add
        self._waits: list[Key] = [(BUCKET, str(bound)) for bound in (*BUCKETS, "+Inf")]

    def answered(self, method: str, route: str, status: str) -> None:
        """A request was answered; `route` is the address's pattern."""
        self._add((REQUESTS, method if method in METHODS else "other", route, status))

    def recorded(self, *, is_new: bool) -> None:
        """A choice was made durable."""
        self._add((RECORDED, "new" if is_new else "again"))

    def refused(self, error: ConsentError) -> None:
        """A request was refused."""
        self._add((REFUSED, error.code))

    def begin(self) -> float:
        """Something begins to wait for its transaction; give what is returned to `done`."""
        self._add((WAITING,))
        return time.perf_counter()

    def done(self, began: float) -> None:
        """It is durable, or could not be made so."""
        waited = time.perf_counter() - began
        self._add((WAITING,), -1.0)
        self._add((WAITED,), waited)
        self._add(self._waits[bisect_left(BUCKETS, waited)])


class Uncounted(Counts):
    """Counts nothing, where nobody could read it."""

    def __init__(self) -> None:
        self.tally = None  # type: ignore[assignment]
        self._add = lambda key, amount=1.0: None
        self._waits = [()] * (len(BUCKETS) + 1)


def counts(settings: Settings) -> Counts:
    """The counts of an installation; of none where `consent[metrics]` is not installed."""
    if not installed("prometheus_client"):
        return Uncounted()
    return Counts(Tally(settings.data / "metrics", passing=frozenset((WAITING,))))
