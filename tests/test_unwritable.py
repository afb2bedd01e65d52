"""A disk that is full or a folder that may not be written: refused, nothing half done, and on again without a restart."""

import ctypes
import http.client
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ORIGIN, SUBJECT
from tests.test_durability import Server, problems, receipts_in, server

pytestmark = pytest.mark.slow
__all__ = ["server"]


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

    awake = "/healthz"  # it may be up and not ready

    def start(self, *_: str) -> None:
        command = [sys.executable, "-m", "gunicorn", "consent:create_app()", "--workers", "2", "--threads", "4"]
        command += ["--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self.environ, stderr=log, stdout=log, start_new_session=True, preexec_fn=obey_permissions
            )
        self._wait()


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
