"""Asking for the state of a subject that has a receipt, beside a bare WSGI function that answers as many bytes."""

import urllib.request
from contextlib import ExitStack

from bench import answering, export, large, servers
from bench.answering import Asked
from bench.trial import Plan, Trial
from consent.model import Filter


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """A page's request on behalf of its visitor, for one in the middle of the log."""
    folder = plan.data("state")
    service = stack.enter_context(servers.service(folder))
    if plan.log is None:
        export.first(folder)
    ledger = large.opened(folder)
    rows = ledger.storage.reading()
    middle = rows.size(servers.SITE) // 2 - 1
    [one] = rows.entries(servers.SITE, Filter(kinds=("receipt",)), after=middle, limit=1)
    ledger.storage.close()
    path = f"/sites/{servers.SITE}/subjects/{one.subject}/state"
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{path}", timeout=10) as answer:
        size = len(answer.read())
    return answering.trials([Asked("state of a subject", path, {}, 200, "state")], service, size, folder, plan, stack)
