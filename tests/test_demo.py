"""consent.web.demo: the pages of the demo shop and the site it makes."""

import msgspec
import pytest

from consent.administrator import Administrator
from consent.errors import Invalid
from consent.web import make_app
from consent.web.demo import FILES, MOST_ORIGINS, PAGE_POLICY, demo_policy, prepare

ORIGINS = ["http://localhost:8080", "http://127.0.0.1:8080"]


@pytest.fixture
def demo(ledger, settings):
    """A client of a service with the demo shop."""
    prepare(Administrator(ledger, "test"), ORIGINS)
    return make_app(msgspec.structs.replace(settings, demo=True), ledger).test_client()


def test_the_page_begins_with_the_tag(demo):
    text = demo.get("/demo/").text
    assert text.partition("<head>")[2].lstrip().startswith('<script async src="/sites/demo/banner.js"></script>')


def test_the_page_has_the_strict_policy_and_may_not_be_framed(demo):
    headers = demo.get("/demo/").headers
    assert headers["Content-Security-Policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY and headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/demo/", "/demo/video"])
def test_no_page_has_code_or_styles_inside(demo, path):
    text = demo.get(path).text
    assert "<style" not in text and " style=" not in text and " onclick=" not in text
    assert all(" src=" in script.partition(">")[0] for script in text.split("<script")[1:])


@pytest.mark.parametrize("path", ["/demo/", "/demo/video", *(f"/demo/{name}" for name in FILES)])
def test_nothing_comes_from_elsewhere(demo, path):
    text = demo.get(path).text.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text and "https:" not in text


def test_the_video_may_be_framed_by_the_shop_only(demo):
    headers = demo.get("/demo/video").headers
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_the_video_alone_sets_a_cookie_and_the_policy_names_it(demo):
    declared = {cookie.name for service in demo_policy(ORIGINS).services for cookie in service.cookies}
    assert demo.get("/demo/video").headers["Set-Cookie"].partition("=")[0] in declared
    assert "Set-Cookie" not in demo.get("/demo/").headers


@pytest.mark.parametrize(("name", "media_type"), FILES.items())
def test_every_file_answers(demo, name, media_type):
    answer = demo.get(f"/demo/{name}")
    assert (answer.status_code, answer.mimetype) == (200, media_type)


@pytest.mark.parametrize("name", ["page.html", "policy.toml", "nothing.js"])
def test_no_other_file_is_served(demo, name):
    assert demo.get(f"/demo/{name}").status_code == 404


def test_without_demo_there_is_no_shop(client):
    assert client.get("/demo/").status_code == 404


def test_the_panel_lists_every_category_and_service(demo):
    text, policy = demo.get("/demo/").text, demo_policy(ORIGINS)
    assert all(f'data-grant="{one.id}"' in text for one in [*policy.categories, *policy.services])


def test_the_policy_speaks_every_language():
    policy = demo_policy(ORIGINS)
    words = [text for service in policy.services for text in (service.purpose, *(c.purpose for c in service.cookies))]
    assert {"en", "de", "fr", "es", "ar"} == set(policy.languages)
    assert all(set(text) == set(policy.languages) for text in words)


def test_the_policy_refuses_an_origin_that_is_none():
    with pytest.raises(Invalid):
        demo_policy(["localhost"])


def test_preparing_twice_changes_nothing(ledger):
    prepare(Administrator(ledger, "test"), ORIGINS)
    prepare(Administrator(ledger, "test"), ORIGINS)
    assert [stored.version for stored in ledger.storage.reading().publications("demo")] == [1]


def test_a_new_port_is_added_without_asking_anybody_again(ledger):
    prepare(Administrator(ledger, "test"), ORIGINS)
    prepare(Administrator(ledger, "test"), ["http://localhost:9090"])
    published = ledger.published("demo")
    assert published.origins == [*ORIGINS, "http://localhost:9090"]
    assert (published.version, published.material_since) == (2, 1)


def test_what_the_owner_made_of_the_demo_stays(ledger):
    prepare(Administrator(ledger, "test"), ORIGINS)
    ledger.publish("demo", msgspec.structs.replace(demo_policy(ORIGINS), name="My shop"))
    prepare(Administrator(ledger, "test"), ["http://localhost:9090"])
    assert ledger.published("demo").name == "My shop"


def test_the_oldest_origins_give_way(ledger):
    prepare(Administrator(ledger, "test"), [f"http://localhost:{port}" for port in range(1000, 1000 + MOST_ORIGINS)])
    prepare(Administrator(ledger, "test"), ["http://localhost:9090"])
    origins = ledger.published("demo").origins
    assert len(origins) == MOST_ORIGINS and origins[-1] == "http://localhost:9090"
