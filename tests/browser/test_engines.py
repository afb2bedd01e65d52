"""The main flow in Firefox and in WebKit."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Service, Website, counter, tag
from tests.browser.engines import ENGINES, WATCH, Firefox, WebKit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),  # within selenium itself
]
READY = "window.consent && !consent.handOver && document.querySelector('#consent-banner, #consent-reopen')"
FILM = "<iframe id=film data-consent=social data-src='TRACKER/frame' width=400 height=200></iframe>"
MARKED = "<script type='text/plain' data-consent='analytics' data-service='counter' src='TRACKER/a.js'></script>" + FILM


@pytest.fixture(scope="module")
def host() -> Iterator[Website]:
    with Website() as tracker:
        tracker.put("/a.js", "window.ran = (window.ran || 0) + 1; document.cookie = '_count=1'", "text/javascript")
        tracker.put("/frame", "<p>A film")
        yield tracker


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website, host: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.publish("shop", [website.url], ("analytics", "social"), services=[counter(host.url)])
    with service:
        yield service


@pytest.fixture(scope="module", params=ENGINES)
def browser(request: pytest.FixtureRequest) -> Iterator[Firefox | WebKit]:
    engine = ENGINES[request.param]
    if not (engine.executable and engine.driver):
        pytest.skip(f"{request.param} is not installed; `make test` installs Debian's {engine.package}")
    browser = engine()
    yield browser
    browser.close()


@pytest.fixture
def show(browser: Firefox | WebKit, service: Service, website: Website, host: Website):
    """Open a page in a fresh profile."""
    host.requests.clear()
    browser.do("fresh")

    def show(body: str, head: str = "", **headers: str) -> Firefox | WebKit:
        html = f"<!doctype html><html lang=en><head>{WATCH}{head or tag(service)}<title>Shop</title></head><body>{body}</body></html>"
        browser.do("goto", website.put("/", html.replace("TRACKER", host.url), **headers))
        browser.do("wait", READY)
        return browser

    yield show
    assert browser.do("errors") == []


def test_refusing_holds_and_is_recorded(show, host: Website, website: Website) -> None:
    page = show(MARKED)
    assert page.evaluate("[document.cookie, localStorage.length, consent.state.status]") == ["", 0, "unknown"]
    page.do("click", "#consent-reject")
    page.do("wait", "consent.receipt() && !document.querySelector('#consent-banner')")
    page.do("goto", website.url + "/")
    page.do("wait", READY)
    assert page.evaluate("[consent.state.status, !!document.querySelector('#consent-banner'), window.ran]") == [
        "refused",
        False,
        None,
    ]
    assert host.requests == []


def test_granting_wakes_what_waits_and_withdrawing_puts_it_to_sleep(show, host: Website) -> None:
    page = show(MARKED)
    page.do("click", "#consent-accept")
    page.do("wait", "window.ran && consent.receipt()")
    assert (page.evaluate("[window.ran, consent.state.status]"), host.count("/frame")) == ([1, "given"], 1)
    page.evaluate("consent.withdraw()")
    page.do("wait", "document.querySelector('.consent-placeholder')")
    page.do("wait", "!document.cookie.includes('_count')")
    assert page.evaluate("document.querySelector('#film').hasAttribute('src')") is False


def test_the_keyboard_grants_one_category(show) -> None:
    page = show(MARKED)
    for _ in range(3):
        page.do("press", "Tab")
    assert page.evaluate("document.activeElement.id") == "consent-choose"
    page.do("press", "Enter")
    page.do("wait", "document.querySelector('#consent-preferences').shadowRoot.activeElement")
    page.evaluate("document.querySelector('#consent-preferences').shadowRoot.querySelector('#analytics').focus()")
    page.do("press", " ")
    assert page.evaluate("consent.granted('analytics')") is False
    page.evaluate("document.querySelector('#consent-preferences').shadowRoot.querySelector('#consent-save').focus()")
    page.do("press", "Enter")
    page.do("wait", "window.ran")
    assert page.evaluate("[consent.granted('analytics'), consent.granted('social')]") == [True, False]


def test_what_is_added_later_waits(show, host: Website) -> None:
    page = show("")
    page.evaluate(f"document.head.append(Object.assign(document.createElement('script'), {{src: '{host.url}/a.js'}}))")
    page.evaluate("new Promise(done => setTimeout(done, 200))")
    assert (page.evaluate("window.ran ?? null"), host.requests) == (None, [])
    page.do("click", "#consent-accept")
    page.do("wait", "window.ran == 1")


def test_the_strict_guard_runs_no_unmarked_tracker_and_reloads_once(show, service: Service, host: Website) -> None:
    page = show("<script src='TRACKER/a.js'></script>", head=service.cli("snippet", "shop", "--strict"))
    assert page.evaluate("[window.ran ?? null, document.cookie]") == [None, ""]
    if isinstance(page, WebKit):  # Firefox may ask for it, and never runs it
        assert host.requests == []
    page.evaluate("void setTimeout(consent.accept)")
    page.do("wait", "window.ran == 1 && consent.state.status == 'given'")


def test_a_strict_content_security_policy_is_kept(show, service: Service, host: Website) -> None:
    policy = (
        "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; style-src 'self'; img-src 'self'; "
        f"connect-src {service.url}; frame-src {host.url}; require-trusted-types-for 'script'; trusted-types consent"
    )
    head = "<script nonce=r4nd0m>broken = []; addEventListener('securitypolicyviolation', it => broken.push(it.violatedDirective))</script>"
    page = show(MARKED, head + tag(service, " nonce=r4nd0m"), Content_Security_Policy=policy)
    page.do("click", "#consent-accept")
    page.do("wait", "window.ran && consent.receipt()")
    assert page.evaluate("broken") == []
