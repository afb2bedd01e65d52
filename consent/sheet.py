"""One receipt on paper: who, when, what words, what was granted, and how to check it; in the reader's language, the
banner's words in the visitor's. Its rule: it needs nothing but itself, and shows nothing that the log does not hold.
"""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from consent import banner, i18n, receipts
from consent.errors import BadQuery
from consent.ledger import Ledger
from consent.merkle import leaf_hash

LANGUAGES = ("en", "de")
"""Those of the sheet's own words."""

WORDS: dict[str, dict[str, str]] = {
    "title": {"en": "Record of a choice", "de": "Nachweis einer Entscheidung"},
    "who": {"en": "Who", "de": "Wer"},
    "subject": {"en": "a browser, known by the random number {value}", "de": "ein Browser, bekannt unter der Zufallszahl {value}"},
    "when": {"en": "When", "de": "Wann"},
    "recorded": {"en": "recorded {value} (UTC, the service's clock)", "de": "aufgezeichnet {value} (UTC, Uhr des Dienstes)"},
    "until": {"en": "holds until {value}", "de": "gilt bis {value}"},
    "where": {"en": "On", "de": "Wo"},
    "site": {"en": "{name} (site {site}), policy version {version}", "de": "{name} (Website {site}), Fassung {version} der Einwilligungstexte"},
    "answered": {"en": "What was answered", "de": "Was geantwortet wurde"},
    "granted": {"en": "granted", "de": "erteilt"},
    "refused": {"en": "refused", "de": "abgelehnt"},
    "necessary": {"en": "necessary, not asked", "de": "notwendig, nicht erfragt"},
    "asked": {"en": "What was asked, in the visitor's language ({value})", "de": "Was gefragt wurde, in der Sprache des Besuchers ({value})"},
    "buttons": {"en": "Buttons", "de": "Schaltflächen"},
    "check": {"en": "How to check it", "de": "Wie man es prüft"},
    "signature": {
        "en": "The receipt below is a signed statement (JWS, RFC 7515). Any JOSE library verifies it with the public keys at {value}.",
        "de": "Der Beleg unten ist eine signierte Aussage (JWS, RFC 7515). Jede JOSE-Bibliothek prüft sie mit den öffentlichen Schlüsseln unter {value}.",
    },
    "policy": {
        "en": "The words stand for ever at {value}; their SHA-256 hash is in the receipt as policy_hash.",
        "de": "Die Texte stehen dauerhaft unter {value}; ihr SHA-256-Hashwert steht im Beleg als policy_hash.",
    },
    "proof": {
        "en": "Entry {index} of the log. The proof below (C2SP tlog-proof) shows that it stands in the log that the checkpoint was signed over; its leaf hash is {leaf}.",
        "de": "Eintrag {index} des Protokolls. Der Beweis unten (C2SP tlog-proof) zeigt, dass er im Protokoll steht, über das der Prüfpunkt signiert wurde; sein Blatt-Hashwert ist {leaf}.",
    },
    "receipt": {"en": "The receipt", "de": "Der Beleg"},
    "evidence": {"en": "The proof", "de": "Der Beweis"},
}  # fmt: skip


def sheet(ledger: Ledger, site: str, id: str, *, language: str = "en") -> str:
    """A receipt as a page to print, a checkpoint made first where it is newer. Raises UnknownReceipt or BadQuery."""
    if language not in LANGUAGES:
        raise BadQuery(f"The sheet can be had in {' and '.join(LANGUAGES)}.")
    token = ledger.receipt(site, id)
    receipt = receipts.receipt(token)
    ledger.tree.checkpoint(site)
    asked = ledger.published(site, receipt.consent.policy)
    consent = receipt.consent

    def say(key: str, **values: Any) -> str:
        return WORDS[key][language].format(**values)

    return _template().render(
        say=say,
        language=language,
        receipt=receipt,
        asked=asked,
        notice=banner.words(asked, consent.language, consent.regime),
        theirs=consent.language,
        direction=i18n.locale(consent.language).direction,
        answers=[(_told(one.name, consent.language), _told(one.purpose, consent.language), _answer(one, consent)) for one in asked.categories],
        services=[(one.name, one.provider.name, consent.services[one.id]) for one in asked.services if one.id in consent.services],
        recorded=_day(receipt.iat),
        until=_day(receipt.exp),
        token=token,
        proof=ledger.proof(site, id),
        index=ledger.storage.reading().entry(site, id).index,  # type: ignore[union-attr]
        leaf=leaf_hash(token.encode()).hex(),
    )  # fmt: skip


def _answer(category: Any, consent: Any) -> str:
    if category.necessary:
        return "necessary"
    return "granted" if consent.grants.get(category.id) else "refused"


def _told(texts: Any, language: str) -> str:
    return texts if isinstance(texts, str) else texts[language]


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


@cache
def _template() -> Any:
    source = files("consent").joinpath("templates", "sheet.html").read_text()
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
