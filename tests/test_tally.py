"""Numbers that many processes add to: nothing is lost between threads, forks and deaths."""

import multiprocessing
import os
import signal
import struct
import threading
import time

import pytest

from consent.web.tally import SLOTS, Tally

FORK = multiprocessing.get_context("fork")
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def tally(tmp_path):
    return Tally(tmp_path / "metrics", passing=frozenset(("now",)))


def add(folder, times: int) -> None:
    tally = Tally(folder, passing=frozenset(("now",)))
    tally.add(("now",), 3)
    for _ in range(times):
        tally.add(("n", "x"))


def test_what_threads_add_at_once_is_all_there(tally):
    threads = [threading.Thread(target=lambda: [tally.add(("n", str(k % 7))) for k in range(20_000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(tally.totals().values()) == 160_000


def test_processes_are_summed_up_and_what_the_dead_counted_stays(tally):
    for _ in range(3):
        child = SPAWN.Process(target=add, args=(tally.folder, 5))
        child.start()
        child.join()
    tally.add(("n", "x"))
    assert tally.totals()[("n", "x")] == 16 and len(list(tally.folder.glob("*.numbers"))) == 1


def test_a_number_that_ends_with_its_process_is_not_inherited(tally):
    child = SPAWN.Process(target=add, args=(tally.folder, 5))
    child.start()
    child.join()
    assert ("now",) not in tally.totals()
    tally.add(("now",))
    assert tally.totals()[("now",)] == 1


def test_a_fork_counts_in_a_file_of_its_own(tally):
    tally.add(("n", "x"))
    child = FORK.Process(target=lambda: [tally.add(("n", "x")) for _ in range(4)])
    child.start()
    child.join()
    tally.add(("n", "x"))
    assert tally.totals() == {("n", "x"): 6} and len(list(tally.folder.glob("*.numbers"))) == 2


def test_hostile_names_come_back_as_they_were(tally):
    keys = [("n", 'a"b\n{}\\'), ("n", "\x00é\u2028"), ("n", ""), ("", "[]")]
    for key in keys:
        tally.add(key)
    assert tally.totals() == dict.fromkeys(keys, 1)


def test_more_numbers_than_there_is_room_for_are_left_out(tally):
    for number in range(SLOTS + 50):
        tally.add(("n", str(number)))
    assert len(tally.totals()) == SLOTS


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path):
    (tmp_path / "file").write_text("")
    tally = Tally(tmp_path / "file" / "metrics")
    tally.add(("n",))
    assert tally.totals() == {}


def test_a_damaged_file_is_passed_over(tally):
    tally.add(("n",))
    (tally.folder / "7.keys").write_text("{")
    (tally.folder / "8.keys").write_text('["n"]\n')
    (tally.folder / "8.numbers").write_bytes(b"123")
    assert tally.totals() == {("n",): 1}


@pytest.mark.parametrize(
    ("keys", "left"), [('["a"]\n["b"', {("a",): 7, ("b",): 1}), ("{\n", {("b",): 1}), ("", {("b",): 1})]
)
def test_what_a_process_left_half_written_is_mended_or_given_up(tally, keys, left):
    tally.folder.mkdir()
    (tally.folder / "0.keys").write_text(keys)
    (tally.folder / "0.numbers").write_bytes(struct.pack("3d", 7, 8, 9))
    tally.add(("b",))
    assert tally.totals() == left
    tally.add(("c",))
    assert tally.totals() == left | {("c",): 1}


def test_adding_costs_next_to_nothing(tally):
    """The budget is 5 µs a request, which adds seven times at most; measured 0.1 µs each."""
    start = time.process_time()
    for _ in range(100_000):
        tally.add(("consent_requests", "POST", "/sites/<site>/receipts", "201"))
    assert time.process_time() - start < 0.07


def test_a_process_that_was_killed_leaves_its_counts(tally):
    child = FORK.Process(target=lambda: (tally.add(("n",), 2), os.kill(os.getpid(), signal.SIGKILL)))
    child.start()
    child.join()
    assert tally.totals() == {("n",): 2}
