"""Exports over HTTP: what `consent export` writes, in a process of its own.

Its rule: whoever records does not feel it. A long reading would hold up every request of its worker (they share one
interpreter), and Parquet's library would stay in its memory; a process of its own also gives way to the workers.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from io import BufferedReader, FileIO
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryFile
from time import monotonic
from typing import Any, cast

from flask import request

import consent
from consent.administrator import Administrator
from consent.downloads import Tell
from consent.errors import Unavailable
from consent.fields import TRAIL
from consent.model import Filter
from consent.pieces import begun
from consent.search import described
from consent.settings import PREFIX, Settings

PIECE = 262_144
"""Bytes that are handed on at once."""
PAUSE = 2
"""Seconds between two times that it is told how far an export has come."""


def options_of(format: str, filter: Filter, **more: Any) -> list[str]:
    """The options of `consent export` for what is asked; `more` are options that the filter does not name."""
    wanted = {"format": format} | described(filter) | more
    return [f"--{name}={value}" for name, value in wanted.items() if value is not None]


def exported(settings: Settings, site: str, options: list[str], tell: Tell | None = None) -> Iterator[bytes]:
    """The pieces of an export, which is left to its caller to note, and how many rows are done told from time to time.

    Raises Unavailable where it breaks off, so that the answer is seen to be cut short.
    """
    with _counter(tell) as count, _exporting(settings, site, options, count) as process:
        out, err = cast(BufferedReader, process.stdout), cast(BufferedReader, process.stderr)
        due = monotonic() + PAUSE
        try:
            while piece := out.read1(PIECE):
                yield piece
                if tell and count and monotonic() > due:
                    tell(int(os.pread(count.fileno(), 20, 0) or 0))
                    due = monotonic() + PAUSE
            said = err.read().decode(errors="replace").strip()
            if process.wait():
                raise Unavailable(f"An export of site {site!r} broke off: {said}")
        finally:
            process.kill()


def _counter(tell: Tell | None) -> "AbstractContextManager[FileIO | None]":
    """A file to count rows in; none where nobody asks for it, or where there is no room."""
    if tell:
        with suppress(OSError):
            return cast(FileIO, TemporaryFile(buffering=0))
    return nullcontext()


def _exporting(settings: Settings, site: str, options: list[str], count: FileIO | None) -> "Popen[bytes]":
    """The process that writes an export, and into a file, if there is one, how many rows it has read."""
    files = [count.fileno()] if count else []
    code = f"from consent.cli import main; main(obj={files})"
    return Popen(
        [_python(), "-P", "-c", code, "export", site, *options],
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(settings),
        pass_fds=files,
        pipesize=PIECE,
        start_new_session=True,  # else what it uses would be taken from the share of the service
    )


def wanted(pieces: Iterator[bytes], noted: Callable[[], None]) -> Iterator[bytes]:
    """The pieces of an export that has begun and is noted; none for who asks for the headers alone, and no note."""
    if request.method == "HEAD":
        return iter(())
    pieces = begun(pieces)
    noted()
    return pieces


def trail(settings: Settings, format: str, who: Administrator) -> Iterator[bytes]:
    """The pieces of the trail, the last act in which is that it was taken; none, and no note, for who asks for headers alone."""
    if request.method == "HEAD":
        return iter(())
    who.exported(TRAIL, format, Filter())
    return begun(exported(settings, TRAIL, [f"--format={format}"]))


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
