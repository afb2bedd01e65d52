"""The catalogue of known services: whole, well written, and no service takes what is another's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consent import catalogue, i18n
from consent.catalogue import Known, find, known
from consent.model import Cookie, Provider, Service
from consent.patterns import covers, matches

ROOT = Path(__file__).parent.parent
PROMISED = {
    "google-analytics", "google-tag-manager", "google-ads", "youtube", "google-maps", "google-fonts", "recaptcha",
    "meta-pixel", "facebook", "instagram", "x-pixel", "x", "linkedin-insight", "pinterest-tag", "tiktok-pixel",
    "matomo", "plausible", "hotjar", "clarity", "hubspot", "intercom", "stripe", "vimeo", "spotify", "disqus",
    "cloudflare",
}  # fmt: skip
SHARED_URLS = [
    {"google-analytics", "google-ads"},  # gtag/js serves both
    {"google-ads", "google-adsense"},  # one host measures and serves advertisements
    {"matomo", "matomo-cloud"},  # the same script, on another server
]
SHARED_COOKIES = [
    {"matomo", "matomo-cloud"},
    {"matomo", "piwik-pro"},  # one grew out of the other
    {"matomo-cloud", "piwik-pro"},
]
TOLD_BY_SIGNALS = {"google-analytics", "google-tag-manager", "google-ads", "google-adsense", "microsoft-uet", "clarity"}
NOBODYS = [
    "https://shop.example/",
    "https://shop.example/static/main.js",
    "https://shop.example/checkout?next=https://js.stripe.com/v3/",
    "https://www.google.com/",
    "https://www.google.com/search?q=maps",
    "https://www.gstatic.com/images/branding/product/1x/abc.png",
    "https://www.facebook.com/shop",
    "https://www.facebook.com/travel",
    "https://www.instagram.com/shop/",
    "https://www.linkedin.com/company/shop",
    "https://www.paypal.com/checkoutnow?token=abc",
    "https://www.cloudflare.com/",
    "https://cdn.shop.example/container.js",
]
KINDS = {"cookie", "local_storage", "session_storage", "indexed_db", "cache_storage"}
NOT_YET_IN_MODEL = {"kind", "http_only"} - set(Cookie.__struct_fields__)

each_service = pytest.mark.parametrize("id", known())


def sentences(service: Known) -> Iterator[tuple[dict[str, str], int]]:
    """Every text of a service, with how long it may be."""
    yield service.purpose, 160
    for cookie in service.cookies:
        yield cookie["purpose"], 120


def for_model(cookie: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in cookie.items() if field not in NOT_YET_IN_MODEL}


def owners(url: str) -> set[str]:
    return {id for id, service in known().items() if any(matches(pattern, url) for pattern in service.urls)}


def fixed(pattern: str) -> int:
    return len(pattern.replace("*", ""))


def test_every_file_is_a_service():
    assert set(known()) == {path.stem for path in Path(catalogue.__path__[0]).glob("*.toml")}
    assert list(known()) == sorted(known())


def test_the_services_that_websites_use_most_are_there():
    assert len(known()) >= 60
    assert set(known()) >= PROMISED


def test_a_service_is_found_by_its_id():
    assert find("youtube").name == "YouTube"
    assert find("nothing-like-it") is None


def test_no_two_services_share_a_name():
    names = [service.name.lower() for service in known().values()]
    assert sorted(names) == sorted(set(names))


@each_service
def test_a_service_fits_into_a_policy(id):
    service = known()[id]
    cookies = [for_model(cookie) for cookie in service.cookies]
    fields = {"id": id, "category": service.categories[0], "cookies": cookies}
    taken = ("name", "purpose", "provider", "urls")
    msgspec.convert(fields | {field: getattr(service, field) for field in taken}, Service)


@each_service
def test_a_service_names_its_provider(id):
    provider = msgspec.convert(known()[id].provider, Provider)
    assert id == "matomo" or (provider.url and provider.country)


@each_service
def test_a_category_is_one_that_has_shipped_words(id):
    categories = known()[id].categories
    assert categories and set(categories) <= set(i18n.locale("en").categories)
    assert len(set(categories)) == len(categories)


@each_service
def test_a_text_is_one_sentence_in_english_and_german(id):
    for words, longest in sentences(known()[id]):
        assert list(words) == ["en", "de"]
        for sentence in words.values():
            assert re.fullmatch(r"[A-ZÄÖÜ].*[^.]\.", sentence) and len(sentence) <= longest
            assert not re.search(r"[.!?] ", sentence)


@each_service
def test_an_example_belongs_to_its_service_and_to_no_other(id):
    for example in known()[id].examples:
        found = owners(example)
        assert found == {id} or (id in found and found in SHARED_URLS), example


@each_service
def test_a_url_pattern_matches_one_of_the_examples(id):
    service = known()[id]
    assert service.urls
    unused = [url for url in service.urls if not any(matches(url, example) for example in service.examples)]
    assert not unused


@each_service
def test_a_pattern_for_any_host_names_a_path(id):
    for url in known()[id].urls:
        host, _, path = url.partition("/")
        assert host != "*" or fixed(path) >= 6
        assert "." in host or host == "*"


@pytest.mark.parametrize("url", NOBODYS)
def test_no_service_takes_what_the_website_itself_needs(url):
    assert not owners(url)


@each_service
def test_a_cookie_pattern_is_narrow(id):
    seen = [(cookie.get("kind", "cookie"), cookie["name"]) for cookie in known()[id].cookies]
    assert len(set(seen)) == len(seen)
    assert {kind for kind, _ in seen} <= KINDS
    assert not [name for _, name in seen if fixed(name) < 2]


@each_service
def test_no_service_clears_what_is_another_services(id):
    own = [cookie for cookie in known()[id].cookies if cookie.get("party") != "third"]
    for other, service in known().items():
        if other == id or {id, other} in SHARED_COOKIES:
            continue
        for theirs in service.cookies:
            clashing = [c["name"] for c in own if theirs.get("party") != "third" and covers(c["name"], theirs["name"])]
            assert not clashing, other


@each_service
def test_a_call_is_data(id):
    calls = known()[id].calls
    assert set(calls) <= {"granted", "refused"}
    assert not calls or id not in TOLD_BY_SIGNALS
    for path, *arguments in [call for both in calls.values() for call in both]:
        assert re.fullmatch(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", path)
        assert msgspec.json.decode(msgspec.json.encode(arguments)) == arguments


def table() -> str:
    """The table of docs/catalogue.md, made from the files."""
    rows = [f"| `{id}` | {service.name} | `{service.categories[0]}` |" for id, service in known().items()]
    return "\n".join(["| id | name | usual category |", "|---|---|---|", *rows]) + "\n"


def test_the_docs_list_every_service():
    page = (ROOT / "docs" / "catalogue.md").read_text()
    assert page.endswith(table()), f"the table in docs/catalogue.md should be:\n\n{table()}"
