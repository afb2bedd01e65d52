"""Where the tag stands, as the banner tells it and the desk's install page shows it."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from consent.storage import open_storage
from tests.browser.conftest import Service, Website, tag

pytestmark = pytest.mark.browser

OTHER = '<script src="/other.js"></script>'
PLACED_ITSELF = """<script>
const first = document.querySelector("script");
first.before(Object.assign(document.createElement("script"), { src: "/other.js", async: true }));
</script>"""
META = '<meta charset="utf-8"><title>Shop</title><base href="/"><meta name="robots" content="none">'
HEADS = {
    "first": (META + "TAG" + OTHER, True),
    "in another language": (META + "GERMAN" + OTHER, True),
    "after another script": (META + OTHER + "TAG", False),
    "after a style sheet": ('<link rel="stylesheet" href="/a.css">TAG', False),
    "in the body": ("</head><body>TAG", False),
    "after a script that put itself there": ("TAG" + PLACED_ITSELF, None),
    "after the guard": (META + "GUARDED" + OTHER, True),
    "after another script and the guard": (OTHER + "GUARDED", False),
}


@pytest.fixture
def service(tmp_path: Path, website: Website):
    """One for each test: a process does not note the same twice within an hour."""
    service = Service(tmp_path / "data")
    service.publish("shop", [website.url], ("analytics",), languages=["en", "de"])
    with service:
        yield service


@pytest.mark.parametrize("name", HEADS)
def test_the_banner_tells_whether_its_tag_stands_first(
    service: Service, website: Website, page: Page, name: str
) -> None:
    head, first = HEADS[name]
    website.put("/other.js", "window.other = 1", "text/javascript")
    head = head.replace("TAG", tag(service)).replace("GERMAN", tag(service, ' data-lang="de"'))
    head = head.replace("GUARDED", service.cli("snippet", "shop", "--inline"))
    page.goto(website.put("/", f"<!doctype html><html><head>{head}<p>Hello"))
    page.wait_for_selector("#consent-banner")
    with page.expect_response(lambda answer: answer.url.endswith("/displays")) as told:
        page.click("#consent-reject")
    assert told.value.status == 204
    assert noted(service, website) == first


def noted(service: Service, website: Website) -> bool | None:
    """What the service keeps of a tag: the install page shows this."""
    documents = open_storage(f"sqlite:///{service.data}/consent.db").reading().documents("sighting")
    return json.loads(dict(documents)[f"shop {website.url}"])["first"]
