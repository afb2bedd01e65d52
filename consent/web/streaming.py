"""Exports over HTTP: what `consent export` writes, in a process of its own.

Its rule: whoever records does not feel it. A long reading would hold up every request of its worker (they share one
interpreter), and Parquet's library would stay in its memory; a process of its own also gives way to the workers.
"""

import os
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, cast

import consent
from consent.errors import Unavailable
from consent.model import Filter
from consent.settings import PREFIX, Settings
from consent.times import rfc3339

PIECE = 262_144
"""Bytes that are handed on at once."""


def told(format: str, filter: Filter) -> dict[str, Any]:
    """What an export is of, by the names that the command line, the API and the trail have for it."""
    said = {
        "since": rfc3339(filter.since),
        "until": rfc3339(filter.until),
        "action": filter.action,
        "policy": filter.policy,
    }
    return {"format": format} | {name: value for name, value in said.items() if value is not None}


def options_of(format: str, filter: Filter, **more: Any) -> list[str]:
    """The options of `consent export` for what is asked; `more` are options that the filter does not name."""
    return [f"--{name}={value}" for name, value in (told(format, filter) | more).items() if value is not None]


def exported(settings: Settings, site: str, options: list[str]) -> Iterator[bytes]:
    """The pieces of an export. Raises Unavailable where it breaks off, so that the answer is seen to be cut short."""
    command = [_python(), "-P", "-c", "from consent.cli import main; main()", "export", site, *options]
    process = Popen(
        command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(settings),
        pipesize=PIECE,
        start_new_session=True,  # else what it uses would be taken from the share of the service
    )
    with process:
        out, err = cast(BufferedReader, process.stdout), cast(BufferedReader, process.stderr)
        try:
            while piece := out.read1(PIECE):
                yield piece
            said = err.read().decode(errors="replace").strip()
            if process.wait():
                raise Unavailable(f"An export of site {site!r} broke off: {said}")
        finally:
            process.kill()


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, the first of them made: what fails before it is refused like anything else."""
    return _going_on(next(pieces, b""), pieces)


def _going_on(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _environment(settings: Settings) -> dict[str, str]:
    """What a process needs to find this installation, and this package, however the service was set up."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    places = [str(Path(consent.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    given = {"DATA": str(settings.data), "DATABASE": settings.database, "PUBLIC_URL": settings.public_url}
    return own | {"PYTHONPATH": os.pathsep.join(filter(None, places))} | {PREFIX + name: given[name] for name in given}


def _python() -> str:
    """The interpreter; some servers that embed one name themselves as the executable."""
    own = Path(sys.prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(own) if own.exists() else sys.executable
