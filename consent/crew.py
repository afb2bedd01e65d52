"""Examines the entries of a log, by as many processes as it may; in constant memory.

Entries go out as bytes and are opened where they are examined; what comes back of thousands of them are hashes, times and
what they have in common, said once.
"""

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from typing import Any

import msgspec

from consent.examination import Finding, Line, Says, examine, read_line
from consent.model import Entry, Parcel

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BATCH = 2000
"""Lines in a parcel."""
HEAVY = 1 << 22
"""Bytes after which a parcel is full in any case."""
FEW = 2000
"""Entries for which no process is worth while."""

Row = tuple[int, bytes, int, int]
"""Index, leaf, time, and which of the answer's `Says` it says."""
Answer = tuple[list[Says], list[Row]]


def lines(pieces: Iterable[bytes]) -> Iterator[Parcel]:
    """The lines of an ndjson export in parcels."""
    first, waiting, weight = 1, [], 0
    for piece in pieces:
        waiting.append(piece)
        weight += len(piece)
        if len(waiting) == BATCH or weight > HEAVY:
            yield Parcel(_opened, _ENCODER.encode((first, waiting)), len(waiting))
            first, waiting, weight = first + len(waiting), [], 0
    if waiting:
        yield Parcel(_opened, _ENCODER.encode((first, waiting)), len(waiting))


def examined(parcels: Iterable[Parcel], keys: dict[str, bytes], site: str | None, workers: int) -> Iterator[Answer]:
    """Every entry examined, in order; by `workers` processes where there are more than a few."""
    parcels = iter(parcels)
    first = next(parcels, None)
    if first is None or workers < 2 or first.entries < FEW:
        for parcel in chain([first] if first else [], parcels):
            yield _examined(parcel.opened(parcel.data), keys, site)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(keys, site)) as pool:
        waiting: deque[Future[bytes]] = deque([pool.submit(_sent, first.opened, first.data)])
        for parcel in parcels:
            waiting.append(pool.submit(_sent, parcel.opened, parcel.data))
            if len(waiting) > 2 * workers:
                yield _ANSWER.decode(waiting.popleft().result())
        while waiting:
            yield _ANSWER.decode(waiting.popleft().result())


def _begin(keys: dict[str, bytes], site: str | None) -> None:
    _own.update(keys=keys, site=site)
    gc.disable()  # nothing here goes round in circles, and looking for that costs a twentieth


def _sent(opened: Callable[[bytes], Iterable[Any]], data: bytes) -> bytes:
    """A parcel examined in another process."""
    return _ENCODER.encode(_examined(opened(data), _own["keys"], _own["site"]))


def _examined(opened: Iterable[Entry | Line | Finding], keys: dict[str, bytes], site: str | None) -> Answer:
    says: dict[int, Says] = {}
    numbers: dict[int, int] = {}
    rows = []
    for one in opened:
        found = examine(one, keys, site)
        key = id(found.says)
        if key not in numbers:
            numbers[key], says[key] = len(says), found.says  # kept, so that no other gets its id
        rows.append((found.index, found.leaf, found.at, numbers[key]))
    return list(says.values()), rows


def _opened(data: bytes) -> Iterator[Line | Finding]:
    """The lines of a parcel; one that cannot be read is a finding already."""
    first, pieces = _LINES.decode(data)
    return (_line(number, piece) for number, piece in enumerate(pieces, first))


def _line(number: int, piece: bytes) -> Line | Finding:
    try:
        return read_line(piece)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Finding(-1, "line", f"line {number} is not a line of an ndjson export")


_own: dict[str, Any] = {}
"""What a process of the crew was given once."""
_LINES = msgspec.msgpack.Decoder(tuple[int, list[bytes]])
_ENCODER = msgspec.msgpack.Encoder()
_ANSWER = msgspec.msgpack.Decoder(Answer)
