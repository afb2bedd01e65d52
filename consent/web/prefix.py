"""A base URL with a path: works whether or not the proxy in front strips the prefix."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit


class Prefix:
    """WSGI middleware that moves the base URL's path from PATH_INFO to SCRIPT_NAME (PEP 3333)."""

    def __init__(self, app: Callable[..., Iterable[bytes]], public_url: str) -> None:
        self._app = app
        self._prefix = urlsplit(public_url).path.rstrip("/")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            environ["PATH_INFO"] = path[len(self._prefix) :]
        if not environ.get("SCRIPT_NAME", "").endswith(self._prefix):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + self._prefix
        return self._app(environ, start_response)
