"""The consent state: what a stored choice, the policy, the clock, the regime and Global Privacy Control add up to.

The rules are the cases in tests/data/state.json, which banner/choices.js runs too. Unknown means not granted.
"""

import re

from msgspec import Struct

from consent.model import Published, Regime, State, Status
from consent.times import rfc3339

AHEAD = 86_400
"""Seconds a browser's clock may be ahead before its choice counts as none."""

_ENTRY = r"[+-]?[a-z][a-z0-9_-]*"
_COOKIE = re.compile(
    rf"1\.([1-9][0-9]{{0,8}})\.([0-9]{{1,11}})\.([A-Za-z0-9_-]{{21}}[AQgw])\.((?:{_ENTRY}(?:~{_ENTRY})*)?)"
)


class AskedCategory(Struct, frozen=True):
    id: str
    necessary: bool


class AskedService(Struct, frozen=True):
    id: str
    category: str


class AskedSignals(Struct, frozen=True):
    gpc: list[str]


class AskedPolicy(Struct, frozen=True):
    """A published policy read from its JSON, as far as the rules need it."""

    version: int
    material_since: int
    valid_days: int
    categories: list[AskedCategory]
    services: list[AskedService]
    signals: AskedSignals
    refusal_days: int | None = None


Asked = AskedPolicy | Published
"""What the rules ask of: a published version, or as much of it as they need."""


class Kept(Struct, frozen=True):
    """A choice as the cookie keeps it."""

    policy: int
    decided_at: int
    subject: str
    granted: frozenset[str]
    """Categories granted."""
    added: frozenset[str]
    """Services granted inside refused categories."""
    refused: frozenset[str]
    """Services refused inside granted categories; after a withdrawal every category taken back."""


def parse(value: str) -> Kept | None:
    """Read the cookie's value (contract, section 1); what does not parse is absent."""
    found = _COOKIE.fullmatch(value) if len(value) < 500 else None
    if found is None:
        return None
    version, decided_at, subject, ids = found.groups()
    entries = ids.split("~") if ids else []
    granted = frozenset(entry for entry in entries if entry[0] not in "+-")
    added, refused = (frozenset(entry[1:] for entry in entries if entry[0] == sign) for sign in "+-")
    return Kept(int(version), int(decided_at), subject, granted, added, refused)


def keep(
    *,
    policy: int,
    decided_at: int,
    subject: str,
    grants: dict[str, bool],
    services: dict[str, bool],
    withdrawn: bool,
) -> Kept:
    """A recorded choice in the form the cookie keeps it."""
    refused = grants if withdrawn else services
    return Kept(
        policy,
        decided_at,
        subject,
        frozenset(id for id, granted in grants.items() if granted),
        frozenset(id for id, granted in services.items() if granted),
        frozenset(id for id, granted in refused.items() if not granted),
    )


def derive(
    policy: Asked,
    kept: Kept | None,
    *,
    now: int,
    regime: Regime = "opt-in",
    gpc: bool = False,
    language: str | None = None,
) -> State:
    """The state of a subject at `now` (seconds since the epoch)."""
    if kept is not None and kept.decided_at > now + AHEAD:
        kept = None
    lapsed = _lapsed(policy, kept, now)
    if kept is not None and lapsed is None:
        grants, services = _chosen(policy, kept)
    else:
        grants, services = _default(policy, kept, regime=regime, gpc=gpc)
    return State(
        status=lapsed or _status(policy, kept, grants, services),
        grants=grants,
        services=services,
        policy=kept.policy if kept else None,
        subject=kept.subject if kept else None,
        decided_at=rfc3339(kept.decided_at) if kept else None,
        valid_until=rfc3339(kept.decided_at + _holds(policy, kept)) if kept else None,
        regime=regime,
        language=language,
    )


def derive_alone(kept: Kept | None, *, now: int, valid_days: int = 180, regime: Regime = "opt-in") -> State:
    """The state as far as a cookie tells it without its policy: only what it names is granted."""
    live = kept is not None and now - valid_days * 86_400 < kept.decided_at <= now + AHEAD
    granted = sorted((kept.granted | kept.added) - kept.refused) if kept and live else []
    refused = sorted(kept.refused) if kept and live else []
    ahead = kept is not None and kept.decided_at > now + AHEAD
    shown = None if ahead else kept
    return State(
        status=_status_alone(shown, live=live),
        grants=dict.fromkeys(granted, True) | dict.fromkeys(refused, False),
        services={},
        policy=shown.policy if shown else None,
        subject=shown.subject if shown else None,
        decided_at=rfc3339(shown.decided_at) if shown else None,
        valid_until=rfc3339(shown.decided_at + valid_days * 86_400) if shown else None,
        regime=regime,
        language=None,
    )


def holds(policy: Asked, *, grants: bool) -> int:
    """Seconds for which a choice holds that grants something, or nothing."""
    return 86_400 * ((None if grants else policy.refusal_days) or policy.valid_days)


def _holds(policy: Asked, kept: Kept) -> int:
    return holds(policy, grants=bool(kept.granted or kept.added))


def _lapsed(policy: Asked, kept: Kept | None, now: int) -> Status | None:
    if kept is None:
        return None
    if now >= kept.decided_at + _holds(policy, kept):
        return "expired"
    return "outdated" if kept.policy < policy.material_since else None


def _chosen(policy: Asked, kept: Kept) -> tuple[dict[str, bool], dict[str, bool]]:
    named = kept.granted - kept.refused
    grants = {category.id: category.necessary or category.id in named for category in policy.categories}
    services = {
        service.id: service.id not in kept.refused and (grants[service.category] or service.id in kept.added)
        for service in policy.services
    }
    return grants, services


def _default(policy: Asked, lapsed: Kept | None, *, regime: str, gpc: bool) -> tuple[dict[str, bool], dict[str, bool]]:
    """What holds without a live choice: the regime's default, less Global Privacy Control, less what was refused."""
    is_open = regime in ("opt-out", "notice")
    opted_out = set(policy.signals.gpc or ()) if gpc else set()
    before = _chosen(policy, lapsed)[0] if lapsed else {}
    grants = {
        c.id: c.necessary or (is_open and c.id not in opted_out and before.get(c.id, True)) for c in policy.categories
    }
    refused = lapsed.refused if lapsed else frozenset()
    services = {service.id: grants[service.category] and service.id not in refused for service in policy.services}
    return grants, services


def _status(policy: Asked, kept: Kept | None, grants: dict[str, bool], services: dict[str, bool]) -> Status:
    if kept is None:
        return "unknown"
    asked = [category.id for category in policy.categories if not category.necessary]
    optional = {service.id for service in policy.services if service.category in asked}
    yes = [*(grants[id] for id in asked), *(services[id] for id in optional)]
    if all(yes):
        return "given"
    if any(yes):
        return "partial"
    return "withdrawn" if kept.refused & set(asked) else "refused"


def _status_alone(kept: Kept | None, *, live: bool) -> Status:
    if kept is None:
        return "unknown"
    if not live:
        return "expired"
    if (kept.granted | kept.added) - kept.refused:
        return "partial"
    return "withdrawn" if kept.refused else "refused"
