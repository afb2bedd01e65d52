"""What a browser holds of the desk, which of its sessions end, and where a form may send it."""

import pytest

from consent.settings import load
from consent.web import make_app
from tests.desk.conftest import PASSWORD, Browser
from tests.desk.test_access import database  # noqa: F401

NEW = PASSWORD + "!"
COOKIES = {"consent_desk": None, "consent_device": 365 * 86_400}
"""Name -> how many seconds a browser keeps it; None: until it is closed."""


@pytest.mark.parametrize("name", COOKIES)
@pytest.mark.parametrize(
    ("public_url", "path", "is_secure"),
    [
        ("https://consent.example.org", "/admin", True),
        ("https://shop.example/privacy", "/privacy/admin", True),
        ("http://127.0.0.1:8080", "/admin", False),
    ],
)
def test_a_cookie_is_out_of_reach_of_scripts_other_sites_and_other_pages(
    ledger, crew, tmp_path, name, public_url, path, is_secure
):
    settings = load({"CONSENT_DATA": str(tmp_path / "data"), "CONSENT_PUBLIC_URL": public_url})
    fresh = Browser(make_app(settings, ledger).test_client())
    fresh.get(f"{path}/sign-in")
    answer = fresh.post(f"{path}/sign-in", follow=False, name="owner", password=PASSWORD)
    [given] = [header for header in answer.headers.getlist("Set-Cookie") if header.startswith(f"{name}=")]
    flags = {flag.strip() for flag in given.split(";")[1:] if not flag.strip().startswith("Expires=")}
    age = set() if COOKIES[name] is None else {f"Max-Age={COOKIES[name]}"}
    assert flags == {"HttpOnly", "SameSite=Lax", f"Path={path}"} | ({"Secure"} if is_secure else set()) | age
    assert ("Expires=" in given) == bool(age)


def test_who_only_tried_to_sign_in_is_not_taken_for_a_known_browser(browser):
    fresh = browser()
    fresh.sign_in("owner", "wrong")
    assert fresh.client.get_cookie("consent_device", path="/admin") is None


def test_a_new_password_ends_every_other_session_of_the_person_and_nobody_elses(browser):
    here, elsewhere, editor = browser("owner"), browser("owner"), browser("editor")
    here.post("/admin/account/password", present=PASSWORD, password=NEW, again=NEW)
    assert here.get("/admin/").request.path == "/admin/"
    assert elsewhere.get("/admin/").request.path == "/admin/sign-in"
    assert elsewhere.post("/admin/new-site", id="third", name="x", origins="https://x.example").status_code in (
        400,
        401,
    )
    assert editor.get("/admin/").request.path == "/admin/"


def test_a_password_that_was_not_taken_ends_no_session(browser):
    here, elsewhere = browser("owner"), browser("owner")
    for form in (
        {"present": "wrong", "password": NEW, "again": NEW},
        {"present": PASSWORD, "password": "x", "again": "x"},
    ):
        assert here.post("/admin/account/password", **form).status_code == 422
    assert elsewhere.get("/admin/").request.path == "/admin/"


FOREIGN = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "https:/evil.example",
    "///evil.example", "/admin//evil.example", "/admin/..//evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example",
    "/\t/evil.example", "/admin/\r\nLocation: https://evil.example", "@evil.example", "/admin@evil.example", ".evil.example", "",
]  # fmt: skip
"""What must not become an address elsewhere."""


@pytest.mark.parametrize("next", FOREIGN)
@pytest.mark.parametrize("who", ["", "owner"])
def test_choosing_a_language_sends_nobody_elsewhere(browser, who, next):
    fresh = browser(who)
    fresh.get("/admin/sign-in")
    answer = fresh.post("/admin/language", follow=False, language="de", next=next)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")


@pytest.mark.parametrize("next", ["/admin/", "/admin/account", "/admin/sites/shop/receipts?action=custom&q=a%2Fb"])
def test_choosing_a_language_leads_back_to_the_page(browser, next):
    answer = browser("owner").post("/admin/language", follow=False, language="de", next=next)
    assert (answer.status_code, answer.headers["Location"]) == (303, next)


@pytest.mark.parametrize("language", ["tlh", "", "../de", "DE"])
def test_a_language_that_there_is_not_changes_nothing(browser, language):
    fresh = browser("owner")
    assert fresh.post("/admin/language", language=language, next="/admin/").status_code == 200
    assert '<html lang="en">' in fresh.get("/admin/").text
