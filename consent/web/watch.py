"""Around every request: an id that its answer and its log lines carry, a count, and a log line if that is wanted.

Its rule: of a request only method, route and status are told, never its path, its caller or what it asks.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from random import getrandbits
from typing import Any

from consent.web.counts import Counts

log = logging.getLogger("consent.request")

ID, ROUTE = "consent.request_id", "consent.route"
"""Where the id and the pattern of the address stand in the request's environment."""
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Watch:
    """WSGI middleware (PEP 3333). `believes`: whether a proxy in front names requests, in X-Request-ID."""

    def __init__(self, app: Callable[..., Iterable[bytes]], counts: Counts, *, believes: bool, logs: bool) -> None:
        self._app = app
        self._counts = counts
        self._believes = believes
        self._logs = logs

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        id = environ[ID] = self._named(environ) or f"{getrandbits(64):016x}"
        began = time.perf_counter() if self._logs else 0.0

        def answer(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            self._counts.answered(environ["REQUEST_METHOD"], environ.get(ROUTE, "other"), status[:3])
            if self._logs:
                self._tell(environ, status[:3], time.perf_counter() - began)
            return start(status, [*headers, ("X-Request-ID", id)], *rest)

        return self._app(environ, answer)

    def _named(self, environ: dict[str, Any]) -> str | None:
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._believes else ""
        return given if WELL_FORMED.fullmatch(given) else None

    def _tell(self, environ: dict[str, Any], status: str, seconds: float) -> None:
        told = {"request": environ[ID], "method": environ["REQUEST_METHOD"], "route": environ.get(ROUTE, "other")}
        log.info("answered", extra={"told": told | {"status": int(status), "ms": round(seconds * 1000, 2)}})
