"""Times as text: RFC 3339 in UTC outside, seconds since the epoch inside."""

from datetime import UTC, datetime

DAY = 86_400
"""Seconds."""


def rfc3339(seconds: int | None) -> str | None:
    """Seconds since the epoch as `2026-11-23T18:46:00Z`; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> int:
    """Seconds since the epoch of an RFC 3339 time or a day (`2026-11-23`, its first second in UTC). Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
