"""The whole promise: a click in a real browser, a receipt in the ledger, verified offline by somebody else's library."""

import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag

# RFC 9864 names the algorithm Ed25519; receipts say EdDSA (RFC 8037), which every JOSE library still takes.
pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]

PAGE = """<!doctype html><html lang="en"><head><title>Shop</title>{tag}</head><body>
<h1>Shop</h1><p>Lamps.</p>
<script type="text/plain" data-consent="analytics" src="{tracker}/tracker.js"></script>
</body></html>"""
TRACKER = "window.trackerRuns = (window.trackerRuns || 0) + 1;"


def test_a_choice_becomes_a_receipt_that_others_verify(
    service: Service, website: Website, tracker: Website, page: Page
) -> None:
    tracker.put("/tracker.js", TRACKER, "text/javascript")
    address = website.put("/", PAGE.format(tag=tag(service), tracker=tracker.url))
    admin = service.cli("token", "create", "--role", "auditor", "--site", "shop").strip()

    page.goto(address)
    banner = page.get_by_role("dialog")
    expect(banner).to_be_visible()
    assert tracker.requests == []

    refuse_by_keyboard(page)
    expect(banner).to_have_count(0)
    refused = receipt_in_browser(page)
    assert refused == newest_in_ledger(service, admin)["receipt"]

    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload(wait_until="networkidle")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [url for url in requests if url != address] == [f"{service.url}/sites/shop/banner.js"]
    assert tracker.requests == []

    page.get_by_role("button", name="Privacy settings").click()
    page.get_by_role("button", name="Accept all").click()
    page.wait_for_function("window.trackerRuns === 1")
    accepted = receipt_in_browser(page, other_than=refused)
    assert tracker.count("/tracker.js") == 1

    page.get_by_role("button", name="Privacy settings").click()
    page.get_by_role("button", name="Withdraw consent").click()
    withdrawn = receipt_in_browser(page, other_than=accepted)
    assert page.evaluate("consent.state.status") == "withdrawn"
    assert page.evaluate("trackerRuns") == 1

    claims = verified_export(service, admin)
    assert [c["consent"]["action"] for c in claims] == ["reject_all", "accept_all", "withdraw"]
    assert [c["consent"]["previous"] for c in claims] == [None, claims[0]["jti"], claims[1]["jti"]]
    assert [refused, accepted, withdrawn] == exported_receipts(service, admin)
    assert_withdrawn_everywhere(service, page, subject=claims[0]["sub"])


def refuse_by_keyboard(page: Page) -> None:
    """Tab to the refusal as somebody without a mouse does, and press Enter."""
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Reject all":
            page.keyboard.press("Enter")
            return
    raise AssertionError("ten presses of Tab do not reach the refusal")


def receipt_in_browser(page: Page, *, other_than: str = "") -> str:
    page.wait_for_function("old => consent.receipt() && consent.receipt() !== old", arg=other_than)
    return page.evaluate("consent.receipt()")


def newest_in_ledger(service: Service, token: str) -> dict:
    return service.json("/api/sites/shop/receipts?limit=1", token)["items"][0]


def exported_receipts(service: Service, token: str) -> list[str]:
    lines = service.get("/api/sites/shop/export?format=ndjson", token).splitlines()
    return [json.loads(line)["receipt"] for line in lines]


def verified_export(service: Service, token: str) -> list[dict]:
    """The claims of the exported receipts, each verified with joserfc and the published keys alone."""
    keys = KeySet.import_key_set(service.json("/.well-known/jwks.json"))
    tokens = [jwt.decode(text, keys, algorithms=["EdDSA", "Ed25519"]) for text in exported_receipts(service, token)]
    assert all(token.header["typ"] == "consent-receipt+jwt" for token in tokens)
    return [token.claims for token in tokens]


def assert_withdrawn_everywhere(service: Service, page: Page, *, subject: str) -> None:
    from consent.client import read_cookie

    policy = service.json("/sites/shop/policies/1")
    cookie = page.evaluate("document.cookie")
    assert read_cookie(cookie, policy).status == "withdrawn"
    assert service.json(f"/sites/shop/subjects/{subject}/state")["status"] == "withdrawn"
