"""Checkpoints are left outside the database, and nothing waits for it."""

import hashlib
import io
import re
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from consent import anchors, evidence
from consent.bundle import Bundle
from consent.keeper import Keeper
from consent.ledger import Ledger
from tests.conftest import choice

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
[v3]
basicConstraints = critical,CA:true
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = name
[name]
"""


class Receiver:
    """A server that keeps what is posted and answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.answer = lambda body: b"ok"
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(body)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(receiver.answer(body))

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def keeper(ledger: Ledger, settings, *targets: str) -> Keeper:
    return Keeper(ledger, msgspec.structs.replace(settings, anchors=anchors.parse(" ".join(targets))))


def work(keeper: Keeper) -> None:
    """A round, and what the thread of the anchors does after it."""
    keeper.round()
    keeper.anchor()


def note(ledger: Ledger) -> str:
    return ledger.tree.newest("shop").note


def test_a_file_gets_every_checkpoint_once(ledger, settings, tmp_path):
    path = tmp_path / "log.txt"
    one = keeper(ledger, settings, f"file:{path}")
    work(one), work(one)
    work(keeper(ledger, settings, f"file:{path}"))  # after a restart
    first = note(ledger)
    assert path.read_text() == first + "\n"
    ledger.record("shop", choice())
    work(one)
    assert path.read_text() == first + "\n" + note(ledger) + "\n"


def test_a_repository_gets_a_commit(ledger, settings, tmp_path, monkeypatch):
    for name, value in {
        "AUTHOR_NAME": "a",
        "AUTHOR_EMAIL": "a@b",
        "COMMITTER_NAME": "a",
        "COMMITTER_EMAIL": "a@b",
    }.items():
        monkeypatch.setenv(f"GIT_{name}", value)
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    work(keeper(ledger, settings, f"git:{tmp_path / 'repo'}"))
    shown = subprocess.run(
        ["git", "-C", str(tmp_path / "repo"), "show", "HEAD"], check=True, capture_output=True, text=True
    )
    assert "Checkpoint of 1 entries of shop" in shown.stdout and note(ledger).split("\n")[2] in shown.stdout


def test_a_webhook_gets_the_note(ledger, settings, receiver):
    work(keeper(ledger, settings, receiver.url))
    assert receiver.got == [note(ledger).encode()]


@pytest.fixture
def authority(receiver: Receiver, tmp_path: Path) -> str:
    """The address of a time-stamping authority, whose certificate is tsa.pem."""
    (tmp_path / "tsa.cnf").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "serial").write_text("01\n")

    def openssl(*command: object) -> None:
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True, cwd=tmp_path)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=here", "-days", 2, "-extensions", "v3", "-config", "tsa.cnf", "-keyout", "tsa.key", "-out", "tsa.pem")  # fmt: skip

    def stamped(body: bytes) -> bytes:
        (tmp_path / "query").write_bytes(body)
        openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (tmp_path / "reply").read_bytes()

    receiver.answer = stamped
    return f"rfc3161:{receiver.url}"


def test_an_authority_stamps_the_time_and_openssl_agrees(ledger, settings, authority, tmp_path: Path):
    work(keeper(ledger, settings, authority))
    stamp = settings.data / "anchors" / "shop" / "1@127.0.0.1.tsr"
    digest = hashlib.sha256(note(ledger).encode()).hexdigest()
    done = subprocess.run(["openssl", "ts", "-verify", "-in", str(stamp), "-digest", digest, "-CAfile", str(tmp_path / "tsa.pem")], capture_output=True, text=True)  # fmt: skip
    assert "Verification: OK" in done.stdout + done.stderr


def exported(ledger: Ledger, settings, folder: Path) -> dict[str, bytes]:
    """The evidence, on the disk as an auditor has it."""
    archive = zipfile.ZipFile(io.BytesIO(b"".join(evidence.bundle(ledger, "shop", anchors=settings.data / "anchors"))))
    archive.extractall(folder)
    return {name: archive.read(name) for name in archive.namelist()}


def test_evidence_brings_the_stamps_and_its_readme_says_how_to_check_them(ledger, settings, authority, tmp_path: Path):
    work(keeper(ledger, settings, authority))
    ledger.record("shop", choice())
    work(keeper(ledger, settings, authority))
    found = exported(ledger, settings, tmp_path / "evidence")
    assert {"stamps/1@127.0.0.1.tsr", "stamps/2@127.0.0.1.tsr"} <= found.keys()
    command = re.search(r"openssl ts -verify.*", found["README.txt"].decode())[0].replace("AUTHORITY.pem", "../tsa.pem")
    for number in ("1", "2"):
        told = command.replace("N", number).replace("HOST", "127.0.0.1").split()
        done = subprocess.run(told, capture_output=True, text=True, cwd=tmp_path / "evidence")
        assert "Verification: OK" in done.stdout + done.stderr


def test_a_stamp_of_another_checkpoint_is_named(ledger, settings, authority, tmp_path: Path):
    work(keeper(ledger, settings, authority))
    ledger.record("shop", choice())
    found = exported(ledger, settings, tmp_path / "evidence")
    path = tmp_path / "swapped.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name.replace("stamps/1@", "stamps/2@"), data)
    with Bundle(path) as one:
        assert list(one.faults(one.keys())) == ["stamps/2@127.0.0.1.tsr is not of checkpoints/2.txt"]


def test_stamps_of_other_sites_and_of_what_is_not_there_stay_behind(ledger, settings, tmp_path: Path):
    for name in ("shop/9@a.example.tsr", "shop/x.tsr", "other/1@a.example.tsr", "shop/1@a.example.tsr.part"):
        (settings.data / "anchors" / name).parent.mkdir(parents=True, exist_ok=True)
        (settings.data / "anchors" / name).write_bytes(b"x")
    assert not [name for name in exported(ledger, settings, tmp_path / "e") if name.startswith("stamps")]


def test_an_anchor_that_fails_is_logged_and_tried_again_while_the_others_go_on(
    ledger, settings, receiver, tmp_path, caplog
):
    late = tmp_path / "late" / "log.txt"
    one = keeper(ledger, settings, f"file:{late}", receiver.url, f"rfc3161:{receiver.url}")
    work(one)
    assert "could not be left at file:" in caplog.text and receiver.got[0] == note(ledger).encode()
    late.parent.mkdir()
    work(one)
    assert late.read_text() == note(ledger) + "\n"


def test_a_log_that_cannot_be_written_down_does_not_make_the_same_note_stand_twice(ledger, settings, tmp_path, caplog):
    path = tmp_path / "log.txt"
    (settings.data / "anchors").write_text("a file where the folder should be")
    one = keeper(ledger, settings, f"file:{path}")
    work(one), work(one)
    work(keeper(ledger, settings, f"file:{path}"))
    assert path.read_text() == note(ledger) + "\n" and "could not be written down" in caplog.text


def test_the_log_names_no_more_of_a_webhook_than_its_host(ledger, settings, caplog):
    work(keeper(ledger, settings, "http://127.0.0.1:9/secret-path"))
    assert "http://127.0.0.1 " in caplog.text and "secret" not in caplog.text.split("(")[0]


def test_an_address_with_a_password_is_refused():
    with pytest.raises(ValueError, match="never sent"):
        anchors.parse("https://name:word@hooks.example/x")


@pytest.mark.parametrize("text", ["ftp://x", "file:relative", "https:", "rfc3161:x", "git:repo", "nonsense"])
def test_a_target_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"is none of|needs a whole path"):
        anchors.parse(text)
