"""`python -m bench.blocking`: what holding back by address costs a page, in headless Chromium.

The same page in turns without the script, with nothing but a MutationObserver that does not look at what it hears, with
the script and no banner (so that what blocks is all that costs), and with the banner standing: 5,000 elements inserted
and laid out after load (medians of the rounds' own ratios), and one match of an address against sixty services of the
catalogue (microseconds).
"""

import shutil
from statistics import median

from playwright.sync_api import Page, sync_playwright

from bench import results
from consent import banner, catalogue, policy
from consent.model import Category, Policy, Service

ROUNDS = 25
SERVICES = 60
INSERT = """() => {
    const box = document.createElement("div");
    document.body.append(box);
    const begun = performance.now();
    for (let n = 0; n < 5000; n++) {
        const one = document.createElement("p");
        one.setAttribute("class", "x");
        one.textContent = n;
        box.appendChild(one);
    }
    box.offsetHeight; // laid out: this is what the visitor waits for
    return new Promise(done => setTimeout(() => (done(performance.now() - begun), box.remove())));
}"""
OBSERVER = "<script>new MutationObserver(() => 0).observe(document, { childList: true, subtree: true })</script>"
HEADS = {
    "without": "",
    "observer": OBSERVER,
    "blocking": "<script src='/sites/bench/banner.js' data-auto='off'></script>",
    "banner": "<script src='/sites/bench/banner.js'></script>",
}
SHOWN = {
    "observer": "an observer alone, which hears and does nothing",
    "blocking": "the script, no banner (budget 1.05)",
    "banner": "the script and its banner, which is laid out too",
}
ADDRESSES = 2000
MATCH = """count => {
    const image = new Image(), begun = performance.now();
    for (let n = 0; n < count; n++) image.setAttribute("src", "data:,");
    const floor = performance.now();
    for (let n = 0; n < count; n++) image.setAttribute("src", "https://cdn.shop.example/a/b/c.png?n=" + n);
    return [floor - begun, performance.now() - floor];
}"""


def script() -> str:
    """The script of a policy with sixty services, as it is served."""
    ids = [id for id, known in catalogue.known().items() if known.urls][:SERVICES]
    names = ("persistent", "analytics", "social", "advertising")
    categories = [Category("session", necessary=True), *map(Category, names)]
    draft = Policy("Bench", ["http://localhost"], ["en"], categories, services=[Service(id) for id in ids])
    published = policy.publish(policy.complete(draft), site="bench", version=1, material_since=1)
    return banner.render(published, language="en", regime="opt-in").decode()


def main() -> None:
    """Measure and print."""
    body = "<!doctype html><html><head>{}</head><body></body></html>"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        pages = {name: body.format(head) for name, head in HEADS.items()}
        page.route("**/*", lambda route: _answer(route, pages, script()))
        rounds = [{name: _visit(page, name) for name in pages} for _ in range(ROUNDS)]
        browser.close()
    match = median(one["blocking"][1] - one["without"][1] for one in rounds) * 1e3 / ADDRESSES
    ratios = {name: median(one[name][0] / one["without"][0] for one in rounds) for name in SHOWN}
    lines = [
        f"5,000 elements inserted: {median(one['without'][0] for one in rounds):.1f} ms without the script; ratios:",
        *(f"  {what}: {ratios[name]:.3f}" for name, what in SHOWN.items()),
        f"one match against {SERVICES} services: {match:.2f} us (budget 10)",
    ]
    results.keep("blocking", "\n".join(lines), {"ratios": ratios, "match": match, "rounds": rounds})


def _visit(page: Page, name: str) -> tuple[float, float]:
    page.goto(f"http://localhost/{name}")
    page.wait_for_timeout(200)
    first = page.evaluate(INSERT)
    inserted = median([first, *(page.evaluate(INSERT) for _ in range(4))])
    _, addresses = page.evaluate(MATCH, ADDRESSES)
    return inserted, addresses


def _answer(route, pages: dict[str, str], code: str) -> None:  # type: ignore[no-untyped-def]
    name = route.request.url.rpartition("/")[2]
    if name in pages:
        route.fulfill(body=pages[name], content_type="text/html")
    elif name == "banner.js":
        route.fulfill(body=code, content_type="text/javascript")
    else:
        route.fulfill(status=404)


if __name__ == "__main__":
    main()
