"""Which origins a site answers to: exact ones, `https://*.shop.example` for sub-domains, `http://localhost:*`."""

import re
from collections.abc import Iterable


def patterns(origins: Iterable[str]) -> list[re.Pattern[str]]:
    """One pattern for each origin of a policy; a match means the origin is the site's own."""
    return [_pattern(origin) for origin in origins]


def allows(patterns: Iterable[re.Pattern[str]], origin: str) -> bool:
    """Whether an Origin header names one of them."""
    return any(pattern.match(origin) for pattern in patterns)


def expression(origins: Iterable[str]) -> str:
    """All of them as one regular expression for JavaScript, to be matched without regard to case."""
    return f"^({'|'.join(map(_source, origins))})$"


def _pattern(origin: str) -> re.Pattern[str]:
    return re.compile(rf"\A{_source(origin)}\Z", re.IGNORECASE)


def _source(origin: str) -> str:
    scheme, _, rest = origin.partition("://")
    escaped = re.escape(rest)
    if rest.startswith("*."):
        escaped = r"([a-z0-9-]+\.)+" + re.escape(rest[2:])
    if rest.endswith(":*"):
        escaped = re.escape(rest[:-2]) + r"(:[0-9]{1,5})?"
    return f"{scheme}://{escaped}"
