"""A framework that takes over the server's markup late: it reuses, replaces, updates and removes what we hold back."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag
from tests.browser.test_blocking import NOTE

pytestmark = pytest.mark.browser

# A client as small as one can be. It walks the server's markup beside its own tree and takes over every node of the
# right kind; where one is of another kind, it puts its own there (`mend`), as Vue does, or makes everything anew, as
# React does. From then on it knows its nodes alone: it changes and removes them by reference.
CLIENT = """
const make = ([tag, attributes, ...children]) => {
  const node = document.createElement(tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  node.append(...children.map(one => typeof one == "string" ? one : (one.node = make(one))));
  return node;
};
const fits = (node, want) => typeof want == "string" ? node?.nodeType == 3 : node?.localName == want[0];
const adopt = (parent, children) => {
  let node = parent.firstChild;
  for (const want of children) {
    if (!fits(node, want)) {
      if (!mend) throw parent;
      const own = typeof want == "string" ? document.createTextNode(want) : make(want);
      node ? parent.replaceChild(own, node) : parent.appendChild(own);
      node = own;
    } else if (typeof want != "string") {
      for (const name in want[1]) node.setAttribute(name, want[1][name]);
      adopt(node, want.slice(2));
    }
    if (typeof want != "string") want.node = node;
    node = node.nextSibling;
  }
  for (let next; node; node = next) next = node.nextSibling, parent.removeChild(node);
};
const app = document.querySelector("#app");
window.faults = [];
onerror = text => void faults.push(text);
window.hydrate = () => {
  try { adopt(app, tree) } catch (where) { app.replaceChildren(...tree.map(one => (one.node = make(one)))); }
};
window.update = () => {
  tree[0].node.firstChild.data = "Later";
  for (const { node } of tree) app.insertBefore(document.createElement("hr"), node);
};
window.unmount = () => { for (const one of tree) app.removeChild(one.node); };
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.publish("shop", [website.url], ("analytics", "social"))
    with service:
        yield service


@pytest.fixture(scope="module")
def tracker() -> Iterator[Website]:
    with Website() as tracker:
        yield tracker


@pytest.fixture
def show(service: Service, website: Website, tracker: Website, page: Page):
    """Open a page that the server has rendered, whose client waits to be told to take over."""
    tracker.put("/a.js", NOTE.format("a"), "text/javascript")
    tracker.requests.clear()
    tracker.put("/frame", "<p>An embedded film")
    waits = {"data-consent": "analytics", "type": "text/plain"}
    tree: list[list] = [
        ["h2", {}, "Lamps"],
        ["script", {**waits, "src": f"{tracker.url}/a.js"}],
        ["section", {}, ["p", {}, "Words"], ["iframe", {"data-consent": "social", "data-src": f"{tracker.url}/frame"}]],
        ["script", waits, NOTE.format("inline")],
        ["iframe", {"id": "last", "data-consent": "social", "data-src": f"{tracker.url}/frame"}],
        ["p", {}, "Words"],
    ]

    def show(how: str) -> Page:
        client = f"<script>const mend = {str(how == 'mend').lower()}, tree = {json.dumps(tree)};{CLIENT}</script>"
        body = f"<div id=app>{''.join(map(rendered, tree))}</div>{client}"
        page.goto(website.put("/", f"<!doctype html><html><head>{tag(service)}</head><body>{body}</body></html>"))
        page.wait_for_function("window.consent")
        return page

    return show


def rendered(node: list | str) -> str:
    if isinstance(node, str):
        return node
    name, attributes, *children = node
    said = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{said}>{''.join(map(rendered, children))}</{name}>"


@pytest.mark.parametrize("how", ["mend", "anew"])
def test_what_a_client_takes_over_stays_asleep_and_comes_alive_once(show, tracker: Website, how: str) -> None:
    page = show(how)
    page.evaluate("hydrate()")
    page.wait_for_timeout(150)
    assert (tracker.requests, page.evaluate("window.ran")) == ([], None)
    expect(page.locator("#app .consent-placeholder")).to_have_count(2)
    page.evaluate("consent.accept()")
    expect(page.frame_locator("#last").locator("p")).to_be_visible()
    page.wait_for_function("window.ran?.length == 2")
    assert (sorted(tracker.requests), page.evaluate("ran")) == (["/a.js", "/frame", "/frame"], ["a", "inline"])
    assert page.evaluate("faults") == []


@pytest.mark.parametrize("how", ["mend", "anew"])
def test_what_is_awake_already_runs_no_second_time_when_a_client_takes_it_over(
    show, tracker: Website, how: str
) -> None:
    page = show(how)
    page.evaluate("consent.accept()")
    page.reload()
    page.wait_for_function("window.ran?.length == 2")
    tracker.requests.clear()
    page.evaluate("hydrate(); consent.set({social: false}); consent.set({social: true})")
    page.wait_for_timeout(200)
    assert (page.evaluate("ran"), tracker.count("/a.js"), page.evaluate("faults")) == (["a", "inline"], 0, [])


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("how", ["mend", "anew"])
def test_a_clients_nodes_stay_its_own(show, how: str, granted: bool) -> None:
    """It puts something beside each and takes each away again; nothing that shows is left where they stood."""
    page = show(how)
    page.evaluate("hydrate()")
    if granted:
        page.evaluate("consent.accept()")
        page.wait_for_function("window.ran?.length == 2")
    page.evaluate("update()")
    assert page.locator("#app h2").inner_text() == "Later"
    page.evaluate("unmount()")
    page.wait_for_timeout(100)
    left = "[...app.children].map(one => one.localName).filter(name => name != 'script')"
    assert page.evaluate(f"[faults, {left}]") == [[], ["hr"] * 6]
