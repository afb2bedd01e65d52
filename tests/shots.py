"""`make shots`: a picture of every layout, theme, size and direction in shots/, with an index.html to look through."""

import re
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from playwright.sync_api import Browser, Route, sync_playwright

from consent import banner, policy
from consent.model import Appearance, Category, Policy, Service
from consent.policy_types import Palette
from tests.browser import desk
from tests.browser.conftest import Service as Running

FOLDER = Path("shots")
LOOKS = {
    **{
        f"box-{corner}": Appearance(position=corner)
        for corner in ("bottom-left", "bottom-right", "top-left", "top-right")
    },  # type: ignore[arg-type]
    **{f"bar-{edge}": Appearance(layout="bar", position=edge) for edge in ("top", "bottom")},  # type: ignore[arg-type]
    "center": Appearance(layout="center"),
    "modal": Appearance(layout="modal"),
    "preferences-dialog": Appearance(),
    "preferences-drawer": Appearance(preferences="drawer"),
}
OWN = Appearance(
    theme="light",
    light=Palette(paper="#fff8ee", ink="#3b2412", accent="#8a3b12", line="#8a7565"),
    logo="/logo.svg",
    font="Georgia, 'DejaVu Serif', serif",
    radius=4,
    spacing="wide",
)
ROOMS = tuple(f"/admin/{room}" for room in ("", "sign-in", "account", "people", "people/anna", "tokens", "trail", "trail/1", "health", "new-site")) + tuple(
    f"{desk.SITE}/{room}"
    for room in (
        "overview", "receipts", "install", "export", "export?format=csv", "requests", f"requests?q={desk.KNOWN}", "settings",
        "banner", "banner/services", "banner/looks", "banner/rules", "banner/review", "banner/history", "banner/published",
        "banner/service?number=0", "banner/file", "nowhere",
    )
)  # fmt: skip
SCHEMES = ("light", "dark")
THEMES = {"light": Appearance(theme="light"), "dark": Appearance(theme="dark"), "own": OWN}
SIZES = {"desktop": (1280, 800), "phone": (360, 740)}
LANGUAGES = {"ltr": "en", "rtl": "ar"}
SERVICES = ("google-analytics", "matomo", "youtube", "openstreetmap")
LOGO = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 120 32'><circle cx='16' cy='16' r='14' fill='#8a3b12'/>"
    "<rect x='40' y='10' width='76' height='12' rx='6' fill='#3b2412'/></svg>"
)
PAGE = """<!doctype html><html lang={language} dir={direction}><meta charset=utf-8>
<meta name=viewport content="width=device-width"><title>Shop</title><script async src="/sites/shop/banner.js"></script>
<style>body {{ font: 1em/1.6 sans-serif; max-width: 60em; margin: 3em auto; padding: 0 1em; color-scheme: light dark }}</style>
<body><h1>A shop of good things</h1>{text}"""


def main() -> None:
    """Take every picture anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for look, theme, size, direction in product(LOOKS, THEMES, SIZES, LANGUAGES):
            name = f"{look}-{theme}-{size}-{direction}"
            take(browser, name, merged(LOOKS[look], THEMES[theme]), look, SIZES[size], LANGUAGES[direction])
        at_the_desk(browser)
        browser.close()
    (FOLDER / "index.html").write_text("\n".join(index()))
    print(f"{len(list(FOLDER.glob('*.png')))} pictures: {FOLDER / 'index.html'}")


def at_the_desk(browser: Browser) -> None:
    """Every page of the administrators' desk, on a busy site."""
    with TemporaryDirectory() as folder:
        service = desk.busy(Path(folder))
        state = desk.signed_in(service, browser)
        rooms = {named(room): room for room in ROOMS} | begun(service, browser, state)
        for (name, room), size, scheme in product(rooms.items(), desk.VIEWS, SCHEMES):
            width, height = desk.VIEWS[size]
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                storage_state=state,  # type: ignore[arg-type]
            )
            page = context.new_page()
            page.goto(service.url + room)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"desk-{name}-{size}-{scheme}.png", full_page=True)
            context.close()
        service.stop()


def begun(service: Running, browser: Browser, state: dict) -> dict[str, str]:
    """A draft with a service in it, and a visitor's request answered: pages by name that are there only then."""
    page = browser.new_context(storage_state=state).new_page()  # type: ignore[arg-type]
    page.goto(f"{service.url}{desk.SITE}/banner/services")
    page.get_by_label("Another service").fill("YouTube")
    page.get_by_role("button", name="Add the service").click()
    page.get_by_role("link", name="Edit YouTube").wait_for()
    page.goto(f"{service.url}{desk.SITE}/requests?q={desk.ERASED}")
    page.get_by_label("Type shop to confirm").fill("shop")
    page.get_by_role("button", name="Erase for ever").click()
    page.wait_for_url("**/erasures/*")
    erasure = page.url.removeprefix(service.url)
    page.goto(f"{service.url}{desk.SITE}/receipts")
    receipt = page.locator("main a[href*='/receipts/']").first.get_attribute("href") or ""
    page.context.close()
    return {"erasure": erasure, "receipt": receipt, "receipt-sheet": f"{receipt}/sheet"}


def named(room: str) -> str:
    """A room's name in the name of a file."""
    return re.sub(r"\W+", "-", room.removeprefix("/admin/").removeprefix("sites/shop/")) or "home"


def merged(look: Appearance, theme: Appearance) -> Appearance:
    """A theme in a layout."""
    usual = Appearance()
    own = {name: value for name, value in msgspec.structs.asdict(theme).items() if value != getattr(usual, name)}
    return msgspec.structs.replace(look, **own)


def script(appearance: Appearance, language: str) -> str:
    """The banner's script as it is served."""
    categories = [Category("session", necessary=True), *map(Category, ("persistent", "analytics", "social"))]
    services = [Service(id) for id in SERVICES]
    draft = Policy(
        "Shop", ["http://localhost"], [language], categories, services, appearance=appearance, privacy_url="/privacy"
    )
    published = policy.publish(policy.complete(draft), site="shop", version=1, material_since=1)
    return banner.render(published, language=language, regime="opt-in").decode()


def take(browser: Browser, name: str, appearance: Appearance, look: str, size: tuple[int, int], language: str) -> None:
    """One picture of a page with the banner, or with its preferences."""
    direction = "rtl" if language == "ar" else "ltr"
    text = "<p>Everything here is made by hand, sent the same day and taken back without a question. </p>" * 12
    answers = {
        "/": (PAGE.format(language=language, direction=direction, text=text), "text/html"),
        "/sites/shop/banner.js": (script(appearance, language), "text/javascript"),
        "/logo.svg": (LOGO, "image/svg+xml"),
    }

    def answer(route: Route) -> None:
        body, kind = answers.get(route.request.url.partition("localhost")[2], ("", "text/plain"))
        route.fulfill(body=body, content_type=kind)

    scheme = "dark" if appearance.theme == "dark" else "light"
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.route("**/*", answer)
    page.goto("http://localhost/")
    page.wait_for_selector("#consent-banner", state="attached")
    if look.startswith("preferences"):
        page.evaluate("consent.open()")
        page.locator("#consent-preferences summary").first.click()
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


def index() -> Iterator[str]:
    """A page with all of them, a row for each layout and theme, and for each page of the desk."""
    yield "<!doctype html><meta charset=utf-8><title>Every look</title><style>img { height: 20em; margin: .5em; border: 1px solid }</style>"
    for look, theme in product(LOOKS, THEMES):
        yield f"<h2>{look}, {theme}</h2>"
        yield from (f"<img src='{look}-{theme}-{s}-{d}.png' alt='{s}, {d}'>" for s, d in product(SIZES, LANGUAGES))
    for name in sorted({path.stem.rsplit("-", 2)[0] for path in FOLDER.glob("desk-*.png")}):
        yield f"<h2>{name}</h2>"
        yield from (f"<img src='{name}-{s}-{d}.png' alt='{s}, {d}'>" for s, d in product(desk.VIEWS, SCHEMES))


if __name__ == "__main__":
    main()
