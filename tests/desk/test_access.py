"""Who may see and do what at the desk: every page and call, every kind of person."""

import pytest

from tests.desk.conftest import PASSWORD

WHO = ("", "auditor", "editor", "owner", "stranger")
"""Nobody, people of the site `shop`, an owner of everything, the owner of another site."""
SIGN_IN = "sign in"
READ = (SIGN_IN, 200, 200, 200, 403)
EDIT = (SIGN_IN, 403, 200, 200, 403)
OWN = (SIGN_IN, 403, 403, 200, 403)
NONE = (SIGN_IN, 404, 404, 404, 403)
"""Somebody may see it, but there is none."""
RECEIPT = "/admin/sites/shop/receipts/019ab1c2-77aa-7bbb-8ccc-0123456789ab"
PAGES = {
    "/admin/": (SIGN_IN, 200, 200, 200, 200),
    "/admin/account": (SIGN_IN, 200, 200, 200, 200),
    "/admin/people": OWN,
    "/admin/tokens": OWN,
    "/admin/trail": OWN,
    "/admin/trail.ndjson": OWN,
    "/admin/trail.zip": OWN,
    "/admin/health": OWN,
    "/admin/sites/shop/overview": READ,
    "/admin/sites/shop/overview.csv": READ,
    "/admin/new-site": OWN,
    **{
        f"/admin/sites/shop/banner{room}": READ
        for room in (
            "",
            "/texts",
            "/services",
            "/looks",
            "/rules",
            "/review",
            "/published",
            "/history",
            "/file",
            "/policy.toml",
        )
    },
    "/admin/sites/shop/preview": READ,
    "/admin/sites/shop/install": READ,
    "/admin/sites/shop/receipts": READ,
    RECEIPT: NONE,
    f"{RECEIPT}/sheet": NONE,
    f"{RECEIPT}/jws": NONE,
    f"{RECEIPT}/proof": NONE,
    "/admin/sites/shop/export": READ,
    "/admin/sites/shop/export?format=csv": READ,
    "/admin/sites/shop/export/file?format=csv": READ,
    "/admin/sites/shop/requests": EDIT,
    "/admin/sites/shop/requests?q=AAAAAAAAAAAAAAAAAAAAAA": EDIT,
    "/admin/sites/shop/erasures/0": NONE,
    "/admin/sites/shop/erasures/0/jws": NONE,
    "/admin/sites/shop/settings": EDIT,
    "/admin/sites/nowhere/install": (SIGN_IN, 403, 403, 404, 403),
    "/admin/nothing": (404, 404, 404, 404, 404),
}
"""What each of WHO is answered. A trail is for who may see the whole installation."""
SETTINGS = {"name": "Shop", "origins": "https://shop.example", "retention_days": ""}
VISITOR = {"subject": "AAAAAAAAAAAAAAAAAAAAAA", "confirm": "shop"}
ACTS = {
    "/admin/people": ({"name": "new", "role": "editor", "site": "shop"}, OWN),
    "/admin/people/auditor/roles": ({"role": "editor", "site": "shop"}, OWN),
    "/admin/people/auditor/reset": ({}, OWN),
    "/admin/people/auditor/remove": ({"confirm": "auditor"}, OWN),
    "/admin/tokens": ({"role": "auditor", "name": "t", "days": "5"}, OWN),
    "/admin/tokens/0123456789ab/revoke": ({}, (SIGN_IN, 403, 403, 404, 403)),
    "/admin/new-site": ({"id": "third", "name": "Third", "origins": "https://third.example"}, OWN),
    "/admin/sites/shop/settings": (SETTINGS, EDIT),
    "/admin/sites/shop/requests/access": (VISITOR, EDIT),
    "/admin/sites/shop/requests/erase": (VISITOR, EDIT),
    "/admin/sites/shop/delete": ({"confirm": "shop"}, OWN),
}


def seen(answer) -> object:
    return SIGN_IN if answer.request.path == "/admin/sign-in" else answer.status_code


@pytest.mark.parametrize("who", range(len(WHO)), ids=[name or "anonymous" for name in WHO])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_who_may_see_it(browser, path, who):
    assert seen(browser(WHO[who]).get(path)) == PAGES[path][who]


@pytest.mark.parametrize("who", range(len(WHO)), ids=[name or "anonymous" for name in WHO])
@pytest.mark.parametrize("path", ACTS)
def test_an_act_is_for_who_may_do_it(browser, path, who):
    fields, expected = ACTS[path]
    actor = browser(WHO[who])
    if not WHO[who]:
        actor.get("/admin/sign-in")
    answer = actor.post(path, **fields)
    wanted = 401 if expected[who] == SIGN_IN else expected[who]
    assert answer.status_code == wanted


@pytest.mark.parametrize("path", ACTS)
def test_nothing_is_done_by_a_forged_form(browser, path):
    answer = browser("owner").post(path, **ACTS[path][0], csrf_token="forged")
    assert answer.status_code == 400 and "Nothing was done" in answer.text


def test_a_password_is_no_token(client, crew):
    assert client.get("/api/sites", headers={"Authorization": f"Bearer {PASSWORD}"}).status_code == 401
