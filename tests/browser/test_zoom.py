"""Zoomed in until four screens make one: every word and button of both layers can be reached, whole."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Service, Website

pytestmark = pytest.mark.browser

# What a window of 1280 pixels has left: its zoom, width and height.
ZOOMS = {"200 %": (2, 640, 400), "400 %": (4, 320, 256)}
LAYOUTS: dict[str, dict] = {
    "box": {},
    "bar": {"layout": "bar", "position": "top"},
    "modal": {"layout": "modal", "preferences": "drawer"},
}
# Whatever has words of its own: scrolled to, both its ends are seen, nothing lies over it, and nothing of it is cut off.
UNREACHED = """root => [...root.querySelectorAll('*')].filter(one => one.offsetHeight && [...one.childNodes].some(node => node.nodeType == 3 && node.data.trim())).flatMap(one => {
  const wrong = [];
  for (const block of ['start', 'end']) {
    one.scrollIntoView({ block });
    const [first, ...rest] = one.getClientRects();
    const last = rest.at(-1) || first, at = block == 'start' ? first : last;
    const y = block == 'start' ? at.top + 6 : at.bottom - 6, x = at.left + at.width / 2;
    if (y < 0 || y > innerHeight || at.left < -.5 || at.right > innerWidth + .5) wrong.push(block + ' is out of sight');
    const over = one.getRootNode().elementFromPoint(x, y);
    if (!one.contains(over) && !over?.contains(one)) wrong.push(block + ' lies under ' + over?.outerHTML);
  }
  if (getComputedStyle(one).display != 'inline' && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)) wrong.push('is cut off');
  return wrong.map(what => one.textContent.slice(0, 40) + ': ' + what);
})"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    services = [{"id": id} for id in ("google-analytics", "youtube")]
    more = {"services": services, "languages": ["en", "de", "ar"], "privacy_url": "https://shop.example/privacy"}
    for site, appearance in LAYOUTS.items():
        service.publish(site, [website.url], ("persistent", "analytics", "social"), appearance=appearance, **more)
    with service:
        yield service


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("site", LAYOUTS)
def test_every_word_can_be_reached(service: Service, website: Website, browser: Browser, site: str, zoom: str) -> None:
    factor, width, height = ZOOMS[zoom]
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=factor)
    page = context.new_page()
    for language in ("en", "de", "ar"):
        tag = f'<script async src="{service.url}/sites/{site}/banner.js?lang={language}"></script>'
        page.goto(website.put("/", f"<!doctype html><html><head><title>Shop</title>{tag}</head><body><h1>Shop</h1>"))
        page.wait_for_selector("#consent-banner")
        assert page.locator("#consent-banner").evaluate(UNREACHED) == []
        page.evaluate("consent.open()")
        dialog = page.locator("#consent-preferences dialog")
        dialog.evaluate("it => it.querySelectorAll('details').forEach(one => (one.open = true))")
        assert dialog.evaluate(UNREACHED) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
