"""Answering banner.js: in full and unchanged (304), beside a bare WSGI function that answers as many bytes."""

import urllib.request
from contextlib import ExitStack
from functools import partial

from bench import load, servers
from bench.load import Job
from bench.trial import Plan, Trial

CONNECTIONS = 16
HEADERS = {"Accept-Encoding": "gzip, deflate, br", "Accept-Language": "en-GB,en;q=0.9"}
PATH = f"/sites/{servers.SITE}/banner.js"


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """A new visitor's request and a returning one's."""
    service = stack.enter_context(servers.service(plan.folder / "script"))
    etag, size = _served(service.port)
    bare = stack.enter_context(servers.bare(size))
    full = Job(service.port, PATH, CONNECTIONS, plan.seconds, 200, HEADERS)
    unchanged = full._replace(expect=304, headers={**HEADERS, "If-None-Match": etag})
    nothing = full._replace(port=bare.port)
    floor = f"bare WSGI, GET of {size} bytes"
    return [
        Trial(f"banner.js, {size} bytes", partial(load.measure, service, full), floor, {"cpu": 200}),
        Trial("banner.js, cold", partial(load.cold, plan.folder / "script", full), floor),
        Trial("banner.js, 304", partial(load.measure, service, unchanged), floor, {"cpu": 150}),
        Trial(floor, partial(load.measure, bare, nothing)),
    ]


def _served(port: int) -> tuple[str, int]:
    """ETag and size of the script as browsers get it."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", headers=HEADERS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["ETag"], len(answer.read())
