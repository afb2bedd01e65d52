"""Requests of visitors at the desk: what is known, access, erasure and its proof."""

import json
import re

import pytest

from consent import checkpoint, merkle, receipts
from consent.receipts import ErasureClaims
from consent.trail import Trail
from tests.conftest import SUBJECT, choice

PAGE = "/admin/sites/shop/requests"
OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
BAD = "<script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture
def editor(browser):
    return browser("editor")


@pytest.fixture
def held(ledger) -> list[str]:
    """Two choices of one subject among those of another; the ids of the two."""
    ids = []
    for subject in (SUBJECT, OTHER, SUBJECT):
        one = choice(subject=subject)
        ledger.record("shop", one)
        ids.append(one.id)
    return [ids[0], ids[2]]


def known(answer) -> bool:
    return "What is known" in answer.text


def test_a_visitor_is_found_by_whatever_names_the_browser(editor, ledger, held):
    for asked in (SUBJECT, held[0], held[1].upper(), ledger.receipt("shop", held[0]), f"1.1.1795000000.{SUBJECT}.a"):
        answer = editor.get(PAGE, query_string={"q": asked})
        assert "What is known: 2 choices" in answer.text and SUBJECT in answer.text
        assert all(f"/admin/sites/shop/receipts/{id}" in answer.text for id in held)


@pytest.mark.parametrize("asked", ["AAAAAAAAAAAAAAAAAAAAAQ", "019ab1c2-77aa-7bbb-8ccc-0123456789ab"])
def test_of_somebody_unknown_it_says_that_nothing_is_known(editor, held, asked):
    answer = editor.get(PAGE, query_string={"q": asked})
    assert answer.status_code == 200 and "Nothing is known of this" in answer.text and not known(answer)


def test_a_receipt_of_another_site_is_not_known_here(browser, ledger, held):
    assert not known(browser("owner").get("/admin/sites/other/requests", query_string={"q": held[0]}))


def test_what_names_nobody_is_told(editor, held):
    answer = editor.get(PAGE, query_string={"q": BAD})
    assert answer.status_code == 400 and "neither a receipt" in answer.text and "<script>alert" not in answer.text


def test_what_will_happen_is_spelled_out_before(editor, held):
    text = editor.get(PAGE, query_string={"q": SUBJECT}).text
    for told in ("removed for ever: 2 receipts", "names nobody", "can prove no more", "backups"):
        assert told in text
    assert "Type shop to confirm" in text


def test_access_is_everything_about_the_subject_and_nobody_else(editor, ledger, held):
    editor.get(PAGE, query_string={"q": SUBJECT})
    answer = editor.post(f"{PAGE}/access", subject=SUBJECT)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="shop-access.json"'
    told = answer.json
    assert [one["claims"]["jti"] for one in told["receipts"]] == held
    assert [one["receipt"] for one in told["receipts"]] == [ledger.receipt("shop", id) for id in held]
    assert told["state"]["status"] == "partial" and told["notices"]["1/en/opt-in"]["accept"] == "Accept all"
    assert told["subject"] == SUBJECT and OTHER not in answer.text
    assert told["kept_for"].endswith("days after the last choice")


def test_access_says_what_was_asked_for_which_purpose_by_whom(editor, ledger, draft):
    ledger.publish("shop", draft)
    ledger.record(
        "shop", choice(policy=2, language="de", grants={"analytics": True, "social": False, "chat": False}), where="US"
    )
    editor.get(PAGE)
    notice = editor.post(f"{PAGE}/access", subject=SUBJECT).json["notices"]["2/de/opt-out"]
    (chat,) = [one for one in notice["categories"] if one["name"] == "Chat"]
    assert chat == {"name": "Chat", "purpose": "Mit unseren Leuten reden."}
    assert {"name": "Hotjar", "purpose": "Zeigt, wo geklickt wird.", "provider": "Contentsquare"} in [
        service for one in notice["categories"] for service in one.get("services", [])
    ]


def test_access_of_nobody_is_empty(editor, held):
    editor.get(PAGE)
    told = editor.post(f"{PAGE}/access", subject="AAAAAAAAAAAAAAAAAAAAAQ").json
    assert told["receipts"] == [] and told["state"]["status"] == "unknown"


@pytest.mark.parametrize("typed", ["", "Shop", "other"])
def test_nothing_is_erased_unless_the_sites_name_is_typed(editor, ledger, held, typed):
    editor.get(PAGE)
    answer = editor.post(f"{PAGE}/erase", subject=SUBJECT, confirm=typed)
    assert answer.status_code == 400 and "type shop to confirm" in answer.text
    assert len(ledger.history("shop", SUBJECT)) == 2


@pytest.mark.parametrize("path", ["access", "erase"])
@pytest.mark.parametrize("subject", ["", BAD, SUBJECT + "A", "AAAAAAAAAAAAAAAAAAAAAB"])
def test_a_form_without_a_subject_does_nothing(editor, ledger, held, path, subject):
    editor.get(PAGE)
    assert editor.post(f"{PAGE}/{path}", subject=subject, confirm="shop").status_code == 400
    assert list(Trail(ledger).all()) == []


def test_an_erasure_empties_the_entries_and_shows_its_own(editor, ledger, held):
    editor.get(PAGE)
    answer = editor.post(f"{PAGE}/erase", subject=SUBJECT, confirm="shop")
    assert answer.request.path == "/admin/sites/shop/erasures/4"
    assert "It is erased." in answer.text and "1, 3" in answer.text and "requested through" in answer.text
    assert SUBJECT not in answer.text and all(id not in answer.text for id in held)
    assert ledger.history("shop", SUBJECT) == [] and len(ledger.history("shop", OTHER)) == 1
    assert not known(editor.get(PAGE, query_string={"q": SUBJECT}))
    assert editor.get(f"/admin/sites/shop/receipts/{held[0]}").status_code == 404


def test_an_erasure_is_proved_by_what_can_be_downloaded(editor, ledger, held):
    editor.get(PAGE)
    editor.post(f"{PAGE}/erase", subject=SUBJECT, confirm="shop")
    page = "/admin/sites/shop/erasures/4"
    assert editor.get(f"{page}/proof").status_code == 404
    ledger.tree.checkpoint("shop")
    assert editor.get(page).text.count('<span class="chip yes">holds</span>') == 2
    token, proof = editor.get(f"{page}/jws").text, checkpoint.read_proof(editor.get(f"{page}/proof").text)
    _, claims = receipts.verify(token, receipts.keys_of(ledger.ring.jwks()))
    from msgspec.json import decode

    assert decode(claims, type=ErasureClaims).erasure.indexes == [1, 3]
    head = checkpoint.verify(proof.note, [key.public for key in ledger.ring.keys()])
    assert merkle.includes(head.root, head.size, merkle.leaf_hash(token.encode()), proof.index, proof.path)


def test_erasing_twice_says_that_there_was_nothing(editor, ledger, held):
    editor.get(PAGE)
    editor.post(f"{PAGE}/erase", subject=SUBJECT, confirm="shop")
    again = editor.post(f"{PAGE}/erase", subject=SUBJECT, confirm="shop")
    assert again.request.path == PAGE and "nothing to erase" in again.text


@pytest.mark.parametrize("index", ["0", "1", "99", "9" * 30])
def test_another_entry_is_no_erasure(editor, held, index):
    assert editor.get(f"/admin/sites/shop/erasures/{index}").status_code == 404
    assert editor.get(f"/admin/sites/shop/erasures/{index}/jws").status_code == 404


def test_the_trail_has_both_and_names_no_visitor(editor, ledger, held):
    editor.get(PAGE)
    editor.post(f"{PAGE}/access", subject=SUBJECT)
    editor.post(f"{PAGE}/erase", subject=SUBJECT, confirm="shop")
    acts = [told.act for told in Trail(ledger).all()]
    assert [(act.what, act.after) for act in acts] == [
        ("answered a request for access", None),
        ("erased a subject on request", {"erasure": 4}),
    ]
    said = json.dumps([[act.what, act.after, act.before] for act in acts])
    assert not re.search(r"[\w-]{22}", said)
