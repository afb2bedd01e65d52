"""Every page of the desk speaks German to who reads German: no English sentence is left on any."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from consent import policy
from consent.administrator import Administrator
from consent.drafts import Drafts
from tests.conftest import ALL, NONE, ORIGIN, SUBJECT, choice
from tests.desk.test_access import PAGES, database  # noqa: F401

ROOM = Path(__file__).parent.parent.parent / "consent"
GERMAN = {
    english: said
    for file in ROOM.glob("templates/desk/de/*.json")
    for english, said in json.loads(file.read_text()).items()
    if said != english
}
DATA = re.compile(
    r'<(?:code|iframe|script|style|textarea|pre|option lang|td lang|th scope="row" lang)\b.*?</', re.DOTALL
)
"""What is not the desk's own words."""
NAMES = {"owner", "editor", "auditor", "Preferences"}
"""What people are called here, and a word of the English banner."""


@pytest.fixture
def busy(ledger, crew, token) -> str:
    """A site where everything has happened once; a receipt's id."""
    token("auditor")
    for action, grants in (("accept_all", ALL), ("reject_all", NONE), ("custom", {**NONE, "analytics": True})):
        last = choice(action=action, grants=grants)
        ledger.record("shop", last)
    ledger.publish("shop", policy.default("Laden", [ORIGIN]))
    drafts = Drafts(ledger)
    drafts.save("shop", drafts.get("shop").document | {"name": "Entwurf"}, stamp="v2", by="editor")
    Administrator(ledger, "owner").erase("other", SUBJECT, reason="-")
    ledger.tree.checkpoint("shop")
    return last.id


def words(html: str) -> set[str]:
    """The texts between tags, and those of attributes that are read out."""
    html = DATA.sub("", html)
    texts = [*re.findall(r">([^<]+)<", html), *re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]+)"', html)]
    return {re.sub(r"\s+", " ", unescape(text)).strip() for text in texts}


@pytest.mark.parametrize("page", [path for path in PAGES if "/nothing" not in path and ".css" not in path])
def test_no_word_of_a_page_is_left_in_english(browser, busy, page):
    owner = browser("owner")
    owner.post("/admin/language", language="de", next="/admin/")
    answer = owner.get(re.sub(r"[0-9a-f-]{36}", busy, page))
    shows_the_banner = re.search(r"/receipts/.*/(banner|sheet)$", answer.request.path)
    if answer.mimetype == "text/html" and not shows_the_banner:
        assert sorted(words(answer.text) & GERMAN.keys() - NAMES) == []
