"""Fixtures for browser tests: the real service in a process of its own, a website on another origin, Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CONSENT = Path(sys.executable).parent / "consent"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.shop.test 127.0.0.1"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A running service on a data folder of its own."""

    awake = "/readyz"
    """What answers once it has started."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / "service.log"
        self._process: subprocess.Popen | None = None

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "CONSENT_DATA": str(self.data), "CONSENT_PUBLIC_URL": self.url}

    def cli(self, *arguments: str, check: bool = True) -> str:
        """Run a command of ours on the same data; its standard output."""
        done = subprocess.run([CONSENT, *arguments], env=self.environ, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def publish(self, site: str, origins: list[str], asked: Iterable[str], **more: object) -> None:
        """Publish a policy that asks about some categories, for a site that is made where it is not there."""
        categories = [{"id": "session", "necessary": True}, *({"id": id} for id in asked)]
        document = {"name": site, "origins": origins, "languages": ["en"], "categories": categories, **more}
        file = self.data.parent / "policy.json"
        file.write_text(json.dumps(document))
        self.cli("site", "create", site, *[part for origin in origins for part in ("--origin", origin)], check=False)
        self.cli("policy", "publish", site, str(file))

    def __enter__(self) -> "Service":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *options: str) -> None:
        command = [CONSENT, "serve", "--port", str(self.port), *options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environ, stderr=log, stdout=log, start_new_session=True)
        self._wait()

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, how)
            self._process.wait(30)
            self._process = None

    def get(self, path: str, token: str = "") -> bytes:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
            return answer.read()

    def json(self, path: str, token: str = ""):
        return json.loads(self.get(path, token))

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.get(self.awake)
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the service did not start: {self.log.read_text()}")


class Website:
    """Somebody's website: pages by path, and every request that arrived. `hang(path)` makes a path never answer."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes, dict[str, str]]] = {}
        self.requests: list[str] = []
        self._hanging: set[str] = set()
        self._released = threading.Event()
        website = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                website.answer(self)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                website.answer(self)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Website":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, path: str, body: str, media_type: str = "text/html; charset=utf-8", **headers: str) -> str:
        """Publish something at a path; its address."""
        self.pages[path] = (media_type, body.encode(), headers)
        return self.url + path

    def hang(self, path: str) -> str:
        self._hanging.add(path)
        return self.url + path

    def count(self, path: str) -> int:
        return sum(request.partition("?")[0] == path for request in self.requests)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.requests.append(handler.path)
        if path in self._hanging:
            self._released.wait(60)
            return
        media_type, body, headers = self.pages.get(path, ("text/plain", b"", {}))
        handler.send_response(200 if path in self.pages else 404)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def website() -> Iterator[Website]:
    with Website() as website:
        yield website


@pytest.fixture
def tracker() -> Iterator[Website]:
    """A host that only counts what it is asked."""
    with Website() as tracker:
        yield tracker


@pytest.fixture
def service(tmp_path: Path, website: Website) -> Iterator[Service]:
    """A running service with the site `shop` for the website's origin."""
    service = Service(tmp_path / "data")
    service.cli("site", "create", "shop", "--origin", website.url)
    with service:
        yield service


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "Chromium is missing; `make test` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh profile, English, desktop."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def tag(service: Service, attributes: str = "") -> str:
    """The tag a website owner pastes."""
    return f'<script async src="{service.url}/sites/shop/banner.js"{attributes}></script>'


def counter(host: str, **more: object) -> dict:
    """A service whose tracker runs on a host, and what it keeps."""
    cookies = [{"name": "_count*", "lifetime": "13 months", "purpose": "Counts."}]
    usual = {"id": "counter", "category": "analytics", "name": "Counter", "purpose": "Counts.", "cookies": cookies}
    return {**usual, "provider": {"name": "Counter Ltd"}, "urls": [host.partition("://")[2]], **more}
