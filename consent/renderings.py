"""A receipt in the words of other standards; pure. Its rule: what the policy does not say is refused, never invented.

ISO/IEC TS 27560:2023 in DPV terms as JSON-LD, and Kantara Consent Receipt 1.1.0 as JSON. What carries proof stays the
signed receipt, which both name and carry.
"""

from collections.abc import Callable
from typing import Any

from consent.errors import NotRenderable
from consent.model import Category, Controller, Published, Receipt, Service
from consent.times import rfc3339

CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "tech": "https://w3id.org/dpv/tech#",
}
PROFILE = "https://w3id.org/dpv/schema/dpv-27560#receipt-record"
KANTARA = "KI-CR-v1.1.0"
WITHDRAWAL = "The control on every page that reopens the preferences, and the site's own link to it."
METHODS = {"banner": "the first layer of the consent banner", "preferences": "the preferences of the consent banner",
           "placeholder": "the placeholder in place of an embedded content", "privacy_page": "the privacy page",
           "api": "a control of the site's own pages"}  # fmt: skip


def iso27560(receipt: Receipt, asked: Published, token: str) -> dict[str, Any]:
    """A consent record and its receipt (ISO/IEC TS 27560:2023, DPV 2.3). Raises NotRenderable with what is missing."""
    controller = _needed(asked, "ISO/IEC TS 27560", ISO_NEEDS)
    consent = receipt.consent
    return {
        "@context": CONTEXT,
        "@type": ["dpv:ConsentRecord", "dpv:ConsentReceipt"],
        "dct:conformsTo": PROFILE,
        "schema_version": "ISO/IEC TS 27560:2023",
        "record_id": f"{receipt.iss}/sites/{receipt.aud}/subjects/{receipt.sub}",
        "receipt_id": receipt.jti,
        "pii_principal_id": receipt.sub,
        "privacy_notice": _notice(receipt),
        "dct:source": asked.privacy_url,
        "policy_hash": consent.policy_hash,
        "script_hash": consent.script_hash,
        "language": consent.language,
        "jurisdiction": asked.records.jurisdiction,
        "rule_profile": {"regime": consent.regime, "basis": consent.regime_basis, "country": consent.country},
        "collection_method": METHODS.get(consent.surface, consent.surface),
        "withdrawal_method": WITHDRAWAL,
        "pii_controllers": [_party(controller, asked.site)],
        "processing": [_processing(category, receipt, asked) for category in asked.categories],
        "signals": consent.signals,
        "replaces": consent.previous,
        "proof": {"type": "JWS", "value": token},
    }


def kantara(receipt: Receipt, asked: Published, token: str) -> dict[str, Any]:
    """A consent receipt (Kantara 1.1.0), of what was granted. Raises NotRenderable where nothing was or is missing."""
    granted = [category for category in asked.categories if receipt.consent.grants.get(category.id)]
    if not granted:
        raise NotRenderable("Nothing was granted, and a Kantara receipt can only say what was: ask for iso27560.")
    controller = _needed(asked, "a Kantara receipt", KANTARA_NEEDS)
    sensitive = asked.records.sensitive or []
    return {
        "version": KANTARA,
        "jurisdiction": asked.records.jurisdiction,
        "consentTimestamp": receipt.iat,
        "collectionMethod": METHODS.get(receipt.consent.surface, receipt.consent.surface),
        "consentReceiptID": receipt.jti,
        "publicKey": f"{receipt.iss}/.well-known/jwks.json",
        "language": receipt.consent.language,
        "piiPrincipalId": receipt.sub,
        "piiControllers": [
            {
                "piiController": controller.name,
                "contact": controller.dpo or controller.email,
                "address": {"streetAddress": controller.address},
                "email": controller.email,
                "phone": controller.phone,
                **({"piiControllerUrl": controller.url} if controller.url else {}),
            }
        ],
        "policyUrl": _notice(receipt),
        "services": [{"service": asked.name, "purposes": [_purpose(category, receipt, asked) for category in granted]}],
        "sensitive": bool(sensitive),
        "spiCat": sensitive,
        "extension": {"receipt": token},
    }


RENDERINGS: dict[str, Callable[[Receipt, Published, str], dict[str, Any]]] = {"iso27560": iso27560, "kantara": kantara}

ISO_NEEDS = ("controller.address", "controller.email", "records.jurisdiction", "records.data", "records.storage_locations", "retention_days")  # fmt: skip
KANTARA_NEEDS = ("controller.address", "controller.email", "controller.phone", "records.jurisdiction", "records.data", "records.sensitive")  # fmt: skip


def _needed(asked: Published, format: str, settings: tuple[str, ...]) -> Controller:
    """The controller, once every setting is there. Raises NotRenderable naming those that are not."""
    missing = [name for name in settings if _value(asked, name) in (None, [], "")]
    if asked.records.sensitive == [] and "records.sensitive" in missing:
        missing.remove("records.sensitive")  # said, and there is nothing
    if missing or asked.controller is None:
        raise NotRenderable(
            f"Policy version {asked.version} does not say what {format} needs: {', '.join(missing)}.",
            mistakes=tuple((name, "is needed for this format") for name in missing),
        )
    return asked.controller


def _value(asked: Published, path: str) -> Any:
    found: Any = asked
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def _notice(receipt: Receipt) -> str:
    """Where the policy stands for ever, word for word."""
    return f"{receipt.iss}/sites/{receipt.aud}/policies/{receipt.consent.policy}"


def _party(controller: Controller, site: str) -> dict[str, Any]:
    said = {
        "party_id": controller.url or site,
        "party_name": controller.name,
        "party_address": controller.address,
        "party_contact": controller.dpo or controller.email,
        "party_type": "dpv:DataController",
        "party_email": controller.email,
        "party_phone": controller.phone,
        "party_url": controller.url,
    }
    return {name: value for name, value in said.items() if value is not None}


def _processing(category: Category, receipt: Receipt, asked: Published) -> dict[str, Any]:
    """One purpose, what was answered to it, and the event of that answer."""
    return {
        "purpose": _words(category.purpose, receipt.consent.language),
        "purpose_type": category.id,
        "lawful_basis": None if category.necessary else "eu-gdpr:A6-1-a",
        "pii_information": [_data(name, asked.records.sensitive) for name in asked.records.data],
        "storage_locations": asked.records.storage_locations,
        "retention_period": f"P{asked.retention_days}D",
        "recipient_third_parties": [_recipient(one) for one in _services(category, receipt, asked)],
        "event": {
            "event_time": rfc3339(receipt.iat),
            "validity_duration": f"PT{receipt.exp - receipt.iat}S",
            "entity_id": receipt.sub,
            "event_type": "dpv:ExpressedConsent",
            "event_state": _state(category, receipt),
        },
    }


def _purpose(category: Category, receipt: Receipt, asked: Published) -> dict[str, Any]:
    third = [one.provider.name for one in _services(category, receipt, asked)]
    return {
        "purpose": _words(category.purpose, receipt.consent.language),
        "purposeCategory": [category.id],
        "consentType": "EXPLICIT",
        "piiCategory": asked.records.data,
        "primaryPurpose": False,
        "termination": rfc3339(receipt.exp),
        "thirdPartyDisclosure": bool(third),
        **({"thirdPartyName": ", ".join(dict.fromkeys(third))} if third else {}),
    }


def _services(category: Category, receipt: Receipt, asked: Published) -> list[Service]:
    """Services of a category that may run after this choice."""
    whole = category.necessary or receipt.consent.grants.get(category.id, False)
    return [
        one for one in asked.services if one.category == category.id and receipt.consent.services.get(one.id, whole)
    ]


def _state(category: Category, receipt: Receipt) -> str:
    if category.necessary:
        return "dpv:ConsentUnknown"  # nobody asks for it
    if receipt.consent.grants.get(category.id):
        return "dpv:ConsentGiven"
    return "dpv:ConsentWithdrawn" if receipt.consent.action == "withdraw" else "dpv:ConsentRefused"


def _data(name: str, sensitive: list[str] | None) -> dict[str, Any]:
    return {"pii_type": name, **({"special_pii_category": True} if name in (sensitive or []) else {})}


def _recipient(service: Service) -> dict[str, Any]:
    said = {"party_name": service.provider.name, "service": service.name, "party_url": service.provider.url}
    return {name: value for name, value in said.items() if value}


def _words(texts: Any, language: str) -> str:
    return texts if isinstance(texts, str) else texts[language]
