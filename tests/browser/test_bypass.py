"""Ways around the blocking, each of which once worked: nothing is requested, nothing runs, nothing is kept."""

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


def test_markup_before_the_body_is_judged(service: Service, website: Website, host: Website, page: Page) -> None:
    own = tag(service).replace(" async", "")
    code = "document.head.append(document.createRange().createContextualFragment(`<script src='TRACKER/a.js'></` + `script>`)); window.done = 1"
    host.requests.clear()
    html = f"<!doctype html><head>{own}<script>{code.replace('TRACKER', host.url)}</script></head><body>"
    page.goto(website.put("/head", html))
    page.wait_for_timeout(200)
    assert (page.evaluate("window.done"), host.requests) == (1, [])


# What is kept

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
