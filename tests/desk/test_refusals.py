"""What the core refuses reaches a German reader in German: every sentence that a page or a form may meet."""

import ast
import json
import re
from pathlib import Path

import pytest

from consent.web.desk.refusals import FAULTS, REFUSALS, refusal
from consent.web.desk.words import reworded
from tests.conftest import ORIGIN
from tests.desk.conftest import PASSWORD

ROOM = Path(__file__).parent.parent.parent / "consent"
MODULES = (
    "administrator",
    "checkup",
    "drafts",
    "extras",
    "keyring",
    "people",
    "policy",
    "sessions",
    "shape",
    "stats",
    "storage/rows",
    "web/rate",
)
"""Where what the desk calls is refused."""
ELSEWHERE = {
    "Version 0 of 0 is published already.": "two publish at once, and the ledger tries again",
    "Site 0 has no policy 0.": "`yet` or a version: both are among the refusals",
    "There is an entry 0 already.": "no form records",
    "There is a token 0 already.": "ids are random",
    "0 is not the name of a key file.": "only a backup is restored so",
}
"""What no page of the desk meets, and why."""


def sentences(module: str) -> set[str]:
    """What a module raises or yields, each expression in it written as 0."""
    found = set()
    for node in ast.walk(ast.parse((ROOM / f"{module}.py").read_text())):
        call = node.exc if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) else None
        text = call.args[0] if call and call.args else node.value if isinstance(node, ast.Yield) else None
        if isinstance(text, ast.Constant | ast.JoinedStr):
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in parts))
    return {sentence for sentence in found if sentence.endswith((".", "0"))}


@pytest.fixture
def german(app):
    with app.test_request_context("/admin/", headers={"Accept-Language": "de"}):
        yield


@pytest.mark.parametrize("module", MODULES)
def test_every_refusal_of_the_core_has_german_words(german, module):
    """Those of whole objects (`BadQuery(text)`) are made of sentences that are told elsewhere."""
    assert [one for one in sentences(module) - ELSEWHERE.keys() if refusal(one) == one] == []


def test_every_sentence_is_there_in_german():
    words = {
        text: said
        for file in ROOM.glob("templates/desk/de/*.json")
        for text, said in json.loads(file.read_text()).items()
    }
    assert sorted({*REFUSALS, *FAULTS} - words.keys()) == []


def test_what_is_not_known_is_said_as_it_is(german):
    assert refusal("The moon is full.") == "The moon is full."
    assert reworded("a {b}", ("x {y}",)) == "a {b}"


ENGLISH = re.compile(r"\b(the|there|must|cannot|already|with|has|have|this|which|needs?)\b", re.IGNORECASE)
POSTS = {
    "people": [
        {"name": "A B", "role": "editor"}, {"name": "owner", "role": "editor"},
        {"name": "new", "role": "king"}, {"name": "new", "role.nowhere": "editor"},
    ],
    "people/nobody/roles": [{"role": "editor"}],
    "people/nobody/reset": [{}],
    "people/nobody/remove": [{"confirm": "nobody"}],
    "people/owner/roles": [{"role": "auditor"}],
    "people/owner/remove": [{"confirm": "x"}, {"confirm": "owner"}],
    "tokens": [{"role": "king"}, {"role": "editor", "days": "x"}, {"role": "editor", "days": "5", "site": "nowhere"}],
    "tokens/0123456789ab/revoke": [{}],
    "new-site": [{"id": "A B", "origins": ORIGIN}, {"id": "shop", "origins": ORIGIN}, {"id": "third", "origins": "x", "name": "y"}],
    "sites/shop/settings": [{"name": "", "origins": "x", "retention_days": "-3"}],
    "sites/shop/delete": [{"confirm": "x"}],
    "sites/nowhere/delete": [{"confirm": "x"}],
    "sites/shop/requests/erase": [{"subject": "x"}],
    "sites/shop/banner/publish": [{"stamp": "x"}],
    "sites/shop/banner/restore": [{"stamp": "", "version": "9"}, {"stamp": "x", "version": "1"}],
    "account/password": [{"present": "x", "password": "y", "again": "y"}, {"present": PASSWORD, "password": "short", "again": "short"}],
}  # fmt: skip
GETS = (
    "sites/shop/receipts?q=x", "sites/shop/receipts?since=x", "sites/shop/receipts/x", "sites/shop/export?format=exe", "nothing",
    "sites/shop/export?format=csv&policy=x", "sites/shop/overview?since=x", "sites/shop/overview.csv?by=x", "sites/nowhere/overview",
    "sites/shop/overview?since=2026-11-02&until=2026-11-01", "sites/shop/erasures/9", "sites/shop/banner/policy.toml?version=9",
)  # fmt: skip


def alerts(page: str) -> list[str]:
    """What a page tells is wrong, without what it repeats of the form."""
    found = re.findall(r'class="(?:bad|why)"[^>]*>(.*?)</(?:p|small|div)>|<li>(.*?)</li>', page, re.S)
    return [re.sub(r"<[^>]+>|&#39;.*?&#39;", " ", "".join(one)) for one in found]


@pytest.fixture
def deutsch(browser):
    owner = browser("owner")
    owner.post("/admin/language", language="de", next="/admin/account")
    return owner


@pytest.mark.parametrize("path, fields", [(path, fields) for path, all in POSTS.items() for fields in all], ids=str)
def test_a_form_is_refused_in_german(deutsch, path, fields):
    answer = deutsch.post(f"/admin/{path}", **fields)
    assert answer.status_code >= 400 and 'lang="de"' in answer.text and 'role="alert"' in answer.text
    told = [one for one in alerts(answer.text) if ENGLISH.search(one)]
    assert told == []


@pytest.mark.parametrize("path", GETS)
def test_an_address_is_refused_in_german(deutsch, path):
    answer = deutsch.get(f"/admin/{path}")
    assert answer.status_code >= 400 and 'lang="de"' in answer.text and 'role="alert"' in answer.text
    assert [one for one in alerts(answer.text) if ENGLISH.search(one)] == []


def test_a_file_is_refused_in_german(deutsch):
    import io

    shown = deutsch.get("/admin/sites/shop/banner/file")
    stamp = re.search(r'name="stamp" value="([^"]*)"', shown.text)[1]
    for data in (b"name = ", b"{", b"name = 3\nnonsense = 1", b"a = " + b"[" * 3000):
        answer = deutsch.post("/admin/sites/shop/banner/import", stamp=stamp, file=(io.BytesIO(data), "policy.toml"))
        told = [one.partition(":")[0] for one in alerts(answer.text)]
        assert answer.status_code >= 400 and told and [one for one in told if ENGLISH.search(one)] == []


def test_who_tries_too_often_or_too_late_is_told_in_german(deutsch, browser, clock):
    clock.forward(days=1)
    assert "Die Sitzung ist beendet" in deutsch.post("/admin/people", name="x", role="editor").text
    fresh = browser()
    fresh.get("/admin/sign-in")
    fresh.post("/admin/language", language="de", next="/admin/sign-in")
    answers = [fresh.post("/admin/sign-in", name="owner", password="x") for _ in range(25)]
    assert "Zu viele Versuche von dieser Adresse" in answers[-1].text
