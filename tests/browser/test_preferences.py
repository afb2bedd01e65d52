"""The second layer with services: a switch for each, what it keeps, the last choice, and what has changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Service, Website, tag

pytestmark = pytest.mark.browser

POLICY = """
name = "Shop"
origins = ["{origin}"]
{languages}
[regimes]
{regimes}
[[categories]]
id = "session"
necessary = true
[[categories]]
id = "analytics"
[[categories]]
id = "social"
[[services]]
id = "google-analytics"
[[services]]
id = "youtube"
{more}
"""


class Placed(Service):
    """A service that is told by a proxy where visitors are."""

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "CONSENT_COUNTRY_HEADER": "X-Country"}


@pytest.fixture
def service(tmp_path: Path, website: Website) -> Iterator[Service]:
    service = Placed(tmp_path / "data")
    service.cli("site", "create", "shop", "--origin", website.url)
    with service:
        yield service


@pytest.fixture
def shop(service: Service, website: Website, page: Page):
    """Publish the policy, open a page; the page."""

    def shop(more: str = "", regimes: str = "", lang: str = "", languages: str = 'languages = ["en", "de"]') -> Page:
        file = service.data.parent / "policy.toml"
        file.write_text(POLICY.format(origin=website.url, more=more, regimes=regimes, languages=languages))
        service.cli("policy", "publish", "shop", str(file))
        script = tag(service, f' data-lang="{lang}"' if lang else "")
        page.goto(
            website.put("/", f"<!doctype html><html lang=en><head><title>Shop</title>{script}</head><body><h1>Shop")
        )
        page.wait_for_function("window.consent")
        return page

    return shop


def test_each_service_says_who_runs_it_and_what_it_keeps(shop) -> None:
    page = shop()
    page.get_by_role("button", name="Preferences").click()
    dialog = page.get_by_role("dialog", name="Privacy preferences")
    dialog.get_by_text("Services (1)").first.click()
    expect(dialog.get_by_role("link", name="Google Ireland Limited").first).to_be_visible()
    expect(dialog.get_by_text("_ga (2 years)")).to_be_visible()


def test_lifetimes_are_in_the_visitors_language(shop) -> None:
    page = shop(lang="de")
    page.evaluate("consent.open()")
    page.get_by_role("dialog").get_by_text("(1)").first.click()
    expect(page.get_by_text("_ga (2 Jahre)")).to_be_visible()


def test_a_service_can_be_refused_inside_a_granted_category(shop) -> None:
    page = shop()
    page.get_by_role("button", name="Preferences").click()
    page.get_by_role("switch", name="Statistics").check()
    page.get_by_text("Services (1)").first.click()
    expect(page.get_by_role("switch", name="Google Analytics")).to_be_checked()
    page.get_by_role("switch", name="Google Analytics").uncheck()
    page.get_by_role("button", name="Save my choices").click()
    assert page.evaluate("['analytics', 'google-analytics', 'youtube'].map(consent.granted)") == [True, False, False]


def test_the_last_choice_is_told_and_its_receipt_can_be_downloaded(shop) -> None:
    page = shop()
    page.get_by_role("button", name="Reject all", exact=True).click()
    page.wait_for_function("consent.receipt()")
    page.get_by_role("button", name="Privacy settings").click()
    claims = jwt.decode(page.evaluate("consent.receipt()"), options={"verify_signature": False})
    date = page.evaluate("at => new Date(at).toLocaleString('en')", claims["consent"]["decided_at"])
    said = f"Your last choice: {date}. Policy version: {claims['consent']['policy']}. Receipt: {claims['jti']}."
    expect(page.get_by_text(said)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download my receipt").click()
    assert download.value.path().read_text() == page.evaluate("consent.receipt()")


def test_a_withdrawal_reloads_the_page_where_the_policy_says_so(shop, page: Page) -> None:
    shop(more="[blocking]\nreload = true").get_by_role("button", name="Accept all").click()
    page.wait_for_function("consent.receipt()")
    page.evaluate("window.before = true")
    page.evaluate("setTimeout(consent.withdraw)")
    page.wait_for_function("window.consent && !window.before && consent.state.status == 'withdrawn'")


def test_who_is_asked_again_is_told_what_is_new(shop) -> None:
    page = shop()
    tools = page.context.new_cdp_session(page)  # else the browser may use the script it has for five minutes
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.get_by_role("button", name="Accept all").click()
    page = shop(more='[[services]]\nid = "vimeo"')
    expect(page.get_by_role("dialog").get_by_text("this is new or has changed: Vimeo.")).to_be_visible()
    assert json.loads(page.evaluate("JSON.stringify(consent.state.status)")) == "outdated"


def test_where_one_may_opt_out_the_page_says_so_and_an_opt_out_signal_is_honoured(shop, page: Page) -> None:
    page.set_extra_http_headers({"X-Country": "US-CA"})
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    shop(regimes='US-CA = "opt-out"')
    expect(page.get_by_role("dialog").get_by_text("Opt-out request honoured")).to_be_visible()
    assert page.evaluate("[consent.state.regime, consent.granted('youtube')]") == ["opt-out", False]
    page.get_by_role("button", name="Reject all", exact=True).click()
    control = page.get_by_role("button", name="Do not sell or share my personal information")
    expect(control).to_have_text("Do not sell or share my personal information")


def test_where_one_is_only_told_the_banner_says_so_and_everything_is_granted(shop, page: Page) -> None:
    page.set_extra_http_headers({"X-Country": "BR"})
    shop(regimes='BR = "notice"')
    told = "You can still refuse this here and change your choice at any time."
    expect(page.get_by_role("dialog").get_by_text(told)).to_be_visible()
    assert page.evaluate("[consent.state.regime, consent.state.status, consent.granted('youtube')]") == [
        "notice",
        "unknown",
        True,
    ]


def test_where_one_may_opt_out_the_signal_does_not_overrule_a_click(shop, page: Page) -> None:
    page.set_extra_http_headers({"X-Country": "US-CA"})
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    shop(regimes='US-CA = "opt-out"').get_by_role("button", name="Accept all", exact=True).click()
    page.reload()
    page.wait_for_function("window.consent")
    assert page.evaluate("[consent.state.regime, consent.state.status, consent.granted('youtube')]") == [
        "opt-out",
        "given",
        True,
    ]


CRAWLERS = ["Googlebot/2.1", "bingbot/2.0", "YandexBot/3.0", "DuckDuckBot/1.1", "Applebot/0.1", "Google-InspectionTool/1.0", "Baiduspider/2.0", "Yahoo! Slurp"]  # fmt: skip


@pytest.mark.parametrize("regime", ["opt-out", "notice"])
def test_a_crawler_is_granted_nothing_wherever_it_comes_from(
    shop, browser: Browser, website: Website, regime: str
) -> None:
    shop(regimes=f'US = "{regime}"')
    said = "[consent.state.regime, consent.granted('analytics'), consent.granted('session'), !!document.querySelector('#consent-banner')]"
    for name in CRAWLERS:
        agent = f"Mozilla/5.0 (compatible; {name})"
        context = browser.new_context(user_agent=agent, extra_http_headers={"X-Country": "US"})
        crawler = context.new_page()
        crawler.goto(website.url + "/")
        crawler.wait_for_function("window.consent")
        assert (name, crawler.evaluate(said)) == (name, [regime, False, True, False])
        context.close()


@pytest.mark.parametrize("size", [(320, 640), (320, 256)])
def test_the_preferences_reflow_in_every_language_that_needs_room(shop, page: Page, size: tuple[int, int]) -> None:
    """WCAG 2.2, 1.4.10, every list open: the languages with the longest words, and one from right to left."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for language in ("de", "fi", "ru", "af", "is", "ar"):
        shop(lang=language, languages=f'languages = ["{language}"]')
        page.evaluate("consent.open()")
        page.evaluate(
            "document.querySelector('#consent-preferences').shadowRoot.querySelectorAll('details').forEach(one => (one.open = true))"
        )
        wide = "(d => d.scrollWidth - d.clientWidth)(document.querySelector('#consent-preferences').shadowRoot.querySelector('dialog'))"
        assert (language, page.evaluate(wide)) == (language, 0)
