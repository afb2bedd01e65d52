"""Log lines of the real server: JSON, each with its request, none with a person in it."""

import io
import json
import logging
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.web import make_app
from consent.web.logs import Lines
from consent.web.watch import WELL_FORMED
from tests.conftest import ORIGIN, SUBJECT, body
from tests.test_durability import Server


class Loud(Server):
    """A server that logs every request and believes one proxy."""

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "CONSENT_LOG_REQUESTS": "yes", "CONSENT_TRUSTED_PROXIES": "1"}

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def told(self, id: str) -> list[dict]:
        deadline = time.monotonic() + 5
        while not (found := [line for line in self.lines() if line.get("request") == id]):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return found

    def ask(self, path: str, **headers: str):
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            return error


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Loud]:
    server = Loud(tmp_path_factory.mktemp("logs") / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "2")
    yield server
    server.stop(signal.SIGKILL)


def test_a_request_is_one_line_with_the_pattern_of_its_address(server):
    id = server.ask(f"/sites/shop/subjects/{SUBJECT}/state?x={SUBJECT}").headers["X-Request-ID"]
    (line,) = server.told(id)
    assert re.fullmatch(r"[0-9a-f]{16}", id) and line.pop("time").endswith("Z") and line.pop("ms") >= 0
    assert line == {
        "level": "info",
        "logger": "consent.request",
        "message": "answered",
        "request": id,
        "method": "GET",
        "route": "/sites/<site>/subjects/<subject>/state",
        "status": 200,
    }


def test_an_id_of_a_trusted_proxy_is_taken_if_it_is_well_formed(server):
    assert server.ask("/healthz", **{"X-Request-ID": "from-the-proxy.1"}).headers["X-Request-ID"] == "from-the-proxy.1"
    for odd in ("short", "x" * 65, "with space", 'quote"', "<script>"):
        assert re.fullmatch(r"[0-9a-f]{16}", server.ask("/healthz", **{"X-Request-ID": odd}).headers["X-Request-ID"])


def test_every_line_of_the_service_is_json_and_names_nobody(server):
    headers = {"User-Agent": "Tell-tale/1.0", "X-Forwarded-For": "203.0.113.9", "Origin": ORIGIN}
    for path in (f"/sites/shop/subjects/{SUBJECT}/receipts?a=secret", f"/nowhere/{SUBJECT}", "/sites/shop/banner.js"):
        server.ask(path, **headers)
    server.record()
    server.told(server.ask("/healthz").headers["X-Request-ID"])
    text = server.log.read_text()
    for trace in (SUBJECT, "secret", "Tell-tale", "203.0.113.9", "127.0.0.1:"):
        assert trace not in re.sub(r"^(Service|API docs|Desk): .*$", "", text, flags=re.MULTILINE).replace(
            server.url, ""
        )
    told = ("Service:", "API docs:", "Desk:", "Sign in at")  # to whoever starts it
    started = [line for line in text.splitlines() if not line.startswith(told)]
    assert all(json.loads(line)["level"] for line in started)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the service logs."""
    stream, log = io.StringIO(), logging.getLogger("consent")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines())
    log.addHandler(handler)
    yield stream
    log.removeHandler(handler)


def test_an_error_names_its_request_and_route(app, client, lines):
    @app.get("/fail/<subject>")
    def fail(subject):
        raise RuntimeError(f"about\n{subject}")

    answer = client.get(f"/fail/{SUBJECT}?q={SUBJECT}")
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines()]
    assert line["request"] == answer.headers["X-Request-ID"] and line["route"] == "/fail/<subject>"
    assert line["level"] == "error" and "RuntimeError: about\n…" in line["trace"] and SUBJECT not in lines.getvalue()


def test_an_error_on_the_short_way_is_answered_logged_and_named_as_any_other(client, ledger, lines, monkeypatch):
    def post():
        return client.post("/sites/shop/receipts", json=body(), headers={"Origin": ORIGIN})

    def fail(job):
        raise RuntimeError("about " + SUBJECT)

    assert post().status_code == 201  # from now on the short way answers
    monkeypatch.setattr(ledger, "together", fail)
    answer = post()
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines()]
    assert answer.status_code == 500 and answer.headers["Content-Type"] == "application/problem+json"
    assert (line["request"], line["route"]) == (answer.headers["X-Request-ID"], "/sites/<site>/receipts")
    assert "RuntimeError" in line["trace"] and SUBJECT not in lines.getvalue()


def test_without_a_trusted_proxy_no_id_is_believed(client):
    answer = client.get("/healthz", headers={"X-Request-ID": "from-the-visitor"})
    assert answer.headers["X-Request-ID"] != "from-the-visitor"


def test_an_answer_on_the_short_way_has_an_id_of_its_own(client):
    ids = {client.get("/sites/shop/banner.js").headers.getlist("X-Request-ID")[0] for _ in range(4)}
    answer = client.get("/sites/shop/banner.js")
    assert len(ids) == 4 and len(answer.headers.getlist("X-Request-ID")) == 1
    posted = [client.post("/sites/shop/receipts", json=body(), headers={"Origin": ORIGIN}) for _ in range(2)]
    assert len({one.headers["X-Request-ID"] for one in posted}) == 2


def test_requests_are_not_logged_unless_it_is_wanted(settings, ledger, caplog):
    caplog.set_level("INFO")
    assert not settings.log_requests
    make_app(settings, ledger).test_client().get("/healthz")
    assert not [record for record in caplog.records if record.name == "consent.request"]


def test_what_is_well_formed_cannot_break_a_header_or_a_line():
    assert not [
        text for text in ("a" * 8 + "\n", "a\r\nSet-Cookie: x=1", "ääääääää", "") if WELL_FORMED.fullmatch(text)
    ]


def test_gunicorn_tells_no_address_of_a_request_that_failed(tmp_path: Path):
    from gunicorn.config import Config

    from consent.web.logs import Logger

    logger = Logger(Config())
    told: list[tuple] = []
    logger.error_log.error = lambda *args, **kwargs: told.append(args)  # type: ignore[method-assign]
    logger.error_log.exception = lambda *args, **kwargs: told.append(args)  # type: ignore[method-assign]
    logger.exception("Error handling request %s %s", "GET", f"/sites/shop/subjects/{SUBJECT}?q=1")
    assert told == [("Error handling request",)]
