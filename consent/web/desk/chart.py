"""Lines over days as SVG coordinates; the template draws them, a table behind says the same."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 24
"""Room around the lines, in the units of the viewBox."""
SHARES = (0, 25, 50, 75, 100)
LABELS = 6
"""Days that are written under the lines, at most."""


class Line(NamedTuple):
    """One line: its pieces, broken where a day has no value, and single days that no line leads to."""

    name: str
    pieces: list[str]
    dots: list[tuple[float, float]]


class Chart(NamedTuple):
    """What the template draws."""

    lines: list[Line]
    grid: list[tuple[float, int]]
    days: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


def chart(days: Sequence[str], shares: Mapping[str, Sequence[float | None]]) -> Chart:
    """Shares (0 to 1, None where there is none) of each name on each day."""
    lines = [_line(name, values) for name, values in shares.items()]
    step = max(1, -(-len(days) // LABELS))
    labels = [(_x(at, len(days)), day) for at, day in enumerate(days) if at % step == 0]
    return Chart(lines, [(_y(share / 100), share) for share in SHARES], labels)


def _line(name: str, values: Sequence[float | None]) -> Line:
    pieces: list[list[tuple[float, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((_x(at, len(values)), _y(value)))
    drawn = [" ".join(f"{x:g},{y:g}" for x, y in piece) for piece in pieces if len(piece) > 1]
    return Line(name, drawn, [piece[0] for piece in pieces if len(piece) == 1])


def _x(at: int, count: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (at / (count - 1) if count > 1 else 0.5), 1)


def _y(share: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)
