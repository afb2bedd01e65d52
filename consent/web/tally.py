"""Numbers that every process of a service adds to, and any of them can sum up; metrics are made of them.

Its rule: adding to a known number takes no lock and no system call. A process has a file of numbers of its own, mapped into memory; one
that is left by a dead process is taken over by the next one with what stands in it, so that counts only grow.
"""

import fcntl
import json
import mmap
import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Lock

Key = tuple[str, ...]
"""A metric's name and the values of its labels."""
SLOTS = 4096
"""Different numbers that a process can have."""
WIDTH = 8
"""Bytes of a number."""


class Tally:
    """The numbers of this process, opened when the first is added; a fork begins its own.

    `passing` names the metrics that end with their process, such as how many wait in it.
    """

    def __init__(self, folder: Path, *, passing: frozenset[str] = frozenset()) -> None:
        self.folder = folder
        self._passing = passing
        self._slots: memoryview[float] | None = None
        self._places: dict[Key, int] = {}
        self._new = Lock()
        self._file = -1
        self._number = 0
        os.register_at_fork(after_in_child=self.leave)

    def add(self, key: Key, amount: float = 1.0) -> None:
        """Add to a number. Where the folder cannot be written, or has no room, nothing is counted."""
        place = self._places.get(key)
        if place is None:
            place = self._place(key)
        if self._slots is not None and place < SLOTS:
            self._slots[place] += amount  # no call between reading and writing, so no other thread comes between

    def totals(self) -> dict[Key, float]:
        """Every number, summed up over all processes, dead ones too."""
        found: dict[Key, float] = {}
        for path in sorted(self.folder.glob("*.keys")):
            with suppress(OSError, ValueError, TypeError), path.with_suffix(".numbers").open("rb") as file:
                numbers, lives = memoryview(file.read()).cast("d"), not _locked(file.fileno())
                for key, number in zip(_keys(path), numbers, strict=False):
                    if lives or key[0] not in self._passing:
                        found[key] = found.get(key, 0.0) + number
        return found

    def leave(self) -> None:
        """Let go of the file; the next `add` opens one."""
        self._slots, self._places, self._new = None, {}, Lock()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _place(self, key: Key) -> int:
        """Where a number stands; a new one is written down with its key. No place is past the last slot."""
        with self._new, suppress(OSError):
            if self._slots is None:
                self._open()
            if key not in self._places and len(self._places) < SLOTS:
                with open(self._path(".keys"), "a") as file:
                    file.write(json.dumps(key) + "\n")
                self._places[key] = len(self._places)
        return self._places.get(key, SLOTS)

    def _open(self) -> None:
        """Take the first file that no living process holds."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for self._number in count():
            file = os.open(self._path(".numbers"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _locked(file):
                break
            os.close(file)
        self._file = file
        os.posix_fallocate(file, 0, SLOTS * WIDTH)  # else a full disk would end the process when a page is first used
        slots = memoryview(mmap.mmap(file, SLOTS * WIDTH)).cast("d")
        self._places = self._left(slots)
        for key, place in self._places.items():
            if key[0] in self._passing:
                slots[place] = 0.0
        self._slots = slots

    def _left(self, slots: "memoryview[float]") -> dict[Key, int]:
        """What the file's last owner left; written down anew, for a last line may be cut short. Damaged, it is given up."""
        path, keys = self._path(".keys"), []
        with suppress(ValueError):
            keys = _keys(path)
        for place in range(len(keys), SLOTS):
            slots[place] = 0.0
        path.write_text("".join(json.dumps(key) + "\n" for key in keys))
        return {key: place for place, key in enumerate(keys)}

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self._number}{kind}"


def _locked(file: int) -> bool:
    """Lock an open file for as long as it is open; False where a living process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _keys(path: Path) -> list[Key]:
    """The keys of a file, in order of their places; a last line that was cut short is none."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [tuple(json.loads(line)) for line in lines]
