"""One receipt on paper: who, when, what words, what was granted, and how to check it; in the reader's language, the
banner's words in the visitor's. Its rule: it needs nothing but itself, and shows nothing that the log does not hold.
"""

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined

from consent import banner, i18n, receipts
from consent.errors import BadQuery
from consent.ledger import Ledger
from consent.merkle import leaf_hash

ENGLISH = "en"
UNTRANSLATED = "This sheet's own words are in English: there are none in {language} yet."


@cache
def words() -> dict[str, dict[str, str]]:
    """The sheet's own words by language; one file each in sheets/, nothing to register."""
    found = (path for path in files("consent").joinpath("sheets").iterdir() if path.name.endswith(".json"))
    return {path.name.removesuffix(".json"): msgspec.json.decode(path.read_bytes()) for path in found}


def sheet(ledger: Ledger, site: str, id: str, *, language: str = "en") -> str:
    """A receipt as a page to print, a checkpoint made first where it is newer. Raises UnknownReceipt or BadQuery.

    `language` is the reader's, any of the product's; the page says so where its own words fall back to English.
    """
    if not i18n.offers(list(i18n.locales()), language):
        raise BadQuery(f"There is no language {language!r} here: choose one of {', '.join(i18n.locales())}.")
    own = next((tag for tag in i18n.parents(language) if tag in words()), ENGLISH)
    token = ledger.receipt(site, id)
    receipt = receipts.receipt(token)
    ledger.tree.checkpoint(site)
    asked = ledger.published(site, receipt.consent.policy)
    consent = receipt.consent

    def say(key: str, **values: Any) -> str:
        return words()[own][key].format(**values)

    return _template().render(
        say=say,
        language=own,
        reads=i18n.locale(own).direction,
        untranslated="" if own in i18n.parents(language) else UNTRANSLATED.format(language=i18n.locale(language).name),
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
