"""Answering banner.js: in full and unchanged (304), beside a bare WSGI function that answers as many bytes."""

import urllib.request
from contextlib import ExitStack

from bench import answering, servers
from bench.answering import Asked
from bench.trial import Plan, Trial

HEADERS = {"Accept-Encoding": "gzip, deflate, br", "Accept-Language": "en-GB,en;q=0.9"}
PATH = f"/sites/{servers.SITE}/banner.js"


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """A new visitor's request and a returning one's."""
    folder = plan.folder / "script"
    service = stack.enter_context(servers.service(folder))
    etag, size = _served(service.port)
    kinds = [
        Asked("banner.js", PATH, HEADERS, 200, "script"),
        Asked("banner.js, 304", PATH, {**HEADERS, "If-None-Match": etag}, 304, "unchanged"),
    ]
    return answering.trials(kinds, service, size, folder, plan, stack)


def _served(port: int) -> tuple[str, int]:
    """ETag and size of the script as browsers get it."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", headers=HEADERS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["ETag"], len(answer.read())
