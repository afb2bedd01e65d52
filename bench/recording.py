"""Recording a choice durably at 1, 16, 64 and 256 connections, also by a service that has just started, and asking for a state.

Floors: the same server answering /healthz, a bare WSGI function under the same gunicorn settings that takes the same
body, and single durable inserts into SQLite in a loop.
"""

from contextlib import ExitStack
from functools import partial

from bench import load, servers, sqlite_loop
from bench.load import Job
from bench.trial import Plan, Trial

CONNECTIONS = (1, 16, 64, 256)
SUBJECT = "fZk3PpQ0Tz2mYw4uJr8aBg"
ANSWER_BYTES = 1_500
"""About what recording answers: a receipt and a state."""
CHOICE = {
    "policy": 1,
    "language": "en",
    "action": "custom",
    "surface": "banner",
    "grants": {"persistent": False, "analytics": True, "social": False},
    "decided_at": "2026-11-23T18:46:00Z",
}
BUDGETS = {16: {"cpu": 400.0}, 64: {"cpu": 400.0, "p99": 100.0}}
"""By the number of connections."""
HEADERS = {"Origin": servers.ORIGIN, "Content-Type": "text/plain"}


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """Every number of connections, each beside its floors."""
    folder = plan.folder / "recording"
    service = stack.enter_context(servers.service(folder))
    bare = stack.enter_context(servers.bare(ANSWER_BYTES))
    path = f"/sites/{servers.SITE}/receipts"
    found = []
    for connections in CONNECTIONS:
        post = Job(service.port, path, connections, plan.seconds, 201, HEADERS, CHOICE)
        alive = Job(service.port, "/healthz", connections, plan.seconds, 200, {})
        nothing = post._replace(port=bare.port, expect=200)
        floor = f"bare WSGI, POST, {connections} connections"
        found += [
            Trial(
                f"record a choice, {connections} connections",
                partial(load.measure, service, post),
                floor,
                BUDGETS.get(connections, {}),
            ),
            Trial(f"/healthz, {connections} connections", partial(load.measure, service, alive), floor),
            Trial(floor, partial(load.measure, bare, nothing)),
        ]
        if connections > 1:
            name = f"record a choice, {connections} connections, cold"
            found.append(Trial(name, partial(load.cold, folder, post), floor))
    state = Job(service.port, f"/sites/{servers.SITE}/subjects/{SUBJECT}/state", 16, plan.seconds, 200, {})
    found.append(
        Trial("state of a subject, 16 connections", partial(load.measure, service, state), budget={"cpu": 300})
    )
    loop = partial(sqlite_loop.measure, folder, seconds=plan.seconds)
    return [*found, Trial("SQLite, one durable insert after another", loop)]
