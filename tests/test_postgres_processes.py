"""Real services on one PostgreSQL database, killed and cut off: what was acknowledged is there once, and verifies."""

import http.client
import shutil
import signal
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from consent import open_ledger
from consent.ledger import Ledger
from consent.settings import load
from tests.conftest import ORIGIN, body
from tests.postgres import Cluster, cluster
from tests.test_durability import Server, post, problems, receipts_in

pytestmark = pytest.mark.slow

CLIENTS = 4
"""For each service."""


class Machine(Server):
    """A service of two workers on a folder of its own, as on a machine of its own, and a database of all."""

    def __init__(self, folder: Path, database: str) -> None:
        folder.mkdir()
        super().__init__(folder / "data")
        self.database = database

    @property
    def environ(self) -> dict[str, str]:
        shared = {"CONSENT_DATABASE": self.database, "CONSENT_PUBLIC_URL": "https://consent.example.org"}
        return {**super().environ, **shared, "CONSENT_CHECKPOINT_SECONDS": "1"}

    def ledger(self) -> Ledger:
        names = ("CONSENT_DATA", "CONSENT_DATABASE", "CONSENT_PUBLIC_URL")
        return open_ledger(load({name: self.environ[name] for name in names}))


class Clients:
    """Clients of a service that record until told to stop, whatever it answers; a choice is sent until it is taken."""

    def __init__(self, machine: Machine, first: int) -> None:
        self.acknowledged: list[str] = []
        self.answers: Counter[int] = Counter()
        self._machine = machine
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._record, args=(first + number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _record(self, number: int) -> None:
        subject = urlsafe_b64encode(number.to_bytes(16, "big")).rstrip(b"=").decode()
        while not self._stop.is_set():
            sent = body(subject=subject)
            while not self._is_taken(sent) and not self._stop.is_set():
                time.sleep(0.05)

    def _is_taken(self, sent: dict) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._machine.port, timeout=15)
        try:
            status, _, answer = post(connection, sent)
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()
        self.answers[status] += 1
        if status in (200, 201):
            self.acknowledged.append(answer["receipt"])
        return status in (200, 201)


def reached(clients: Clients, count: int) -> None:
    """Wait until so many more receipts were acknowledged."""
    wanted, deadline = len(clients.acknowledged) + count, time.monotonic() + 30
    while len(clients.acknowledged) < wanted:
        assert time.monotonic() < deadline, f"nothing is recorded any more: {clients.answers}"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A PostgreSQL server that a test may stop."""
    with cluster() as running:
        yield running


@pytest.fixture
def machines(server: Cluster, tmp_path: Path) -> Iterator[list[Machine]]:
    """Two running services with the same keys on one database."""
    with server.unborn() as database:
        machines = [Machine(tmp_path / name, database) for name in ("one", "two")]
        machines[0].cli("init")
        machines[0].cli("site", "create", "shop", "--origin", ORIGIN)
        shutil.copytree(machines[0].data / "keys", machines[1].data / "keys")
        try:
            for machine in machines:
                machine.start("--workers", "2")
            yield machines
        finally:
            for machine in machines:
                machine.stop(signal.SIGKILL)


def assert_whole(machine: Machine, acknowledged: list[str]) -> None:
    """What was acknowledged is there once, every chain is whole, and everything verifies."""
    ledger = machine.ledger()
    tokens = receipts_in(ledger)
    assert {Counter(tokens)[token] for token in acknowledged} == {1}
    last: dict[str, str] = {}
    for claims in (jwt.decode(token, options={"verify_signature": False}) for token in tokens):
        assert claims["consent"]["previous"] == last.get(claims["sub"])
        last[claims["sub"]] = claims["jti"]
    assert problems(ledger) == []
    ledger.tree.checkpoint("shop")
    assert ledger.tree.sound("shop")
    ledger.storage.close()


def test_two_services_record_at_once_and_one_is_killed(machines):
    clients = [Clients(machine, 100 * number) for number, machine in enumerate(machines)]
    for each in clients:
        reached(each, 50)
    machines[0].stop(signal.SIGKILL)
    before = len(clients[1].acknowledged)
    reached(clients[1], 50)
    for each in clients:
        each.stop()
    assert set(clients[1].answers) <= {200, 201} and len(clients[1].acknowledged) > before
    assert_whole(machines[1], clients[0].acknowledged + clients[1].acknowledged)


def test_checkpoints_go_on_when_the_process_that_makes_them_is_killed(machines):
    clients = Clients(machines[1], 0)
    ledger = machines[1].ledger()
    machines[0].stop(signal.SIGKILL)
    sizes, deadline = set(), time.monotonic() + 20
    while len(sizes) < 3 and time.monotonic() < deadline:
        if made := ledger.storage.reading().checkpoint("shop"):
            sizes.add(made.size)
        time.sleep(0.1)
    clients.stop()
    ledger.storage.close()
    assert len(sizes) == 3
    assert_whole(machines[1], clients.acknowledged)


def test_what_one_service_publishes_the_other_shows_within_two_seconds(machines):
    before = machines[1].get("/sites/shop/banner.js")
    machines[0].publish("shop", [ORIGIN], ["analytics", "social"])
    deadline = time.monotonic() + 2
    while machines[1].get("/sites/shop/banner.js") == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_recording_goes_on_by_itself_when_the_server_was_restarted(machines, server):
    clients = [Clients(machine, 100 * number) for number, machine in enumerate(machines)]
    for each in clients:
        reached(each, 20)
    server.stop("immediate")
    time.sleep(0.5)
    refused = [machine.record()[0] for machine in machines]
    server.start()
    for each in clients:
        reached(each, 20)
        each.stop()
    assert refused == [503, 503] and {status for each in clients for status in each.answers} <= {200, 201, 503}
    assert_whole(machines[0], clients[0].acknowledged + clients[1].acknowledged)
