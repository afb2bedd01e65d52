"""Who may do what with the API: every address for administrators, every kind of token, and everybody without one."""

from typing import Any

import pytest

from consent.web.operations import Operation
from tests.conftest import SUBJECT
from tests.desk.test_access import database  # noqa: F401
from tests.test_admin_api import TOML

HOLDERS: dict[str, tuple[str, str | None]] = {
    "auditor": ("auditor", None),
    "editor": ("editor", None),
    "owner": ("owner", None),
    "auditor of the site": ("auditor", "shop"),
    "editor of the site": ("editor", "shop"),
    "owner of the site": ("owner", "shop"),
    "owner of another site": ("owner", "other"),
}
"""Role and site of a token in force, the whole installation first; the order of the statuses below."""
READ = (200, 200, 200, 200, 200, 200, 403)
WHOLE = (200, 200, 200, 403, 403, 403, 403)
NOWHERE = (404, 404, 404, 403, 403, 403, 403)
"""Whose token is for one site is not told which others there are."""
POLICY = {"data": TOML, "content_type": "application/toml"}
SITE = {"json": {"id": "third", "origins": ["https://third.example"]}}
CALLS: dict[tuple[str, str], tuple[dict[str, Any], tuple[int, ...]]] = {
    ("GET", "/api/sites"): ({}, (200, 200, 200, 200, 200, 200, 200)),
    ("POST", "/api/sites"): (SITE, (403, 403, 201, 403, 403, 403, 403)),
    ("GET", "/api/sites/shop"): ({}, READ),
    ("PATCH", "/api/sites/shop"): ({"json": {"name": "New"}}, (403, 200, 200, 403, 200, 200, 403)),
    ("DELETE", "/api/sites/shop?confirm=shop"): ({}, (403, 403, 204, 403, 403, 204, 403)),
    ("GET", "/api/sites/shop/policies"): ({}, READ),
    ("POST", "/api/sites/shop/policies"): (POLICY, (403, 201, 201, 403, 201, 201, 403)),
    ("GET", "/api/sites/shop/policies/1"): ({}, READ),
    ("GET", "/api/sites/shop/receipts"): ({}, READ),
    ("GET", "/api/sites/shop/export"): ({}, READ),
    ("GET", "/api/sites/shop/stats"): ({}, READ),
    ("DELETE", f"/api/sites/shop/subjects/{SUBJECT}"): ({}, (403, 204, 204, 403, 204, 204, 403)),
    ("GET", "/api/trail"): ({}, WHOLE),
    ("GET", "/metrics"): ({}, WHOLE),
    ("GET", "/api/sites/nowhere"): ({}, NOWHERE),
    ("DELETE", "/api/sites/nowhere?confirm=nowhere"): ({}, (403, 403, 404, 403, 403, 403, 403)),
    ("GET", "/api/sites/_trail"): ({}, NOWHERE),
    ("GET", "/api/sites/_trail/export"): ({}, NOWHERE),
}
"""What is sent, and what each of HOLDERS is answered."""
CALL = pytest.mark.parametrize(("method", "path"), CALLS, ids=" ".join)


@pytest.fixture
def send(client):
    """Make a call of the table with the text of a token."""

    def send(method: str, path: str, text: str) -> int:
        more, header = CALLS[method, path][0], {"Authorization": f"Bearer {text}"}
        return client.open(path, method=method, headers=header, **more).status_code

    return send


@pytest.mark.parametrize("who", range(len(HOLDERS)), ids=list(HOLDERS))
@CALL
def test_a_token_is_for_what_its_role_and_site_say(send, token, method, path, who):
    role, site = list(HOLDERS.values())[who]
    assert send(method, path, token(role, site=site)) == CALLS[method, path][1][who]


@CALL
@pytest.mark.parametrize(
    "header", [None, "Basic eDp5", "Bearer", "Bearer nonsense", "Bearer consent_x_y", "Bearer consent_é_y"]
)
def test_without_a_token_there_is_nothing(client, method, path, header):
    headers = {"Authorization": header.encode().decode("latin-1")} if header else {}
    answer = client.open(path, method=method, headers=headers, **CALLS[method, path][0])
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


@CALL
def test_a_token_that_is_forged_revoked_or_expired_is_none(send, token, ledger, clock, method, path):
    forged, revoked, expired = token()[:-2] + "zz", token(), token(expires_at=int(clock.now) + 60)
    assert (send("GET", "/api/sites", revoked), send("GET", "/api/sites", expired)) == (200, 200)
    with ledger.storage.writing() as rows:
        rows.revoke_token(revoked.split("_")[1], ledger.now())
    clock.forward(seconds=60)
    assert [send(method, path, text) for text in (forged, revoked, expired)] == [401, 401, 401]


@CALL
def test_a_session_of_the_desk_is_no_token(browser, method, path):
    """Else a page elsewhere could make a browser act that is signed in: the API asks for no token against forgery."""
    assert browser("owner").client.open(path, method=method, **CALLS[method, path][0]).status_code == 401


def test_every_address_for_administrators_is_named_here(app):
    """An address without a row would be one that nobody has thought about."""
    wanted = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api") or operation(app, rule.endpoint).role
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert wanted - {(method, rule(app, method, path).rule) for method, path in CALLS} == set()


@CALL
def test_the_role_that_is_documented_is_the_least_that_may(app, method, path):
    if "nowhere" not in path and "_trail" not in path:
        statuses = dict(zip(HOLDERS, CALLS[method, path][1], strict=True))
        least = next(who for who, status in statuses.items() if status < 300)
        assert operation(app, rule(app, method, path).endpoint).role == least


def rule(app, method: str, path: str):
    return app.url_map.bind("").match(path.partition("?")[0], method, return_rule=True)[0]


def operation(app, endpoint: str):
    """What is documented of an address; nothing where it is not of the API."""
    return getattr(app.view_functions[endpoint], "operation", None) or Operation("", {})
