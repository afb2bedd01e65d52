"""Accepting and refusing are the same in every language and layout, on a phone and on a desk, and nothing scrolls sideways."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Service, Website
from tests.browser.test_banner import CONTRAST

pytestmark = pytest.mark.browser

LANGUAGES = sorted(path.stem for path in (Path(__file__).parents[2] / "consent" / "locales").glob("*.json"))
LAYOUTS = ("box", "bar", "center", "modal")
SIZES = {"phone": (320, 640), "desk": (1280, 800)}
# A frame's size is what a window's is to the page in it, so that fifty languages are measured in one go.
MEASURE = """async ([site, languages, [width, height]]) => {
  const contrast = CONTRAST;
  const settled = (frame, language) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`no banner in ${language}`)), 120e3);
    const look = () => frame.contentDocument?.querySelector("#consent-banner") ? done() : setTimeout(look, 20);
    look();
  });
  const about = button => {
    const { width, height } = button.getBoundingClientRect(), said = getComputedStyle(button);
    const looks = [said.font, said.color, said.backgroundColor, said.border, said.borderRadius, said.padding, said.opacity];
    return { looks: looks.join(), width: Math.round(width), height: Math.round(height), contrast: contrast(button),
      cut: button.scrollWidth > button.clientWidth || button.scrollHeight > button.clientHeight };
  };
  const layer = root => ({
    accept: about(root.querySelector("#consent-accept")), reject: about(root.querySelector("#consent-reject")) });
  const one = async language => {
    const frame = document.createElement("iframe");
    frame.style = `width: ${width}px; height: ${height}px; border: 0`;
    frame.src = `/page?${site}&${language}`;
    document.body.append(frame);
    await settled(frame, language);
    const { contentDocument: page, contentWindow: { consent } } = frame;
    const banner = page.querySelector("#consent-banner");
    const first = layer(banner);
    const wide = [page.documentElement, banner].map(one => one.scrollWidth - one.clientWidth);
    consent.open();
    const root = page.querySelector("#consent-preferences").shadowRoot;
    const found = { language, said: page.querySelector("#consent-reject").textContent, first, second: layer(root),
      wide: [...wide, ...[page.documentElement, root.querySelector("dialog")].map(one => one.scrollWidth - one.clientWidth)] };
    frame.remove();
    return found;
  };
  return Promise.all(languages.map(one));
}""".replace("CONTRAST", CONTRAST)
PAGE = """<!doctype html><title>Shop</title><h1>Shop</h1><script>
const [site, language] = location.search.slice(1).split("&");
document.head.append(Object.assign(document.createElement("script"), {src: `SERVICE/sites/${site}/banner.js?lang=${language}`}));
</script>"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    """A site for every layout, in every language."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.start()
    for layout in LAYOUTS:
        more = {"languages": LANGUAGES, "appearance": {"layout": layout}, "privacy_url": "https://shop.example/"}
        service.publish(layout, [website.url], ("persistent", "analytics", "social"), **more)
    yield service
    service.stop()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_answers_are_the_same_in_every_language(
    service: Service, website: Website, page: Page, layout: str, size: str
) -> None:
    website.put("/page", PAGE.replace("SERVICE", service.url))
    page.goto(website.put("/", "<!doctype html><title>All</title>"))
    found = page.evaluate(MEASURE, [layout, LANGUAGES, SIZES[size]])
    assert len({one["said"] for one in found}) > 40  # each is in its own language
    wrong = []
    for one in found:
        for name in ("first", "second"):
            accept, reject = one[name]["accept"], one[name]["reject"]
            if accept != reject or accept["contrast"] < 5 or accept["cut"]:
                wrong.append((one["language"], name, accept, reject))
    assert wrong == []
    assert [(one["language"], one["wide"]) for one in found if max(one["wide"]) > 0] == []
