"""Signing in with OpenID Connect, against a provider that runs: who comes in, by whose leave, and under which settings."""

import re
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest

from consent import checkup, extras
from consent.errors import BadSettings
from consent.sessions import IDLE
from consent.settings import Settings, load
from consent.trail import Trail
from tests.desk.conftest import PASSWORD
from tests.desk.openid_provider import CLIENT, SECRET, OpenIdProvider

PUBLIC = "https://consent.example.org"
BEGIN = "/admin/sign-in/openid"
CALLBACK = BEGIN + "/callback"


@pytest.fixture
def provider(clock) -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider(PUBLIC + CALLBACK, clock)
    yield provider
    provider.close()


@pytest.fixture
def database(tmp_path) -> str:
    """One kind is enough: nothing here is peculiar to another."""
    return f"sqlite://{tmp_path / 'data' / 'consent.db'}"


@pytest.fixture
def given(provider, tmp_path) -> dict[str, str]:
    """The environment of an installation with that provider."""
    return {
        "CONSENT_DATA": str(tmp_path / "data"),
        "CONSENT_PUBLIC_URL": PUBLIC,
        "CONSENT_OIDC_ISSUER": provider.url,
        "CONSENT_OIDC_CLIENT_ID": CLIENT,
        "CONSENT_OIDC_CLIENT_SECRET": SECRET,
        "CONSENT_OIDC_NAME": "Example",
    }


@pytest.fixture
def settings(given) -> Settings:
    return load(given)


@pytest.fixture
def anna(crew) -> str:
    """An editor who has no password; her name."""
    crew.add("anna", {"shop": "editor"}, account="anna@example.ORG")
    return "anna"


class Unmoved(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None: ...


def sent(browser, next: str = "") -> str:
    """The address at the provider that the button leads to."""
    answer = browser.client.get(BEGIN, query_string={"next": next})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
    return answer.headers["Location"]


def returned(address: str) -> str:
    """Where the provider sends the browser back to."""
    with pytest.raises(HTTPError) as answer:
        urllib.request.build_opener(Unmoved).open(address, timeout=5)
    answer.value.close()
    assert answer.value.code == 302
    return answer.value.headers["Location"].removeprefix(PUBLIC)


def walk(browser, next: str = ""):
    """Follow the button to the provider and back; the last page."""
    return browser.get(returned(sent(browser, next)))


def refused(answer, status: int) -> str:
    """What the form says why nobody was signed in."""
    assert (answer.request.path, answer.status_code) == ("/admin/sign-in", status)
    assert answer.headers["Cache-Control"] == "no-store" and "code=" not in answer.request.url
    return re.search(r'role="alert">([^<]+)<', answer.text)[1].replace("&#39;", "'")


def acts(ledger) -> list[tuple[str, str]]:
    return [(told.act.who, told.act.what) for told in Trail(ledger).newest()]


# Coming in.


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_whoever_an_owner_named_comes_in_and_is_led_on(browser, anna, provider, ledger, algorithm):
    provider.algorithm = algorithm
    fresh = browser()
    shown = fresh.get("/admin/sites/shop/banner")
    button = re.search(r'class="button" href="([^"]+)">Sign in with Example<', shown.text)[1]
    address = fresh.client.get(button.replace("&amp;", "&")).headers["Location"]
    answer = fresh.get(returned(address))
    assert (answer.request.path, answer.status_code) == ("/admin/sites/shop/banner", 200)
    assert acts(ledger) == [("anna", "bound the own account")]
    account = fresh.get("/admin/account").text
    assert "anna@example.org" in account and "no password here" in account and 'name="password"' not in account


def test_the_browser_is_sent_with_state_nonce_and_a_challenge_to_a_fixed_address_and_back(browser, anna, provider):
    query = parse_qs(urlsplit(sent(browser())).query)
    assert query["redirect_uri"] == [PUBLIC + CALLBACK] and query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 22 and len(query["nonce"][0]) >= 22 and len(query["code_challenge"][0]) == 43
    other = parse_qs(urlsplit(sent(browser())).query)
    assert not {query[name][0] for name in ("state", "nonce", "code_challenge")} & {
        other[name][0] for name in ("state", "nonce", "code_challenge")
    }


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example/", "/admin/..//evil.example", "/docs"])
def test_nobody_is_led_elsewhere(browser, anna, next):
    assert walk(browser(), next).request.path == "/admin/"


def test_the_policy_of_the_form_names_nobody_else(browser, provider):
    answer = browser().get("/admin/sign-in")
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert provider.url not in answer.text and provider.url not in str(answer.headers)
    assert provider.asked == []


def test_a_session_is_like_any_other(browser, anna, clock, crew):
    fresh = browser()
    fresh.get("/admin/sign-in")
    before = fresh.client.get_cookie("consent_desk", path="/admin").value
    walk(fresh)
    cookie = fresh.client.get_cookie("consent_desk", path="/admin")
    assert cookie.value != before and (cookie.http_only, cookie.secure, cookie.same_site) == (True, True, "Lax")
    assert fresh.get("/admin/people").status_code == 403
    assert fresh.post("/admin/sign-out", csrf_token="forged").status_code == 400
    clock.forward(seconds=IDLE)
    assert fresh.get("/admin/").request.path == "/admin/sign-in"
    walk(fresh)
    crew.remove("anna")
    assert fresh.get("/admin/").request.path == "/admin/sign-in"


def test_the_first_sign_in_binds_the_account_whatever_its_address_becomes(browser, anna, provider, ledger):
    walk(browser())
    provider.account |= {"email": "married@example.org", "email_verified": False}
    assert walk(browser()).request.path == "/admin/"
    provider.account = {"sub": "another", "email": "anna@example.org", "email_verified": True}
    assert "Another account signed in here first" in refused(walk(browser()), 401)
    assert acts(ledger) == [("anna", "bound the own account")]


def test_a_subject_is_a_name_too(browser, crew, provider):
    crew.add("bert", {"shop": "auditor"}, account="248289")
    provider.account = {"sub": "248289"}
    assert walk(browser()).request.path == "/admin/"


def test_an_address_that_the_token_does_not_tell_is_asked_for(browser, anna, provider):
    provider.told = {"sub": "248289", "email": "anna@example.org", "email_verified": True}
    assert walk(browser()).request.path == "/admin/"


def test_what_is_told_of_somebody_else_does_not_count(browser, anna, provider):
    provider.told = {"sub": "other", "email": "anna@example.org", "email_verified": True}
    assert "Nobody here signs in with this account" in refused(walk(browser()), 401)


def test_a_secret_is_posted_to_a_provider_that_wants_it_so(browser, anna, provider):
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert walk(browser()).request.path == "/admin/"


# What takes the place of what.


def test_password_and_second_factor_end_with_the_first_sign_in(browser, crew, provider):
    editor = browser("editor")
    crew.set_secret("editor", "A" * 32)
    crew.set_account("editor", "anna@example.org")
    assert editor.get("/admin/").request.path == "/admin/sign-in"
    fresh = browser()
    assert walk(fresh).request.path == "/admin/"
    assert browser().sign_in("editor").status_code == 401
    assert fresh.post("/admin/account/second-factor", code="000000").status_code == 422
    assert fresh.post("/admin/account/password", present="", password=PASSWORD, again=PASSWORD).status_code == 422


def test_a_one_time_password_is_a_way_in_until_the_provider_is_back(browser, crew, anna, provider):
    walk(browser())
    given = crew.reset("anna")
    assert browser().sign_in("anna", given).request.path == "/admin/account"
    assert walk(browser()).request.path == "/admin/"
    assert browser().sign_in("anna", given).status_code == 401


# The people page.


def test_an_owner_invites_names_and_takes_back(browser, provider, ledger):
    owner = browser("owner")
    answer = owner.post("/admin/people", name="anna", role="editor", account="Anna@example.org")
    assert "anna can sign in with Example now" in answer.text and "One-time password" not in answer.text
    assert "not used yet" in owner.get("/admin/people").text
    anna = browser()
    walk(anna)
    assert "not used yet" not in owner.get("/admin/people").text
    owner.post("/admin/people/anna/account", account="")
    assert anna.get("/admin/").request.path == "/admin/sign-in"
    assert "Nobody here signs in" in refused(walk(anna), 401)
    assert acts(ledger) == [
        ("owner", "named an account"), ("anna", "bound the own account"), ("owner", "added a person"),
    ]  # fmt: skip


@pytest.mark.parametrize("account", ["änna@example.org", "two words", "x" * 256])
def test_an_account_that_cannot_be_is_refused_by_a_sentence(browser, account):
    owner = browser("owner")
    for path in ("/admin/people", "/admin/people/editor/account"):
        answer = owner.post(path, name="new", role="editor", account=account)
        assert answer.status_code == 422 and "must be an e-mail address or a subject" in answer.text


def test_an_account_is_one_persons(browser, anna, provider):
    owner = browser("owner")
    walk(browser())
    for account in ("anna@example.org", "248289"):
        answer = owner.post("/admin/people/editor/account", account=account)
        assert answer.status_code == 409 and "somebody else" in answer.text


# The settings.


def test_without_a_provider_there_is_neither_button_nor_address(app, browser):
    app.extensions["consent"] = app.extensions["consent"]._replace(settings=load({"CONSENT_PUBLIC_URL": PUBLIC}))
    owner = browser("owner")
    assert "Sign in with" not in browser().get("/admin/sign-in").text
    assert [owner.get(path).status_code for path in (BEGIN, CALLBACK)] == [404, 404]
    assert not any('name="account"' in owner.get(f"/admin/people{who}").text for who in ("", "/editor"))
    assert owner.post("/admin/people/editor/account", account="x").status_code == 404


@pytest.mark.parametrize("missing", ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"])
def test_a_provider_needs_all_its_settings(given, missing):
    del given[f"CONSENT_OIDC_{missing}"]
    with pytest.raises(BadSettings, match="set all of them, or none"):
        load(given)


@pytest.mark.parametrize(
    "issuer",
    ["http://login.example.org", "login.example.org", "https://a.example/?x", "https://me:word@a.example", "https://"],
)
def test_an_issuer_that_cannot_be_one_is_refused(given, issuer):
    with pytest.raises(BadSettings, match="CONSENT_OIDC_ISSUER"):
        load(given | {"CONSENT_OIDC_ISSUER": issuer})


def test_a_secret_may_stand_in_a_file(given, tmp_path):
    file = tmp_path / "secret"
    file.write_text(given.pop("CONSENT_OIDC_CLIENT_SECRET") + "\n")
    assert load(given | {"CONSENT_OIDC_CLIENT_SECRET_FILE": str(file)}).oidc_client_secret == SECRET
    with pytest.raises(BadSettings, match="not both"):
        load(given | {"CONSENT_OIDC_CLIENT_SECRET_FILE": str(file), "CONSENT_OIDC_CLIENT_SECRET": "x"})
    file.write_bytes(b"\xff")
    with pytest.raises(BadSettings, match="cannot be read"):
        load(given | {"CONSENT_OIDC_CLIENT_SECRET_FILE": str(file)})


def test_without_the_packages_the_start_says_how_to_get_them(given, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(BadSettings, match=r"pip install 'consent\[oidc\]'"):
        load(given)


def test_the_button_says_the_host_where_no_name_is_given(given):
    del given["CONSENT_OIDC_NAME"]
    assert load(given).oidc_name == "localhost"


def test_the_doctor_asks_the_provider(settings, provider):
    assert checkup.found(settings)["sign-in provider"] == []
    provider.metadata = {"issuer": "https://evil.example"}
    [told] = checkup.found(settings)["sign-in provider"]
    assert "it calls itself 'https://evil.example'" in told
