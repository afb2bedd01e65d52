"""The floor of every request: a WSGI function that does nothing, under the service's own gunicorn settings.

    python -m bench.bare PORT BYTES

It reads the body and answers BYTES bytes, as many as what it is compared with.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from bench.servers import PROCESSES
from consent.web.serve import Server


class Bare(Server):
    """gunicorn as `consent serve` runs it, around nothing."""

    def __init__(self, size: int, **options: Any) -> None:
        self._body = b"x" * size
        super().__init__(None, **options)  # type: ignore[arg-type]

    def load(self) -> Callable[..., Iterable[bytes]]:
        headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(self._body)))]

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ["wsgi.input"].read()
            start_response("200 OK", headers)
            return [self._body]

        return app


if __name__ == "__main__":
    Bare(int(sys.argv[2]), bind=f"127.0.0.1:{int(sys.argv[1])}", workers=PROCESSES).run()
