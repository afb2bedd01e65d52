"""An acknowledged receipt is on the disk, whatever happens to the processes, the disk or the folder.

The real server, with two workers, killed, starved and locked out.
"""

import ctypes
import http.client
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
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


# A full disk.


def limit(server: Server, size: int) -> None:
    """Let no process of the server make a file longer than this."""
    for process in server.processes():
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def full(server: Server) -> Server:
    """A server that can write nothing more, after it has recorded something."""
    for _ in range(30):
        assert server.record()[0] == 201
    while len(server.processes()) < 3:  # the second worker may still be on its way
        time.sleep(0.05)
    limit(server, (server.data / "consent.db-wal").stat().st_size)
    return server


def test_a_full_disk_is_answered_with_503_when_to_retry_and_a_problem(full):
    status, headers, answer = full.record()
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert int(headers["Retry-After"]) > 0 and answer["status"] == 503 and answer["detail"]


def test_a_full_disk_is_named_in_one_log_line(full):
    full.record()
    (line,) = full.errors()
    assert "The database cannot be used now: " in line and ("full" in line or "I/O" in line) and SUBJECT not in line


def test_a_full_disk_still_answers_what_is_recorded(full):
    full.record()
    assert full.json(f"/sites/shop/subjects/{SUBJECT}/state")["status"] == "given"


def test_a_full_disk_leaves_nothing_half_written(full):
    for _ in range(5):
        full.record()
    ledger = full.ledger()
    found = (len(receipts_in(ledger)), problems(ledger))
    ledger.storage.close()
    assert found == (30, [])


def test_recording_goes_on_without_a_restart_when_there_is_room_again(full):
    before = full.processes()
    for _ in range(10):
        assert full.record()[0] == 503
    limit(full, resource.RLIM_INFINITY)
    assert [full.record()[0] for _ in range(10)] == [201] * 10 and full.processes() == before


def test_a_choice_refused_by_a_full_disk_is_recorded_once_when_it_is_sent_again(full):
    id = "019ab1c2-77aa-7bbb-8ccc-0123456789ab"
    refused = full.record(id=id)[0]
    limit(full, resource.RLIM_INFINITY)
    assert [refused, full.record(id=id)[0], full.record(id=id)[0]] == [503, 201, 200]


def erased(server: Server) -> int:
    """Ask for the subject's erasure; the status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
    try:
        connection.request("DELETE", f"/sites/shop/subjects/{SUBJECT}", headers={"Origin": ORIGIN})
        return connection.getresponse().status
    finally:
        connection.close()


def test_an_erasure_on_a_full_disk_is_refused_whole_and_done_when_there_is_room(full):
    assert erased(full) == 503 and full.json(f"/sites/shop/subjects/{SUBJECT}/state")["status"] == "given"
    limit(full, resource.RLIM_INFINITY)
    assert erased(full) == 204
    ledger = full.ledger()
    left = ledger.history("shop", SUBJECT), ledger.tree.checkpoint("shop").size, problems(ledger)
    ledger.storage.close()
    assert left == ([], 32, [])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here; the limit on file sizes stands in for it")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def test_a_disk_that_is_really_full_is_answered_with_503_until_there_is_room(small_disk, tmp_path):
    server = Server(small_disk / "data")
    server.log = tmp_path / "service.log"
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "2")
    try:
        before = server.record()[0]
        filler = fill(small_disk)
        while server.record()[0] == 201:
            pass
        during = {server.record()[0] for _ in range(5)}
        filler.unlink()
        after = {server.record()[0] for _ in range(5)}
    finally:
        server.stop()
    assert (before, during, after) == (201, {503}, {201})


# A folder that cannot be written. Root may write everywhere, so the server runs without that capability.

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def obey_permissions() -> None:
    """Take from this process, if it is root's, the right to write where permissions forbid it (prctl(2))."""
    if os.getuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise PermissionError


class Unprivileged(Server):
    """A server that permissions hold for, started as any WSGI server starts it."""

    def start(self, *_: str) -> None:
        command = [sys.executable, "-m", "gunicorn", "consent:create_app()", "--workers", "2", "--threads", "4"]
        command += ["--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self.environ, stderr=log, stdout=log, start_new_session=True, preexec_fn=obey_permissions
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.get("/healthz")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the service did not start: {self.log.read_text()}")


@pytest.fixture
def locked_out(tmp_path: Path) -> Iterator[Unprivileged]:
    """A server started on a folder that it cannot write."""
    server = Unprivileged(tmp_path / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    lock(server)
    try:
        server.start()
    except subprocess.SubprocessError:
        pytest.skip("root cannot give up its right to write everywhere here; run the tests as another user")
    yield server
    server.stop(signal.SIGKILL)
    unlock(server)


def lock(server: Server) -> None:
    for path in server.data.glob("consent.db*"):
        path.chmod(0o400)
    server.data.chmod(0o500)


def unlock(server: Server) -> None:
    server.data.chmod(0o700)
    for path in server.data.glob("consent.db*"):
        path.chmod(0o600)


def test_a_folder_that_cannot_be_written_is_answered_with_503(locked_out):
    status, headers, _ = locked_out.record()
    assert status == 503 and int(headers["Retry-After"]) > 0
    assert "The database cannot be used now" in locked_out.log.read_text()


def test_a_folder_that_cannot_be_written_is_not_ready(locked_out):
    with pytest.raises(OSError, match="503"):
        locked_out.get("/readyz")


def test_recording_goes_on_without_a_restart_when_the_folder_can_be_written_again(locked_out):
    refused = {locked_out.record()[0] for _ in range(10)}
    unlock(locked_out)
    assert (refused, {locked_out.record()[0] for _ in range(20)}) == ({503}, {201})
