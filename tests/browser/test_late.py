"""What a page adds later is held back by the addresses of the policy's services, however it is created."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag

pytestmark = pytest.mark.browser

POLICY = """
name = "Shop"
origins = ["{origin}"]
languages = ["en"]

[[categories]]
id = "session"
necessary = true

[[categories]]
id = "analytics"

[[categories]]
id = "social"

[[services]]
id = "counter"
category = "analytics"
name = "Counter"
purpose = "Counts."
provider = {{ name = "Counter Ltd", url = "https://counter.example/privacy" }}
urls = ["{tracker}"]
cookies = [
  {{ name = "_count*", lifetime = "13 months", purpose = "Counts." }},
  {{ name = "count:*", kind = "local_storage", lifetime = "persistent", purpose = "Counts." }},
  {{ name = "count:*", kind = "session_storage", lifetime = "session", purpose = "Counts." }},
  {{ name = "counts", kind = "indexed_db", lifetime = "persistent", purpose = "Counts." }},
  {{ name = "counts-*", kind = "cache_storage", lifetime = "persistent", purpose = "Counts." }},
  {{ name = "far", lifetime = "1 year", purpose = "Counts.", party = "third" }},
  {{ name = "hidden", lifetime = "1 year", purpose = "Counts.", http_only = true }},
]
calls = {{ granted = [["told.push", "granted"]], refused = [["told.push", "refused"]] }}
{more}
"""
RAN = "window.ran = (window.ran || []).concat('{}')"


@pytest.fixture(scope="module")
def host() -> Iterator[Website]:
    """A tracker's host, the same for all tests: its address stands in the policy."""
    with Website() as tracker:
        tracker.put("/a.js", RAN.format("a"), "text/javascript")
        tracker.put("/b.js", RAN.format("b"), "text/javascript")
        tracker.put("/frame", "<p>An embedded film")
        tracker.put("/pixel", "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'/>", "image/svg+xml")
        tracker.put("/hit", "{}", "application/json", Access_Control_Allow_Origin="*")
        yield tracker


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website, host: Website) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    service = Service(folder / "data")
    for site, more in (("shop", ""), ("open", "[blocking]\nurls = false\nstorage = false")):
        service.cli("site", "create", site, "--origin", website.url)
        publish(service, website, host, more, site=site)
    with service:
        yield service


def publish(service: Service, website: Website, host: Website, more: str = "", *, site: str = "shop") -> None:
    file = service.data.parent / "policy.toml"
    file.write_text(POLICY.format(origin=website.url, tracker=host.url.partition("://")[2], more=more))
    service.cli("policy", "publish", site, str(file))


@pytest.fixture
def show(service: Service, website: Website, host: Website, page: Page):
    """Open a page; `TRACKER` stands for the tracker's address. Its first lines wait for the banner's script."""
    host.requests.clear()

    def show(body: str = "", site: str = "shop") -> Page:
        head = tag(service).replace("/shop/", f"/{site}/")
        html = f"<!doctype html><html lang=en><head><title>Shop</title>{head}</head><body>{body}</body></html>"
        page.goto(website.put("/", html.replace("TRACKER", host.url)))
        page.wait_for_function("window.consent")
        page.evaluate("window.told = []")
        return page

    return show


LATE = {
    "a created script": "s = document.createElement('script'); s.src = URL_; document.head.append(s)",
    "a script whose type is set last": "s = document.createElement('script'); s.src = URL_; s.type = 'text/javascript'; document.head.appendChild(s)",
    "a script by attribute": "s = document.createElement('script'); s.setAttribute('src', URL_); document.body.insertBefore(s, null)",
    "a cloned script": "s = document.createElement('template'); s.innerHTML = `<script src='${URL_}'></` + `script>`; document.body.append(s.content.cloneNode(true))",
    "a script that gets its address in the page": "s = document.createElement('script'); document.body.append(s); s.src = URL_",
    "a fragment": "document.body.append(document.createRange().createContextualFragment(`<script src='${URL_}'></` + `script>`))",
}


@pytest.mark.parametrize("kind", LATE)
def test_a_script_added_later_waits_and_then_runs_once(show, host: Website, kind: str) -> None:
    page = show()
    page.evaluate(LATE[kind].replace("URL_", f"'{host.url}/a.js'"))
    page.wait_for_timeout(250)
    assert (host.requests, page.evaluate("window.ran")) == ([], None)
    page.evaluate("consent.accept()")
    page.wait_for_function("window.ran")
    page.evaluate("consent.withdraw(); consent.accept()")
    page.wait_for_timeout(150)
    assert (host.count("/a.js"), page.evaluate("window.ran")) == (1, ["a"])


def test_markup_is_read_by_its_attributes_and_not_inside_them(show, host: Website) -> None:
    page = show("<div id=there></div>")
    page.evaluate(
        f"""there.innerHTML = `<img alt="a > b" src="{host.url}/pixel"><img id=other alt="<script src='{host.url}/a.js'>">`"""
    )
    page.wait_for_timeout(200)
    assert (host.requests, page.evaluate("other.alt")) == ([], f"<script src='{host.url}/a.js'>")


def test_every_address_of_an_element_waits(show, host: Website) -> None:
    page = show("<div id=there></div>")
    page.evaluate(f"""there.innerHTML = `<img src="/own.png" srcset="{host.url}/pixel 2x, /own.png 1x">`""")
    page.evaluate(f"""there.innerHTML += `<IMG SRC='{host.url}/pixel?a' srcset={host.url}/pixel>`""")
    page.wait_for_timeout(200)
    assert host.requests == []


def test_long_markup_is_read_in_no_time(show) -> None:
    page = show("<div id=there></div>")
    long = "performance.now() - (() => { const begun = performance.now(); there.innerHTML = '<img '.repeat(9e4); return begun })()"
    assert page.evaluate(long) < 2000


def test_its_maker_hears_that_it_loaded(show, host: Website) -> None:
    page = show()
    page.evaluate(
        "url => { const s = document.createElement('script'); s.onload = () => (window.heard = ran.slice());"
        "s.src = url; document.head.append(s) }",
        f"{host.url}/a.js",
    )
    page.evaluate("consent.accept()")
    page.wait_for_function("window.heard")


def test_scripts_added_later_keep_their_order(show, host: Website) -> None:
    page = show()
    page.evaluate(
        "url => { for (const n of ['b', 'a']) { const s = document.createElement('script'); s.async = false;"
        "s.src = `${url}/${n}.js`; document.head.append(s) } }",
        host.url,
    )
    page.evaluate("consent.accept()")
    page.wait_for_function("window.ran && ran.length == 2")
    assert page.evaluate("ran") == ["b", "a"]


EMBEDS = {
    "an iframe": "f = document.createElement('iframe'); f.width = 300; f.height = 150; f.src = URL_ + '/frame'; document.body.append(f)",
    "markup": "document.body.insertAdjacentHTML('beforeend', `<iframe width=300 height=150 src='${URL_}/frame'></iframe>`)",
    "inner markup": "document.body.innerHTML += `<p><iframe width=300 height=150 src=${URL_}/frame></iframe>`",
}


@pytest.mark.parametrize("kind", EMBEDS)
def test_an_embed_added_later_gets_a_placeholder(show, host: Website, kind: str) -> None:
    page = show()
    page.evaluate(EMBEDS[kind].replace("URL_", f"'{host.url}'"))
    expect(page.get_by_role("group", name="Counter is switched off")).to_be_visible()
    assert host.requests == []
    page.get_by_role("button", name="Always allow").click()
    expect(page.frame_locator("iframe").get_by_text("An embedded film")).to_be_visible()
    assert page.evaluate("[consent.granted('counter'), consent.granted('analytics')]") == [True, False]
    page.evaluate("consent.withdraw()")
    expect(page.get_by_role("group", name="Counter is switched off")).to_be_visible()


def test_an_unmarked_embed_in_the_page_is_put_to_sleep(show) -> None:
    page = show("<iframe width=300 height=150 src='TRACKER/frame'></iframe>")
    expect(page.get_by_role("group", name="Counter is switched off")).to_be_visible()


HITS = {
    "fetch": "fetch(URL_).then(() => 'through', () => 'failed')",
    "a request": "fetch(new Request(URL_)).then(() => 'through', () => 'failed')",
    "XMLHttpRequest": "new Promise(done => { const x = new XMLHttpRequest(); x.onload = () => done('through'); x.onerror = () => done('failed'); x.open('GET', URL_); x.send() })",
    "a beacon": "navigator.sendBeacon(URL_, '1') ? 'through' : 'failed'",
    "an event stream": "new Promise(done => { new EventSource(URL_).onerror = () => done('failed') })",
    "a socket": "new Promise(done => { new WebSocket(URL_.replace('http', 'ws')).onerror = () => done('failed') })",
    "a counting pixel": "new Promise(done => { new Image().src = URL_; setTimeout(() => done('failed'), 200) })",
}


@pytest.mark.parametrize("kind", HITS)
def test_a_hit_fails_as_if_the_host_were_down(show, host: Website, kind: str) -> None:
    page = show()
    assert page.evaluate(HITS[kind].replace("URL_", f"'{host.url}/hit'")) == "failed"
    assert host.requests == []


@pytest.mark.parametrize("kind", ["fetch", "a request", "XMLHttpRequest", "a beacon"])
def test_a_hit_goes_through_once_granted(show, host: Website, kind: str) -> None:
    page = show()
    page.evaluate("consent.accept()")
    assert page.evaluate(HITS[kind].replace("URL_", f"'{host.url}/hit'")) == "through"


def test_what_a_browser_asks_by_itself_goes_out_once_granted(show, host: Website) -> None:
    page = show()
    page.evaluate("consent.accept()")
    page.evaluate("""url => { new EventSource(url + '/stream'); new WebSocket(url.replace('http', 'ws') + '/socket');
        new Image().src = url + '/pixel'; navigator.sendBeacon(url + '/beacon', '1') }""", host.url)  # fmt: skip
    page.wait_for_timeout(500)
    assert {"/stream", "/socket", "/pixel", "/beacon"} <= set(host.requests)


def test_what_no_service_claims_is_left_alone(show, website: Website) -> None:
    website.put("/own.js", RAN.format("own"), "text/javascript")
    page = show()
    page.evaluate("s = document.createElement('script'); s.src = '/own.js'; document.head.append(s)")
    page.wait_for_function("window.ran")
    assert page.locator("script[src='/own.js']").evaluate("s => [s.type, s.dataset.consent ?? null]") == ["", None]


KEEP = """() => { document.cookie = '_count1=1'; document.cookie = 'mine=1'; localStorage['x'] = 1;
    localStorage.setItem('count:a', 1); sessionStorage.setItem('count:a', 1); localStorage.setItem('mine', 1) }"""
KEPT = "[document.cookie.includes('_count1'), document.cookie.includes('mine=1'), localStorage.getItem('count:a'), sessionStorage.getItem('count:a'), localStorage.getItem('mine')]"


def test_what_a_refused_service_would_store_is_dropped(show) -> None:
    page = show()
    page.evaluate(KEEP)
    assert page.evaluate(KEPT) == [False, True, None, None, "1"]
    page.evaluate("cookieStore.set('_count2', '1')")
    assert "_count2" not in page.evaluate("document.cookie")
    page.evaluate("consent.accept()")
    page.evaluate(KEEP)
    assert page.evaluate(KEPT) == [True, True, "1", "1", "1"]


def test_what_the_policy_switches_off_is_not_held_back(show, host: Website) -> None:
    page = show(site="open")
    page.evaluate(KEEP)
    assert page.evaluate(KEPT) == [True, True, "1", "1", "1"]
    assert page.evaluate(HITS["fetch"].replace("URL_", f"'{host.url}/hit'")) == "through"


def test_what_a_refused_service_stored_before_can_be_read(show, website: Website) -> None:
    page = show()
    page.context.add_cookies([{"name": "_count1", "value": "1", "url": website.url}])
    assert page.evaluate("document.cookie.includes('_count1')")


def test_a_provider_is_told_before_what_it_left_is_cleared(show) -> None:
    page = show()
    page.evaluate("consent.accept()")
    page.evaluate(KEEP)
    page.evaluate(
        "told.push = name => { window.seen = [name, document.cookie.includes('_count1'), localStorage.getItem('count:a')] }"
    )
    page.evaluate("consent.withdraw()")
    page.wait_for_function("!document.cookie.includes('_count1')")
    assert page.evaluate("window.seen") == ["refused", True, "1"]


def test_withdrawing_clears_what_was_stored_and_says_what_it_cannot_reach(show, website: Website) -> None:
    page = show()
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text))
    page.evaluate("consent.on('error', e => { window.error = e }); consent.accept()")
    page.evaluate(KEEP)
    page.evaluate("document.cookie = '_count_deep=1; Path=/a'")
    page.evaluate("new Promise(d => { indexedDB.open('counts').onsuccess = e => { e.target.result.close(); d() } })")
    page.evaluate("caches.open('counts-1').then(() => 1)")
    page.evaluate("consent.withdraw()")
    page.wait_for_function("window.error")
    assert page.evaluate(KEPT) == [False, True, None, None, "1"]
    assert page.evaluate("indexedDB.databases().then(l => l.length)") == 0
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("[told, window.error.left]") == [["granted", "refused"], ["far", "hidden"]]
    assert any("far" in text for text in warnings)


def test_a_cookie_that_comes_back_is_cleared_on_the_next_page(show, website: Website) -> None:
    page = show()
    page.evaluate("consent.reject()")
    page.context.add_cookies([{"name": "_count9", "value": "1", "url": website.url + "/"}])
    page = show()
    page.wait_for_function("!document.cookie.includes('_count9')")


def test_a_choice_in_one_tab_holds_in_the_others_at_once(show, website: Website) -> None:
    page = show()
    other = page.context.new_page()
    other.goto(website.url + "/")
    other.wait_for_function("window.consent")
    other.get_by_role("button", name="Accept all").click()
    page.wait_for_function("consent.granted('counter')")
    expect(page.get_by_role("dialog")).to_have_count(0)
    other.evaluate("consent.withdraw()")
    page.wait_for_function("!consent.granted('counter')")


def test_a_page_that_is_put_away_hears_of_choices_when_it_is_shown_again(show, website: Website) -> None:
    page = show()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    other = page.context.new_page()
    other.goto(website.url + "/")
    other.evaluate("consent.accept()")
    other.wait_for_function("consent.receipt()")
    assert page.evaluate("consent.granted('counter')") is False
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert page.evaluate("consent.granted('counter')") is True
    other.evaluate("consent.withdraw()")
    page.wait_for_function("!consent.granted('counter')")


def test_a_page_that_rewrites_its_body_keeps_its_banner(show) -> None:
    page = show()
    page.evaluate("document.body.innerHTML = '<p>New'")
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()
    page.evaluate("document.body = document.createElement('body')")
    page.get_by_role("button", name="Reject all", exact=True).click()
    assert page.evaluate("consent.state.status") == "refused"
