"""What the install page gives to paste: whole, each with its button, and such as the program it is for takes."""

import base64
import hashlib
import re
from html import unescape

import pytest

from consent import policy
from consent.model import Category
from consent.web.desk.install import texts

BASE = "https://consent.example.org"


@pytest.fixture
def published(ledger):
    return ledger.published("shop")


@pytest.fixture
def given(published) -> dict[str, str]:
    return texts(published, BASE)


def test_every_block_has_its_text_and_a_button_that_copies_it(browser, given):
    page = browser("auditor").get("/admin/sites/shop/install").text
    shown = {
        name: unescape(text) for name, text in re.findall(r'<code id="tag-([\w-]+)">(.*?)</code>', page, re.DOTALL)
    }
    assert shown == given and all(shown.values())
    assert re.findall(r'data-copy="tag-([\w-]+)"', page) == list(shown)


def directives(text: str) -> list:
    """What a file for nginx says: each directive as its words, a block as its words and what is in it."""
    tokens = iter(re.findall(r'"[^"]*"|[{};]|[^\s{};"]+', text))

    def block(end: str | None) -> list:
        found, words = [], []
        for token in tokens:
            if token == end:
                assert not words, f"{words} has no semicolon"
                return found
            if token in (";", "{"):
                assert words, f"{token} without a directive"
                found.append((words, block("}")) if token == "{" else words)
                words = []
            else:
                words.append(token)
        assert end is None and not words, "a brace or a semicolon is missing"
        return found

    return block(None)


@pytest.mark.parametrize("name", ["nginx-host", "nginx-path"])
def test_the_lines_for_nginx_hand_on_what_the_service_believes(given, name):
    [(words, inside)] = directives(given[name])
    if name == "nginx-host":
        assert ["server_name", "consent.example.org"] in inside
        [words, inside] = inside[-1]
    assert words[0] == "location" and ["proxy_pass", "http://127.0.0.1:8080" + words[1][8:]] in inside
    forwarded = {words[1] for words in inside if words[1].startswith("X-")}
    assert forwarded == {f"X-Forwarded-{one}" for one in ("For", "Proto", "Host", "Port", "Prefix")}


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080", "https://shop.example/privacy"])
def test_a_service_without_a_host_of_its_own_is_given_a_name_to_replace(published, base):
    assert "server_name consent.shop.example;" in texts(published, base)["nginx-host"]


def test_the_headers_name_the_service_and_the_guard(given):
    code = re.search(r"<script>(.*?)</script>", given["inline"], re.DOTALL)[1]
    hash = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert given["inline-hash"] == f"'sha256-{hash}'" and given["inline-hash"] in given["hash-header"]
    for name in ("nonce-header", "hash-header"):
        assert f"connect-src 'self' {BASE}" in given[name] and "\n" not in given[name]
    assert 'nonce="R4nd0m"' in given["nonce"] and "'nonce-R4nd0m'" in given["nonce-header"]


def test_the_container_stands_after_the_guard(given):
    for name in ("gtm", "gtm-held"):
        assert given[name].startswith(given["inline"]) and "GTM-XXXXXXX" in given[name]
    assert 'type="text/plain" data-consent="analytics" src="https://www.googletagmanager.com' in given["gtm-held"]


def test_a_policy_without_statistics_is_shown_a_category_of_its_own(ledger, published):
    own = policy.draft(published)
    own.categories[:] = [Category("session", necessary=True), Category("social")]
    ledger.publish("shop", own)
    shown = texts(ledger.published("shop"), BASE)
    assert 'data-consent="social"' in shown["marked"] and 'granted("social")' in shown["gtm-variable"]


def test_who_installs_is_told_what_the_service_has_to_know(browser):
    page = browser("owner").get("/admin/sites/shop/install").text
    assert "CONSENT_TRUSTED_PROXIES=1" in page and "CONSENT_PUBLIC_URL" in page
