"""Patterns for addresses and cookie names, as policies and the catalogue write them.

Pure, and twinned in JavaScript: both are bound to the cases in tests/data/urls.json. `*` stands for any characters.
"""

import re
from collections.abc import Iterable
from itertools import chain

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


def one_of_urls(patterns: Iterable[str]) -> str:
    """A regular expression (Python's and JavaScript's alike) for addresses that one of the patterns matches; '' of none.

    For normalised addresses, as `URL.href` gives them.
    """
    hosts: dict[tuple[str, str], list[str]] = {}
    for scheme, host, tail in chain.from_iterable(map(_parts, patterns)):
        hosts.setdefault((scheme, tail), []).append(host)
    return _one_of(f"{scheme}://([^/?#]*@)?({'|'.join(names)})\\.?{tail}" for (scheme, tail), names in hosts.items())


def one_of_names(names: Iterable[str]) -> str:
    """The same for names, compared whole."""
    return _one_of(_wild(name, ".*") for name in names)


def csp_sources(pattern: str) -> list[str]:
    """Source expressions (CSP Level 3, section 2.3.1) that let through what a URL pattern matches, and little more.

    A path ends at its last folder before a `*`, for a source knows no other wildcard there.
    """
    found = _parsed(pattern)
    start, star, _ = re.sub(r"\?.*", "*", found["path"] or "*").partition("*")
    path = start[: start.rfind("/") + 1] if star else start
    rest = f":{found['port'] or '*'}" + path.replace(";", "%3B").replace(",", "%2C") * (path != "/")
    host = found["host"].lower()
    hosts = [host[2:], host] if host.startswith("*.") else [host]
    schemes = [f"{found['scheme']}://"] if found["scheme"] else ["", "wss://"]
    return [scheme + host + rest for host in hosts for scheme in schemes]


def _one_of(expressions: Iterable[str]) -> str:
    whole = "|".join(expressions)
    return f"^({whole})$" if whole else ""


def _parts(pattern: str) -> list[tuple[str, str, str]]:
    """A URL pattern as expressions: scheme, host, and what may follow."""
    found = _parsed(pattern)
    scheme, host, port, path = found["scheme"], found["host"].lower(), found["port"], found["path"]
    if port in _PORTS.values() and not scheme:
        return [part for one in _PORTS for part in _parts(f"{one}://{pattern}")]
    if "#" in (path or ""):
        return []  # a fragment never counts
    host = r"(\[[^\]]*\]|[^/?#:]+)" if host == "*" else _escaped(host).replace(r"\*\.", r"([^/?#:]+\.)?")
    ports = f"(:{port})" + "?" * (port == _PORTS.get(scheme)) if port else r"(:\d+)?"
    asks = "?" in (path or "")
    rest = _wild(path or "/*", "[^#]*" if asks else "[^?#]*")
    return [(scheme or "(http|ws)s?", host, ports + rest + ("(#.*)?" if asks else "([?#].*)?"))]


def _parsed(pattern: str) -> re.Match[str]:
    found = _PATTERN.fullmatch(pattern)
    if not found:
        raise ValueError(f"{pattern!r} is no URL pattern")
    return found


def _wild(text: str, any: str) -> str:
    return any.join(_escaped(part) for part in re.split(r"\*+", text))


def _escaped(text: str) -> str:
    """With the characters escaped that mean something in a regular expression, and no other: JavaScript is strict."""
    return re.sub(r"[.+?^${}()|\[\]\\*]", r"\\\g<0>", text)


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
