"""How often one may guess, and that no guess of strangers keeps out who may come in."""

import pytest

from consent.web.desk.throttle import BY_DEVICE, BY_NAME
from tests.desk.conftest import PASSWORD, Browser

MOST = int(BY_NAME.split("/")[0])


def tried(browser: Browser, name: str, password: str, address: str = "203.0.113.1") -> int:
    """One try from an address."""
    data = {"csrf_token": browser.token, "name": name, "password": password}
    return browser.client.post("/admin/sign-in", data=data, environ_base={"REMOTE_ADDR": address}).status_code


@pytest.fixture
def fresh(browser):
    """Makes browsers that never signed in, with the form open."""

    def fresh() -> Browser:
        one = browser()
        one.get("/admin/sign-in")
        return one

    return fresh


@pytest.fixture
def besieged(fresh):
    """Strangers guess from many addresses, a few times each."""
    for at in range(MOST + 1):
        last = tried(fresh(), "owner", "guess", f"198.51.100.{at}")
    assert last == 429


@pytest.mark.usefixtures("besieged")
def test_many_addresses_guess_one_name_no_oftener_than_one(fresh):
    assert tried(fresh(), "owner", PASSWORD) == 429
    assert tried(fresh(), "editor", PASSWORD) == 303


def test_a_name_that_is_nobodys_is_counted_as_any_other(fresh):
    found = [tried(fresh(), "nobody", "guess", f"198.51.100.{at}") for at in range(MOST + 1)]
    assert found == [401] * MOST + [429]


def test_who_signed_in_before_is_not_kept_out_by_strangers(browser, request):
    owner = browser("owner")
    request.getfixturevalue("besieged")
    owner.post("/admin/sign-out")
    assert tried(owner, "owner", PASSWORD) == 303


@pytest.mark.usefixtures("besieged")
def test_a_one_time_password_lets_in_a_new_browser_whatever_strangers_do(fresh, crew):
    given = crew.reset("owner")
    assert tried(fresh(), "owner", given) == 303


@pytest.mark.usefixtures("besieged")
def test_what_only_looks_like_a_one_time_password_is_counted_by_address(fresh):
    found = [tried(fresh(), "owner", "aaaaa-aaaaa-aaaaa-aaaaa") for _ in range(21)]
    assert found == [401] * 20 + [429]


def test_the_password_is_changed_whatever_strangers_do(browser, request):
    owner = browser("owner")
    request.getfixturevalue("besieged")
    own = PASSWORD + "2"
    answer = owner.post("/admin/account/password", present=PASSWORD, password=own, again=own)
    assert "The password is changed" in answer.text


def test_who_took_over_a_browser_guesses_its_password_a_few_times_only(browser):
    owner, own = browser("owner"), PASSWORD + "2"
    form = {"password": own, "again": own}
    most = int(BY_DEVICE.split("/")[0])
    found = [owner.post("/admin/account/password", present="guess", **form).status_code for _ in range(most + 1)]
    assert found == [422] * most + [429]


def test_the_cookie_of_a_browser_that_signed_in_counts_only_for_its_name(browser, request):
    editor = browser("editor")
    request.getfixturevalue("besieged")
    editor.post("/admin/sign-out")
    assert tried(editor, "owner", PASSWORD) == 429
