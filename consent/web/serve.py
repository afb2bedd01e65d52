"""Runs the service under gunicorn; its settings are the production defaults of gunicorn.conf.py too."""

import gc
import os
import signal
from contextlib import suppress
from ctypes import CDLL
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication

from consent import create_app
from consent.keeper import Keeper
from consent.logs import config
from consent.settings import Settings
from consent.web.service import Service

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
"""What ends a gunicorn, at leisure or at once."""


def heed(_server: Any) -> None:
    """Lose no stop while a worker is forked; gunicorn calls it in the master, before any fork.

    A worker has the master's ears until it has its own: what it hears in between it would put on the master's list, which
    in the worker nobody reads, and go on until it is killed. Having nothing in hand yet, it may simply end.
    """
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, STOPS),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, STOPS),
        after_in_child=_may_end,
    )


def _may_end() -> None:
    for stop in STOPS:
        signal.signal(stop, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def keep(worker: Any) -> None:
    """Start a worker's keeper; gunicorn calls it in the worker, after any fork."""
    service: Service | None = getattr(worker.wsgi, "extensions", {}).get("consent")
    if service:  # else another application runs with our defaults
        Keeper(service.ledger, service.settings).start()


ARENAS = -8
"""M_ARENA_MAX of mallopt(3)."""


def share(server: Any, worker: Any) -> None:
    """Keep workers small; gunicorn calls it before it forks one.

    They share what the master has imported: the collector, which would write to every page, passes over it. And glibc
    gives their threads two heaps in place of one for each, some 7 MB less a process, in which nobody waits measurably.
    """
    with suppress(AttributeError, OSError):  # another C library has no heaps to number
        CDLL(None).mallopt(ARENAS, 2)
    gc.collect()
    gc.freeze()


DEFAULTS: dict[str, Any] = {
    # A loop of greenlets, so that a request which waits for the disk's sync costs no thread: under gthread a recording
    # takes 1.4 times the CPU (gunicorn.conf.py has the figures behind this and the next two).
    "worker_class": "consent.web.worker.Worker",
    # One process a core, for Python computes on one; two at least, so that one that dies is not an outage.
    "workers": max(2, min(8, os.cpu_count() or 2)),
    # Connections of one process, most of them idle; what is beyond waits in the kernel's queue.
    "worker_connections": 2000,
    # A browser keeps its connection for the few requests of a page view.
    "keepalive": 5,
    # A worker that is stuck is replaced; finishing work at a stop may take as long.
    "timeout": 30,
    "graceful_timeout": 30,
    # No access log: its lines would carry addresses, user agents and subject ids.
    "logger_class": "consent.web.logs.Logger",
    "logconfig_dict": config(),
    # Nothing but the service's own port is opened.
    "control_socket_disable": True,
    # A stop is heard in every process from its first moment.
    "on_starting": heed,
    "pre_fork": share,
    # Checkpoints and purges are made by a thread of whichever worker comes first.
    "post_worker_init": keep,
    # A receipt is small; nothing we serve needs a longer line or more headers.
    "limit_request_line": 8190,
    "limit_request_fields": 60,
}


class Server(BaseApplication):
    """gunicorn with the shipped defaults around one application a worker."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self._settings = settings
        self._options = DEFAULTS | {name: value for name, value in options.items() if value is not None}
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # an older gunicorn has no control socket
                self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self._settings)


def serve(settings: Settings, *, host: str, port: int, workers: int | None) -> None:
    """Serve until stopped."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    Server(settings, bind=address, workers=workers).run()
