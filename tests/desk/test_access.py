"""Who may see and do what at the desk: every page and call, every kind of person."""

import io
from pathlib import Path

import pytest
from werkzeug.routing import RequestRedirect

from consent.people import ALL as EVERYTHING
from consent.sessions import IDLE
from consent.settings import Settings, load
from consent.web.desk.designer_form import SECTIONS
from tests.desk.conftest import PASSWORD

WHO = ("", "auditor", "editor", "owner", "stranger")
"""Nobody, people of the site `shop`, an owner of everything, the owner of another site."""
SIGN_IN = "sign in"
READ = (SIGN_IN, 200, 200, 200, 403)
EDIT = (SIGN_IN, 403, 200, 200, 403)
OWN = (SIGN_IN, 403, 403, 200, 403)
NONE = (SIGN_IN, 404, 404, 404, 403)
"""Somebody may see it, but there is none."""
ALL = (200, 200, 200, 200, 200)
NOWHERE = (404, 404, 404, 404, 404)
FORM = (SIGN_IN, SIGN_IN, SIGN_IN, SIGN_IN, SIGN_IN)
"""Everybody is led to the form, or is there."""
RECEIPT = "/admin/sites/shop/receipts/019ab1c2-77aa-7bbb-8ccc-0123456789ab"
PAGES = {
    "/admin": (SIGN_IN, 200, 200, 200, 200),
    "/admin/": (SIGN_IN, 200, 200, 200, 200),
    "/admin/account": (SIGN_IN, 200, 200, 200, 200),
    "/admin/people": OWN,
    "/admin/people/auditor": OWN,
    "/admin/tokens": OWN,
    "/admin/trail": OWN,
    "/admin/trail/0": (SIGN_IN, 403, 403, 404, 403),
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
    "/admin/sites/shop/banner/service": NONE,
    "/admin/sites/shop/preview": READ,
    "/admin/sites/shop/install": READ,
    "/admin/sites/shop/receipts": READ,
    RECEIPT: NONE,
    f"{RECEIPT}/banner": NONE,
    f"{RECEIPT}/sheet": NONE,
    f"{RECEIPT}/jws": NONE,
    f"{RECEIPT}/proof": NONE,
    "/admin/sites/shop/export": READ,
    "/admin/sites/shop/export?format=csv": READ,
    "/admin/sites/shop/export/file?format=csv": READ,
    "/admin/sites/shop/export/progress?key=0123456789abcdef0123456789abcdef": NONE,
    "/admin/sites/shop/requests": EDIT,
    "/admin/sites/shop/requests?q=AAAAAAAAAAAAAAAAAAAAAA": EDIT,
    "/admin/sites/shop/erasures/0": NONE,
    "/admin/sites/shop/erasures/0/jws": NONE,
    "/admin/sites/shop/settings": EDIT,
    "/admin/sites/nowhere/install": (SIGN_IN, 403, 403, 404, 403),
    "/admin/sign-in": FORM,
    "/admin/sign-in/openid": FORM,
    "/admin/sign-in/openid/callback?code=x&state=y": FORM,
    "/admin/desk.css": ALL,
    "/admin/nothing": NOWHERE,
    "/admin/nothing/at/all": NOWHERE,
}
"""What each of WHO is answered. A trail is for who may see the whole installation; the provider does not answer."""
SETTINGS = {"name": "Shop", "origins": "https://shop.example", "retention_days": ""}
VISITOR = {"subject": "AAAAAAAAAAAAAAAAAAAAAA", "confirm": "shop"}
ACCOUNT = (SIGN_IN, 422, 422, 422, 422)
"""Everybody's own, but the present password or the code is wrong."""
FILE = (Path(__file__).parent.parent / "data" / "policy.toml").read_bytes()
ACTS = {
    "/admin/sign-in": ({"name": "owner", "password": "wrong"}, (401, 401, 401, 401, 401)),
    "/admin/sign-out": ({}, ALL),
    "/admin/language": ({"language": "de", "next": "/admin/"}, ALL),
    "/admin/account/password": ({"present": "wrong", "password": PASSWORD, "again": PASSWORD}, ACCOUNT),
    "/admin/account/second-factor": ({"code": "000000"}, ACCOUNT),
    "/admin/account/second-factor/off": ({"present": "wrong"}, ACCOUNT),
    "/admin/people": ({"name": "new", "role.shop": "editor"}, OWN),
    "/admin/people/auditor/roles": ({"role.shop": "editor"}, OWN),
    "/admin/people/auditor/account": ({"account": "auditor@example.org"}, OWN),
    "/admin/people/auditor/reset": ({"confirm": "auditor"}, OWN),
    "/admin/people/auditor/remove": ({"confirm": "auditor"}, OWN),
    "/admin/tokens": ({"role": "auditor", "name": "t", "days": "5"}, OWN),
    "/admin/tokens/0123456789ab/revoke": ({"confirm": "0123456789ab"}, (SIGN_IN, 403, 403, 404, 403)),
    "/admin/new-site": ({"id": "third", "name": "Third", "origins": "https://third.example"}, OWN),
    "/admin/sites/shop/settings": (SETTINGS, EDIT),
    **{f"/admin/sites/shop/banner/{section}": ({"do": "save", "stamp": "v1"}, EDIT) for section in SECTIONS},
    "/admin/sites/shop/banner/service": ({"do": "save", "stamp": "v1"}, (SIGN_IN, 403, 400, 400, 403)),
    "/admin/sites/shop/banner/nothing": ({}, (SIGN_IN, 403, 404, 404, 403)),
    "/admin/sites/shop/banner/publish": (
        {"stamp": "v1", "version": "1", "material": "no"},
        (SIGN_IN, 403, 409, 409, 403),
    ),
    "/admin/sites/shop/banner/restore": ({"stamp": "v1", "version": "1"}, EDIT),
    "/admin/sites/shop/banner/discard": ({"stamp": "v1"}, EDIT),
    "/admin/sites/shop/banner/import": ({"stamp": "v1", "file": (FILE, "policy.toml")}, EDIT),
    "/admin/sites/shop/preview/texts": ({}, EDIT),
    "/admin/sites/shop/findings/texts": ({}, EDIT),
    "/admin/sites/shop/requests/access": (VISITOR, EDIT),
    "/admin/sites/shop/requests/erase": (VISITOR, EDIT),
    "/admin/sites/shop/delete": ({"confirm": "shop"}, OWN),
    "/admin/nothing/at/all": ({}, NOWHERE),
}
"""The form of each, and what each of WHO is answered. The site has no service that could be saved."""


@pytest.fixture
def database(tmp_path) -> str:
    """One kind is enough: who may what does not depend on it."""
    return f"sqlite://{tmp_path / 'data' / 'consent.db'}"


@pytest.fixture
def settings(tmp_path) -> Settings:
    """With an OpenID provider that nobody has started."""
    provider = {"ISSUER": "http://127.0.0.1:9", "CLIENT_ID": "consent", "CLIENT_SECRET": "secret"}
    given = {"CONSENT_DATA": str(tmp_path / "data"), "CONSENT_PUBLIC_URL": "https://consent.example.org"}
    return load(given | {f"CONSENT_OIDC_{name}": value for name, value in provider.items()})


def act(browser, path: str, **more):
    """Send the form of an act."""
    fields = {
        name: (io.BytesIO(data[0]), data[1]) if isinstance(data, tuple) else data
        for name, data in ACTS[path][0].items()
    }
    return browser.post(path, **fields, **more)


def seen(answer) -> object:
    return SIGN_IN if answer.request.path == "/admin/sign-in" else answer.status_code


@pytest.mark.parametrize("who", range(len(WHO)), ids=[name or "anonymous" for name in WHO])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_who_may_see_it(browser, path, who):
    assert seen(browser(WHO[who]).get(path)) == PAGES[path][who]


@pytest.mark.parametrize("who", range(len(WHO)), ids=[name or "anonymous" for name in WHO])
@pytest.mark.parametrize("path", ACTS)
def test_an_act_is_for_who_may_do_it(browser, path, who):
    expected = ACTS[path][1]
    actor = browser(WHO[who])
    if not WHO[who]:
        actor.get("/admin/sign-in")
    answer = act(actor, path)
    wanted = 401 if expected[who] == SIGN_IN else expected[who]
    assert answer.status_code == wanted


@pytest.mark.parametrize("path", ACTS)
def test_nothing_is_done_by_a_forged_form(browser, path):
    for token in ("forged", "", browser("editor").token):
        answer = act(browser("owner"), path, csrf_token=token)
        assert answer.status_code == 400 and "Nothing was done" in answer.text


@pytest.mark.parametrize("path", dict.fromkeys([*PAGES, *ACTS]))
def test_who_signed_in_too_long_ago_is_nobody(browser, clock, path):
    late = browser("owner")
    clock.forward(seconds=IDLE)
    if path in PAGES:
        assert seen(late.get(path)) == PAGES[path][0]
    if path in ACTS:
        late.get("/admin/sign-in")
        wanted = ACTS[path][1][0]
        assert act(late, path).status_code == (401 if wanted == SIGN_IN else wanted)


def test_a_one_time_password_opens_nothing_but_the_page_that_changes_it(browser, crew):
    """The newcomer owns everything, so that nothing else is in the way."""
    _, password = crew.add("newcomer", {EVERYTHING: "owner"})
    newcomer = browser()
    newcomer.sign_in("newcomer", password)
    pages = [path for path, row in PAGES.items() if row[0] == SIGN_IN and row != FORM]
    acts = [path for path, (_, row) in ACTS.items() if row[0] == SIGN_IN and path != "/admin/account/password"]
    led = {path: newcomer.get(path).request.path for path in pages} | {
        path: act(newcomer, path).request.path for path in acts
    }
    assert set(led.values()) == {"/admin/account"} and len(led) > 50, led


def test_every_address_of_the_desk_is_named_here(app):
    """An address without a row would be one that nobody has thought about."""
    wanted = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    named = {(rule(app, path, method), method) for method, rows in (("GET", PAGES), ("POST", ACTS)) for path in rows}
    assert wanted - named == set()


def rule(app, path: str, method: str) -> str:
    """The rule that answers an address."""
    try:
        found, _ = app.url_map.bind("").match(path.partition("?")[0], method, return_rule=True)
    except RequestRedirect as elsewhere:
        return rule(app, elsewhere.new_url.removeprefix("http://"), method)
    return found.rule


def test_a_password_is_no_token(client, crew):
    assert client.get("/api/sites", headers={"Authorization": f"Bearer {PASSWORD}"}).status_code == 401
