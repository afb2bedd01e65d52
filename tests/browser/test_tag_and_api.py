"""The tag and `window.consent` as a website's owner uses them, and the signals that others hear."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service
from tests.browser.test_banner import button, recorded, service, show

pytestmark = pytest.mark.browser
__all__ = ["service", "show"]


# The tag


def test_the_language_can_be_forced_and_is_fetched_once(show) -> None:
    page = show(attributes=" data-lang=de-AT")
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url))
    page.reload(wait_until="networkidle")
    expect(button(page, "Alle ablehnen")).to_be_visible()
    assert sum("lang=" in url for url in scripts) == 1


def test_it_draws_where_it_is_told(show) -> None:
    page = show("<main id=here></main>", attributes=" data-root=#here")
    expect(page.locator("#here > [role=dialog]")).to_be_visible()


def test_headless_draws_nothing_and_still_decides(show) -> None:
    page = show(attributes=" data-auto=off")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("consent.set({analytics: true})")
    assert page.evaluate("consent.granted('analytics')")
    assert recorded(page)["surface"] == "api"
    expect(button(page, "Privacy settings")).to_have_count(0)


def test_of_two_tags_one_counts(show, service: Service) -> None:
    warnings: list[str] = []
    page = show()
    page.on("console", lambda message: warnings.append(message.text))
    page.evaluate(
        "src => { const s = document.createElement('script'); s.src = src; document.head.append(s) }",
        f"{service.url}/sites/shop/banner.js",
    )
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_have_count(1)
    assert warnings == ["consent: loaded twice"]


# The API and the signals


def test_the_api_decides_and_tells(show) -> None:
    page = show()
    page.evaluate("""window.heard = [];
        for (const name of ['decide', 'change', 'recorded']) document.addEventListener('consent:' + name, () => heard.push(name));
        window.off = consent.on('change', state => heard.push(state.status));
        consent.when('hotjar').then(() => heard.push('hotjar')); 0""")
    page.evaluate("consent.accept(['persistent'])")
    assert recorded(page)["grants"] == {"persistent": True, "analytics": False, "social": False}
    page.evaluate("off(); consent.set({analytics: true})")
    page.wait_for_function("heard.filter(n => n === 'recorded').length === 2")
    assert page.evaluate("heard") == [
        "decide",
        "change",
        "partial",
        "recorded",
        "decide",
        "change",
        "hotjar",
        "recorded",
    ]
    assert page.evaluate("[consent.granted('persistent'), consent.granted('hotjar'), consent.granted('social')]") == [
        True,
        True,
        False,
    ]


def test_an_unknown_id_is_refused_in_a_sentence(show) -> None:
    page = show()
    message = page.evaluate(
        "(() => { try { consent.set({marketing: true}) } catch (e) { return [e.name, e.message] } })()"
    )
    assert message == ["TypeError", 'consent: this policy has no "marketing"']
    assert page.evaluate("[consent.granted('marketing'), consent.granted('constructor'), consent.state.status]") == [
        False,
        False,
        "unknown",
    ]


def test_the_state_cannot_be_changed_from_outside(show) -> None:
    page = show()
    page.evaluate("() => { consent.state.grants.analytics = true; consent.state.status = 'given' }")
    assert page.evaluate("[consent.granted('analytics'), consent.state.status, Object.isFrozen(consent)]") == [
        False,
        "unknown",
        True,
    ]


def test_state_in_page_and_service_are_the_same(show, service: Service) -> None:
    page = show()
    page.evaluate("consent.accept()")
    recorded(page)
    state = page.evaluate("consent.state")
    assert service.json(f"/sites/shop/subjects/{state['subject']}/state") == state


def test_a_choice_made_in_another_tab_counts_after_coming_back(show) -> None:
    page = show()
    page.evaluate("consent.accept()")
    page.evaluate(
        "document.cookie = document.cookie.replace(/[^.;]*(;.*)?$/, '-persistent~-analytics~-social; path=/')"
    )
    page.evaluate(
        "for (const name of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(name, {persisted: true}))"
    )
    assert page.evaluate("[consent.state.status, consent.granted('analytics')]") == ["withdrawn", False]


def test_google_hears_the_default_first_and_every_change(show) -> None:
    read = "dataLayer.filter(a => a[0] == 'consent').map(a => [Object.prototype.toString.call(a), a[1], a[2].analytics_storage, a[2].ad_storage])"
    page = show(head="<script>window.dataLayer = window.dataLayer || []</script>")
    arguments = "[object Arguments]"
    assert page.evaluate(read) == [[arguments, "default", "denied", "denied"]]
    page.evaluate("consent.set({analytics: true})")
    page.reload()
    page.wait_for_function("window.consent")
    assert page.evaluate(read) == [
        [arguments, "default", "denied", "denied"],
        [arguments, "update", "granted", "denied"],
    ]
    page.evaluate("consent.withdraw()")
    assert page.evaluate(read)[-1] == [arguments, "update", "denied", "denied"]


def test_global_privacy_control_is_shown_and_recorded(show, page: Page) -> None:
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    show()
    expect(page.get_by_role("dialog").get_by_text("Global Privacy Control")).to_be_visible()
    button(page, "Reject all").click()
    assert recorded(page)["signals"] == {"gpc": True}
