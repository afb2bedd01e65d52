"""Signing in: what opens the desk, what does not, and what a stranger can make of it."""

import json
import re
from pathlib import Path

import pyotp
import pytest

from consent import people
from consent.sessions import IDLE
from consent.settings import load
from consent.web import make_app
from tests.desk.conftest import PASSWORD, Browser


def test_whoever_is_not_signed_in_is_led_to_the_form_and_back(browser):
    fresh = browser()
    answer = fresh.get("/admin/account")
    assert answer.request.path == "/admin/sign-in" and "next=/admin/account" in answer.request.url
    answer = fresh.post("/admin/sign-in", name="Editor", password=PASSWORD, next="/admin/account")
    assert answer.request.path == "/admin/account"


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/admin/..//evil.example",
        "/admin/../evil",
        "/admin/%2E%2e/evil",
        "/admin/./../evil",
        "/docs",
        "javascript:alert(1)",
        "/admin/\t/x",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(browser, next):
    fresh = browser()
    fresh.get("/admin/sign-in")
    answer = fresh.post("/admin/sign-in", follow=False, name="owner", password=PASSWORD, next=next)
    assert answer.status_code == 303 and answer.headers["Location"].endswith("/admin/")


def test_one_is_led_back_under_the_path_of_the_public_address(ledger, crew, tmp_path):
    settings = load({"CONSENT_DATA": str(tmp_path / "data"), "CONSENT_PUBLIC_URL": "https://shop.example/privacy"})
    fresh = Browser(make_app(settings, ledger).test_client())
    form = fresh.get("/privacy/admin/account")
    next = re.search(r'name="next" value="(/privacy/admin/account)"', form.text)[1]
    answer = fresh.post("/privacy/admin/sign-in", follow=False, name="owner", password=PASSWORD, next=next)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/privacy/admin/account")


@pytest.mark.parametrize("name, password", [("owner", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_what_is_wrong_is_not_said(browser, name, password):
    answer = browser().sign_in(name, password)
    assert answer.status_code == 401 and "Name, password or code is not right." in answer.text


def test_a_session_is_a_new_one_and_its_cookie_is_out_of_reach(app, browser):
    fresh = browser()
    fresh.get("/admin/sign-in")
    before = fresh.client.get_cookie("consent_desk", path="/admin").value
    fresh.post("/admin/sign-in", name="owner", password=PASSWORD)
    cookie = fresh.client.get_cookie("consent_desk", path="/admin")
    assert cookie.value != before
    assert (cookie.http_only, cookie.secure, cookie.same_site, cookie.path) == (True, True, "Lax", "/admin")
    assert cookie.expires is None


def test_signing_out_ends_the_session_though_the_cookie_is_kept(browser):
    fresh = browser("owner")
    kept = fresh.client.get_cookie("consent_desk", path="/admin").value
    fresh.post("/admin/sign-out")
    fresh.client.set_cookie("consent_desk", kept, path="/admin", secure=True)
    assert fresh.get("/admin/").request.path == "/admin/sign-in"


def test_a_session_that_was_not_used_asks_again(browser, clock):
    fresh = browser("owner")
    clock.forward(seconds=IDLE)
    assert fresh.get("/admin/").request.path == "/admin/sign-in"


def test_a_forged_form_does_nothing(browser):
    fresh = browser("owner")
    for token in ("", "forged", browser("editor").token):
        answer = fresh.post("/admin/sign-out", csrf_token=token)
        assert answer.status_code == 400 and "Nothing was done" in answer.text
    assert fresh.get("/admin/").request.path == "/admin/"


def test_who_guesses_is_slowed_down_and_the_owner_is_not_locked_out(browser):
    owner, stranger = browser("owner"), browser()
    stranger.get("/admin/sign-in")
    found = [stranger.post("/admin/sign-in", name="owner", password="guess").status_code for _ in range(40)]
    assert found[0] == 401 and found[-1] == 429
    assert stranger.post("/admin/sign-in", name="owner", password=PASSWORD).headers["Retry-After"]
    owner.post("/admin/sign-out")
    assert owner.sign_in("owner").request.path == "/admin/"


def test_a_one_time_password_opens_only_the_page_that_changes_it(browser, crew):
    _, given = crew.add("newcomer", {"*": "owner"})
    fresh = browser()
    assert fresh.sign_in("newcomer", given).request.path == "/admin/account"
    assert fresh.get("/admin/").request.path == "/admin/account"
    short = fresh.post("/admin/account/password", present=given, password="short", again="short")
    assert short.status_code == 422 and "12 to 200 characters" in short.text
    differ = fresh.post("/admin/account/password", present=given, password=PASSWORD, again=PASSWORD + "!")
    assert differ.status_code == 422
    wrong = fresh.post("/admin/account/password", present="wrong", password=PASSWORD, again=PASSWORD)
    assert wrong.status_code == 422
    done = fresh.post("/admin/account/password", present=given, password=PASSWORD + "2", again=PASSWORD + "2")
    assert done.request.path == "/admin/" and "The password is changed" in done.text


def test_a_second_factor_is_turned_on_and_off_by_who_has_it(browser, clock):
    fresh = browser("editor")
    shown = fresh.get("/admin/account").text
    secret = re.search(r'<code class="wrap">([A-Z2-7]+)</code>', shown)[1]
    assert fresh.post("/admin/account/second-factor", code="000000").status_code == 422
    code = pyotp.TOTP(secret).at(int(clock.now))
    assert "asks for a code" in fresh.post("/admin/account/second-factor", code=code).text
    assert secret not in fresh.get("/admin/account").text
    assert browser().sign_in("editor").status_code == 401
    assert browser().sign_in("editor", code=code).status_code == 200
    assert fresh.post("/admin/account/second-factor/off", present=PASSWORD, code="").status_code == 422
    clock.forward(seconds=30)
    newer = pyotp.TOTP(secret).at(int(clock.now))
    assert "no code any more" in fresh.post("/admin/account/second-factor/off", present=PASSWORD, code=newer).text


def test_a_secret_that_somebody_else_chose_is_not_taken(browser, clock):
    fresh = browser("editor")
    code = pyotp.TOTP(people.new_secret()).at(int(clock.now))
    assert fresh.post("/admin/account/second-factor", code=code, secret="A" * 32).status_code == 422


def test_the_rest_of_the_service_sets_no_cookie(client):
    assert "Set-Cookie" not in client.get("/sites/shop/banner.js").headers
    assert "Set-Cookie" not in client.get("/docs").headers


def test_the_desk_speaks_german_to_germans_and_to_who_wants_it(browser):
    fresh = browser()
    assert "Anmelden" in fresh.get("/admin/sign-in", headers={"Accept-Language": "de-AT,de;q=0.9"}).text
    fresh.get("/admin/sign-in")
    assert "Anmelden" in fresh.post("/admin/language", language="de", next="/admin/sign-in").text
    assert 'lang="de"' in fresh.get("/admin/sign-in").text


ROOM = Path(__file__).parent.parent.parent / "consent"


def test_every_word_of_the_desk_is_there_in_german():
    said: set[str] = set()
    for file in [*ROOM.glob("web/desk/*.py"), *ROOM.glob("templates/desk/*.html"), ROOM / "people.py"]:
        said |= {
            json.loads(f'"{text}"')
            for text in re.findall(r'(?:say|NotSignedIn)\(\s*f?"((?:[^"\\\\]|\\\\.)*)"', file.read_text())
        }
    from consent.web.desk.frame import SITE_PAGES, WHOLE_PAGES

    said |= {name for _, name, _ in (*SITE_PAGES, *WHOLE_PAGES)}
    german = {
        text: said
        for file in ROOM.glob("templates/desk/de/*.json")
        for text, said in json.loads(file.read_text()).items()
    }
    missing = sorted(text for text in said if "{message}" not in text and text not in german)
    assert missing == []
    for text, translated in german.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", translated)), text
