"""Patterns for addresses and cookie names, as policies and the catalogue write them.

Pure, and twinned in JavaScript: both are bound to the cases in tests/data/urls.json. `*` stands for any characters.
"""

import re

_HOST = r"(?P<host>\[[^\]]*\]|[^/?#:]*)(?::(?P<port>[0-9]+))?"
_PATTERN = re.compile(rf"(?:(?P<scheme>[a-z]+)://)?{_HOST}(?P<path>/.*)?", re.DOTALL)
_URL = re.compile(
    rf"(?P<scheme>https?|wss?)://(?:[^/?#]*@)?{_HOST}(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#.*)?", re.DOTALL
)
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


def matches(pattern: str, url: str) -> bool:
    """Whether a URL pattern `[scheme://]host[:port][/path]` matches an absolute address, normalised as browsers do.

    Without a scheme it is any of http, https, ws and wss, without a port any port, without a path any path.
    `*.` before a host stands for that domain and its sub-domains at any depth, `*` for any host. A path is compared
    whole; the query counts only where the pattern has a `?`, user info and fragment never.
    """
    wanted, found = _PATTERN.fullmatch(pattern), _URL.fullmatch(url)
    if not wanted or not found:
        return False
    return (
        wanted["scheme"] in (None, found["scheme"])
        and wanted["port"] in (None, found["port"] or _PORTS[found["scheme"]])
        and _host_matches(wanted["host"].lower(), found["host"].lower().removesuffix("."))
        and (wanted["path"] is None or covers(wanted["path"], _compared(found, wanted["path"])))
    )


def covers(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which `*` stands for any characters, also none; case counts."""
    head, *others = pattern.split("*")
    if not others:
        return name == pattern
    *middle, tail = others
    if len(name) < len(head) + len(tail) or not (name.startswith(head) and name.endswith(tail)):
        return False
    position = len(head)
    for part in middle:
        at = name.find(part, position, len(name) - len(tail))
        if at < 0:
            return False
        position = at + len(part)
    return True


def _host_matches(pattern: str, host: str) -> bool:
    if not pattern or not host:
        return False
    if pattern.startswith("*."):
        return host == pattern[2:] or host.endswith(pattern[1:])
    return pattern in ("*", host)


def _compared(found: re.Match[str], pattern: str) -> str:
    """What of an address a path pattern is compared with."""
    path = found["path"] or "/"
    return f"{path}?{found['query']}" if "?" in pattern and found["query"] else path
