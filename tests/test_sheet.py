"""The sheet of one receipt: everything a regulator asks, in words, and nothing that could run."""

import html
import re

import pytest

from consent import checkpoint, policy
from consent.errors import BadQuery, UnknownReceipt
from consent.ledger import Ledger
from consent.model import Filter
from consent.sheet import WORDS, sheet
from tests.conftest import SUBJECT, choice

GRANTS = {"analytics": True, "social": False, "chat": False}


@pytest.fixture
def id(ledger: Ledger, draft) -> str:
    ledger.publish("shop", draft)
    one = choice(policy=2, language="de", grants=GRANTS, services={"hotjar": False})
    ledger.record("shop", one)
    return one.id


def test_it_says_who_when_what_words_and_what_was_granted(ledger, id):
    page = html.unescape(sheet(ledger, "shop", id))
    asked = ledger.published("shop", 2)
    assert SUBJECT in page and "2026-11-18" in page and "Shop (site shop), policy version 2" in page
    assert asked.texts["de"]["title"] in page and asked.texts["de"]["reject"] in page
    assert re.search(r"Chat</th>.*?refused", page, re.DOTALL) and re.search(r"Hotjar.*?refused", page, re.DOTALL)
    assert 'lang="de"' in page


def test_it_carries_the_receipt_and_a_proof_that_holds(ledger, id):
    page = html.unescape(sheet(ledger, "shop", id))
    assert ledger.receipt("shop", id) in page
    proof = checkpoint.read_proof(re.search(r"<pre>(c2sp.*?)</pre>", page, re.DOTALL)[1])
    entry = next(ledger.entries("shop", Filter()))
    assert proof.index == entry.index and entry.leaf.hex() in page


def test_it_speaks_the_readers_language(ledger, id):
    page = sheet(ledger, "shop", id, language="de")
    assert '<html lang="de">' in page and "Was geantwortet wurde" in page and "abgelehnt" in page
    assert all(set(words) == {"en", "de"} for words in WORDS.values())
    with pytest.raises(BadQuery):
        sheet(ledger, "shop", id, language="tlh")


def test_code_in_a_name_is_shown_as_text(ledger):
    ledger.publish("shop", policy.default("<script>alert(1)</script>", ["https://shop.example"]), material=True)
    one = choice(policy=2)
    ledger.record("shop", one)
    page = sheet(ledger, "shop", one.id)
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page


def test_an_unknown_receipt_has_no_sheet(ledger):
    with pytest.raises(UnknownReceipt):
        sheet(ledger, "shop", "019ab1c2-77aa-7bbb-8ccc-0123456789ab")
