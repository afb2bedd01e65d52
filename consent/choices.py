"""What a posted choice must get right against the policy version it names; pure."""

from collections.abc import Iterator

from consent.fields import ONCE
from consent.model import Choice, Published
from consent.shape import Mistake, nearest

YEAR_10000 = 253_402_300_800
"""In seconds since the epoch; RFC 3339 has no later year than the one before."""


def is_refusal(choice: Choice) -> bool:
    """Whether nothing is granted by it; such a choice is never turned away for being one too many."""
    return not any(choice.grants.values()) and not any(choice.services.values())


def mistakes(published: Published, choice: Choice) -> list[Mistake]:
    """Every contradiction between a choice and the policy, as (path, what would be right)."""
    return [
        mistake for rule in (_language, _grants, _services, _action, _decided_at) for mistake in rule(published, choice)
    ]


def _language(published: Published, choice: Choice) -> Iterator[Mistake]:
    if choice.language not in published.languages:
        yield "language", f"must be one of the policy's languages {', '.join(published.languages)}"


def _grants(published: Published, choice: Choice) -> Iterator[Mistake]:
    asked = [category.id for category in published.categories if not category.necessary]
    necessary = [category.id for category in published.categories if category.necessary]
    for id in asked:
        if id not in choice.grants:
            yield f"grants.{id}", "is missing; every category that is not necessary is either granted or refused"
    for id in choice.grants:
        if id in necessary:
            yield f"grants.{id}", "is necessary and not asked about; leave it out"
        elif id not in asked:
            yield f"grants.{id}", f"is no category of policy version {published.version}{nearest(id, asked)}"


def _services(published: Published, choice: Choice) -> Iterator[Mistake]:
    categories = {service.id: service.category for service in published.services}
    for id, granted in choice.services.items():
        if id not in categories:
            yield (
                f"services.{id}",
                f"is no service of policy version {published.version}{nearest(id, list(categories))}",
            )
        elif choice.grants.get(categories[id]) is granted:
            yield f"services.{id}", "says the same as its category; list only services that deviate"
        elif categories[id] not in choice.grants:
            yield f"services.{id}", "belongs to a necessary category and is not asked about; leave it out"


def _action(published: Published, choice: Choice) -> Iterator[Mistake]:
    if choice.action == "accept_all" and not (all(choice.grants.values()) and all(choice.services.values())):
        yield "action", "is accept_all, so every category must be granted and no service refused"
    if choice.action == ONCE and is_refusal(choice):
        yield "action", f"is {ONCE}, so what is loaded must be granted"
    if choice.action in ("reject_all", "withdraw") and not is_refusal(choice):
        yield "action", f"is {choice.action}, so nothing may be granted"


def _decided_at(published: Published, choice: Choice) -> Iterator[Mistake]:
    if choice.decided_at is not None and not 0 <= choice.decided_at.timestamp() < YEAR_10000:
        yield "decided_at", "must be a time from 1970 to 9999"
