"""The gunicorn worker of the shipped defaults: one loop of greenlets (gevent), with threads for what would hold it up.

Its rule: in the loop runs only what is short. Transactions have a thread that does all that wait in one; Flask has
threads of its own; and nothing is monkey-patched, so threads stay threads.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext, suppress
from io import BytesIO
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Any

from gevent import get_hub, socket
from gevent.hub import Waiter
from gevent.threadpool import ThreadPool
from gunicorn.workers.ggevent import GeventWorker

from consent.storage.base import Storage
from consent.together import MOST, Job, Outcome, Together, run
from consent.web.quick import App, Environ, Quick, Start
from consent.web.service import BODY_BYTES

THREADS = 16
"""Requests that Flask answers at the same time in one process; the short way in front of it needs none.

Enough that a dozen slow answers, such as exports, leave some for the desk; more make every answer dearer (gunicorn.conf.py).
"""


class Worker(GeventWorker):
    """gunicorn's gevent worker without monkey-patching: only the listening sockets belong to the loop."""

    def patch(self) -> None:
        self.sockets: list[Any]
        self.sockets = [
            socket.socket(each.FAMILY, socket.SOCK_STREAM, fileno=each.sock.detach()) for each in self.sockets
        ]

    def load_wsgi(self) -> None:
        super().load_wsgi()
        quick: Quick | None = getattr(self.wsgi, "extensions", {}).get("consent.quick")
        if quick:  # else another application runs with our defaults
            quick.app = Threads(quick.app)
            ledger = quick.service.ledger
            ledger.together = Loop(ledger.storage)
            if ledger.storage.far:
                ledger.editions.ask = Aside()


class Bell:
    """Wakes greenlets of the loop from any thread."""

    def __init__(self) -> None:
        self._due: deque[tuple[Waiter, Any]] = deque()
        self._watcher = get_hub().loop.async_()
        self._watcher.start(self._wake)

    def ring(self, answers: Iterable[tuple[Waiter, Any]]) -> None:
        """Let each of these waiters return its answer."""
        self._due.extend(answers)
        self._watcher.send()

    def _wake(self) -> None:
        while self._due:
            waiter, answer = self._due.popleft()
            waiter.switch(answer)


class Loop:
    """Group commit among greenlets: while a transaction is made durable, the loop gathers the next one's jobs.

    Make it in the loop's thread; from other threads it is as `Together`.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._together = Together(storage)
        self._thread = threading.get_ident()
        self._jobs: SimpleQueue[tuple[Job, Waiter]] = SimpleQueue()
        self._bell = Bell()
        threading.Thread(target=self._work, name="transactions", daemon=True).start()

    def __call__(self, job: Job) -> Any:
        """The job's answer, once it is durable. Raises what the job raised, or Unavailable."""
        if threading.get_ident() != self._thread:
            return self._together(job)
        waiter: Waiter = Waiter()
        self._jobs.put((job, waiter))
        return waiter.get().told()

    def _work(self) -> None:
        while True:
            waiting = [self._jobs.get()]
            with suppress(Empty):
                while len(waiting) < MOST:
                    waiting.append(self._jobs.get_nowait())
            jobs, waiters = zip(*waiting, strict=True)
            self._bell.ring(zip(waiters, run(self._storage, jobs), strict=True))


class Aside:
    """Asks in a thread, while the loop goes on with what else there is.

    Make it in the loop's thread; from other threads it asks at once.
    """

    def __init__(self) -> None:
        self._pool = ThreadPool(THREADS)
        self._thread = threading.get_ident()

    def __call__(self, question: Callable[[], Any]) -> Any:
        """The answer. Raises what the question raises."""
        return self._pool.apply(_asked, (question,)).told() if threading.get_ident() == self._thread else question()


def _asked(question: Callable[[], Any]) -> Outcome:
    """The answer or the error, as a value: the pool would print a trace of whatever is raised, such as of an unknown site."""
    try:
        return Outcome(question())
    except Exception as error:
        return Outcome(error=error)


class Threads:
    """A WSGI application (PEP 3333) that answers in threads of its own, for a caller in the loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._pool = ThreadPool(THREADS)
        self._bell = Bell()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        environ["wsgi.input"] = _read(environ)
        answer = _Answer(self._bell)
        self._pool.spawn(answer.make, self._app, environ)
        status, headers = next(answer)
        start(status, headers)
        return answer


class _Answer:
    """An answer on its way from a thread to the loop, piece by piece, each when it is asked for.

    The first piece is status and headers.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._asked = threading.Semaphore(0)
        self._waiter: Waiter | None = None
        self._left = False

    def make(self, app: App, environ: Environ) -> None:
        """In a thread: answer, and end."""
        end: Any = StopIteration()
        try:
            self._asked.acquire()
            for piece in _pieces(app, environ):
                self._tell(piece)
                self._asked.acquire()
                if self._left:
                    return
        except BaseException as error:
            end = error
        self._tell(end)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> Any:
        """In the loop: the next piece."""
        self._waiter = Waiter()
        self._asked.release()
        piece = self._waiter.get()
        if isinstance(piece, BaseException):
            raise piece
        return piece

    def close(self) -> None:
        """In the loop: nothing more is wanted."""
        self._left = True
        self._asked.release()

    def _tell(self, piece: Any) -> None:
        self._bell.ring([(self._waiter, piece)])  # type: ignore[list-item]


def _pieces(app: App, environ: Environ) -> Iterator[Any]:
    """Status and headers, then the body: whole where its length is known, else as it is made."""
    told: list[Any] = []
    pieces = app(environ, lambda *head: told.append(head))
    with closing(pieces) if hasattr(pieces, "close") else nullcontext():  # type: ignore[type-var]
        rest = iter(pieces)
        body: Iterable[bytes] = chain([next(rest, b"")], rest)  # an application may begin only with its first piece
        status, headers = told[0][:2]
        if any(name.lower() == "content-length" for name, _ in headers):
            body = [b"".join(body)]
        yield status, headers
        yield from body


def _read(environ: Environ) -> BytesIO:
    """The body, read in the loop, for a thread would block on the loop's socket."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > BODY_BYTES:
        return BytesIO()
    return BytesIO(environ["wsgi.input"].read(BODY_BYTES + 1))
