"""What is done at the desk is in the trail: each act once, by whom and on which site; looking and failing leave nothing."""

import io
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pyotp
import pytest
from msgspec.structs import replace

from consent import people, policy
from consent.administrator import Administrator
from consent.drafts import Drafts
from consent.errors import Unavailable
from consent.model import Token
from consent.receipts import Act
from consent.trail import Trail
from consent.web.desk.designer_publish import SHOWN
from tests.conftest import ORIGIN, SUBJECT, choice
from tests.desk.conftest import PASSWORD
from tests.desk.test_access import FILE, PAGES, VISITOR, database, rule, settings  # noqa: F401

BANNER = "/admin/sites/shop/banner"


class Done(NamedTuple):
    """An act: its form, what is noted and of which site; "CODE" and "STAMP" stand for what the form has at that time."""

    what: str
    site: str | None = None
    form: dict[str, Any] = {}  # noqa: RUF012


PASSWORDS = {"present": PASSWORD, "password": PASSWORD + "!", "again": PASSWORD + "!"}
POSTS = {
    "/admin/account/password": Done("changed the own password", None, PASSWORDS),
    "/admin/account/second-factor": Done("turned the own second factor on", None, {"code": "CODE"}),
    "/admin/account/second-factor/off": Done("turned the own second factor off", None, {"present": PASSWORD}),
    "/admin/people": Done("added a person", None, {"name": "new", "role.shop": "editor"}),
    "/admin/people/editor/roles": Done("changed roles", None, {"role.shop": "auditor"}),
    "/admin/people/editor/account": Done("named an account", None, {"account": "editor@example.org"}),
    "/admin/people/editor/reset": Done("reset a password", None, {"confirm": "editor"}),
    "/admin/people/editor/remove": Done("removed a person", None, {"confirm": "editor"}),
    "/admin/tokens": Done("made a token", "shop", {"role": "auditor", "name": "t", "days": "5", "site": "shop"}),
    "/admin/tokens/0123456789ab/revoke": Done("revoked a token", "shop", {"confirm": "t"}),
    "/admin/new-site": Done("made a site", "third", {"id": "third", "name": "Third", "origins": ORIGIN}),
    "/admin/sites/shop/settings": Done("changed settings", "shop", {"name": "New", "origins": ORIGIN}),
    f"{BANNER}/rules": Done("changed the draft of the banner", "shop", {"do": "save", "stamp": "STAMP", "name": "X"}),
    f"{BANNER}/publish": Done("published the banner", "shop", {"stamp": "STAMP", "version": "2", "material": "no"}),
    f"{BANNER}/restore": Done("made an earlier version the draft of the banner", "shop", {"stamp": "STAMP", "version": "1", "confirm": "shop"}),
    f"{BANNER}/discard": Done("discarded the draft of the banner", "shop", {"stamp": "STAMP", "confirm": "shop"}),
    f"{BANNER}/import": Done("made a file the draft of the banner", "shop", {"stamp": "STAMP", "file": FILE, "confirm": "shop"}),
    "/admin/sites/shop/requests/access": Done("answered a request for access", "shop", {"subject": SUBJECT}),
    "/admin/sites/shop/requests/erase": Done("erased a subject on request", "shop", {"subject": SUBJECT, "confirm": "shop"}),
    "/admin/sites/shop/delete": Done("deleted a site", "shop", {"confirm": "shop"}),
}  # fmt: skip
GETS = {
    "/admin/sites/shop/export/file?format=csv": Done("exported the log", "shop"),
    "/admin/trail.ndjson": Done("exported the trail"),
    "/admin/trail.zip": Done("exported the trail"),
}
"""What gives a whole log away."""
NOT_NOTED = {
    "/admin/sign-in": {"name": "owner", "password": PASSWORD},
    "/admin/sign-out": {},
    "/admin/language": {"language": "de", "next": "/admin/"},
    "/admin/sites/shop/preview/texts": {},
    "/admin/sites/shop/findings/texts": {},
    "/admin/nothing/at/all": {},
}
"""Forms that change nothing but the sender's own session, or nothing at all."""
AS_IT_IS = {
    "/admin/sites/shop/settings": {"name": "Published", "origins": ORIGIN, "retention_days": ""},
    f"{BANNER}/services": {"do": "save", "stamp": "STAMP"},
    "/admin/sites/shop/requests/erase": VISITOR,
}
"""Forms that say what is so already."""
FAILED = {
    "/admin/account/password": {"present": "wrong"},
    "/admin/account/second-factor": {"code": "000000"},
    "/admin/account/second-factor/off": {"present": "wrong"},
    "/admin/people": {"name": "owner"},
    "/admin/people/editor/roles": {"role": "king"},
    "/admin/people/editor/account": {"account": "no body"},
    "/admin/people/editor/reset": {"confirm": "edito"},
    "/admin/people/editor/remove": {"confirm": "edito"},
    "/admin/tokens/0123456789ab/revoke": {"confirm": "0"},
    "/admin/tokens": {"days": "0"},
    "/admin/new-site": {"id": "shop"},
    "/admin/sites/shop/settings": {"origins": "nonsense"},
    f"{BANNER}/rules": {"stamp": "old"},
    f"{BANNER}/publish": {"version": "1"},
    f"{BANNER}/restore": {"version": "9"},
    f"{BANNER}/discard": {"stamp": "old"},
    f"{BANNER}/import": {"file": b"name = "},
    "/admin/sites/shop/requests/access": {"subject": "x"},
    "/admin/sites/shop/requests/erase": {"confirm": "sho"},
    "/admin/sites/shop/delete": {"confirm": "sho"},
}
"""What is wrong in a form of POSTS."""


@pytest.fixture
def busy(ledger, crew) -> None:
    """A site with a receipt, a second version, a draft and a token."""
    ledger.record("shop", choice())
    ledger.publish("shop", replace(policy.draft(ledger.published("shop")), name="Published"), material=False)
    drafts = Drafts(ledger)
    drafts.save("shop", drafts.get("shop").document | {"name": "Drafted"}, stamp="v2", by="editor")
    with ledger.storage.writing() as rows:
        rows.add_token(Token("0123456789ab", bytes(32), "auditor", "shop", "t", 1))


@pytest.fixture
def send(browser, busy, ledger, clock, monkeypatch) -> Callable[..., Any]:
    """Send a form as the owner."""
    secret = people.new_secret()
    monkeypatch.setattr(people, "new_secret", lambda: secret)

    def send(path: str, form: dict[str, Any], **more: Any) -> Any:
        owner = browser("owner")
        stands = {"CODE": pyotp.TOTP(secret).at(int(clock.now)), "STAMP": Drafts(ledger).get("shop").stamp}
        fields = {name: stands.get(value, value) if isinstance(value, str) else (io.BytesIO(value), "p.toml") for name, value in form.items()}  # fmt: skip
        return owner.post(path, **fields, **more)

    return send


def stored(ledger) -> dict[str, list]:
    """Everything in the database but who is signed in, since when, and by which code."""
    tables = ["sites", "removed_sites", "policies", "scripts", "entries", "tallies", "tokens", "documents"]
    with ledger.storage.snapshot() as rows:
        found = {name: [row for page in rows.table(name, "*") for row in page] for name in tables}
    documents = [(kind, id, msgspec.json.decode(body)) for kind, id, body in found["documents"] if kind != "session"]
    return found | {"documents": [(*one, body | {"seen_at": 0, "step": 0}) for *one, body in documents]}


@pytest.fixture
def acts(ledger) -> Callable[[], list[Act]]:
    """What stands in the trail."""
    return lambda: [told.act for told in Trail(ledger).all()]


@pytest.mark.parametrize("path", POSTS)
def test_an_act_is_noted_once_with_who_did_what_and_where(send, acts, path):
    done = POSTS[path]
    assert send(path, done.form).status_code == 200
    assert [(act.who, act.what, act.site) for act in acts()] == [("owner", done.what, done.site)]
    assert SUBJECT not in repr(acts()) and PASSWORD not in repr(acts()), "it names no visitor and no secret"


@pytest.mark.parametrize("path", GETS)
def test_a_log_that_is_taken_is_noted_once(browser, busy, acts, path):
    done, answer = GETS[path], browser("owner").get(path)
    assert answer.status_code == 200 and answer.data
    assert [(act.who, act.what, act.site) for act in acts()] == [("owner", done.what, done.site)]


@pytest.mark.parametrize("path", POSTS)
def test_a_forged_act_is_not_noted(send, acts, path):
    assert send(path, POSTS[path].form, csrf_token="forged").status_code == 400 and acts() == []


@pytest.mark.parametrize("path", POSTS)
def test_an_act_that_cannot_be_noted_is_not_done(send, ledger, monkeypatch, path):
    def full(*_: Any) -> None:
        raise Unavailable("No room.")

    send("/admin/language", {"language": "en"})
    before = stored(ledger)
    monkeypatch.setattr(Trail, "note", full)
    answer = send(path, POSTS[path].form)
    assert answer.status_code == 503 and "No room." in answer.text
    assert stored(ledger) == before
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("path", FAILED)
def test_an_act_that_failed_is_not_noted(send, acts, path):
    assert send(path, POSTS[path].form | FAILED[path]).status_code >= 400 and acts() == []


@pytest.mark.parametrize(("path", "form"), [*NOT_NOTED.items(), *AS_IT_IS.items()], ids=[*NOT_NOTED, *AS_IT_IS])
def test_what_changes_nothing_is_not_noted(send, acts, path, form):
    assert send(path, form).status_code in (200, 404) and acts() == []


def test_looking_is_not_noted(browser, busy, acts):
    owner = browser("owner")
    for path in PAGES.keys() - GETS.keys():
        owner.get(path)
    assert acts() == []


def test_every_form_of_the_desk_is_in_one_of_the_tables(app):
    """A form without a row would be one of which nobody has said whether it is noted."""
    wanted = {one.rule for one in app.url_map.iter_rules() if one.rule.startswith("/admin") and "POST" in one.methods}
    noted, others = ({rule(app, path, "POST") for path in table} for table in (POSTS, NOT_NOTED))
    assert wanted == noted | others and not noted & others
    assert FAILED.keys() == POSTS.keys()


def test_what_was_before_and_after_is_told_in_words(browser, ledger, crew):
    owner = browser("owner")
    save = {"do": "add-service", "known": "YouTube", "stamp": "v1"}
    owner.post(f"{BANNER}/services", **save)
    owner.post("/admin/people/editor/roles", **{"role.shop": "auditor"})
    text = owner.get("/admin/trail").text
    assert "<small>Services:</small> –" in text and "youtube" in text
    assert re.search(r"<small>Roles:</small> shop: .*editor.*<small>Roles:</small> shop: .*auditor", text, re.S)
    assert "None" not in text and "{" not in text.split("<main")[1], "nothing is told as a program writes it"
    owner.post("/admin/language", language="de", next="/admin/trail")
    assert "<small>Rollen:</small>" in owner.get("/admin/trail").text


def test_the_page_of_a_publication_says_in_words_what_it_changed(send, browser, ledger):
    send(f"{BANNER}/publish", POSTS[f"{BANNER}/publish"].form)
    owner, index = browser("owner"), Trail(ledger).newest()[0].index
    text = owner.get(f"/admin/trail/{index}").text
    assert "Name of the website" in text and "<ins>Drafted</ins>" in text and "-&gt;" not in text
    ledger.remove_site("shop")
    assert "-&gt; &#39;Drafted&#39;" in owner.get(f"/admin/trail/{index}").text, "what the log itself says"


def test_a_publication_of_very_many_changes_has_a_page_of_bounded_length(browser, crew, ledger, draft):
    changed = replace(draft, languages=["en", "de", "fr", "es", "it"])
    Administrator(ledger, "owner").publish("shop", changed)
    text = browser("owner").get(f"/admin/trail/{Trail(ledger).newest()[0].index}").text
    assert text.count("<ins>") <= SHOWN and "more</p>" in text and len(text) < 50_000
