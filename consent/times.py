"""Times as text: RFC 3339 in UTC outside, seconds since the epoch inside."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

DAY = 86_400
"""Seconds."""
MINUTES = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
SECONDS = tuple(f"{second:02}Z" for second in range(60))
"""Written once: exports ask for millions of times."""

DAY = 86_400
"""Seconds."""


def rfc3339(seconds: int | None) -> str | None:
    """Seconds since the epoch as `2026-11-23T18:46:00Z`; None stays None."""
    if seconds is None:
        return None
    day, rest = divmod(seconds, DAY)
    return _day(day) + MINUTES[rest // 60] + SECONDS[rest % 60]


def seconds(text: str) -> int:
    """Seconds since the epoch of an RFC 3339 time or a day (`2026-11-23`, its first second in UTC).

    Raises ValueError, or OverflowError where its day in UTC has no four-digit year.
    """
    moment = datetime.fromisoformat(text)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).timestamp())


@lru_cache(maxsize=1024)
def _day(number: int) -> str:
    """A day by its number since the epoch."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
