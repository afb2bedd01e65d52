"""What a draft without mistakes would still do better to say. Its rule: a hint keeps nobody from publishing."""

from collections.abc import Iterator, Sequence
from typing import Any

from consent import catalogue, i18n, paths
from consent.lean import built_in
from consent.model import Policy
from consent.web.desk.designer_words import language_named
from consent.web.desk.words import say

Hint = tuple[str, str]
"""Path and sentence."""
NO_WORDS = "{what} has no words in {languages}: visitors read those of another language."
NOT_SHIPPED = "{missing} texts are missing in {language}: no words are shipped for it, visitors read English."
UNEQUAL = "In {language} “{accept}” and “{reject}” differ much in length: both answers should weigh the same."
CATALOGUE = (
    "The catalogue describes its services in English and German only: write their purposes in {languages} yourself."
)
SHOWN = 4
"""Languages that a hint names; the others are counted."""
RATIO = 1.7
LEAST_DIFFERENCE = 6
"""Letters: two short words may differ by half and still look alike."""


def advice(document: dict[str, Any], whole: Policy) -> list[Hint]:
    """Every hint for a draft; `whole` is the draft completed."""
    return [*_owed(whole), *_answers(document, whole), *_untranslated(document, whole), *_services(document, whole)]


def _owed(whole: Policy) -> Iterator[Hint]:
    if whole.controller is None:
        yield "controller.name", say("Say who answers for the site; visitors are owed it.")
    if whole.privacy_url is None:
        yield (
            f"privacy_url.{whole.languages[0]}",
            say("Name the address of your privacy policy; visitors are owed it."),
        )


def _answers(document: dict[str, Any], whole: Policy) -> Iterator[Hint]:
    """Accepting and refusing look alike by themselves; only their words can be made to differ."""
    for language in whole.languages:
        own = paths.get(document, f"texts.{language}", {})
        accept, reject = (whole.texts[language][key] for key in ("accept", "reject"))
        if not isinstance(own, dict) or not own.keys() & {"accept", "reject"}:
            continue
        path = f"texts.{language}.{'reject' if 'reject' in own else 'accept'}"
        longer, shorter = max(len(accept), len(reject)), min(len(accept), len(reject))
        if accept == reject:
            yield (
                path,
                say("Accepting and refusing have the same words in {language}.", language=language_named(language)),
            )
        elif longer > RATIO * shorter and longer - shorter >= LEAST_DIFFERENCE:
            yield path, say(UNEQUAL, language=language_named(language), accept=accept, reject=reject)


def _untranslated(document: dict[str, Any], whole: Policy) -> Iterator[Hint]:
    for language in (tag for tag in whole.languages if not _is_shipped(tag)):
        own = paths.get(document, f"texts.{language}", {})
        missing = len(whole.texts[language]) - len(own)
        if missing > 0:
            yield f"texts.{language}.title", say(NOT_SHIPPED, missing=missing, language=language_named(language))
    for path, what, shipped in _tables(document, whole):
        missing_in = _missing(paths.get(document, path, {}), shipped, whole.languages)
        if missing_in:
            yield f"{path}.{missing_in[0]}", say(NO_WORDS, what=what, languages=_listed(missing_in))
    yield from _catalogue(document, whole)


def _catalogue(document: dict[str, Any], whole: Policy) -> Iterator[Hint]:
    """The catalogue speaks few languages; one hint for all its services is enough."""
    silent: dict[str, list[str]] = {}
    for path, id in _places(document, "services"):
        known = catalogue.find(id)
        if known and not paths.get(document, f"{path}.purpose"):
            silent[path] = _missing(known.purpose, {}, whole.languages)
    missing_in = [tag for tag in whole.languages if any(tag in tags for tags in silent.values())]
    if missing_in:
        first = next(path for path, tags in silent.items() if tags)
        yield f"{first}.purpose.{missing_in[0]}", say(CATALOGUE, languages=_listed(missing_in))


def _tables(document: dict[str, Any], whole: Policy) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Path, name and shipped words of every text that may stand in several languages."""
    for path, id in _places(document, "categories"):
        name, purpose = (built_in(id, field, whole.languages) for field in ("name", "purpose"))
        yield f"{path}.name", say("The name of the category {id}", id=id), name
        yield f"{path}.purpose", say("The purpose of the category {id}", id=id), purpose
    for path, id in _places(document, "services"):
        yield f"{path}.purpose", say("The purpose of the service {id}", id=id), {}
    yield "privacy_url", say("The address of the privacy policy"), {}


def _places(document: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """Path and id of each item of a list."""
    items = paths.get(document, name, [])
    return [(f"{name}[{number}]", str(item["id"])) for number, item in enumerate(items) if isinstance(item, dict) and item.get("id")]  # fmt: skip


def _missing(own: Any, shipped: dict[str, str], languages: Sequence[str]) -> list[str]:
    """Languages without words: none where nothing is said, or where one text is meant for all."""
    if not isinstance(own, dict) or not own:
        return []
    return [tag for tag in languages if not any(own.get(parent) or shipped.get(tag) for parent in i18n.parents(tag))]


def _services(document: dict[str, Any], whole: Policy) -> Iterator[Hint]:
    necessary = {category.id for category in whole.categories if category.necessary}
    places = {id: path for path, id in _places(document, "services")}
    for service in whole.services:
        if not service.urls and service.category not in necessary:
            yield (
                f"{places.get(service.id, 'services')}.urls",
                say("{name} has no addresses: nothing of it is held back but what your pages mark.", name=service.name),
            )


def _listed(languages: Sequence[str]) -> str:
    named = ", ".join(languages[:SHOWN])
    more = len(languages) - SHOWN
    return named if more <= 0 else say("{named} and {more} more", named=named, more=more)


def _is_shipped(language: str) -> bool:
    return any(tag in i18n.locales() for tag in i18n.parents(language))
