"""Tools that answer for the visitor: autoconsent's own engine with and without our rule."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "automation"
AUTOCONSENT = ROOT / "node_modules" / "@duckduckgo" / "autoconsent"
CATEGORIES = ("persistent", "analytics", "social", "advertising")

BACKGROUND = """([config, rules]) => {
    window.said = [];
    window.autoconsentSendMessage = async message => {
        said.push(message);
        if (message.type == "init") setTimeout(() => autoconsentReceiveMessage({type: "initResp", config, rules}));
        if (message.type == "eval") setTimeout(() => autoconsentReceiveMessage({type: "evalResp", id: message.id, result: false}));
    };
}"""

# The languages in which autoconsent knows how a banner asks and how it is refused.
KNOWN = ["en", "de", "fr", "nl", "es", "pl", "pt"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.cli("site", "create", "shop", "--origin", website.url)
    languages = json.loads(service.cli("policy", "show", "shop"))["languages"]
    for site, appearance in (("shop", {}), ("modal", {"layout": "modal"})):
        service.publish(site, [website.url], CATEGORIES, languages=languages, appearance=appearance)
    with service:
        yield service


@pytest.fixture
def show(service: Service, website: Website, page: Page):
    def show(language: str = "en", site: str = "shop") -> Page:
        tag = f'<script async src="{service.url}/sites/{site}/banner.js?lang={language}"></script>'
        page.goto(
            website.put(
                "/", f"<!doctype html><html><head><title>Shop</title>{tag}</head><body><h1>Shop</h1></body></html>"
            )
        )
        page.wait_for_selector("#consent-banner", state="attached")
        return page

    return show


def run(page: Page, rules: list, **config: object) -> None:
    """Start autoconsent's content script as its extension does."""
    logs = {"errors": True}
    page.evaluate(BACKGROUND, [{"enabled": True, "detectRetries": 5, "logs": logs, **config}, {"autoconsent": rules}])
    page.evaluate((AUTOCONSENT / "dist" / "autoconsent.playwright.js").read_text())


def heard(page: Page, kind: str) -> dict:
    page.wait_for_function(f"said.some(one => one.type == '{kind}')", timeout=10_000)
    return page.evaluate(f"said.find(one => one.type == '{kind}')")


def own_rule() -> dict:
    return json.loads((RULES / "autoconsent.json").read_text())


@pytest.mark.parametrize("site", ["shop", "modal"])
@pytest.mark.parametrize(("action", "status"), [("optOut", "refused"), ("optIn", "given")])
def test_autoconsent_answers_by_our_rule(show, site: str, action: str, status: str) -> None:
    page = show(site=site)
    run(page, [own_rule()], autoAction=action)
    assert heard(page, f"{action}Result")["result"] is True
    expect(page.locator("#consent-banner")).to_have_count(0)
    page.evaluate("autoconsentReceiveMessage({type: 'selfTest'})")
    assert heard(page, "selfTestResult")["result"] is True
    page.reload()
    page.wait_for_function("window.consent")
    assert page.evaluate("consent.state.status") == status


@pytest.mark.parametrize(("language", "site"), [*((tag, "shop") for tag in KNOWN), ("en", "modal")])
def test_autoconsents_heuristic_refuses_without_a_rule(show, language: str, site: str) -> None:
    page = show(language, site)
    run(page, [], autoAction="optOut", heuristicMode="reject")
    assert heard(page, "cmpDetected")["cmp"] == "HEURISTIC-REJECT"
    assert heard(page, "optOutResult")["result"] is True
    page.evaluate("autoconsentReceiveMessage({type: 'selfTest'})")
    assert heard(page, "selfTestResult")["result"] is True
    assert page.evaluate("consent.state.status") == "refused"


def test_none_of_autoconsents_other_rules_takes_us_for_somebody_else(show) -> None:
    page = show()
    rules = json.loads((AUTOCONSENT / "rules" / "rules.json").read_text())["autoconsent"]
    run(page, rules, autoAction=None, detectRetries=2)
    page.wait_for_function(
        "said.some(one => one.type == 'report' && one.state.lifecycle == 'nothingDetected')", timeout=20_000
    )
    assert page.evaluate("said.filter(one => one.type == 'cmpDetected')") == []
