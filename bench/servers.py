"""Servers under test, each in processes of its own on 127.0.0.1, and what CPU time they used."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from consent import open_ledger, policy
from consent.settings import load

SITE = "bench"
ORIGIN = "https://bench.example"
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30
PROCESSES = 2
"""What the budgets are for; gunicorn's own, which starts them, is one more."""
MEMORY = re.compile(r"^(Rss|Pss): +([0-9]+) kB$", re.MULTILINE)


class Running(NamedTuple):
    """A server that answers; `group` is its process group."""

    port: int
    group: int

    def cpu(self) -> float:
        """CPU seconds used so far by every process of the server (proc(5), /proc/pid/stat)."""
        return sum(int(fields[11]) + int(fields[12]) for fields in self._processes().values()) / TICKS

    def memory(self) -> dict[str, float]:
        """MB that every process of the server holds: `rss` with what they share counted for each, `pss` once, `workers` the
        `rss` without the process that started them (proc(5), /proc/pid/smaps_rollup)."""
        held = {pid: _memory(pid) for pid in self._processes()}
        rss = {pid: one["Rss"] for pid, one in held.items()}
        return {
            "rss": sum(rss.values()),
            "pss": sum(one["Pss"] for one in held.values()),
            "workers": sum(rss.values()) - rss[self.group],
        }

    def _processes(self) -> dict[int, list[str]]:
        """Every process of the server, with the fields of its state after the name, which may hold anything."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.group:
                    found[int(path.parent.name)] = fields
        return found


@contextmanager
def service(folder: Path, database: str = "") -> Iterator[Running]:
    """`consent serve` on a data folder, and a database if it is not in there, with one site, made where it is not there."""
    port = free_port()
    settings = {
        "CONSENT_DATA": str(folder),
        "CONSENT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CONSENT_RATE_LIMIT": "1000000/minute",
    } | ({"CONSENT_DATABASE": database} if database else {})
    ledger = open_ledger(load(settings))
    ledger.storage.migrate()
    if not ledger.storage.reading().sites():
        ledger.create_site(SITE, policy.default("Bench", [ORIGIN]))
    ledger.storage.close()
    command = [sys.executable, "-c", "from consent.cli import main; main()", "serve", "--port", str(port)]
    command += ["--workers", str(PROCESSES)]
    with started(command, port, settings) as running:
        yield running


@contextmanager
def bare(size: int) -> Iterator[Running]:
    """A server that only answers `size` bytes."""
    port = free_port()
    with started([sys.executable, "-m", "bench.bare", str(port), str(size)], port, {}) as running:
        yield running


@contextmanager
def started(command: list[str], port: int, settings: dict[str, str]) -> Iterator[Running]:
    """A server of a command, with settings of its own and none of ours from outside, from its first answer until it is stopped."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    process = subprocess.Popen(
        command,
        env={**own, **settings},
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield Running(port, process.pid)
    finally:
        _stop(process)


def _wait(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            if probe.recv(64):
                return
        time.sleep(0.05)
    raise SystemExit(f"The server on port {port} did not start.")


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _memory(pid: int) -> dict[str, float]:
    """MB of one process, by kind."""
    found = MEMORY.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return {kind: int(kilobytes) * 1024 / 1e6 for kind, kilobytes in found}


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
