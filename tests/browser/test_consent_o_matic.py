"""Consent-O-Matic's rule by an engine as strict as its own: a box that is not there ends the action that looks for it.

As of its repository cavi-au/Consent-O-Matic: `Matcher` throws where it finds no checkbox, and the nearest `Action`
around it reports that and goes on with what comes after it.
"""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website
from tests.browser.test_automation import RULES

pytestmark = pytest.mark.browser

ENGINE = """async ([rule, wishes]) => {
  const pause = time => new Promise(done => setTimeout(done, time));
  const within = (options, top) => {
    const found = [...(top.shadowRoot || top).querySelectorAll(options.selector)];
    return options.displayFilter == null ? found[0] : found.find(one => options.displayFilter == (one.offsetHeight != 0));
  };
  const find = ({ parent, target }) => {
    const top = parent ? within(parent, document) : document;
    return top && within(target, top);
  };
  const checked = matcher => {
    const box = find(matcher);
    if (!box) throw Error("no checkbox");
    return matcher.negated ? !box.checked : box.checked;
  };
  const acts = {
    click: async it => find(it)?.click(),
    list: async it => { for (const one of it.actions) await run(one); },
    ifcss: it => run(find(it) ? it.trueAction : it.falseAction),
    waitcss: async it => { for (let n = it.retries ?? 10; n-- && !find(it) != !!it.negated;) await pause(it.waitTime ?? 250); },
    consent: async it => {
      for (const { type, matcher, toggleAction } of it.consents) if (checked(matcher) != !!wishes[type]) await run(toggleAction);
    },
  };
  const run = async it => { try { return it && await acts[it.type](it); } catch (error) { console.error(error); } };
  const seen = kind => rule.detectors.find(one => [one[kind]].flat().every(one => find(one)));
  if (!seen("presentMatcher") || !seen("showingMatcher")) return false;
  for (const name of ["OPEN_OPTIONS", "DO_CONSENT", "SAVE_CONSENT"]) await run(rule.methods.find(one => one.name == name)?.action);
  return true;
}"""
KINDS = {"persistent": "A", "analytics": "B", "social": "E", "advertising": "F"}
SITES = {"all": tuple(KINDS), "default": ("persistent", "analytics", "social"), "few": ("analytics", "social")}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    for site, categories in SITES.items():
        service.publish(site, [website.url], categories)
    with service:
        yield service


@pytest.mark.parametrize("wished", [[], ["social"], ["analytics", "social"]])
@pytest.mark.parametrize("site", SITES)
def test_each_category_that_a_policy_has_is_set_as_its_user_wishes(
    service: Service, website: Website, page: Page, site: str, wished: list[str]
) -> None:
    tag = f'<script async src="{service.url}/sites/{site}/banner.js"></script>'
    page.goto(website.put("/", f"<!doctype html><html><head><title>Shop</title>{tag}</head><body><h1>Shop</h1>"))
    page.wait_for_selector("#consent-banner")
    (rule,) = json.loads((RULES / "consent-o-matic.json").read_text()).values()
    wishes = {kind: name in wished for name, kind in KINDS.items()} | {"D": True, "X": False}
    assert page.evaluate(ENGINE, [rule, wishes]) is True
    assert page.evaluate("names => names.filter(consent.granted)", list(KINDS)) == wished
    expect(page.locator("#consent-banner")).to_have_count(0)
    assert page.evaluate(ENGINE, [rule, wishes]) is False
