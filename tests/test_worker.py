"""The shipped worker: a loop that nothing holds up, and a short way that answers as Flask does."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import brotli
import gevent
import psycopg
import pytest

from consent.errors import Conflict
from consent.web.serve import DEFAULTS, heed
from consent.web.worker import THREADS, Aside, Loop, Threads
from tests.conftest import ORIGIN, SUBJECT, body, choice
from tests.test_durability import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A service of one process, with enough receipts that an export does not fit into a socket's buffers."""
    server = Server(tmp_path / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "1")
    yield server
    server.stop()


def ask(server: Server, method: str, path: str, data: bytes | None = None, **headers: str):
    """Status, headers without the date, and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, {k: v for k, v in answer.getheaders() if k != "Date"}, answer.read()
    connection.close()
    return found


# The short way.

SCRIPT = "/sites/shop/banner.js"
DISPLAY = json.dumps({"policy": 1, "language": "en", "surface": "banner"}).encode()
QUESTIONS = {
    "script": ("GET", SCRIPT, None, {"Accept-Encoding": "br"}),
    "plain script": ("GET", SCRIPT, None, {}),
    "state": ("GET", f"/sites/shop/subjects/{SUBJECT}/state", None, {"Origin": ORIGIN}),
    "state without origin": ("GET", f"/sites/shop/subjects/{SUBJECT}/state", None, {}),
    "display": ("POST", "/sites/shop/displays", DISPLAY, {"Origin": ORIGIN, "Content-Type": "text/plain"}),
    "no such site": ("GET", "/sites/nowhere/banner.js", None, {}),
    "bad subject": ("GET", "/sites/shop/subjects/short/state", None, {}),
    "foreign": ("POST", "/sites/shop/receipts", b"{}", {"Origin": "https://evil.example", "Content-Type": "text/plain"}),
    "no JSON": ("POST", "/sites/shop/receipts", b"{", {"Origin": ORIGIN, "Content-Type": "text/plain"}),
    "a form": ("POST", "/sites/shop/receipts", b"a=b", {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}),
}  # fmt: skip


@pytest.fixture
def ways(app):
    """The same question to Flask alone, then twice to the short way: the answer it learned from, and its own."""
    quick = app.extensions["consent.quick"]

    def ways(method: str, path: str, data: bytes | None, headers: dict[str, str]):
        found = []
        for way in (quick.app, quick, quick):
            app.wsgi_app = way
            answer = app.test_client().open(path, method=method, data=data, headers=headers)
            told = sorted(header for header in answer.headers if header[0] != "Date")
            found.append((answer.status, told, answer.data))
        return found

    return ways


@pytest.mark.parametrize("what", QUESTIONS)
def test_the_short_way_answers_as_flask_does(ways, what):
    flask, learned, short = ways(*QUESTIONS[what])
    assert flask == learned == short


def test_a_choice_recorded_the_short_way_is_answered_as_by_flask(ways):
    headers = {"Origin": ORIGIN, "Content-Type": "text/plain"}
    new, again, short = ways("POST", "/sites/shop/receipts", json.dumps(body()).encode(), headers)
    assert (new[0], again[0], short[0]) == ("201 CREATED", "200 OK", "200 OK")
    assert new[1:] == again[1:] == short[1:]


@pytest.mark.parametrize("known", [False, True])
def test_the_script_that_was_asked_for_once_is_found_at_one_place(app, client, monkeypatch, known):
    """Neither Flask nor the storage is asked again, nor anything compressed."""
    first = client.get(SCRIPT, headers={"Accept-Encoding": "br"})
    quick = app.extensions["consent.quick"]
    app.wsgi_app = quick
    client.get(SCRIPT, headers={"Accept-Encoding": "br"})
    for holder, name in ((quick, "app"), (quick.service.ledger.storage, "reading"), (brotli, "compress")):
        monkeypatch.setattr(holder, name, None)
    headers = {"Accept-Encoding": "br"} | ({"If-None-Match": first.headers["ETag"]} if known else {})
    answer = client.get(SCRIPT, headers=headers)
    assert (answer.status_code, answer.data) == ((304, b"") if known else (200, first.data))


def test_a_script_that_the_browser_has_is_not_sent_again(app, client):
    first = client.get(SCRIPT)
    for _ in range(2):
        again = client.get(SCRIPT, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert {name: again.headers[name] for name in ("ETag", "Cache-Control", "Vary")} == {
            name: first.headers[name] for name in ("ETag", "Cache-Control", "Vary")
        }
    assert client.get(SCRIPT, headers={"If-None-Match": '"other"'}).status_code == 200


# The loop.


def fill(server: Server, count: int) -> None:
    ledger = server.ledger()
    for _ in range(count):
        ledger.record("shop", choice())


@contextmanager
def unread(server: Server, token: str, path: str) -> Iterator[socket.socket]:
    """A client that asks for something long and reads the first bytes only."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    assert client.recv(12) == b"HTTP/1.1 200"
    yield client
    client.close()


@pytest.mark.slow
def test_clients_that_do_not_read_what_they_asked_for_hold_nobody_up(server: Server):
    fill(server, 3000)
    token = server.cli("token", "create", "--role", "auditor", "--name", "test").split()[-1]
    for _ in range(2 * THREADS):
        with unread(server, token, "/api/sites/shop/export?format=ndjson"):
            assert ask(server, "GET", "/healthz")[0] == 200
            assert server.record()[0] == 201
    assert ask(server, "GET", "/docs")[0] == 200, "whoever leaves gives the thread back"


class Far(Server):
    """A service whose database is another server."""

    database: str

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "CONSENT_DATABASE": self.database}


@pytest.fixture
def far(tmp_path: Path, postgres) -> Iterator[Far]:
    server = Far(tmp_path / "data")
    with postgres.unborn() as server.database:
        server.cli("site", "create", "shop", "--origin", ORIGIN)
        server.start("--workers", "1")
        yield server
        server.stop()


@pytest.mark.slow
def test_a_database_that_does_not_answer_holds_nothing_else_up(far: Far):
    state = f"/sites/shop/subjects/{SUBJECT}/state"
    for _ in range(2):
        assert ask(far, "GET", state)[0] == 200
    with psycopg.connect(far.database) as connection:
        connection.execute("LOCK TABLE entries, policies IN ACCESS EXCLUSIVE MODE")
        asking = [threading.Thread(target=ask, args=(far, "GET", state)) for _ in range(3)]
        for one in asking:
            one.start()
        time.sleep(1.2)  # the policy has to be asked for as well
        assert ask(far, "GET", "/docs")[0] == 200
        assert all(one.is_alive() for one in asking)
    for one in asking:
        one.join(20)
    assert ask(far, "GET", state)[0] == 200


@pytest.mark.slow
def test_bodies_that_come_slowly_hold_nobody_up(server: Server):
    clients = []
    for _ in range(3 * THREADS):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(b"POST /api/sites HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        clients.append(client)
    assert server.record()[0] == 201
    assert ask(server, "GET", "/docs")[0] == 200
    for client in clients:
        client.close()


def test_a_body_beyond_every_limit_is_refused_unread(server: Server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", "/sites/shop/receipts")
    for name, value in (("Origin", ORIGIN), ("Content-Type", "text/plain"), ("Content-Length", str(10**9))):
        connection.putheader(name, value)
    connection.endheaders(b"{" * 1000)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_of_unknown_length_is_read(server: Server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"Origin": ORIGIN, "Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
    for _ in range(2):
        pieces = (piece.encode() for piece in json.dumps(body()).partition(","))
        connection.request("POST", "/sites/shop/receipts", pieces, headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (201, True)
    connection.close()


def test_greenlets_share_a_transaction_and_nobody_pays_for_another(storage):
    loop = Loop(storage)
    done = []

    def failing(rows) -> None:
        raise Conflict("taken")

    def do(job) -> None:
        try:
            done.append(loop(job))
        except Conflict as error:
            done.append(str(error))

    greenlets = [gevent.spawn(do, job) for job in (lambda rows: 1, failing, lambda rows: 3)]
    gevent.joinall(greenlets, timeout=10)
    assert sorted(map(str, done)) == ["1", "3", "taken"]


def test_what_comes_while_a_transaction_is_made_durable_shares_the_next(storage):
    loop, transactions, told = Loop(storage), [], []
    durable, writing = threading.Event(), storage.writing

    @contextmanager
    def slow():
        transactions.append(0)
        durable.wait(10)
        with writing() as rows:
            yield rows

    def job(rows) -> None:
        transactions[-1] += 1

    storage.writing = slow
    greenlets = [gevent.spawn(lambda: told.append(loop(job))) for _ in range(20)]
    gevent.sleep(0.1)
    durable.set()
    gevent.joinall(greenlets, timeout=10)
    storage.writing = writing
    assert (len(told), sum(transactions)) == (20, 20) and len(transactions) <= 2


def test_threads_beside_the_loop_record_too(storage):
    loop, done = Loop(storage), []
    thread = threading.Thread(target=lambda: done.append(loop(lambda rows: len(rows.sites()))))
    thread.start()
    thread.join(10)
    assert done == [0]


def test_what_is_refused_aside_is_raised_and_prints_nothing(capfd):
    def refuse() -> None:
        raise Conflict("taken")

    aside = Aside()
    assert aside(lambda: 1) == 1
    with pytest.raises(Conflict, match="taken"):
        aside(refuse)
    assert capfd.readouterr() == ("", "")


def test_what_an_application_raises_reaches_the_server():
    def app(environ, start):
        start("200 OK", [])
        yield b"one"
        raise RuntimeError("half way")

    told: list = []
    environ = {"CONTENT_LENGTH": str(10**9)}
    pieces = iter(Threads(app)(environ, lambda *head: told.append(head)))
    assert told == [("200 OK", [])]
    assert next(pieces) == b"one"
    with pytest.raises(RuntimeError):
        next(pieces)


FORKED_AT_A_STOP = """
import os, signal, sys
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
stop = lambda: os.kill(os.getpid(), signal.SIGTERM)
os.register_at_fork(before=stop, after_in_child=stop)
if sys.argv[1:]:
    from consent.web.serve import heed
    heed(None)
worker = os.fork()
if worker:
    print(len(heard), os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
"""


@pytest.mark.parametrize(("heeds", "told"), [([], "1 0"), (["yes"], "1 -15")])
def test_a_stop_while_a_worker_is_forked_reaches_both(heeds: list[str], told: str):
    done = subprocess.run([sys.executable, "-c", FORKED_AT_A_STOP, *heeds], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == (told, "")


def test_the_shipped_server_heeds_them():
    assert DEFAULTS["on_starting"] is heed
