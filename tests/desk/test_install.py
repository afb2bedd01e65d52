"""What the install page gives to paste: whole, each with its button, and such as the program it is for takes."""

import base64
import hashlib
import re
from html import unescape
from pathlib import Path

import pytest
from msgspec.structs import replace

from consent import policy
from consent.model import Category
from consent.web.desk.install import texts

ROOT = Path(__file__).parent.parent.parent
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
    tokens = iter(re.findall(r'"[^"]*"|[{};]|[^\s{};"]+', re.sub(r"#.*", "", text)))

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
        assert ["server_name", "consent.shop.example"] in inside
        [words, inside] = inside[-1]
    assert words[0] == "location" and ["proxy_pass", "http://127.0.0.1:8080" + words[1][8:]] in inside
    forwarded = {
        words[1] for words in inside if words[1].startswith("X-")
    }  # nginx sends on what it is not told to replace
    assert forwarded == {f"X-Forwarded-{one}" for one in ("For", "Proto", "Host", "Port", "Prefix")}


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("http://127.0.0.1:8080", "consent.shop.example"),
        ("https://shop.example/privacy", "consent.shop.example"),
        ("https://consent.example.org", "consent.shop.example"),
        ("https://choices.shop.example", "choices.shop.example"),
    ],
)
def test_a_sub_domain_is_one_of_the_site(published, base, name):
    assert f"server_name {name};" in texts(published, base)["nginx-host"]


def test_the_docs_say_the_same_of_nginx_and_of_the_header(given):
    deploy, embed = ((ROOT / "docs" / name).read_text() for name in ("deploy.md", "embed.md"))
    [(_, told)] = directives(re.search(r"```nginx\n(server .*?)```", deploy, re.DOTALL)[1])
    [(_, shown)] = directives(given["nginx-host"])
    assert (
        told[-1] == shown[-1]
        and ["access_log", "off"] in shown
        and ["access_log", "off"] in directives(given["nginx-path"])[0][1]
    )
    written = " ".join(re.search(r"```\n(Content-Security-Policy:.*?)\n```", embed, re.DOTALL)[1].split())
    assert written == given["nonce-header"]


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


def test_who_tells_google_nothing_is_told_that_no_event_comes(browser, ledger, published):
    warning = "This policy tells Google nothing"
    own = policy.draft(published)
    ledger.publish("shop", replace(own, signals=replace(own.signals, google={})))
    assert warning in browser("owner").get("/admin/sites/shop/install").text
    assert warning not in browser("owner").get("/admin/sites/other/install").text


def test_who_installs_is_told_what_the_service_has_to_know(browser):
    page = browser("owner").get("/admin/sites/shop/install").text
    assert "CONSENT_TRUSTED_PROXIES=1" in page and "CONSENT_PUBLIC_URL" in page
