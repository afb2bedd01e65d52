"""A receipt in Kantara's words, taken from the desk: what the standard demands, what the public address says, or a refusal."""

import json

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from consent.web.desk.designer_words import LABELS
from tests.conftest import NONE, choice
from tests.desk.test_access import database  # noqa: F401
from tests.test_renderings import GRANTS, KANTARA, KANTARA_CONTROLLER, KANTARA_PURPOSE, has, record, told  # noqa: F401

LIST = "/admin/sites/shop/receipts"
SERVICES = {"matomo": False, "hotjar": False}


@pytest.fixture
def auditor(browser):
    return browser("auditor")


def test_the_download_is_a_file_that_says_what_the_public_address_says(auditor, client, told):  # noqa: F811
    id = record(told)
    answer = auditor.get(f"{LIST}/{id}/kantara")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="receipt-{id}.kantara.json"'
    assert answer.json == client.get(f"/sites/shop/receipts/{id}?format=kantara").json


@pytest.mark.parametrize("services", [{}, SERVICES], ids=["services run", "no service runs"])
def test_the_download_has_what_the_standard_demands(auditor, told, services):  # noqa: F811
    """Kantara Consent Receipt 1.1.0, sections 4.3 to 4.5."""
    said = auditor.get(f"{LIST}/{record(told, services=services)}/kantara").json
    assert has(said, KANTARA) and all(has(one, KANTARA_CONTROLLER) for one in said["piiControllers"])
    assert said["version"] == "KI-CR-v1.1.0" and said["sensitive"] == bool(said["spiCat"])
    [service] = said["services"]
    for purpose in service["purposes"]:
        assert has(purpose, KANTARA_PURPOSE) and purpose["consentType"] == "EXPLICIT"
        assert purpose["thirdPartyDisclosure"] == bool(purpose.get("thirdPartyName")) == (not services)
    assert [one["purposeCategory"] for one in service["purposes"]] == [["analytics"]], "what was granted, no more"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_download_carries_the_signed_receipt_and_says_the_same(auditor, client, told):  # noqa: F811
    id = record(told)
    said = auditor.get(f"{LIST}/{id}/kantara").json
    assert said["publicKey"] == "https://consent.example.org/.well-known/jwks.json"
    keys = KeySet.import_key_set(client.get("/.well-known/jwks.json").json)
    signed = json.loads(jws.deserialize_compact(said["extension"]["receipt"], keys, algorithms=["EdDSA"]).payload)
    of = {"consentReceiptID": "jti", "piiPrincipalId": "sub", "consentTimestamp": "iat"}
    assert {name: said[name] for name in of} == {name: signed[claim] for name, claim in of.items()}
    assert said["policyUrl"] == f"{signed['iss']}/sites/shop/policies/{signed['consent']['policy']}"
    assert client.get(said["policyUrl"].removeprefix(signed["iss"])).status_code == 200


def test_the_page_leads_to_the_download(auditor, told):  # noqa: F811
    id = record(told)
    assert f'href="{LIST}/{id}/kantara" download' in auditor.get(f"{LIST}/{id}").text


def test_a_refusal_has_no_download_and_the_page_says_why(auditor, client, told):  # noqa: F811
    id = record(told, action="reject_all", grants=dict.fromkeys(GRANTS, False))
    page, refused = auditor.get(f"{LIST}/{id}"), auditor.get(f"{LIST}/{id}/kantara")
    sentence = "Nothing was granted, and a Kantara receipt can only say what was: take ISO/IEC TS 27560."
    assert f"{LIST}/{id}/kantara" not in page.text and sentence in page.text
    assert (refused.status_code, refused.mimetype) == (409, "text/html") and sentence in refused.text
    assert "Content-Disposition" not in refused.headers
    public = client.get(f"/sites/shop/receipts/{id}?format=kantara")
    assert public.status_code == 409 and public.json["type"].endswith("#not-renderable")


def test_what_the_policy_does_not_say_is_named_and_not_invented(auditor, ledger):
    one = choice(grants={**NONE, "analytics": True})
    ledger.record("shop", one)
    refused = auditor.get(f"{LIST}/{one.id}/kantara")
    assert refused.status_code == 409 and f"{LIST}/{one.id}/kantara" not in auditor.get(f"{LIST}/{one.id}").text
    for name in ("controller.address", "controller.email", "controller.phone"):
        assert LABELS[name] in refused.text
    for name in ("records.jurisdiction", "records.data", "records.sensitive"):
        assert LABELS[name] in refused.text


def test_the_export_has_each_download_on_a_line(auditor, told):  # noqa: F811
    granted, refused = record(told), record(told, action="reject_all", grants=dict.fromkeys(GRANTS, False))
    answer = auditor.get("/admin/sites/shop/export/file?format=kantara")
    first, second = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.mimetype == "application/x-ndjson" and first == auditor.get(f"{LIST}/{granted}/kantara").json
    assert "Nothing was granted" in second["not_rendered"]
    assert second["receipt"] == told.receipt("shop", refused)
