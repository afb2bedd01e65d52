"""Signing in with OpenID Connect in a real browser: invited by an owner, over to the provider and back."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Service
from tests.browser.desk import signed_in
from tests.browser.test_accessibility import AXE, FINDINGS, TAGS
from tests.conftest import ORIGIN
from tests.desk.openid_provider import CLIENT, SECRET, OpenIdProvider

pytestmark = pytest.mark.browser


class WithProvider(Service):
    """A service whose sign-in page leads to a provider on another site, too."""

    provider: OpenIdProvider

    @property
    def environ(self) -> dict[str, str]:
        given = {"ISSUER": self.provider.url, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "NAME": "Example"}
        return super().environ | {f"CONSENT_OIDC_{name}": value for name, value in given.items()}


@pytest.fixture
def service(tmp_path) -> Iterator[WithProvider]:
    service = WithProvider(tmp_path / "data")
    service.provider = OpenIdProvider(service.url + "/admin/sign-in/openid/callback", time.time)
    service.cli("site", "create", "shop", "--origin", ORIGIN)
    service.start("--workers", "1")
    yield service
    service.stop()
    service.provider.close()


def test_somebody_who_was_invited_goes_over_to_the_provider_and_back(service: WithProvider, browser: Browser) -> None:
    owner = browser.new_context(locale="en-GB", storage_state=signed_in(service, browser, "olga"))
    page = owner.new_page()
    page.goto(service.url + "/admin/people")
    adding = page.locator("section", has_text="Add somebody")
    adding.get_by_label("Name").fill("anna")
    adding.get_by_label("Signs in with Example as").fill("anna@example.org")
    adding.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("anna can sign in with Example now.")
    page.get_by_role("link", name="Change anna").click()
    expect(page.get_by_label("Signs in with Example as")).to_have_value("anna@example.org")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text())
    assert page.evaluate(FINDINGS, TAGS) == []
    owner.close()

    context = browser.new_context(locale="en-GB")
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(service.url + "/admin/sites/shop/overview")
    page.evaluate(AXE.read_text())
    assert page.evaluate(FINDINGS, TAGS) == []
    assert all(url.startswith((service.url, "data:")) for url in asked) and service.provider.asked == []
    page.get_by_role("link", name="Sign in with Example").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert page.url == service.url + "/admin/sites/shop/overview"
    [there] = [url for url in asked if not url.startswith((service.url, "data:"))]
    assert there.startswith(service.provider.url + "/authorize?") and said == []
    page.goto(service.url + "/admin/account")
    expect(page.get_by_text("There is no password here")).to_be_visible()
    page.locator("summary", has_text="anna").click()
    page.get_by_role("button", name="Sign out").click()

    service.provider.account = {"sub": "stranger", "email": "eve@example.org", "email_verified": True}
    page.get_by_role("link", name="Sign in with Example").click()
    expect(page.get_by_role("alert")).to_contain_text("The account's subject is stranger.")
    assert page.url.startswith(service.url + "/admin/sign-in") and "code=" not in page.url
    context.close()
