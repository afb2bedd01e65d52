"""Visits to one page, each in a context and so a renderer process of its own, and what was seen of the banner.

Times are the page's own, in milliseconds since the navigation began; clicks are real input. A visit that takes times
carries a probe; one that weighs script, heap and nodes carries nothing.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

Figures = dict[str, float]

SLOW_4G = {"offline": False, "latency": 562.5, "downloadThroughput": 184_320, "uploadThroughput": 86_400}
"""150 ms and 1.6 Mbit/s as Lighthouse has the browser imitate them: latency × 3.75, throughput × 0.9."""

SETTLED = 0.4
"""Seconds after the page's load event, or a click, in which everything has been shown, at 6× too."""

AT_REST = 1.5
"""Seconds after the load event in which everything has been done: the script leaves some of its work for a second later."""

LATER = 0.9
"""Seconds after a script's start from which on its work is not done while the page loads."""

PROBE = """(() => {
const probe = window.probe = { frames: 0, shift: 0, blocked: 0, kept: [] };
const here = () => document.getElementById("consent-banner");
const watch = (type, take) =>
  new PerformanceObserver(list => list.getEntries().forEach(take)).observe({ type, buffered: true });
watch("layout-shift", ({ value }) => probe.shift += value);
watch("longtask", ({ duration }) => probe.blocked += Math.max(0, duration - 50));
function painted(done) { // a message is handled once the frame is painted
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now());
  port2.postMessage(0);
}
function frame() {
  probe.frames++;
  const box = probe.visible ? null : here();
  if (box?.offsetHeight && getComputedStyle(box).opacity == 1 && !document.getAnimations().length)
    painted(now => probe.visible = now);
  if (probe.gone && !probe.painted) painted(now => probe.painted = probe.painted || now);
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
new MutationObserver(() => {
  if (here() && !probe.there) probe.there = performance.now(), window.ready?.("");
  if (probe.clicked && !probe.gone && !here())
    probe.gone = performance.now(), probe.passed = probe.frames - probe.frame;
}).observe(document, { childList: true, subtree: true });
addEventListener("click", event => {
  if (!/^consent-(accept|reject)$/.test(event.target.id)) return;
  setTimeout(() => probe.kept.push(/consent=/.test(document.cookie)));
  if (probe.clicked) return;
  probe.clicked = event.timeStamp;
  probe.frame = probe.frames;
}, true);
})()"""
SEEN = """() => ({ ...probe, first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  began: window.began, asked: performance.getEntriesByName(location.origin + "/tag.js")[0]?.startTime })"""
NODES = """() => {
  const count = node => 1 + [...node.childNodes].reduce((sum, one) => sum + count(one), 0)
    + (node.shadowRoot ? count(node.shadowRoot) : 0);
  return count(document);
}"""
MIDDLE = """id => {
  const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


def seen(browser: Browser, url: str, *, click: str = "", cpu: int = 1, slow: bool = False) -> Figures:
    """One first visit, watched; `click` is the id of the button that is pressed in the end."""
    with _fresh(browser) as (page, cdp):
        page.add_init_script(PROBE)
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": cpu})
        if slow:
            cdp.send("Network.enable")
            cdp.send("Network.emulateNetworkConditions", SLOW_4G)
        _load(page, url, AT_REST)
        if click:
            press(cdp, page.evaluate(MIDDLE, click))
            time.sleep(SETTLED)
            if slow:
                time.sleep(SLOW_4G["latency"] / 1000)
        return page.evaluate(SEEN)


def weighed(browser: Browser, url: str) -> Figures:
    """Script time of a first visit, heap and nodes; after a refusal, if there is a button, of a returning visit."""
    with _fresh(browser) as (page, cdp):
        found = dict(zip(("script", "script early"), _script(page, url), strict=True))
        for _ in range(3):
            cdp.send("HeapProfiler.collectGarbage")
        found["heap"] = cdp.send("Runtime.getHeapUsage")["usedSize"] / 1024
        found["nodes"] = page.evaluate(NODES)
        cookies = _refuse(page, cdp)
    with _fresh(browser) as (page, _):
        page.context.add_cookies(cookies)
        found |= zip(("script again", "script early again"), _script(page, url), strict=True)
    return found


def hurried(browser: Browser, url: str, place: list[float], *, cpu: int) -> Figures:
    """A click on a button's place the moment the banner stands: whether it was lost, and when it came."""
    with _fresh(browser) as (page, cdp):
        page.add_init_script(PROBE)
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": cpu})
        cdp.send("Runtime.enable")
        cdp.send("Runtime.addBinding", {"name": "ready"})
        cdp.on("Runtime.bindingCalled", lambda _: press(cdp, place))
        _load(page, url)
        page.wait_for_timeout(100 * cpu)  # lets the binding's call come in
        found = page.evaluate("probe")
        return {"lost": float(found["kept"] != [True]), "after": found.get("clicked", 0) - found.get("there", 0)}


def place(browser: Browser, url: str, button: str) -> list[float]:
    """Where the middle of a button will be."""
    with _fresh(browser) as (page, _):
        _load(page, url)
        return page.evaluate(MIDDLE, button)


def press(cdp: CDPSession, place: list[float]) -> None:
    """A click of the mouse."""
    x, y = place
    for kind in ("mousePressed", "mouseReleased"):
        cdp.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})


@contextmanager
def _fresh(browser: Browser) -> Iterator[tuple[Page, CDPSession]]:
    context: BrowserContext = browser.new_context()
    try:
        page = context.new_page()
        yield page, context.new_cdp_session(page)
    finally:
        context.close()


def _load(page: Page, url: str, rest: float = SETTLED) -> None:
    page.goto(url)
    time.sleep(rest)


def _script(page: Page, url: str) -> tuple[float, float]:
    """Milliseconds of CPU time that the main thread spent on evaluating scripts and calling their functions: all, and
    while the page loaded.

    CPU time, not the clock's: a busy machine stretches it less. Calls inside calls count once.
    """
    browser = page.context.browser
    assert browser
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    _load(page, url, AT_REST)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    own = [one for one in events if one["name"] in ("EvaluateScript", "FunctionCall") and _of(one, url)]
    spent, early, until = 0, 0, 0
    for one in sorted(own, key=lambda one: (one["ts"], -one["dur"])):
        if one["ts"] < until:
            continue
        spent, until = spent + one["tdur"], one["ts"] + one["dur"]
        if one["ts"] < min(other["ts"] for other in own) + LATER * 1e6:
            early = spent
    return spent / 1000, early / 1000


def _of(event: dict, url: str) -> bool:
    """Whether an event of the trace is a whole piece of work of a script on the page's own origin."""
    source = event.get("args", {}).get("data", {}).get("url", "")
    return event["ph"] == "X" and source.startswith(url.rpartition("/")[0] + "/")


def _refuse(page: Page, cdp: CDPSession) -> list:
    if page.evaluate("!!document.getElementById('consent-reject')"):
        press(cdp, page.evaluate(MIDDLE, "consent-reject"))
        time.sleep(SETTLED)  # the server answers meanwhile
    return page.context.cookies()
