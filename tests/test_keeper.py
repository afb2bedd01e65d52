"""A running service of several processes makes checkpoints by itself, whatever happens to the processes."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from consent import checkpoint, merkle
from consent.web.serve import keep
from tests.conftest import ORIGIN
from tests.test_durability import Server, problems

pytestmark = pytest.mark.slow


class Quick(Server):
    """A service that makes a checkpoint every second."""

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "CONSENT_CHECKPOINT_SECONDS": "1"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Quick]:
    server = Quick(tmp_path / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "3")
    yield server
    server.stop(signal.SIGKILL)


def covered(server: Quick, size: int) -> int:
    """The size of the newest checkpoint, once it is this; or what it was when patience ran out."""
    end, newest = time.monotonic() + 15, None
    while time.monotonic() < end:
        newest = server.ledger().storage.reading().checkpoint("shop")
        if newest and newest.size >= size:
            break
        time.sleep(0.1)
    return newest.size if newest else 0


def test_what_is_recorded_is_covered_soon_though_workers_die(server: Quick):
    for number in range(6):
        assert server.record(subject=f"{number:021d}A")[0] == 201
        if number % 2:
            os.kill(server.processes()[1], signal.SIGKILL)
        assert covered(server, number + 2) == number + 2
    ledger = server.ledger()
    made = ledger.storage.reading().checkpoints("shop")
    assert made[-1].size == 7 and len({one.size for one in made}) == len(made)
    for one in made:
        path = ledger.tree.consistency("shop", one.size, 7)
        assert merkle.extends((one.size, one.root), (7, made[-1].root), path)
        assert checkpoint.verify(one.note, ledger.ring.public().values()).root == one.root
    assert problems(ledger) == []


def test_nothing_new_makes_no_checkpoint(server: Quick):
    server.record()
    assert covered(server, 2) == 2
    count = len(server.ledger().storage.reading().checkpoints("shop"))
    time.sleep(2.5)
    assert len(server.ledger().storage.reading().checkpoints("shop")) == count


def test_another_application_may_run_with_our_defaults():
    keep(SimpleNamespace(wsgi=lambda environ, start_response: []))
