"""What a measurement is made of. Knows no server and no figure."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

Figures = dict[str, float]
"""What one run of a trial found: `rate` (a second), `cpu` and, of a database of its own, `database` (microseconds each), `p50` and `p99` (milliseconds), `peak`
(MiB of memory); what does not apply is left out."""


class Plan(NamedTuple):
    """How long and where to measure."""

    folder: Path
    seconds: float
    rounds: int
    receipts: int
    """How many receipts the exported log has."""


class Trial(NamedTuple):
    """One row of the table."""

    name: str
    run: Callable[[], Figures]
    floor: str = ""
    """Name of the trial whose CPU time is the least that could be hoped for."""
    budget: Mapping[str, float] = MappingProxyType({})
    """By figure: what it may be at most, of `rate` at least."""

    def missed(self, found: Figures) -> list[tuple[str, float]]:
        """The figures that are above their budgets, or below where more is better, with by what part of it."""
        parts = ((name, found[name] / limit - 1) for name, limit in self.budget.items())
        return [(name, part) for name, part in parts if (part < 0 if name == "rate" else part > 0)]
