"""Place -> regime: which rule a visitor falls under.

A policy says it for the places it names; whoever is in no known place is asked first (`opt-in`).
As of 2026-11-23 no place is loosened by default: naming one is the owner's decision, with docs/policy.md at hand.
"""

import re

from consent.model import Place, Policy, Regime

_PLACE = re.compile(r"([A-Za-z]{2})(?:-([A-Za-z0-9]{1,3}))?")


def place(policy: Policy, where: str | None) -> Place:
    """The regime for a place as ISO 3166 says it (`DE`, `US-CA`); None or anything else is an unknown place."""
    found = _PLACE.fullmatch(where or "")
    if found is None or found[1].upper() in ("XX", "ZZ"):
        return Place(None, "opt-in", "unknown")
    country = found[1].upper()
    region = f"{country}-{found[2].upper()}" if found[2] else None
    if region and region in policy.regimes:
        return Place(country, policy.regimes[region], "region")
    if country in policy.regimes:
        return Place(country, policy.regimes[country], "country")
    return Place(country, policy.regimes.get("default", "opt-in"), "default")


def depends_on_place(policy: Policy) -> bool:
    """Whether visitors in different places are asked differently."""
    return any(regime != "opt-in" for regime in policy.regimes.values())


def regimes(policy: Policy) -> list[Regime]:
    """Every regime a visitor of this policy may fall under; the unknown place's first."""
    named: set[Regime] = {"opt-in", *policy.regimes.values()}
    return sorted(named, key=lambda regime: (regime != "opt-in", regime))
