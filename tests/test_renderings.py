"""Receipts in other standards' words: every field these demand, and a refusal where the policy does not say it."""

import json

import msgspec
import pytest

from consent.errors import NotRenderable
from consent.export import export
from consent.ledger import Ledger
from consent.model import Controller, Filter, Records
from tests.conftest import choice

SAID = Records("DE", ["cookie identifiers", "health questions"], ["health questions"], ["Germany"])
CONTROLLER = Controller(
    "Shop Ltd", "1 High Street", "privacy@shop.example", "+49 30 1", "https://shop.example", "Ms Guard"
)
GRANTS = {"analytics": True, "social": False, "chat": False}

# Kantara Consent Receipt 1.1.0, JSON schema: required members and their types.
KANTARA = {"version": str, "jurisdiction": str, "consentTimestamp": int, "collectionMethod": str,
           "consentReceiptID": str, "piiPrincipalId": str, "piiControllers": list, "policyUrl": str, "services": list,
           "sensitive": bool, "spiCat": list}  # fmt: skip
KANTARA_CONTROLLER = {"piiController": str, "contact": str, "address": dict, "email": str, "phone": str}
KANTARA_PURPOSE = {"purpose": str, "purposeCategory": list, "consentType": str, "piiCategory": list,
                   "termination": str, "thirdPartyDisclosure": bool}  # fmt: skip
# ISO/IEC TS 27560: what is mandatory, by section.
ISO = {"schema_version": str, "record_id": str, "receipt_id": str, "pii_principal_id": str, "privacy_notice": str,
       "language": str, "pii_controllers": list, "jurisdiction": str, "withdrawal_method": str}  # fmt: skip
ISO_PROCESSING = {"purpose": str, "pii_information": list, "storage_locations": list, "retention_period": str,
                  "recipient_third_parties": list}  # fmt: skip
ISO_PARTY = {"party_id": str, "party_name": str, "party_address": str, "party_contact": str, "party_type": str}
ISO_EVENT = {"event_time": str, "validity_duration": str, "entity_id": str, "event_type": str, "event_state": str}


@pytest.fixture
def told(ledger: Ledger, draft) -> Ledger:
    """A site whose policy says all that the formats need."""
    full = msgspec.structs.replace(draft, controller=CONTROLLER, records=SAID, retention_days=1096)
    ledger.publish("shop", full)
    return ledger


def record(ledger: Ledger, **changes) -> str:
    one = choice(**{"policy": 2, "grants": GRANTS} | changes)
    ledger.record("shop", one)
    return one.id


def has(document: dict, fields: dict[str, type]) -> bool:
    return all(isinstance(document.get(name), kind) for name, kind in fields.items())


def test_a_kantara_receipt_has_every_required_member(told: Ledger):
    id = record(told)
    said = told.rendered("shop", id, "kantara")
    assert has(said, KANTARA) and has(said["piiControllers"][0], KANTARA_CONTROLLER)
    assert said["version"] == "KI-CR-v1.1.0" and said["consentReceiptID"] == id
    assert said["sensitive"] and said["spiCat"] == ["health questions"]
    purposes = said["services"][0]["purposes"]
    assert [one["purposeCategory"] for one in purposes] == [["analytics"]]
    assert all(has(one, KANTARA_PURPOSE) for one in purposes)
    assert purposes[0]["thirdPartyName"] == "Shop Ltd, Contentsquare"


def test_a_kantara_receipt_never_names_a_service_that_was_refused(told: Ledger):
    id = record(told, services={"hotjar": False})
    assert told.rendered("shop", id, "kantara")["services"][0]["purposes"][0]["thirdPartyName"] == "Shop Ltd"


def test_a_refusal_is_no_kantara_receipt(told: Ledger):
    id = record(told, action="reject_all", grants=dict.fromkeys(GRANTS, False))
    with pytest.raises(NotRenderable, match="Nothing was granted"):
        told.rendered("shop", id, "kantara")


@pytest.mark.parametrize(("action", "grants", "state"), [
    ("accept_all", dict.fromkeys(GRANTS, True), "dpv:ConsentGiven"),
    ("custom", GRANTS, "dpv:ConsentGiven"),
    ("reject_all", dict.fromkeys(GRANTS, False), "dpv:ConsentRefused"),
    ("withdraw", dict.fromkeys(GRANTS, False), "dpv:ConsentWithdrawn"),
])  # fmt: skip
def test_an_iso_27560_record_has_every_mandatory_field(told: Ledger, action, grants, state):
    id = record(told, action=action, grants=grants)
    said = told.rendered("shop", id, "iso27560")
    assert has(said, ISO) and has(said["pii_controllers"][0], ISO_PARTY)
    assert [one["purpose_type"] for one in said["processing"]] == ["session", "analytics", "social", "chat"]
    for one in said["processing"]:
        assert has(one, ISO_PROCESSING) and has(one["event"], ISO_EVENT)
    assert said["processing"][1]["event"]["event_state"] == state
    assert said["privacy_notice"] == "https://consent.example.org/sites/shop/policies/2"
    assert said["proof"]["value"] == told.receipt("shop", id)


@pytest.mark.parametrize(("format", "missing"), [
    ("iso27560", ["controller.address", "controller.email", "records.jurisdiction", "records.data", "records.storage_locations", "retention_days"]),
    ("kantara", ["controller.address", "controller.email", "controller.phone", "records.jurisdiction", "records.data", "records.sensitive"]),
])  # fmt: skip
def test_a_policy_that_does_not_say_enough_is_refused_with_the_names(ledger: Ledger, format, missing):
    one = choice(grants={"persistent": False, "analytics": True, "social": False})
    ledger.record("shop", one)
    with pytest.raises(NotRenderable) as refused:
        ledger.rendered("shop", one.id, format)
    assert [name for name, _ in refused.value.mistakes] == missing
    assert all(name in str(refused.value) for name in missing)


def test_that_nothing_is_sensitive_has_to_be_said(told: Ledger, draft):
    full = msgspec.structs.replace(draft, controller=CONTROLLER, records=msgspec.structs.replace(SAID, sensitive=[]))
    told.publish("shop", full, material=True)
    said = told.rendered("shop", record(told, policy=3), "kantara")
    assert said["sensitive"] is False and said["spiCat"] == []


def test_formats_are_served_and_unknown_ones_refused(told: Ledger, client):
    id = record(told)
    assert client.get(f"/sites/shop/receipts/{id}?format=kantara").json["consentReceiptID"] == id
    assert client.get(f"/sites/shop/receipts/{id}?format=iso27560").json["receipt_id"] == id
    assert client.get(f"/sites/shop/receipts/{id}?format=xml").json["type"].endswith("#bad-query")


def test_an_export_says_why_a_receipt_cannot_be_said(told: Ledger):
    record(told), record(told, action="reject_all", grants=dict.fromkeys(GRANTS, False))
    lines = [json.loads(line) for line in b"".join(export(told, "shop", "kantara", Filter())).splitlines()]
    assert lines[0]["version"] == "KI-CR-v1.1.0" and "Nothing was granted" in lines[1]["not_rendered"]
