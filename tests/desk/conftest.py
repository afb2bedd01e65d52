"""Fixtures for the desk: people of every role, signed in through the form as a browser is."""

import re

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from consent import people, policy
from consent.people import ALL, People
from tests.conftest import ORIGIN

PASSWORD = "a long enough password"
ROLES = {
    "owner": {ALL: "owner"},
    "editor": {"shop": "editor"},
    "auditor": {"shop": "auditor"},
    "stranger": {"other": "owner"},
}
"""By name: the stranger owns another site."""


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weak hashes, so that signing in takes no time."""
    monkeypatch.setattr(people, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Browser:
    """A client that keeps cookies, follows redirects and knows the token of the last form it saw."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **more):
        return self._seen(self.client.get(path, follow_redirects=True, **more))

    def post(self, path: str, *, follow: bool = True, **fields):
        data = {"csrf_token": self.token} | fields
        return self._seen(self.client.post(path, data=data, follow_redirects=follow))

    def sign_in(self, name: str, password: str = PASSWORD, code: str = "", next: str = ""):
        self.get("/admin/sign-in")
        answer = self.post("/admin/sign-in", name=name, password=password, code=code, next=next)
        self.get("/admin/account")
        return answer

    def _seen(self, answer):
        if answer.mimetype == "text/html":
            found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
            self.token = found[1] if found else self.token
        return answer


@pytest.fixture
def crew(ledger) -> People:
    """One person of every role."""
    ledger.create_site("other", policy.default("Other", [ORIGIN]))
    crew = People(ledger.storage, ledger.now)
    for name, roles in ROLES.items():
        crew.add(name, roles, PASSWORD)  # type: ignore[arg-type]
    return crew


@pytest.fixture
def browser(app, crew):
    """A fresh browser, signed in under a name where one is given: `browser("editor")`."""

    def browser(name: str = "") -> Browser:
        fresh = Browser(app.test_client())
        if name:
            assert fresh.sign_in(name).status_code == 200
        return fresh

    return browser
