"""Ways around the blocking, each of which once worked: nothing is requested, nothing runs, and the page stays whole."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag
from tests.browser.test_late import RAN, host, publish, service, show

pytestmark = pytest.mark.browser
__all__ = ["host", "publish", "service", "show"]

PARSED = "d = new DOMParser().parseFromString(`<iframe src='${T}/frame'></iframe>`, 'text/html'); x = d.body.firstChild"
IMAGE = "d = new DOMParser().parseFromString(`<img src='${T}/pixel'>`, 'text/html'); x = d.body.firstChild"
SCRIPT = "s = document.createElement('script'); "
BLANK = "f = document.createElement('iframe'); document.body.append(f); "
SVG = "g = document.createElementNS('http://www.w3.org/2000/svg', 'svg'); x = document.createElementNS('http://www.w3.org/2000/svg', 'TAG'); g.append(x); "
SHADOW = "e = document.createElement('div'); document.body.append(e); "
HTML = "document.body.insertAdjacentHTML('beforeend', `MARKUP`)"
BEFORE = {
    # insertions
    "replaceChildren": "document.body.replaceChildren(document.importNode(t2.content, true))",
    "Range.insertNode": SCRIPT + "s.setAttributeNS(null, 'src', T + '/a.js'); r = document.createRange(); r.selectNodeContents(document.body); r.insertNode(s)",
    "Range.insertNode, parsed": PARSED + "; r = document.createRange(); r.selectNodeContents(document.body); r.insertNode(x)",
    "Range.surroundContents": PARSED + "; p = document.createElement('p'); p.textContent = 'a'; document.body.append(p); x.textContent = ''; r = document.createRange(); r.selectNodeContents(p.firstChild); r.surroundContents(x)",
    "document.body": PARSED + "; document.body = d.body",
    "importNode": IMAGE + "; y = document.importNode(x, true)",
    "adoptNode": IMAGE + "; y = document.adoptNode(x)",
    # other realms
    "a frame's script": BLANK + "s = f.contentDocument.createElement('script'); s.src = T + '/a.js'; document.body.append(s)",
    "a frame's frame": BLANK + "s = f.contentDocument.createElement('iframe'); s.src = T + '/frame'; document.body.append(s)",
    "a frame's fetch": BLANK + "f.contentWindow.fetch(T + '/hit').catch(() => 0)",
    "a frame's fetch, borrowed": BLANK + "window.fetch = f.contentWindow.fetch.bind(window); fetch(T + '/hit').catch(() => 0)",
    "a frame's XMLHttpRequest": BLANK + "x = new f.contentWindow.XMLHttpRequest(); x.open('GET', T + '/hit'); x.send()",
    "a frame's beacon": BLANK + "f.contentWindow.navigator.sendBeacon(T + '/hit')",
    "a frame's image": BLANK + "new f.contentWindow.Image().src = T + '/pixel'",
    "a frame's markup": BLANK + "d = f.contentDocument; d.write(`<img src='${T}/pixel'>`); d.close()",
    "a script in a frame": BLANK + "d = f.contentDocument; s = d.createElement('script'); s.src = T + '/a.js'; d.body.append(s)",
    "srcdoc": "f = document.createElement('iframe'); f.srcdoc = `<img src='${T}/pixel'>`; document.body.append(f)",
    "srcdoc, a script": "f = document.createElement('iframe'); f.srcdoc = `<script src='${T}/a.js'></` + `script>`; document.body.append(f)",
    "srcdoc, markup": HTML.replace("MARKUP", '<iframe srcdoc="<script src=\'${T}/a.js\'></script>"></iframe>'),
    # shadow roots
    "a shadow's markup": SHADOW + "e.attachShadow({mode: 'open'}).innerHTML = `<iframe src='${T}/frame'></iframe>`",
    "a shadow's image": SHADOW + "e.attachShadow({mode: 'closed'}).innerHTML = `<img src='${T}/pixel'>`",
    "a custom element": "customElements.define('x-a', class extends HTMLElement { connectedCallback() { this.attachShadow({mode: 'open'}).innerHTML = `<iframe src='${T}/frame'></iframe>` } }); document.body.append(document.createElement('x-a'))",
    "setHTMLUnsafe": SHADOW + "e.setHTMLUnsafe(`<iframe src='${T}/frame'></iframe>`)",
    "a declared shadow": SHADOW + "e.setHTMLUnsafe(`<div><template shadowrootmode=open><img src='${T}/pixel'></template></div>`)",
    # addresses
    "an SVG script": SVG.replace("TAG", "script") + "x.setAttribute('href', T + '/a.js'); document.body.append(g)",
    "an SVG script by xlink": SVG.replace("TAG", "script") + "x.setAttributeNS('http://www.w3.org/1999/xlink', 'xlink:href', T + '/a.js'); document.body.append(g)",
    "an SVG script in the page": SVG.replace("TAG", "script") + "document.body.append(g); x.setAttribute('href', T + '/a.js')",
    "an SVG image": SVG.replace("TAG", "image") + "x.setAttribute('href', T + '/pixel'); document.body.append(g)",
    "an SVG image, markup": HTML.replace("MARKUP", "<svg width=90 height=90><image xlink:href='${T}/pixel' width=9 height=9 /></svg>"),
    "an SVG filter": HTML.replace("MARKUP", "<svg width=90 height=90><filter id=f><feImage href='${T}/pixel'/></filter><rect width=9 height=9 filter='url(#f)'/></svg>"),
    "Audio": "new Audio(T + '/pixel').load()",
    "a poster": "v = document.createElement('video'); v.poster = T + '/pixel'; document.body.append(v)",
    "a poster, markup": HTML.replace("MARKUP", "<video poster='${T}/pixel'></video>"),
    "an image button": "i = document.createElement('input'); i.type = 'image'; i.src = T + '/pixel'; document.body.append(i)",
    "imagesrcset": "l = document.createElement('link'); l.rel = 'preload'; l.as = 'image'; l.imageSrcset = T + '/pixel 1x'; document.head.append(l)",
    "imagesrcset, markup": "document.head.insertAdjacentHTML('beforeend', `<link rel=preload as=image imagesrcset='${T}/pixel 1x'>`)",
    "a background": "document.body.setAttribute('background', T + '/pixel')",
    "a background, markup": HTML.replace("MARKUP", "<table background='${T}/pixel'><td>a</table>"),
    "srcset": "i = new Image(); i.sizes = '2000px'; i.srcset = '/own.png 1w, ' + T + '/pixel 2000w'; document.body.append(i)",
    "srcset, markup": HTML.replace("MARKUP", "<img sizes=2000px srcset='/own.png 1w,${T}/pixel 2000w'>"),
    # attributes
    "SRC": "i = new Image(); i.setAttribute('SRC', T + '/pixel')",
    "SRC of a frame": BLANK + "f.setAttribute('sRc', T + '/frame')",
    "setAttributeNS": "i = new Image(); i.setAttributeNS(null, 'src', T + '/pixel')",
    "setAttributeNS of a script": SCRIPT + "document.head.append(s); s.setAttributeNS(null, 'src', T + '/a.js')",
    "setAttributeNode": "i = new Image(); a = document.createAttribute('src'); a.value = T + '/pixel'; i.setAttributeNode(a)",
    "setAttributeNode of a script": SCRIPT + "document.head.append(s); a = document.createAttribute('src'); a.value = T + '/a.js'; s.setAttributeNode(a)",
    "setAttributeNodeNS": "o = document.createElement('p'); o.setAttribute('src', T + '/pixel'); i = new Image(); i.setAttributeNodeNS(o.getAttributeNode('src').cloneNode())",
    "setNamedItem": BLANK + "a = document.createAttribute('src'); a.value = T + '/frame'; f.attributes.setNamedItem(a)",
    "an attribute's value": "f = document.createElement('iframe'); f.src = 'about:blank'; document.body.append(f); f.attributes.src.value = T + '/frame'",
    "an attribute's nodeValue": "f = document.createElement('iframe'); f.src = 'about:blank'; document.body.append(f); f.attributes.src.nodeValue = T + '/frame'",
    "an attribute's textContent": "f = document.createElement('iframe'); f.src = 'about:blank'; document.body.append(f); f.attributes.src.textContent = T + '/frame'",
    # markup
    "a character reference": HTML.replace("MARKUP", "<img src='${T.replace(':', '&#58;')}/pixel'>"),
    "a named reference": HTML.replace("MARKUP", "<img src='${T.replace(':', '&colon;')}/pixel'>"),
    "a bracket in a value": HTML.replace("MARKUP", "<img alt=a<b src='${T}/pixel'>"),
    "a quote in a name": HTML.replace("MARKUP", "<img a\"b src='${T}/pixel'>"),
    "a mark in a value": HTML.replace("MARKUP", "<img alt='x data-consent= y' src='${T}/pixel'>"),
    "comments": HTML.replace("MARKUP", "<!-- <img alt=\" --><img src='${T}/pixel'><!-- \" -->"),
    "a text area": HTML.replace("MARKUP", "<textarea><p alt=\"</textarea><img src='${T}/pixel'>\">"),
    "a style": HTML.replace("MARKUP", "<style><a b='</style><img src='${T}/pixel'>"),
    "a noscript": HTML.replace("MARKUP", "<noscript><p alt=\"</noscript><img src='${T}/pixel'>\">"),
    "an image": HTML.replace("MARKUP", "<image src='${T}/pixel'>"),
    "written in parts": "document.write('<im'); document.write(`g src='${T}/pi`); document.write(`xel'>`)",
    "a script written in parts": "document.write('<script src='); document.write(`'${T}/a.js'></`); document.write('script>')",
    # marks and times
    "a mark that is granted": "i = new Image(); i.dataset.consent = 'session'; i.src = T + '/pixel'",
    "a mark and an address": HTML.replace("MARKUP", "<iframe data-consent=analytics src='${T}/frame'></iframe>"),
    "a mark without a type": "document.body.append(document.createRange().createContextualFragment(`<script data-consent=analytics src='${T}/a.js'></` + `script>`))",
    "a second address": SCRIPT + "s.src = '/own.js'; e = document.createElement('div'); e.append(s); s.src = T + '/a.js'; document.head.append(s)",
    # values that answer differently when asked twice
    "an image's address": "n = 0; i = new Image(); i.src = {toString() { return n++ ? T + '/pixel' : '/x' }}",
    "a request's address": "n = 0; x = new XMLHttpRequest(); x.open('GET', {toString() { return n++ ? T + '/hit' : '/x' }}); x.send()",
    "a fetch with two addresses": "fetch({url: '/x', toString() { return T + '/hit' }}).catch(() => 0)",
}  # fmt: skip


@pytest.mark.parametrize("kind", BEFORE)
def test_nothing_gets_past(show, host: Website, kind: str) -> None:
    page = show("<template id=t2><script src='TRACKER/a.js'></script></template>")
    page.evaluate(f"window.T = '{host.url}'")
    page.evaluate(f"() => {{ {BEFORE[kind]} }}")
    page.wait_for_timeout(250)
    assert (host.requests, page.evaluate("window.ran")) == ([], None)


FRAME = "<iframe id=f width=300 height=150 src='TRACKER/frame'></iframe>"
HELD = "Counter is switched off"


def frames(page: Page) -> list[str]:
    return [frame.url for frame in page.frames[1:] if frame.url != "about:blank"]


def add(page: Page, host: Website) -> None:
    page.evaluate(
        "u => { f = document.createElement('iframe'); f.id = 'f'; f.width = 300; f.height = 150; f.src = u; document.body.append(f) }",
        f"{host.url}/frame",
    )


def test_withdrawing_puts_to_sleep_what_was_added_while_granted(show, host: Website) -> None:
    page = show()
    page.evaluate("consent.accept()")
    add(page, host)
    page.wait_for_timeout(200)
    page.evaluate("consent.withdraw()")
    page.wait_for_timeout(200)
    assert (frames(page), page.evaluate("f.src")) == ([], "")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("consent.accept()")
    expect(page.frame_locator("#f").locator("p")).to_be_visible()


def test_withdrawing_puts_to_sleep_what_stood_in_the_page_of_a_returning_visitor(show, host: Website) -> None:
    show().evaluate("consent.accept()")
    page = show(FRAME)
    expect(page.frame_locator("#f").locator("p")).to_be_visible()
    page.evaluate("consent.withdraw()")
    page.wait_for_timeout(200)
    assert frames(page) == []
    expect(page.get_by_role("group", name=HELD)).to_be_visible()


def test_a_script_that_ran_while_granted_runs_once_in_all(show, host: Website) -> None:
    page = show()
    page.evaluate("consent.accept()")
    page.evaluate(
        "u => { s = document.createElement('script'); s.src = u; document.body.append(s); consent.withdraw() }",
        f"{host.url}/a.js",
    )
    page.wait_for_timeout(200)
    page.evaluate("consent.accept(); document.body.append(s)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") == ["a"]


def test_what_waits_in_a_shadow_root_comes_alive_and_goes_to_sleep(show, host: Website) -> None:
    page = show("<div id=d></div>")
    page.evaluate(
        "u => d.attachShadow({mode: 'open'}).innerHTML = `<iframe width=300 height=150 src=${u}></iframe>`",
        f"{host.url}/frame",
    )
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("consent.accept()")
    expect(page.locator("iframe").content_frame.locator("p")).to_be_visible()
    page.evaluate("consent.withdraw()")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    assert frames(page) == []


BACK = {
    "srcdoc": "f = document.createElement('iframe'); f.srcdoc = `<p>In</p><img src='${T}/pixel'>`; document.body.append(f)",
    "an SVG script": SVG.replace("TAG", "script") + "x.setAttribute('href', T + '/a.js'); document.body.append(g)",
    "an SVG image": SVG.replace("TAG", "image") + "x.setAttribute('href', T + '/pixel'); document.body.append(g)",
    "a background": "document.body.setAttribute('background', T + '/pixel')",
    "a poster": "document.body.insertAdjacentHTML('beforeend', `<video poster='${T}/pixel'></video>`)",
    "markup": "document.body.insertAdjacentHTML('beforeend', `<p><img alt=a<b src='${T}/pixel'>`)",
    "a script in markup": "document.body.append(document.createRange().createContextualFragment(`<script src='${T}/a.js'></` + `script>`))",
    "written": "document.write(`<img src='${T}/pixel'>`)",
    "a frame that moved": "e = document.createElement('div'); document.body.append(e); f = document.createElement('iframe'); f.src = T + '/frame'; document.body.append(f); e.append(f)",
    "a frame's attribute": BLANK + "f.setAttribute('SRC', T + '/frame')",
}


@pytest.mark.parametrize("kind", BACK)
def test_what_was_held_comes_alive_on_grant(show, host: Website, kind: str) -> None:
    page = show()
    page.evaluate(f"window.T = '{host.url}'; {BACK[kind]}")
    page.wait_for_timeout(150)
    assert host.requests == []
    page.evaluate("consent.accept()")
    page.wait_for_timeout(400)
    assert len(host.requests) == 1


def test_markup_of_several_parts_keeps_its_structure(show, host: Website) -> None:
    page = show("<div id=d></div>")
    page.evaluate(
        """u => { const w = d.ownerDocument; w.write('<section id=o><b>'); w.write(`x<img src='${u}/pixel'></b>`);
        w.write('<i class=y'); w.write('>z</i>'); w.write('</section><p id=last>') }""",
        host.url,
    )
    page.wait_for_timeout(150)
    inside = "o.innerHTML.replace(/<img[^>]*>/, '<img>').replace(/<div.*<.div>/, '')"
    assert page.evaluate(inside) == '<b>x<img></b><i class="y">z</i>'
    assert page.evaluate("last.parentElement.localName") == "body"


def test_an_element_that_gets_another_address_is_free_again(show, website: Website, host: Website) -> None:
    website.put("/own.js", RAN.format("own"), "text/javascript")
    website.put("/own", "<p>Own")
    page = show()
    add(page, host)
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("f.src = '/own'")
    expect(page.frame_locator("#f").locator("p")).to_have_text("Own")
    expect(page.get_by_role("group", name=HELD)).to_have_count(0)
    page.evaluate(
        "u => { s = document.createElement('script'); s.src = u; s.src = '/own.js'; document.body.append(s) }", host.url
    )
    page.wait_for_function("window.ran")
    page.evaluate(
        "u => { i = new Image(); i.srcset = u + '/pixel 9x'; i.src = '/own.png'; document.body.append(i) }", host.url
    )
    assert page.evaluate("[i.dataset.srcset.slice(-3), i.dataset.consent]") == [" 9x", "analytics"]


# The page stays whole


def test_a_page_may_rewrite_the_markup_around_a_placeholder(show, host: Website) -> None:
    page = show("<div id=a></div>")
    page.evaluate("u => a.innerHTML = `<iframe width=300 height=150 src=${u}></iframe>`", f"{host.url}/frame")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("a.innerHTML = a.innerHTML")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    assert page.locator(".consent-placeholder").count() == 1
    page.evaluate("copy = a.innerHTML")
    page.evaluate("consent.accept()")
    expect(page.frame_locator("#a iframe").locator("p")).to_be_visible()
    page.evaluate("a.innerHTML = copy")
    expect(page.frame_locator("#a iframe").locator("p")).to_be_visible()
    assert page.locator(".consent-placeholder").count() == 0


def test_a_placeholder_follows_its_embed(show, host: Website) -> None:
    page = show("<div id=a></div><div id=b></div>")
    page.evaluate("u => a.innerHTML = `<iframe width=300 height=150 src=${u}></iframe>`", f"{host.url}/frame")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("b.append(a.querySelector('iframe'))")
    expect(page.locator("#b").get_by_role("group", name=HELD)).to_be_visible()
    assert page.evaluate("a.innerHTML") == ""


def test_an_iframe_of_the_page_gets_its_placeholder_with_its_address_or_its_mark(show, host: Website) -> None:
    page = show("<iframe id=f width=300 height=150></iframe><iframe id=g data-src=/x width=300 height=150></iframe>")
    page.evaluate("u => f.setAttribute('src', u)", f"{host.url}/frame")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("g.dataset.consent = 'social'")
    expect(page.locator(".consent-placeholder")).to_have_count(2)


def test_three_hundred_embeds_are_held_at_once(show, host: Website) -> None:
    page = show()
    took = page.evaluate(
        """async u => { const begun = performance.now();
        document.body.insertAdjacentHTML('beforeend', `<img width=300 height=150 src=${u}>`.repeat(300));
        await new Promise(r => setTimeout(r)); return performance.now() - begun }""",
        f"{host.url}/pixel",
    )
    assert page.locator(".consent-placeholder").count() == 300
    assert took < 2000


def test_whoever_made_a_script_may_take_it_away_again(show, host: Website) -> None:
    page = show()
    page.evaluate(
        "u => { s = document.createElement('script'); s.src = u; document.body.appendChild(s); consent.accept() }",
        f"{host.url}/a.js",
    )
    page.wait_for_function("window.ran")
    page.evaluate(
        "copy = s.cloneNode(true); document.body.removeChild(s); consent.withdraw(); document.body.append(s, copy)"
    )
    page.evaluate("consent.accept()")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") == ["a"]


def test_a_released_script_that_writes_leaves_the_page_as_it_is(show) -> None:
    code = "document.write('<b id=w>w</'); document.write('b><script>window.ran = 1</' + 'script>'); window.wrote = typeof document.write"
    page = show(f"<p id=keep>keep</p><script type=text/plain data-consent=analytics>{code}</script><p id=after>")
    page.evaluate("consent.accept()")
    page.wait_for_function("window.ran")
    assert page.evaluate("[!!window.keep, w.nextElementSibling.localName, !!window.after, Object.hasOwn(document, 'write')]") == [
        True, "script", True, False,
    ]  # fmt: skip


def test_markup_before_the_body_is_judged(service: Service, website: Website, host: Website, page: Page) -> None:
    own = tag(service).replace(" async", "")
    code = "document.head.append(document.createRange().createContextualFragment(`<script src='TRACKER/a.js'></` + `script>`)); window.done = 1"
    host.requests.clear()
    html = f"<!doctype html><head>{own}<script>{code.replace('TRACKER', host.url)}</script></head><body>"
    page.goto(website.put("/head", html))
    page.wait_for_timeout(200)
    assert (page.evaluate("window.done"), host.requests) == (1, [])


SHUT = "Object.defineProperty(window, '{}', {{ get() {{ throw new DOMException('no', 'SecurityError') }}, configurable: true }})"


def test_a_kind_of_storage_that_is_shut_keeps_no_other_from_being_cleared(show, page: Page) -> None:
    page.add_init_script(SHUT.format("localStorage"))
    show()
    page.evaluate("consent.on('error', e => { window.error = e }); consent.accept()")
    page.evaluate("sessionStorage.setItem('count:a', 1); caches.open('counts-1').then(() => 1)")
    page.evaluate("new Promise(d => { indexedDB.open('counts').onsuccess = e => { e.target.result.close(); d() } })")
    page.evaluate("document.cookie = '_count1=1'; document.cookie = '_count6'; consent.withdraw()")
    page.wait_for_function("window.error?.left.includes('far')")
    assert page.evaluate("[sessionStorage.getItem('count:a'), error.left, document.cookie.includes('_count')]") == [
        None, ["local_storage", "far", "hidden"], False,
    ]  # fmt: skip
    assert page.evaluate("indexedDB.databases().then(l => l.length)") == 0
    assert page.evaluate("caches.keys()") == []


def test_one_storage_that_is_shut_leaves_the_other_as_it_is(show, page: Page) -> None:
    page.add_init_script(SHUT.format("sessionStorage"))
    show()
    page.evaluate("localStorage.setItem('mine', 1); localStorage.setItem('count:a', 1)")
    assert page.evaluate("[localStorage.getItem('mine'), localStorage.getItem('count:a')]") == ["1", None]
    page.evaluate("consent.accept()")
    page.wait_for_function("consent.receipt()")


COOKIES = [
    "_count1=1; Max-Age=0999",
    "_count2=1;max-age=05000",
    "_count3=1; Max-Age=0; max-age=9999",
    "_count4=max-age=0",
    "_count5=a expires= 1970 b",
    "_count6=1; expires=Thu, 01 Jan 2099 00:00:00 GMT; x=expires=1970",
    " \t_count7 =1",
    "_count8",
]


def test_no_cookie_of_a_refused_service_is_kept_however_it_is_said(show) -> None:
    page = show()
    page.evaluate("list => list.forEach(one => { document.cookie = one })", COOKIES)
    page.evaluate("cookieStore.set(' _count9', '1')")
    page.evaluate(
        "cookieStore.set({ get name() { return (window.q = (window.q || 0) + 1) > 1 ? '_count10' : 'mine' }, value: '1' })"
    )
    assert page.evaluate("document.cookie") == "mine=1"


def test_a_cookie_of_a_refused_service_can_be_taken_away(show, website: Website) -> None:
    page = show()
    for how in (
        "max-age=0",
        "Max-Age=-1",
        "expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "expires=Thu, 01-Jan-1970 00:00:01 GMT",
    ):
        page.context.add_cookies([{"name": "_count1", "value": "1", "url": website.url + "/"}])
        page.evaluate(f"document.cookie = '_count1=; path=/; {how}'")
        assert page.evaluate("document.cookie") == "", how


WRONG = [
    "new XMLHttpRequest().open('GET')",
    "localStorage.setItem('a')",
    "document.createElement('p').setAttribute('src')",
    "document.createElement('p').setAttributeNS(null, 'src')",
    "document.body.insertAdjacentHTML('beforeend')",
    "document.body.insertAdjacentHTML('nowhere', '<img src=x>')",
    "document.body.appendChild()",
    "document.body.appendChild({localName: 'script', src: 1})",
    "document.createElement('p').setAttributeNode(null)",
    "document.createRange().createContextualFragment()",
    "Storage.prototype.setItem.call({}, 'a', 'b')",
    "new WebSocket()",
    "navigator.sendBeacon()",
]


@pytest.mark.parametrize("code", WRONG)
def test_wrong_use_fails_as_it_did(show, code: str) -> None:
    page = show()
    answer = f"(() => {{ try {{ {code} }} catch (error) {{ return error.name }} }})()"
    blank = page.context.new_page()
    assert page.evaluate(answer) == blank.evaluate(answer) or page.evaluate(answer) == "TypeError"


def test_what_was_patched_looks_as_before(show) -> None:
    page = show()
    assert page.evaluate(
        """[fetch.name, fetch.length, Element.prototype.append.name, Node.prototype.appendChild.length,
        XMLHttpRequest.prototype.open.length, Element.prototype.setAttribute.name, typeof new Audio().play, new Image() instanceof Image,
        new Audio() instanceof Audio, document.body.insertAdjacentHTML('beforeend', '<p>'), document.body.innerHTML = null]"""
    ) == ["fetch", 1, "append", 1, 2, "setAttribute", "function", True, True, None, None]


def test_a_click_on_no_element_breaks_nothing_and_one_in_a_shadow_root_opens(show, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    show("<div id=d></div>")
    page.evaluate("document.dispatchEvent(new MouseEvent('click'))")
    page.evaluate("d.attachShadow({mode: 'open'}).innerHTML = '<p data-consent-open>Cookies</p>'")
    page.get_by_text("Cookies", exact=True).click()
    expect(page.get_by_role("dialog", name="Privacy preferences")).to_be_visible()
    assert errors == []


def test_a_root_that_is_no_selector_is_the_body(service: Service, website: Website, page: Page) -> None:
    page.goto(website.put("/root", f"<!doctype html><head>{tag(service, ' data-root=#1bad[')}</head><body>"))
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()


def test_a_form_called_consent_with_any_fields_is_no_guard(service: Service, website: Website, page: Page) -> None:
    form = "<form id=consent><input name=handOver></form>"
    page.goto(website.put("/form", f"<!doctype html><body>{form}{tag(service)}"))
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()


def test_a_category_that_the_policy_lacks_is_named_on_the_console(show, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    show("<iframe data-consent=marketing data-src=/x width=300 height=150></iframe>")
    expect(page.locator(".consent-placeholder")).to_be_visible()
    assert [text for text in said if 'has no "marketing"' in text]


def test_markup_in_an_xml_page_is_left_to_its_parser(
    service: Service, website: Website, host: Website, page: Page
) -> None:
    head = f"<head><title>x</title><script async='async' src='{service.url}/sites/shop/banner.js'></script></head>"
    html = f"<html xmlns='http://www.w3.org/1999/xhtml'>{head}<body><div id='d'/></body></html>"
    page.goto(website.put("/x", html, "application/xhtml+xml"))
    page.wait_for_function("window.consent")
    page.evaluate(
        "u => { window.d = document.getElementById('d'); d.innerHTML = `<iframe xmlns='http://www.w3.org/1999/xhtml' src='${u}'/>` }",
        f"{host.url}/frame",
    )
    page.wait_for_timeout(200)
    assert page.evaluate("[d.firstElementChild.localName, d.lastElementChild.localName, d.lastElementChild.src]") == [
        "div",
        "iframe",
        "",
    ]


def test_a_page_that_has_frozen_its_prototypes_is_one_way_less(
    service: Service, website: Website, host: Website, page: Page
) -> None:
    frozen = "<script>for (const one of [HTMLVideoElement, Element, Storage]) Object.freeze(one.prototype)</script>"
    page.goto(website.put("/frozen", f"<!doctype html><head>{frozen}{tag(service)}</head><body>"))
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()
    host.requests.clear()
    page.evaluate("u => { new Image().src = u }", f"{host.url}/pixel")
    page.wait_for_timeout(200)
    assert host.requests == []
