"""A receipt in plain words: what was asked and what was answered, in the reader's language where the policy has it.

Its rule: it says what the signed claims and the stored policy say, and nothing besides.
"""

from collections import Counter
from typing import Any, NamedTuple

import msgspec

from consent import receipts
from consent.errors import BadSignature, NotRenderable
from consent.model import Category, Consent, Entry, Policy, Published, Receipt
from consent.renderings import RENDERINGS
from consent.web.desk.designer_words import place_in_words

ACTIONS = {
    "accept_all": "accepted all",
    "reject_all": "refused all",
    "custom": "chose one by one",
    "withdraw": "withdrew",
    "signal": "browser's signal",
    "load_once": "loaded once",
}
SENTENCES = {
    "accept_all": "This browser accepted everything it was asked about.",
    "reject_all": "This browser refused everything that is not necessary.",
    "custom": "This browser chose one by one.",
    "withdraw": "This browser took its consent back.",
    "signal": "This browser answered by a signal that it sends by itself.",
    "load_once": "This browser let embedded content load for one view of a page. Its other choices stayed as they were.",
}
SURFACES = {
    "banner": "on the banner",
    "preferences": "in the preferences",
    "placeholder": "where embedded content waited",
    "privacy_page": "on the privacy page",
    "api": "by a control of the site's own pages",
}
REGIMES = {
    "opt-in": "opt-in: nothing but the necessary runs before consent",
    "opt-out": "opt-out: it runs until it is refused",
    "notice": "notice: it runs, and the visitor is told",
}
BASES = {
    "country": "by the visitor's country",
    "region": "by the visitor's region",
    "default": "by what the policy says for everywhere else",
    "unknown": "because the visitor's place was not known",
}
ANSWERS = {"granted": "granted", "refused": "refused", "necessary": "necessary"}
TOLD = (ACTIONS, SENTENCES, SURFACES, REGIMES, BASES, ANSWERS)


class Answer(NamedTuple):
    """What was answered for a category or a service; texts with the language they are in."""

    name: str
    purpose: str
    language: str
    answer: str
    """A key of ANSWERS."""
    provider: str = ""
    services: "tuple[Answer, ...]" = ()


def receipt_in(entry: Entry) -> Receipt | None:
    """The claims of an entry, or None where it is damaged."""
    try:
        return receipts.receipt(entry.token or "")
    except (BadSignature, msgspec.MsgspecError, ValueError, LookupError):
        return None


def unsaid(form: str, receipt: Receipt, asked: Published, token: str) -> list[str] | None:
    """What the policy leaves out, in words, that another standard's form needs; none where only the answer does not fit.

    None where the receipt can be said.
    """
    try:
        RENDERINGS[form](receipt, asked, token)
    except NotRenderable as error:
        return [place_in_words(path) for path, _ in error.mistakes]
    return None


def granted(consent: Consent) -> tuple[int, int]:
    """How many categories were granted, of how many asked about."""
    return sum(consent.grants.values()), len(consent.grants)


def category_names(asked: Policy, language: str) -> dict[str, str]:
    """The names of a whole policy's categories by their ids, in a language if the policy has it; one that two share has its id."""
    spoken = language if language in asked.languages else asked.languages[0]
    names = {category.id: _said(category.name, spoken) for category in asked.categories}
    often = Counter(names.values())
    return {id: name if often[name] == 1 else f"{name} ({id})" for id, name in names.items()}


def answers(asked: Published, consent: Consent, language: str) -> list[Answer]:
    """Every category of a policy with its services, in a language if the policy has it, else in the visitor's."""
    spoken = language if language in asked.languages else consent.language
    return [_answer(asked, category, consent, spoken) for category in asked.categories]


def _answer(asked: Published, category: Category, consent: Consent, spoken: str) -> Answer:
    given = "necessary" if category.necessary else _word(consent.grants.get(category.id, False))
    services = tuple(
        Answer(
            one.name,
            _said(one.purpose, spoken),
            spoken,
            _word(consent.services[one.id]) if one.id in consent.services else given,
            one.provider.name,
        )
        for one in asked.services
        if one.category == category.id
    )
    return Answer(_said(category.name, spoken), _said(category.purpose, spoken), spoken, given, services=services)


def _word(granted: bool) -> str:
    return "granted" if granted else "refused"


def _said(texts: Any, language: str) -> str:
    """Words of a published policy, which has them for every language of its own."""
    return texts if isinstance(texts, str) else texts[language]
