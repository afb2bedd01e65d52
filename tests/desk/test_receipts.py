"""Receipts at the desk: found, told in plain words, checked, handed over."""

import json
import re

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from consent import checkpoint, merkle, policy, receipts, search
from consent.model import Filter
from consent.web.desk import telling
from tests.conftest import ALL, NONE, ON_SQLITE, SUBJECT, choice

LIST = "/admin/sites/shop/receipts"
BAD = "<script>alert(1)</script>{{ 7*7 }}"
OTHER = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
def auditor(browser):
    return browser("auditor")


def record(ledger, **changes) -> str:
    one = choice(**changes)
    ledger.record("shop", one)
    return one.id


def found(answer) -> list[str]:
    return re.findall(rf'href="{LIST}/([0-9a-f-]{{36}})"', answer.text)


def test_an_empty_list_says_what_to_do(auditor):
    answer = auditor.get(LIST)
    assert "Nobody has chosen yet" in answer.text and "/admin/sites/shop/install" in answer.text


def test_the_list_is_newest_first_in_pages_of_fifty(auditor, ledger):
    ids = [record(ledger) for _ in range(60)]
    first = auditor.get(LIST)
    assert found(first) == ids[:9:-1] and len(first.data) < 50_000
    older = re.search(r'rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&")
    second = auditor.get(older)
    assert found(second) == ids[9::-1] and 'rel="next"' not in second.text


def test_receipts_are_found_by_action_policy_day_and_subject(auditor, ledger, clock):
    first = record(ledger, action="reject_all", grants=NONE)
    clock.forward(days=2)
    ledger.publish("shop", policy.default("Shop", ["https://new.example"]))
    second = record(ledger, subject=OTHER, policy=2, action="accept_all", grants=ALL)
    auditor.sign_in("auditor")
    day = "2026-11-20"
    assert found(auditor.get(f"{LIST}?action=reject_all")) == [first]
    assert found(auditor.get(f"{LIST}?policy=2")) == [second]
    assert found(auditor.get(f"{LIST}?since={day}&until={day}")) == [second]
    assert found(auditor.get(f"{LIST}?until=2026-11-19")) == [first]
    assert found(auditor.get(f"{LIST}?q={OTHER}")) == [second]
    assert found(auditor.get(f"{LIST}?q=1.2.1795000000.{OTHER}.analytics")) == [second]
    assert "Nothing was found" in auditor.get(f"{LIST}?action=withdraw").text


def test_a_search_that_did_not_come_to_an_end_says_so_and_goes_on(auditor, ledger, clock, monkeypatch):
    monkeypatch.setattr(search, "LOOKED", 3)
    first = record(ledger)
    clock.forward(days=1)
    ledger.publish("shop", policy.default("Shop", ["https://new.example"]))
    for _ in range(6):
        record(ledger, policy=2)
    auditor.sign_in("auditor")
    answer = auditor.get(f"{LIST}?policy=1")
    assert found(answer) == [] and "Nothing among the entries back to 2026-11-19" in answer.text
    skip = re.search(r'href="([^"]+until=2026-11-19[^"]*)"', answer.text)[1].replace("&amp;", "&")
    assert "version 2 came" in answer.text and "version 2 came" not in auditor.get(skip).text
    for _ in range(2):
        further = re.search(r'rel="next" href="([^"]+)"', answer.text)[1].replace("&amp;", "&")
        answer = auditor.get(further)
    assert found(answer) == [first] and 'rel="next"' not in answer.text


def test_a_receipts_id_or_the_receipt_itself_leads_to_its_page(auditor, ledger):
    id = record(ledger)
    for asked in (id, id.upper(), f" {id} ", ledger.receipt("shop", id)):
        assert auditor.get(LIST, query_string={"q": asked}).request.path == f"{LIST}/{id}"


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"q": "x"}, 400, "neither a receipt"),
        ({"q": "019ab1c2-77aa-7bbb-8ccc-0123456789ab"}, 404, "no receipt with this id"),
        ({"since": "yesterday"}, 400, "A day is written"),
        ({"since": "99999-01-01"}, 400, "A day is written"),
        ({"since": "2026-11-20", "until": "2026-11-19"}, 400, "ends before it begins"),
        ({"action": "destroy"}, 400, "no such action"),
        ({"policy": "one"}, 400, "is a number"),
        ({"before": "-1"}, 400, "no such page"),
        ({"q": BAD, "since": BAD, "action": BAD, "policy": BAD}, 400, "neither"),
        ({"before": "9" * 18}, 200, ""),
    ],
)
def test_a_wrong_search_is_told_and_what_was_typed_is_text(auditor, ledger, query, status, told):
    record(ledger)
    answer = auditor.get(LIST, query_string=query)
    assert answer.status_code == status and told in answer.text
    assert "<script>alert" not in answer.text


def test_a_page_tells_what_was_asked_and_answered(auditor, ledger, draft):
    ledger.publish("shop", draft)
    one = choice(
        policy=2, language="de", grants={"analytics": True, "social": False, "chat": False}, services={"hotjar": False}
    )
    ledger.record("shop", one, where="DE")
    text = auditor.get(f"{LIST}/{one.id}").text
    asked = ledger.published("shop", 2)
    assert "This browser chose one by one." in text
    assert 'class="notice" lang="de" dir="ltr"' in text
    assert asked.texts["de"]["title"] in text and asked.texts["de"]["reject"] in text
    for name, answer in (("Chat", "refused"), ("Matomo", "granted"), ("Hotjar", "refused"), ("Statistics", "granted")):
        assert re.search(
            rf'>{name}(?:, [^<]*)?<br><small>[^<]*</small></th><td><span class="chip [a-z]+">{answer}<', text
        )
    assert ">necessary<" in text and asked.texts["de"]["preferences_title"] in text and "Videos zeigen." in text
    assert "on the banner" in text and "opt-in" in text and SUBJECT in text
    assert "2026-11-18" in text and "DE" in text and "120 days" not in text


def test_a_page_speaks_the_readers_language_and_shows_the_visitors(auditor, ledger):
    id = record(ledger, language="en", grants=ALL, action="accept_all")
    text = auditor.get(f"{LIST}/{id}", headers={"Accept-Language": "de"}).text
    assert "Dieser Browser hat allem zugestimmt" in text and "Statistik" in text
    assert "Your privacy, your choice" in text and 'lang="en"' in text


def test_every_action_of_a_choice_is_told(auditor, ledger):
    record(ledger)
    for action in telling.ACTIONS:
        grants = {"accept_all": ALL, "custom": {**NONE, "analytics": True}, "load_once": {**NONE, "social": True}}
        surface = "placeholder" if action == "load_once" else "banner"
        id = record(ledger, action=action, surface=surface, grants=grants.get(action, NONE), signals={"gpc": True})
        answer = auditor.get(f"{LIST}/{id}")
        assert answer.status_code == 200 and telling.SENTENCES[action] in answer.text


def test_the_checks_are_made_live(auditor, ledger):
    id = record(ledger)
    assert "within a minute" in auditor.get(f"{LIST}/{id}").text
    ledger.tree.checkpoint("shop")
    text = auditor.get(f"{LIST}/{id}").text
    assert text.count('<span class="chip yes">holds</span>') == 4 and "does not hold" not in text


@ON_SQLITE
def test_a_receipt_that_was_tampered_with_is_seen(auditor, ledger):
    one, other = record(ledger), record(ledger, subject=OTHER)
    ledger.tree.checkpoint("shop")
    forged = ledger.receipt("shop", other).rpartition(".")[0] + "." + ledger.receipt("shop", one).rpartition(".")[2]
    with ledger.storage.writing() as rows:
        rows._execute("UPDATE entries SET token = ? WHERE position = 2", (forged,))
    text = auditor.get(f"{LIST}/{other}").text
    assert text.count('<span class="chip no">does not hold</span>') == 2 and "does not fit the statement" in text


@ON_SQLITE
def test_a_policy_that_was_changed_afterwards_is_seen(auditor, ledger):
    id = record(ledger)
    with ledger.storage.writing() as rows:
        rows._execute("UPDATE policies SET document = CAST(replace(document, 'Accept', 'Acclaim') AS BLOB)", ())
    assert "is not what the receipt names" in auditor.get(f"{LIST}/{id}").text


@ON_SQLITE
def test_a_damaged_receipt_breaks_no_list(auditor, ledger):
    id, whole = record(ledger), record(ledger)
    with ledger.storage.writing() as rows:
        rows._execute("UPDATE entries SET token = 'nonsense' WHERE position = 1", ())
    answer = auditor.get(LIST)
    assert found(answer) == [whole] and "damaged" in answer.text
    assert auditor.get(f"{LIST}/{id}").status_code == 503


def test_the_choices_before_and_after_are_links(auditor, ledger):
    ids = [record(ledger), record(ledger, subject=OTHER), record(ledger), record(ledger)]
    middle = auditor.get(f"{LIST}/{ids[2]}").text
    assert found(auditor.get(f"{LIST}/{ids[2]}")) == [ids[0], ids[3]]
    assert f"{LIST}?q={SUBJECT}" in middle
    assert "There is no other." in auditor.get(f"{LIST}/{ids[1]}").text


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_what_is_handed_over_is_checked_by_others(auditor, ledger):
    id = record(ledger)
    assert "within a minute" in auditor.get(f"{LIST}/{id}/proof").text
    ledger.tree.checkpoint("shop")
    answer = auditor.get(f"{LIST}/{id}/jws")
    token = answer.text
    assert answer.headers["Content-Disposition"] == f'attachment; filename="receipt-{id}.jwt"'
    keys = KeySet.import_key_set(ledger.ring.jwks())
    signed = jws.deserialize_compact(token, keys, algorithms=["EdDSA"])
    assert json.loads(signed.payload) == auditor.get(f"{LIST}/{id}/claims").json
    proof = checkpoint.read_proof(auditor.get(f"{LIST}/{id}/proof").text)
    head = checkpoint.verify(proof.note, [key.public for key in ledger.ring.keys()])
    assert merkle.includes(head.root, head.size, merkle.leaf_hash(token.encode()), proof.index, proof.path)


def test_other_standards_words_are_had_or_refused_in_a_sentence(auditor, ledger, draft):
    id = record(ledger, action="reject_all", grants=NONE)
    page = auditor.get(f"{LIST}/{id}").text
    assert f"{LIST}/{id}/iso27560" not in page and "does not say what it needs: Postal address, E-mail address" in page
    assert "Nothing was granted" in page
    refused = auditor.get(f"{LIST}/{id}/iso27560")
    assert refused.status_code == 409 and "does not say what it needs" in refused.text
    records = {"jurisdiction": "EU", "data": ["cookie identifiers"], "storage_locations": ["EU"]}
    full = policy.read(
        {"name": "Shop", "origins": ["https://shop.example"], "languages": ["en"], "retention_days": 400, "records": records,
         "categories": [{"id": "session", "necessary": True}, {"id": "analytics"}],
         "controller": {"name": "Shop Ltd", "address": "1 High Street", "email": "privacy@shop.example"}}
    )  # fmt: skip
    ledger.publish("shop", full)
    id = record(ledger, policy=2, grants={"analytics": True})
    answer = auditor.get(f"{LIST}/{id}/iso27560")
    assert answer.mimetype == "application/ld+json" and answer.json["receipt_id"] == id
    assert answer.json["proof"]["value"] == ledger.receipt("shop", id)


def test_the_sheet_is_printed_in_a_language_of_ones_choice_under_a_strict_policy(auditor, ledger):
    id = record(ledger)
    german, english = auditor.get(f"{LIST}/{id}/sheet?lang=de"), auditor.get(f"{LIST}/{id}/sheet")
    assert "Nachweis einer Entscheidung" in german.text and "Record of a choice" in english.text
    rule = german.headers["Content-Security-Policy"]
    assert "unsafe" not in rule and "style-src 'sha256-" in rule and "script" not in rule
    assert auditor.get(f"{LIST}/{id}/sheet?lang=tlh").status_code == 400


@pytest.mark.parametrize("form", ["", "/sheet", "/jws", "/claims", "/proof", "/iso27560", "/nonsense"])
@pytest.mark.parametrize("id", ["019ab1c2-77aa-7bbb-8ccc-0123456789ab", "x", "019AB1C2-77aa-7bbb-8ccc-0123456789ab"])
def test_a_receipt_that_is_none_is_refused(auditor, id, form):
    assert auditor.get(f"{LIST}/{id}{form}").status_code == (404 if id.startswith("019ab") else 400)


def test_no_other_entry_is_taken_for_a_receipt(auditor, ledger):
    entry = ledger.storage.reading().entries("shop", Filter(kinds=("policy",)))[0]
    assert auditor.get(f"{LIST}/{entry.id}").status_code == 404


def test_stored_texts_are_shown_as_text(auditor, ledger):
    words = {"id": "analytics", "name": BAD, "purpose": BAD}
    document = {"name": BAD, "origins": ["https://shop.example"], "languages": ["en"], "texts": {"en": {"title": BAD, "body": BAD}},
                "categories": [{"id": "session", "necessary": True}, words]}  # fmt: skip
    ledger.publish("shop", policy.read(document))
    id = record(ledger, policy=2, grants={"analytics": True})
    for path in (f"{LIST}/{id}", f"{LIST}/{id}/sheet"):
        text = auditor.get(path).text
        assert "<script>alert" not in text and "&lt;script&gt;" in text and "{{ 7*7 }}" in text


def test_every_word_told_of_a_receipt_is_there_in_german():
    from consent.web.desk import exports, requests
    from consent.web.desk.words import _texts

    for texts in (*telling.TOLD, exports.HELP, requests.REASONS):
        assert set(texts.values()) <= set(_texts("de"))


def test_a_signature_of_nobody_we_know_does_not_hold(auditor, ledger, monkeypatch):
    id = record(ledger)
    monkeypatch.setattr(receipts, "keys_of", lambda _: {"other": b"k" * 32})
    assert "not in the key set" in auditor.get(f"{LIST}/{id}").text


def test_the_way_to_fill_in_stands_only_where_something_is_missing(browser, ledger):
    owed = choice(action="accept_all", grants=ALL)
    refused = choice(action="reject_all", grants=dict.fromkeys(ALL, False), subject="another00000000000000A")
    for one in (owed, refused):
        ledger.record("shop", one)
    editor, link = browser("editor"), "Fill it in for later receipts"
    assert editor.get(f"/admin/sites/shop/receipts/{owed.id}").text.count(link) == 2
    kantara = editor.get(f"/admin/sites/shop/receipts/{refused.id}").text.split("Nothing was granted")[1]
    assert link not in kantara
    assert link not in browser("auditor").get(f"/admin/sites/shop/receipts/{owed.id}").text, "who cannot fill it in"
