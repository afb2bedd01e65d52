"""An acknowledged receipt is on the disk, whatever happens to the processes.

The real server, with two workers, killed; and many processes that record at once.
"""

import http.client
import json
import multiprocessing
import os
import random
import signal
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from consent import open_ledger, policy, verify
from consent.ledger import Ledger
from consent.model import Filter
from consent.settings import load
from tests.browser.conftest import Service
from tests.conftest import ALL, ON_SQLITE, ORIGIN, SUBJECT, body, choice

pytestmark = pytest.mark.slow

CLIENTS = 8
ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SPAWN = multiprocessing.get_context("spawn")


class Server(Service):
    """A service of two workers that takes any number of recordings from one address."""

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "CONSENT_RATE_LIMIT": "1000000/minute"}

    def ledger(self) -> Ledger:
        names = ("CONSENT_DATA", "CONSENT_PUBLIC_URL")
        return open_ledger(load({name: self.environ[name] for name in names}))

    def processes(self) -> list[int]:
        """The master and its workers."""
        master = self._process.pid
        return [master, *map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())]

    def record(self, **changes) -> tuple[int, dict[str, str], dict]:
        """Post a choice; status, headers and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            return post(connection, body(action="accept_all", grants=ALL, **changes))
        finally:
            connection.close()

    def errors(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if '"level":"error"' in line]


def post(connection: http.client.HTTPConnection, choice: dict) -> tuple[int, dict[str, str], dict]:
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    connection.request("POST", "/sites/shop/receipts", json.dumps(choice), headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), json.loads(answer.read())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running service with the site `shop`."""
    server = Server(tmp_path / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "2")
    yield server
    server.stop(signal.SIGKILL)


def receipts_in(ledger: Ledger) -> list[str]:
    return [entry.token or "" for entry in ledger.entries("shop", Filter())]


def problems(ledger: Ledger) -> list[str]:
    """What a full check of the log finds, and what the database says of itself."""
    versions = {stored.version: stored.hash for stored in ledger.storage.reading().publications("shop")}
    items = ledger.parcels("shop")
    found = verify.check(items, ledger.ring.public(), verify.Known(site="shop", policies=versions, complete=True))
    return [finding.problem for finding in found if finding.problem] + ledger.storage.faults()


# Killing.


class Load:
    """Clients that record as fast as they can until the server is gone, keeping what was acknowledged."""

    def __init__(self, port: int, acknowledged: list[str]) -> None:
        self.acknowledged = acknowledged
        self._port = port
        self._threads = [threading.Thread(target=self._record, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)

    def _record(self, number: int) -> None:
        subject = urlsafe_b64encode(number.to_bytes(16, "big")).rstrip(b"=").decode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            while True:
                status, _, answer = post(connection, body(subject=subject))
                assert status == 201, answer
                self.acknowledged.append(answer["receipt"])
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Iterator[tuple[list[str], Ledger]]:
    """What was acknowledged over many rounds of load and `kill -9` of every process, and the ledger left behind."""
    server = Server(tmp_path_factory.mktemp("killed") / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    acknowledged: list[str] = []
    for _ in range(ROUNDS):
        server.start("--workers", "2")
        before, load_ = len(acknowledged), Load(server.port, acknowledged)
        time.sleep(random.uniform(0.05, 0.4))
        while len(acknowledged) == before:
            time.sleep(0.005)
        server.stop(signal.SIGKILL)
        load_.join()
    ledger = server.ledger()
    yield acknowledged, ledger
    ledger.storage.close()


def test_an_acknowledged_receipt_survives_the_kill_exactly_once(killed):
    acknowledged, ledger = killed
    kept = Counter(receipts_in(ledger))
    assert len(acknowledged) > ROUNDS and {kept[token] for token in acknowledged} == {1}


def test_no_choice_is_kept_twice_after_the_kill(killed):
    ids = [entry.id for entry in killed[1].entries("shop", Filter())]
    assert len(ids) == len(set(ids))


def test_every_receipt_verifies_after_the_kill(killed):
    acknowledged, ledger = killed
    keys = jwt.PyJWKSet.from_dict(ledger.ring.jwks())
    for token in acknowledged:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, algorithms=["EdDSA"], audience="shop")["aud"] == "shop"


def test_every_chain_is_whole_after_the_kill(killed):
    last: dict[str, str] = {}
    for token in receipts_in(killed[1]):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["consent"]["previous"] == last.get(claims["sub"])
        last[claims["sub"]] = claims["jti"]
    assert len(last) == CLIENTS


def test_the_log_and_the_database_are_sound_after_the_kill(killed):
    assert problems(killed[1]) == []


# Writing from many processes.


def record_many(data: str, number: int, count: int) -> list[str]:
    """Record in a process of its own; what went wrong."""
    ledger = open_ledger(load({"CONSENT_DATA": data}))
    subject = urlsafe_b64encode(number.to_bytes(16, "big")).rstrip(b"=").decode()
    wrong = []
    for turn in range(count):
        try:
            ledger.record("shop", choice(subject=SUBJECT if turn % 10 == 0 else subject))
        except Exception as error:
            wrong.append(repr(error))
    ledger.storage.close()
    return wrong


def test_processes_that_record_at_once_never_find_the_database_locked(tmp_path):
    ledger = open_ledger(load({"CONSENT_DATA": str(tmp_path)}))
    ledger.storage.migrate()
    ledger.create_site("shop", policy.default("Shop", [ORIGIN]))
    with SPAWN.Pool(4) as pool:
        wrong = pool.starmap(record_many, [(str(tmp_path), number, 200) for number in range(4)], chunksize=1)
    found = (wrong, len(receipts_in(ledger)), problems(ledger))
    ledger.storage.close()
    assert found == ([[]] * 4, 800, [])


@ON_SQLITE
def test_every_commit_is_synced_to_the_disk(ledger):
    """No kill of processes shows this, only a loss of power: the kernel keeps what it was given."""
    with ledger.storage.writing() as rows:
        settings = [rows.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
    assert settings == [2, "wal"]
