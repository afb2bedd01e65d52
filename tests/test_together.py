"""Group commit: what comes at the same moment shares a transaction, and nobody pays for another's fault."""

import threading
from contextlib import contextmanager

import pytest

from consent.errors import Conflict, Unavailable
from consent.together import MOST, Together, run


class Counting:
    """A storage that counts its transactions; one of them can be held up, and the end of each can fail."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.kept: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails = False

    @contextmanager
    def writing(self):
        rows: list[int] = []
        self.gate.wait()
        yield rows
        if self.fails:
            raise Unavailable("The disk is full.")
        self.kept += rows
        self.done.append(len(rows))


@pytest.fixture
def storage() -> Counting:
    return Counting()


def adding(number: int):
    def job(rows: list[int]) -> int:
        rows.append(number)
        return number

    return job


def failing(rows: list[int]) -> None:
    rows.append(-1)
    raise Conflict("No.")


def test_one_alone_has_a_transaction_of_its_own(storage):
    assert Together(storage)(adding(1)) == 1 and storage.done == [1]


def test_those_who_wait_share_the_next_transaction(storage):
    together, answers = Together(storage), []
    storage.gate.clear()
    threads = [threading.Thread(target=lambda n=n: answers.append(together(adding(n)))) for n in range(20)]
    for thread in threads:
        thread.start()
    while len(together._waiting) < 19:
        pass
    storage.gate.set()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(storage.kept) == list(range(20))
    assert storage.done == [1, 19]


def test_a_job_that_raises_undoes_only_itself(storage):
    outcomes = run(storage, [adding(1), failing, adding(2)])
    assert [one.answer for one in outcomes] == [1, None, 2] and isinstance(outcomes[1].error, Conflict)
    assert storage.kept == [1, 2]


def test_where_the_transaction_itself_fails_everybody_hears_it_and_nothing_is_tried_again(storage):
    storage.fails = True
    outcomes = run(storage, [adding(1), adding(2)])
    assert all(isinstance(one.error, Unavailable) for one in outcomes) and storage.kept == []
    with pytest.raises(Unavailable):
        Together(storage)(adding(3))


def test_more_than_a_transaction_takes_are_taken_in_several(storage):
    together = Together(storage)
    for number in range(MOST + 5):
        together._waiting.append(type("Ticket", (), {"job": staticmethod(adding(number)), "outcome": None})())
    assert together(adding(-5)) == -5 and storage.done == [MOST, 6]
