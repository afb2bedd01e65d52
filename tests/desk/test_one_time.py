"""The one-time password that the command line prints: it signs in over HTTP, and opens nothing until it is changed."""

import pytest

from consent import create_app
from consent.settings import load
from tests.desk.conftest import PASSWORD, Browser
from tests.test_cli import Runner, run  # noqa: F401

PRINTING = {
    "init": ("owner", [["init"]]),
    "serve": ("owner", [["serve"]]),
    "user add": ("anna", [["init"], ["user", "add", "anna", "--role", "auditor"]]),
    "user reset": ("owner", [["init"], ["user", "reset", "owner"]]),
}
"""By command: of whom it prints the password, and what is typed, the command last."""


@pytest.fixture(params=PRINTING)
def printed(request, run, monkeypatch) -> tuple[str, str]:  # noqa: F811
    """A name and the one-time password that a command printed for it."""
    monkeypatch.setattr("consent.cli.serving.run", lambda *_, **__: None)
    name, typed = PRINTING[request.param]
    results = [run(*arguments) for arguments in typed]
    assert [result.exit_code for result in results] == [0] * len(typed)
    return name, password_in(results[-1].output)


@pytest.fixture
def browser(run: Runner):  # noqa: F811
    """Fresh browsers before one service on the installation of the command line."""
    made = []

    def browser() -> Browser:
        made[:] = made or [create_app(load(run.environ))]
        return Browser(made[0].test_client())

    return browser


def password_in(output: str) -> str:
    line = next(line for line in output.splitlines() if "one-time password" in line.lower())
    return line.split()[-1]


def test_it_signs_in_and_opens_nothing_until_it_is_changed(printed, browser):
    name, password = printed
    fresh = browser()
    assert fresh.sign_in(name, password).request.path == "/admin/account"
    for path in ("/admin/", "/admin/trail", "/admin/new-site"):
        assert fresh.get(path).request.path == "/admin/account"
    kept = fresh.post("/admin/account/password", present=password, password=password, again=password + "x")
    assert kept.status_code == 422 and fresh.get("/admin/").request.path == "/admin/account"
    fresh.post("/admin/account/password", present=password, password=PASSWORD, again=PASSWORD)
    assert fresh.get("/admin/").request.path == "/admin/"


def test_it_signs_in_no_more_once_it_is_changed(printed, browser):
    name, password = printed
    fresh = browser()
    fresh.sign_in(name, password)
    fresh.post("/admin/account/password", present=password, password=PASSWORD, again=PASSWORD)
    assert browser().sign_in(name, password).status_code == 401
    assert browser().sign_in(name, PASSWORD).request.path == "/admin/"


def test_a_reset_ends_the_password_and_the_sessions_before_it(run, browser):  # noqa: F811
    first = password_in(run("init").output)
    before = browser()
    before.sign_in("owner", first)
    second = password_in(run("user", "reset", "owner").output)
    assert before.get("/admin/account").request.path == "/admin/sign-in"
    assert browser().sign_in("owner", first).status_code == 401
    assert browser().sign_in("owner", second).request.path == "/admin/account"
