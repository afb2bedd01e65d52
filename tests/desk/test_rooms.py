"""People, tokens, settings, new sites, install and trail, as an owner uses them."""

import json
import re
from pathlib import Path

import pytest

from consent import policy
from consent.administrator import Administrator
from consent.model import Filter
from consent.people import new_secret
from consent.trail import Trail
from consent.web.sightings import HOUR, MINUTE, Sightings
from tests.conftest import ORIGIN
from tests.desk.conftest import PASSWORD

ROOM = Path(__file__).parent.parent.parent / "consent"
WHATS = {
    text
    for file in ROOM.rglob("*.py")
    for text in re.findall(
        r'(?:did\(|gave\(|noting\(|noting_person\(|PUBLISHED =|what or|drafts\(\).get\(site\),)\s*"([^"]+)"',
        file.read_text(),
    )
}
BAD = "<script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture
def owner(browser):
    return browser("owner")


def test_somebody_is_added_with_a_password_that_is_shown_once(owner, browser):
    shown = owner.post("/admin/people", name="New", **{"role.shop": "editor"}).text
    password = re.search(r"<code class=.wrap.>([a-z2-9-]{23})</code>", shown)[1]
    assert password not in owner.get("/admin/people").text
    assert browser().sign_in("new", password).request.path == "/admin/account"


@pytest.mark.parametrize(
    "name, roles, status",
    [
        ("owner", {"role": "owner"}, 409),
        ("A B", {"role": "owner"}, 422),
        ("new", {"role": "king"}, 400),
        ("new", {"role": ""}, 400),
        ("new", {"role.nowhere": "owner"}, 404),
    ],
)
def test_a_person_that_cannot_be_is_refused_by_a_sentence(owner, name, roles, status):
    answer = owner.post("/admin/people", name=name, **roles)
    assert answer.status_code == status and "alert" in answer.text
    assert owner.post("/admin/people/editor/roles", **roles).status_code == (status if name == "new" else 200)


def test_somebody_holds_a_role_on_each_of_several_sites(owner, browser, ledger):
    ledger.create_site("third", policy.default("Third", [ORIGIN]))
    given = {"role": "", "role.shop": "editor", "role.other": "auditor", "role.third": ""}
    owner.post("/admin/people/editor/roles", **given)
    editor = browser("editor")
    for site, expected in {"shop": [200, 200], "other": [200, 403], "third": [403, 403]}.items():
        rooms = (f"/admin/sites/{site}/{room}" for room in ("overview", "settings"))
        assert [editor.get(room).status_code for room in rooms] == expected
    shown = owner.get("/admin/people/editor").text
    held = re.findall(r'name="(role[.\w]*)">.*?(?:value="(\w+)" selected|</select>)', shown)
    assert held == [("role", ""), ("role.other", "auditor"), ("role.shop", "editor"), ("role.third", "")]


def test_a_new_one_time_password_takes_the_second_factor_only_once_confirmed(owner, crew):
    crew.set_secret("editor", new_secret())
    before = crew.get("editor")
    assert owner.post("/admin/people/editor/reset", confirm="edito").status_code == 400
    assert crew.get("editor") == before
    assert owner.post("/admin/people/editor/reset", confirm="editor").status_code == 200
    assert not crew.get("editor").secret and crew.get("editor").must_change


def test_the_last_owner_stays(owner):
    answer = owner.post("/admin/people/owner/remove", confirm="owner")
    assert answer.status_code == 409 and "has to stay owner" in answer.text
    assert owner.post("/admin/people/owner/roles", role="auditor").status_code == 409


def test_who_is_removed_is_out_at_once(owner, browser):
    editor = browser("editor")
    assert owner.post("/admin/people/editor/remove", confirm="edito").status_code == 400
    owner.post("/admin/people/editor/remove", confirm="editor")
    assert editor.get("/admin/").request.path == "/admin/sign-in"


def test_a_changed_role_ends_sessions_and_holds(owner, browser):
    editor = browser("editor")
    owner.post("/admin/people/editor/roles", **{"role.shop": "auditor"})
    assert editor.get("/admin/").request.path == "/admin/sign-in"
    assert browser("editor").get("/admin/sites/shop/settings").status_code == 403


def test_a_token_is_shown_once_used_seen_and_revoked(owner, client, clock):
    shown = owner.post("/admin/tokens", role="auditor", name=BAD, days="5", site="shop").text
    token = re.search(r"consent_[0-9a-f]{12}_[\w-]+", shown)[0]
    assert token not in owner.get("/admin/tokens").text and "<script>alert" not in shown
    assert "never" in owner.get("/admin/tokens").text
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/sites", headers=bearer).status_code == 200
    assert "2026-11-18 " in owner.get("/admin/tokens").text
    clock.forward(days=5)
    assert client.get("/api/sites", headers=bearer).status_code == 401
    owner.sign_in("owner")
    assert "expired" in owner.get("/admin/tokens").text
    id = token.split("_")[1]
    assert owner.post(f"/admin/tokens/{id}/revoke", confirm="another").status_code == 400
    owner.post(f"/admin/tokens/{id}/revoke", confirm=BAD)
    assert "revoked" in owner.get("/admin/tokens").text


@pytest.mark.parametrize("days", ["", "0", "-1", "4000", "x", "1.5"])
def test_a_token_lives_for_some_time(owner, days):
    assert owner.post("/admin/tokens", role="auditor", name="t", days=days).status_code == 400


def test_settings_are_published_without_asking_anybody_again(owner, ledger):
    answer = owner.post(
        "/admin/sites/shop/settings", name="New name", origins=f"{ORIGIN}\nhttps://*.shop.example", retention_days="90"
    )
    published = ledger.published("shop")
    assert "policy version 2" in answer.text and (published.version, published.material_since) == (2, 1)
    assert (published.name, published.origins, published.retention_days) == (
        "New name",
        [ORIGIN, "https://*.shop.example"],
        90,
    )
    again = owner.post(
        "/admin/sites/shop/settings", name="New name", origins=f"{ORIGIN} https://*.shop.example", retention_days="90"
    )
    assert "Nothing was changed" in again.text


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"origins": "nonsense"}, {"origins": ""}, {"retention_days": "-3"}, {"retention_days": "x"}],
)
def test_wrong_settings_are_shown_beside_what_was_typed(owner, ledger, change):
    typed = {"name": "Shop", "origins": ORIGIN, "retention_days": ""} | change
    answer = owner.post("/admin/sites/shop/settings", **typed)
    assert answer.status_code == 422 and ledger.published("shop").version == 1
    assert all(str(value) in answer.text for value in change.values())


def test_a_site_is_made_and_deleted(owner, ledger):
    answer = owner.post("/admin/new-site", id="third", name=BAD, origins="https://third.example")
    assert answer.request.path == "/admin/sites/third/install" and "<script>alert" not in answer.text
    assert "<script>alert" not in owner.get("/admin/").text
    assert owner.post("/admin/sites/third/delete", confirm="shop").status_code == 400
    assert "is gone" in owner.post("/admin/sites/third/delete", confirm="third").text
    assert [site.id for site in ledger.storage.reading().sites()] == ["other", "shop"]


@pytest.mark.parametrize("id", ["", "Shop", "a b", "shop", "_trail", "x" * 64])
def test_a_site_that_cannot_be_is_refused(owner, id):
    answer = owner.post("/admin/new-site", id=id, name="x", origins="https://x.example")
    assert answer.status_code in (400, 409, 422)


def test_the_tag_is_seen_when_a_banner_is_shown(owner, client, clock):
    assert "not seen yet" in owner.get("/admin/sites/shop/install").text
    display = {"policy": 1, "language": "en", "surface": "banner"}
    for first in (None, True, False):
        told = display if first is None else display | {"first": first}
        assert client.post("/sites/shop/displays", json=told, headers={"Origin": ORIGIN}).status_code == 204
    page = owner.get("/admin/sites/shop/install").text
    assert ORIGIN in page and "should be the first thing" in page
    clock.forward(seconds=HOUR)
    client.post("/sites/shop/displays", json=display, headers={"Origin": "https://evil.example"})
    owner.sign_in("owner")
    assert "evil.example" not in owner.get("/admin/sites/shop/install").text


def test_every_act_is_in_the_trail_which_verifies(owner, ledger):
    owner.post("/admin/people", name="new", role="editor", site="shop")
    owner.post("/admin/sites/shop/settings", name=BAD, origins=ORIGIN, retention_days="")
    page = owner.get("/admin/trail").text
    assert "added a person" in page and "changed settings" in page and "<script>alert" not in page
    lines = [json.loads(line) for line in owner.get("/admin/trail.ndjson").text.splitlines()]
    assert [line["claims"]["act"]["what"] for line in lines][2:] == ["exported the trail"]
    assert lines[1]["claims"]["act"] == {
        "who": "owner", "what": "changed settings", "site": "shop",
        "before": {"name": "Shop", "origins": [ORIGIN], "retention_days": None},
        "after": {"name": BAD, "origins": [ORIGIN], "retention_days": None},
    }  # fmt: skip
    assert ledger.storage.reading().entries("_trail", Filter(kinds=("act",)))[0].kind == "act"


def test_what_another_process_saw_meanwhile_is_not_told_for_long(ledger, clock):
    """One sees the tag move and move back, another sees it move in between: the last word is the last one's."""
    one, other = Sightings(ledger), Sightings(ledger)
    told = []
    for process, first in ((one, True), (other, False), (one, True)):
        process.note("shop", ORIGIN, first=first)
        told.append(one.of("shop")[0][1].first)
        clock.forward(seconds=MINUTE)
    assert told == [True, False, True]


def test_nobody_stops_being_an_owner_by_themselves(owner, crew):
    answer = owner.post("/admin/people/owner/roles", role="auditor")
    assert (
        answer.status_code == 409 and "ask another owner" in answer.text and crew.get("owner").roles == {"*": "owner"}
    )


@pytest.mark.parametrize("path", ["settings", "delete", "banner/publish", "requests/erase"])
def test_the_trail_is_no_site(owner, ledger, path):
    Trail(ledger).add("owner", "exported the trail")
    assert owner.post(f"/admin/sites/_trail/{path}", confirm="_trail", name="x", origins=ORIGIN).status_code == 404
    assert [told.act.what for told in Trail(ledger).all()] == ["exported the trail"]


def test_who_acted_how_is_told_in_the_readers_language(owner, ledger):
    for who in (
        "(command line)",
        "Anna (command line)",
        "(schedule)",
        "nightly (token 3f9a12bc44de)",
        "x (y) (token 3f9a12bc44de)",
    ):
        Trail(ledger).add(who, "made a site")
    owner.post("/admin/language", language="de", next="/admin/trail")
    page = owner.get("/admin/trail").text
    for told in ("<td>(Kommandozeile)", "<td>Anna (Kommandozeile)", "<td>(Zeitplan)", "<td>nightly (Zugriffsschlüssel 3f9a12bc44de)", "<td>x (y) (Zugriffsschlüssel"):  # fmt: skip
        assert told in page


@pytest.mark.parametrize("what", sorted(WHATS))
def test_every_act_has_its_words_in_german(what):
    assert what in {text for file in ROOM.glob("templates/desk/de/*.json") for text in json.loads(file.read_text())}


def test_a_long_list_of_changes_is_folded(owner, ledger):
    after = {"changes": ["<b>1</b>", *"23456"], "few": ["7", "8"], "asks_again": False, "roles": {"*": "owner"}}
    Administrator(ledger, "anna").did("published the banner", site="shop", after=after)
    page = owner.get("/admin/trail").text
    assert '<summary>6</summary><ul><li><span class="wrap">&lt;b&gt;1&lt;/b&gt;</span></li>' in page
    for told in (
        '<span class="wrap">7</span>, <span class="wrap">8</span>',
        "<small>Everybody is asked again:</small> no",
        'everywhere: <span class="wrap">owner</span>',
    ):
        assert told in page


def test_much_at_once_is_told_on_a_page_of_its_own(owner, ledger):
    Administrator(ledger, "anna").did("published the banner", site="shop", after={"changes": ["x" * 1000, "last <b>"]})
    text, index = owner.get("/admin/trail").text, Trail(ledger).newest()[0].index
    assert "x" * 1000 not in text and f'href="/admin/trail/{index}">Much at once' in text
    whole = owner.get(f"/admin/trail/{index}").text
    assert "x" * 1000 in whole and "last &lt;b&gt;" in whole
    assert [owner.get(f"/admin/trail/{at}").status_code for at in (index + 1, 2**63 - 1, 10**30, "x")] == [404] * 4


def test_a_long_trail_has_pages(owner, app):
    for number in range(60):
        app.extensions["consent.desk"].trail.add("owner", "exported the trail", after=number)
    first = owner.get("/admin/trail").text
    older = re.search(r'href="(/admin/trail\?before=\d+)"', first)[1]
    assert owner.get(older).text.count("<tr>") == 11
    assert owner.get("/admin/trail?before=x").status_code == 400


def test_who_has_no_site_is_told_what_to_do(browser, crew):
    crew.add("lost", {}, PASSWORD)
    assert "Ask an owner" in browser("lost").get("/admin/").text
