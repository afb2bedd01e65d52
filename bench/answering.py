"""Trials of what only reads: some GET requests at every number of connections, beside a bare WSGI function that answers as
many bytes, and by a service that has just started."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import load, servers
from bench.budgets import JUDGED
from bench.load import Job
from bench.servers import Running
from bench.trial import CONNECTIONS, Plan, Trial, named

COLD = 16
"""Connections at which the service that has just started is asked."""


class Asked(NamedTuple):
    """One kind of request; `budget` is the name of its budgets without the number of connections."""

    what: str
    path: str
    headers: dict[str, str]
    expect: int
    budget: str


def trials(kinds: list[Asked], service: Running, size: int, folder: Path, plan: Plan, stack: ExitStack) -> list[Trial]:
    """Every kind at every number of connections, warm, and the first one cold; the floor answers `size` bytes."""
    bare = stack.enter_context(servers.bare(size))
    found = []
    for connections in CONNECTIONS:
        floor = named(f"bare WSGI, GET of {size:,} bytes", connections)
        for kind in kinds:
            job = Job(service.port, kind.path, connections, plan.seconds, kind.expect, kind.headers)
            budget = {"cpu": f"{kind.budget} {connections}"} if connections in JUDGED else {}
            found.append(Trial(named(kind.what, connections), partial(load.measure, service, job), floor, budget))
        first = Job(service.port, kinds[0].path, connections, plan.seconds, kinds[0].expect, kinds[0].headers)
        if connections == COLD:
            found.append(Trial(named(f"{kinds[0].what}, cold", connections), partial(load.cold, folder, first), floor))
        found.append(Trial(floor, partial(load.measure, bare, first._replace(port=bare.port, expect=200))))
    return found
