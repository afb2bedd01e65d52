"""What a measurement is made of. Knows no server and no figure."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

Figures = dict[str, float]
"""What one run of a trial found: `rate` (a second), `cpu`, of a database of its own `database`, and `both` (microseconds each),
`p50`, `p99`, of a durable insert `commit`, and `later` than that (milliseconds), `peak`, `rss`, `pss` and `workers` (MB of
memory), `bytes` on the disk; what does not apply is left out."""

CONNECTIONS = (1, 16, 64, 256)
"""How many are open at once, where that matters."""
NONE: Mapping[str, str] = MappingProxyType({})
NAMED = re.compile(r"(.+), ([0-9]+) connections?$")


class Plan(NamedTuple):
    """How long and where to measure."""

    folder: Path
    seconds: float
    rounds: int
    receipts: int
    """How many receipts the exported log has."""
    log: Path | None = None
    """A filled data folder to record into and to ask for states; a new one where there is none."""

    def data(self, name: str) -> Path:
        """The data folder of a service that is measured on the filled log, if there is one."""
        return self.log or self.folder / name


class Trial(NamedTuple):
    """One row of the table."""

    name: str
    run: Callable[[], Figures]
    floor: str = ""
    """Name of the trial whose CPU time is the least that could be hoped for."""
    budget: Mapping[str, str] = NONE
    """By figure: the name of its budget (bench.budgets). Beside those of a run there are `times`, the CPU time over the
    floor's, and `share`, the rate over the floor's."""
    receipts: int = 0
    """How many are stored, where that matters."""


def named(what: str, connections: int) -> str:
    """The name of a trial at so many connections."""
    return f"{what}, {connections} connection{'s' if connections > 1 else ''}"


def parted(name: str) -> tuple[str, int] | None:
    """What is measured and at how many connections, of a name made so."""
    found = NAMED.match(name)
    return (found[1], int(found[2])) if found else None
