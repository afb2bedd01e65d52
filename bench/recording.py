"""Recording a choice durably at 1, 16, 64 and 256 connections, also by a service that has just started; counting a showing;
a lone request; memory.

Floors: a bare WSGI function under the same gunicorn settings that takes the same body, and single durable inserts into
SQLite in a loop.
"""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.request import urlopen

from bench import load, servers, sqlite_loop
from bench.load import Job
from bench.servers import Running
from bench.trial import CONNECTIONS, Figures, Plan, Trial, named

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
BUDGETS = {16: {"cpu": "recording 16"}, 64: {"cpu": "recording 64", "p99": "recording p99"}}
"""By the number of connections."""
SHOWING = {"policy": 1, "language": "en", "surface": "banner"}
HEADERS = {"Origin": servers.ORIGIN, "Content-Type": "text/plain"}
PATH = f"/sites/{servers.SITE}/receipts"
DISPLAYS = f"/sites/{servers.SITE}/displays"


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """Every number of connections, each beside its floor; a lone request beside its own; memory after it all."""
    folder = plan.data("recording")
    service = stack.enter_context(servers.service(folder))
    bare = stack.enter_context(servers.bare(ANSWER_BYTES))
    found = []
    for connections in CONNECTIONS:
        post = Job(service.port, PATH, connections, plan.seconds, 201, HEADERS, CHOICE)
        nothing = post._replace(port=bare.port, expect=200)
        floor = named("bare WSGI, POST", connections)
        found += [
            Trial(named("record a choice", connections), partial(load.measure, service, post), floor, BUDGETS.get(connections, {})),
            Trial(named("record a choice, cold", connections), partial(load.cold, folder, post), floor),
            Trial(named("count a showing", connections), partial(load.measure, service, post._replace(path=DISPLAYS, expect=204, choice=SHOWING, fresh="nothing")), floor),
            Trial(floor, partial(load.measure, bare, nothing)),
        ]  # fmt: skip
    one = Job(service.port, PATH, 1, plan.seconds, 201, HEADERS, CHOICE)
    return [
        *found,
        Trial("a lone choice beside one durable insert", partial(lone, service, one, folder), budget={"later": "lone"}),
        Trial("memory after a load", partial(memory, service, one._replace(connections=64)), budget={"pss": "memory"}),
    ]


def lone(service: Running, job: Job, folder: Path) -> Figures:
    """A request at a time, then one durable insert after another on the same disk: how much longer the request takes."""
    found = load.measure(service, job)
    commit = sqlite_loop.measure(folder, seconds=job.seconds)["p50"]
    return found | {"commit": commit, "later": found["p50"] - commit}


def memory(service: Running, job: Job) -> Figures:
    """What the service's processes hold after they recorded, and served the script."""
    load.measure(service, job)
    for language in ("en", "de", "fr"):
        with urlopen(f"http://127.0.0.1:{service.port}/sites/{servers.SITE}/banner.js?lang={language}") as answer:
            answer.read()
    return service.memory()
