"""Each way of installing gives what the contract's table says, the honest negatives too: a tracker's host counts."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Service, Website, counter

pytestmark = pytest.mark.browser

MARKED = "<script type='text/plain' data-consent='analytics' data-service='counter' src='COUNTER/marked.js'></script>"
UNMARKED = (
    "<script src='COUNTER/a.js'></script><script async src='COUNTER/b.js'></script><img src='COUNTER/pixel'>"
    "<iframe src='FILMS/frame' width=300 height=150></iframe>"
)
LATE = {
    "script": "s = document.createElement('script'); s.src = 'COUNTER/late.js'; document.head.appendChild(s)",
    "script_before": "s = document.createElement('script'); s.async = 1; s.src = 'COUNTER/late.js';"
    "m = document.getElementsByTagName('script')[0]; m.parentNode.insertBefore(s, m)",
    "pixel": "new Image().src = 'COUNTER/late'",
    "frame": "f = document.createElement('iframe'); f.src = 'COUNTER/late'; document.documentElement.appendChild(f)",
    "script_appended": "s = document.createElement('script'); s.setAttribute('src', 'COUNTER/late.js'); document.head.append(s)",
    "attribute": "f = document.createElement('iframe'); document.documentElement.append(f); f.setAttribute('src', 'COUNTER/late')",
    "script_marked": "s = document.createElement('script'); s.dataset.consent = 'session'; s.src = 'COUNTER/late.js'; document.head.appendChild(s)",
    "nested": "d = document.createElement('div'); d.append(document.createElement('p'));"
    "f = document.createElement('iframe'); f.src = 'COUNTER/late'; d.append(f); document.documentElement.appendChild(d)",
}


@pytest.fixture(scope="module")
def trackers() -> Iterator[dict[str, Website]]:
    found = {"COUNTER": Website(), "FILMS": Website(), "STRANGER": Website()}
    for name, host in found.items():
        for path in ("/a.js", "/b.js", "/late.js", "/marked.js"):
            code = f"(window.ran = window.ran || []).push('{name}{path}'); document.cookie = '_count=1'"
            host.put(path, code, "text/javascript")
        host.put("/frame", "<p>A film")
        host.put("/pixel", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")
    yield found
    for host in found.values():
        host.close()


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, website: Website, trackers: dict[str, Website]
) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    films = counter(trackers["FILMS"].url, id="films", category="social", name="Films", cookies=[])
    service.publish("shop", [website.url], ("analytics", "social"), services=[counter(trackers["COUNTER"].url), films])
    with service:
        yield service


@pytest.fixture
def show(service: Service, website: Website, trackers: dict[str, Website], page: Page):
    """Open a page whose head begins with the lines of one way of installing."""
    for host in trackers.values():
        host.requests.clear()

    def show(way: str, body: str, head: str = "", lines: str | None = None) -> Page:
        lines = service.cli("snippet", "shop", *([f"--{way}"] if way else [])) if lines is None else lines
        html = f"<!doctype html><html lang=en><head>{lines}{head}<title>Shop</title></head><body>{body}</body></html>"
        for name, host in trackers.items():
            html = html.replace(name, host.url)
        page.goto(website.put("/", html), wait_until="domcontentloaded")
        return page

    return show


def settled(page: Page) -> Page:
    page.wait_for_function("window.consent && document.getElementById('consent-banner')")
    page.wait_for_timeout(250)
    return page


def asked(trackers: dict[str, Website]) -> list[str]:
    return [name + request for name, host in trackers.items() for request in host.requests]


@pytest.mark.parametrize("way", ["", "inline", "strict", "sync"])
def test_marked_trackers_are_requested_by_nobody_before_consent_and_once_after(show, trackers, way: str) -> None:
    page = settled(show(way, MARKED))
    assert asked(trackers) == []
    page.click("#consent-accept")
    page.wait_for_function("window.ran")
    assert trackers["COUNTER"].count("/marked.js") == 1


@pytest.mark.parametrize("way", ["", "inline", "sync"])
def test_unmarked_trackers_in_the_html_are_requested_before_any_script_can_act(show, trackers, way: str) -> None:
    settled(show(way, UNMARKED))
    assert trackers["COUNTER"].count("/a.js") == 1


@pytest.mark.parametrize("way", ["inline", "sync"])
def test_a_script_that_runs_first_holds_back_their_execution(show, way: str) -> None:
    page = settled(show(way, UNMARKED))
    assert page.evaluate("window.ran") is None
    assert "_count" not in page.evaluate("document.cookie")


def test_the_strict_guard_lets_unmarked_trackers_neither_be_requested_nor_run(show, trackers) -> None:
    stranger = "<script src='STRANGER/a.js'></script><img src='STRANGER/pixel'><link rel=preload as=script href='STRANGER/b.js'>"
    page = settled(show("strict", UNMARKED + stranger + f"<script>{LATE['script']}</script>"))
    assert asked(trackers) == []
    assert page.evaluate("window.ran") is None
    assert "_count" not in page.evaluate("document.cookie")


def test_accepting_under_the_strict_guard_reloads_once_and_loads_everything(show, trackers, service: Service) -> None:
    page = settled(show("strict", UNMARKED + "<script src='STRANGER/a.js'></script>"))
    with page.expect_navigation():
        page.click("#consent-accept")
    page.wait_for_function("window.ran?.length == 3")
    page.wait_for_timeout(300)
    assert page.evaluate("consent.state.status") == "given"
    assert sorted(page.evaluate("window.ran")) == ["COUNTER/a.js", "COUNTER/b.js", "STRANGER/a.js"]
    assert (trackers["COUNTER"].count("/a.js"), trackers["FILMS"].count("/frame")) == (1, 1)
    assert not page.locator("meta[http-equiv]").nth(1).is_visible() and page.locator("meta[http-equiv]").count() == 1
    page.wait_for_function("consent.receipt()")


def test_under_the_strict_guard_a_part_granted_lets_in_that_part(show, trackers) -> None:
    page = settled(show("strict", UNMARKED))
    with page.expect_navigation():
        page.evaluate("consent.accept(['social'])")
    page.wait_for_function("window.consent && !consent.handOver")
    expect(page.frame_locator("iframe").locator("p")).to_have_text("A film")
    assert (trackers["COUNTER"].requests, trackers["FILMS"].count("/frame")) == ([], 1)


def test_refusing_under_the_strict_guard_reloads_nothing(show, trackers) -> None:
    page = settled(show("strict", UNMARKED))
    page.evaluate("window.same = 1")
    page.click("#consent-reject")
    page.wait_for_timeout(400)
    assert (page.evaluate("window.same"), asked(trackers)) == (1, [])


def test_withdrawing_under_the_strict_guard_shuts_the_page_at_once(show, trackers, page: Page) -> None:
    settled(show("strict", ""))
    with page.expect_navigation():
        page.click("#consent-accept")
    page.wait_for_function("window.consent?.state.status == 'given' && !consent.handOver")
    page.evaluate("window.same = 1; consent.withdraw()")
    page.evaluate(LATE["script"].replace("COUNTER", trackers["STRANGER"].url))
    page.wait_for_timeout(300)
    assert (page.evaluate("window.same"), asked(trackers)) == (1, [])


def test_nothing_is_loaded_once_where_the_page_shuts_it_out(show) -> None:
    page = settled(
        show(
            "strict",
            "<iframe data-consent='social' data-service='films' data-src='FILMS/frame' width=300 height=150></iframe>",
        )
    )
    buttons = page.locator(".consent-placeholder button")
    assert buttons.all_inner_texts() == ["Always allow"]
    with page.expect_navigation():
        buttons.click()
    expect(page.frame_locator("iframe").locator("p")).to_have_text("A film")


def test_under_the_strict_guard_no_reload_where_the_browser_keeps_no_cookie(browser: Browser, show, page: Page) -> None:
    page.add_init_script(
        "Object.defineProperty(Document.prototype, 'cookie', {get: () => '', set() {}, configurable: true})"
    )
    settled(show("strict", ""))
    page.evaluate("window.same = 1; consent.accept()")
    page.wait_for_timeout(400)
    assert page.evaluate("window.same") == 1


@pytest.mark.parametrize("kind", LATE)
def test_the_guard_holds_back_what_is_added_before_the_script_is_there(
    show, service, website, trackers, kind: str
) -> None:
    lines = service.cli("snippet", "shop", "--inline")
    guard, _, own = lines.partition("\n")
    later = f"<script>setTimeout(() => document.head.append(document.createRange().createContextualFragment(`{own.strip().replace('</', '<' + chr(92) + '/')}`)), 300)</script>"
    page = show(
        "",
        "",
        f"<script>{LATE[kind]}; document.cookie = '_count=1'; document.cookie = 'mine=1'</script>{later}",
        lines=guard,
    )
    page.wait_for_timeout(150)
    assert page.evaluate("!!consent.handOver")
    settled(page)
    assert (asked(trackers), page.evaluate("document.cookie")) == ([], "mine=1")
    page.click("#consent-accept")
    page.wait_for_timeout(300)
    assert trackers["COUNTER"].count("/late.js" if kind.startswith("script") else "/late") == (
        0 if kind == "pixel" else 1
    )


def test_the_guard_answers_from_the_line_after_it_and_speaks_first(show, page: Page) -> None:
    head = "<script>window.early = [consent.granted('session'), consent.granted('analytics'), consent.state.status, [...dataLayer[0]].slice(0, 2)]</script>"
    settled(show("inline", "", head))
    assert page.evaluate("early") == [True, False, "unknown", ["consent", "default"]]
    assert page.evaluate("dataLayer.filter(one => one[1] == 'default').length") == 1
    page.click("#consent-accept")
    page.reload()
    page.wait_for_function("window.consent && !consent.handOver")
    assert page.evaluate("early") == [True, True, "given", ["consent", "default"]]
    assert page.evaluate("dataLayer.filter(one => one[0] == 'consent').map(one => one[1])") == ["default", "update"]
    assert page.evaluate("dataLayer.filter(one => one.event == 'consent_update').length") == 1


def test_what_was_called_on_the_guard_is_done_by_the_script(show, page: Page) -> None:
    head = "<script>kept = consent; ready = []; consent.on('ready', state => ready.push(state.status)); consent.accept(['social'])</script>"
    show("inline", "", head)
    page.wait_for_function("window.consent.granted('social')")
    assert page.evaluate("[ready, kept.granted('social'), kept.state.status, typeof consent.handOver]") == [
        ["unknown"], True, "partial", "undefined",
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["", "inline", "strict"])
@pytest.mark.parametrize("failing", ["hanging", "refused", "error"])
def test_a_service_that_fails_neither_delays_nor_breaks_the_page(
    show, service, website, trackers, way: str, failing: str
) -> None:
    lines = service.cli("snippet", "shop", *([f"--{way}"] if way else []))
    elsewhere = {"hanging": website.hang("/hanging"), "refused": "http://127.0.0.1:1/", "error": website.url + "/none"}
    lines = lines.replace(f"{service.url}/sites/shop/banner.js", elsewhere[failing])
    page = show("", f"<p id=there>There</p>{MARKED}", lines=lines)
    expect(page.locator("#there")).to_be_visible()
    page.wait_for_timeout(200)
    assert (asked(trackers), page.evaluate("document.readyState == 'loading'")) == ([], False)
    if way:
        assert page.evaluate("[consent.granted('analytics'), consent.granted('session')]") == [False, True]


def test_a_hanging_service_hangs_the_page_of_the_old_fashioned_tag(show, service, website, page: Page) -> None:
    lines = service.cli("snippet", "shop", "--sync").replace(
        f"{service.url}/sites/shop/banner.js", website.hang("/hanging")
    )
    website.put("/slow", f"<!doctype html><head>{lines}</head><body><p id=there>There</p>")
    page.goto(website.url + "/slow", wait_until="commit")
    page.wait_for_timeout(500)
    assert page.locator("#there").count() == 0


def test_the_guard_runs_under_a_policy_that_names_its_hash(show, service, website, page: Page) -> None:
    made = json.loads(service.cli("snippet", "shop", "--inline", "--json"))
    policy = f"default-src 'self'; script-src {made['csp']} {service.url}; connect-src {service.url}"
    website.put("/csp", f"<!doctype html><head>{made['html']}</head><body>", Content_Security_Policy=policy)
    page.goto(website.url + "/csp")
    settled(page)
    assert page.evaluate("consent.granted('session')")


def test_a_guard_of_an_older_policy_says_so_on_the_console(show, service, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    lines = service.cli("snippet", "shop", "--inline")
    settled(show("", "", lines=lines.replace('"policy":2', '"policy":1')))
    assert [text for text in said if "paste the guard anew" in text]


def test_the_guard_pasted_on_top_of_the_tag_is_no_second_script(show, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    settled(show("inline", ""))
    assert said == []
