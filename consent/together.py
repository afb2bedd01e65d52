"""Group commit: what comes at the same moment shares one durable transaction.

Its rule: nobody is answered before what he did is durable, nobody waits for company, and nobody pays for another's
fault.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from consent.errors import Unavailable
from consent.storage.base import Rows, Storage

Job = Callable[[Rows], Any]
"""Something to do with the rows. It may be run again after it was undone."""
MOST = 512
"""Jobs that one transaction takes."""


class Watch(Protocol):
    """Somebody who looks on while jobs are made durable; `done` is given what `begin` returned."""

    def begin(self) -> float: ...
    def done(self, began: float) -> None: ...


class Outcome(NamedTuple):
    """What came of a job; `error` where it raised or was not made durable."""

    answer: Any = None
    error: BaseException | None = None

    def told(self) -> Any:
        """The answer. Raises the error."""
        if self.error is not None:
            raise self.error
        return self.answer


def run(storage: Storage, jobs: Sequence[Job]) -> list[Outcome]:
    """Run jobs in one transaction; where one of them raises, each in a transaction of its own."""
    at_work = False
    try:
        with storage.writing() as rows:
            at_work = True
            outcomes = [Outcome(job(rows)) for job in jobs]
            at_work = False
        return outcomes
    except Exception as error:
        if at_work and len(jobs) > 1:
            return [run(storage, [job])[0] for job in jobs]
        return [Outcome(error=error)] * len(jobs)


class _Ticket:
    __slots__ = ("job", "outcome")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.outcome: Outcome | None = None


class Together:
    """Group commit among threads: whoever gets its turn works for all that wait; one alone works at once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._turn = threading.Lock()
        self._waiting: deque[_Ticket] = deque()

    def __call__(self, job: Job) -> Any:
        """The job's answer, once it is durable. Raises what the job raised, or Unavailable."""
        ticket = _Ticket(job)
        self._waiting.append(ticket)
        with self._turn:
            while ticket.outcome is None:
                self._lead()
        return ticket.outcome.told()

    def _lead(self) -> None:
        tickets = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        interrupted = Outcome(error=Unavailable("The process was interrupted; try again."))
        outcomes = [interrupted] * len(tickets)
        try:
            outcomes = run(self._storage, [ticket.job for ticket in tickets])
        finally:
            for ticket, outcome in zip(tickets, outcomes, strict=True):
                ticket.outcome = outcome
