"""The load: keep-alive connections in a process of its own, one request in flight on each.

    python -m bench.load JOB     JOB is a `Job` as JSON; prints what happened as JSON

Ends after `seconds` or `requests`, whichever comes first.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from bench.fresh import KINDS
from bench.servers import Running, service
from bench.trial import Figures

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
MOST_REQUESTS = 500_000
FIRST = 500
"""Requests by which a service that has just started is not warm yet."""
QUIET = 0.5
"""Seconds without work after which a server has started."""
PATIENCE = 20
"""Seconds beyond its own length after which a load has failed."""


class Job(NamedTuple):
    """What to send; `choice` is a body without its ids for a POST, None for a GET."""

    port: int
    path: str
    connections: int
    seconds: float
    expect: int
    headers: dict[str, str]
    choice: dict[str, Any] | None = None
    requests: int = MOST_REQUESTS
    fresh: str = "choice"
    """Which of `bench.fresh.KINDS` goes into every body."""


def measure(server: Running, job: Job) -> Figures:
    """Run a load in a child process: rate, server CPU a request, and how long answers took."""
    return counted(server, job)[1]


def counted(server: Running, job: Job) -> tuple[int, Figures]:
    """The same, and how many answers there were."""
    before = server.cpu()
    command = [sys.executable, "-m", "bench.load", json.dumps(job._asdict())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=job.seconds + 2 * PATIENCE)
    if done.returncode:
        raise SystemExit(f"The load on {job.path} failed: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    return found["count"], found["figures"] | {"cpu": (server.cpu() - before) / found["count"] * 1e6}


def cold(folder: Path, job: Job) -> Figures:
    """The same of the first requests to a service, whose start does not count."""
    with service(folder) as server:
        _start_is_over(server)
        return measure(server, job._replace(port=server.port, requests=FIRST))


def _start_is_over(server: Running) -> None:
    """Return when no process of a server has used the processor for a moment: the first that answers is not the last to start."""
    used = -1.0
    while (now := server.cpu()) > used:
        used = now
        time.sleep(QUIET)


class Load:
    """The requests of one job and what became of them."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.sent = 0
        self.taken: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.deadline = time.perf_counter() + job.seconds

    def next(self) -> bytes | None:
        """The next request, or None when it is time to stop."""
        if self.sent >= self.job.requests or time.perf_counter() >= self.deadline:
            return None
        self.sent += 1
        return self._request()

    def _request(self) -> bytes:
        job, body = self.job, b""
        if job.choice is not None:
            body = json.dumps({**KINDS[job.fresh](), **job.choice}).encode()
        lines = [f"{'POST' if body else 'GET'} {job.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in job.headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, "\r\n"]).encode() + body


class Connection(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends again."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.ended = asyncio.get_running_loop().create_future()
        self._answer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = self.load.next()
        if request is None:
            self._transport.close()
            return
        self._started = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not separator or len(body) < (int(length[1]) if length else 0):
            return
        self._answer = b""
        self.load.statuses[int(head[9:12])] += 1
        self.load.taken.append(time.perf_counter() - self._started)
        self._send()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def run(job: Job) -> dict[str, Any]:
    """Send a job's requests; count, statuses and figures."""
    loop, load = asyncio.get_running_loop(), Load(job)
    start = time.perf_counter()
    await asyncio.wait_for(asyncio.gather(*(_keep(loop, load) for _ in range(job.connections))), job.seconds + PATIENCE)
    elapsed = time.perf_counter() - start
    if set(load.statuses) != {job.expect}:
        raise SystemExit(f"{job.path} answered {dict(load.statuses)} instead of {job.expect}.")
    taken = sorted(load.taken)
    figures = {"rate": len(taken) / elapsed, "p50": _at(taken, 0.5) * 1e3, "p99": _at(taken, 0.99) * 1e3}
    return {"count": len(taken), "figures": figures}


async def _keep(loop: asyncio.AbstractEventLoop, load: Load) -> None:
    """One connection after another: a server may close one that served long enough."""
    while load.sent < load.job.requests and time.perf_counter() < load.deadline:
        _, connection = await loop.create_connection(lambda: Connection(load), "127.0.0.1", load.job.port)
        await connection.ended


def _at(taken: list[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Job(**json.loads(sys.argv[1]))))))
