"""A service that takes the call and never answers: the page comes as soon as it would without us, with nothing granted."""

import socket
import statistics
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Service, Website, counter

pytestmark = pytest.mark.browser

ROOM = 150  # milliseconds that a page may come later than without us, on a machine that does other things as well
WAYS = {"tag": [], "inline": ["--inline"], "strict": ["--strict"]}
TIMES = """new Promise(done => new PerformanceObserver(list => {
  const { domContentLoadedEventEnd } = performance.getEntriesByType("navigation")[0];
  if (list.getEntriesByName("first-contentful-paint")[0])
    done([domContentLoadedEventEnd, list.getEntriesByName("first-contentful-paint")[0].startTime]);
}).observe({ type: "paint", buffered: true }))"""


class Silence:
    """A port that takes every call, hears it out and says nothing."""

    def __init__(self) -> None:
        self.calls: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.calls.append(self._socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for call in self.calls:
            call.close()


@pytest.fixture
def silence() -> Iterator[Silence]:
    silence = Silence()
    yield silence
    silence.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    """Never started: only its commands are wanted."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.publish("shop", [website.url], ("analytics",), services=[counter("http://counter.example")])
    yield service


@pytest.mark.parametrize("way", WAYS)
def test_the_page_comes_as_soon_as_without_us(
    service: Service, website: Website, tracker: Website, silence: Silence, page: Page, way: str
) -> None:
    marked = f"<script type=text/plain data-consent=analytics src={tracker.url}/a.js></script>"
    own = service.cli("snippet", "shop", *WAYS[way]).replace(service.url, silence.url)
    early = "<script>window.early = window.consent && ['session', 'analytics', 'counter'].map(consent.granted)</script>"
    for path, head in (("/with", own + early), ("/without", "")):
        website.put(path, f"<!doctype html><html><head>{head}<title>Shop</title></head><body><h1>Shop</h1>{marked}")
    times: dict[str, list] = {"/without": [], "/with": []}
    for _ in range(3):
        for path, found in times.items():
            page.goto(website.url + path, wait_until="commit")
            found.append(page.evaluate(TIMES))
    parsed, painted = ([statistics.median(one[kind] for one in found) for found in times.values()] for kind in (0, 1))
    assert parsed[1] <= parsed[0] + ROOM and painted[1] <= painted[0] + ROOM
    assert len(silence.calls) >= 1
    assert page.evaluate("[window.early, document.readyState]") == [
        [True, False, False] if way != "tag" else None, "interactive",
    ]  # fmt: skip
    assert (tracker.requests, page.evaluate("document.cookie")) == ([], "")
