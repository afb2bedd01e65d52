"""`consent export`: the log as a file.

Its rule: nothing is imported that writing it does not need, for each download is a process of its own (web.streaming).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, get_args

import click

from consent.administrator import EVIDENCE
from consent.cli.reading import Watched
from consent.cli.shared import administrator, moment, whole
from consent.errors import BadQuery
from consent.evidence import bundle
from consent.export import FORMATS
from consent.export import export as export_log
from consent.fields import TRAIL
from consent.model import Action, Filter
from consent.pieces import begun, gathered, zipped

NUMBER = click.IntRange(0, 10**18 - 1)
"""A number that fits a database's integer."""
WHOLE = {TRAIL, EVIDENCE}
"""A log and a format that are exported as a whole or not at all, so that nothing can be left out unseen."""
TRAIL_FORMATS = ("ndjson", EVIDENCE)
NICE = 10
"""How far an export steps back (nice(1)): beside a busy service it gets a tenth of a processor's time."""


@click.command()
@click.argument("site", metavar="SITE|_trail")
@click.option("--format", "format_", type=click.Choice([*FORMATS, EVIDENCE]), default="ndjson", show_default=True, help="; ".join([*(f"{name}: {f.help}" for name, f in FORMATS.items()), "evidence: everything an auditor needs, as a zip file"]))  # fmt: skip
@click.option("--since", callback=moment, help="From this day or time on.")
@click.option("--until", callback=moment, help="Before this day or time.")
@click.option("--policy", type=NUMBER, help="Only of this policy version.")
@click.option("--action", type=click.Choice(get_args(Action)), help="Only this action.")
@click.option("--after", type=NUMBER, help="Above this index, to go on where an earlier export broke off or ended.")  # fmt: skip
@click.option("--entries", type=click.Choice(["receipts", "all"]), default="receipts", show_default=True, help="`all`: policies and erasures too (ndjson).")  # fmt: skip
@click.option("--gzip", "gzip", is_flag=True, help="Compress what is written.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; standard output if left out."
)
def export(
    site: str, format_: str, after: int | None, entries: str, gzip: bool, output: Path | None, **which: Any
) -> None:
    """Export a site's log, or what administrators did (`_trail`: ndjson, evidence), oldest first, in constant memory; recording goes first.

    \b
    Example: consent export shop --format csv --since 2026-11-01 --output november.csv
    """
    _give_way()
    who, settings = administrator()
    served: list[int] | None = click.get_current_context().obj  # web.streaming, which has noted it, and where to count
    filter = Filter(kinds=() if entries == "all" or WHOLE & {site, format_} else ("receipt",), **which)
    if format_ != EVIDENCE:
        filter = FORMATS[format_].holding(filter)
    _possible(site, format_, filter, after)
    noted = partial(who.exported, site, format_, filter, after=after) if served is None else int
    if site == TRAIL:
        noted()  # first, so that the file says itself who took it
    watched = Watched(who.ledger, who.ledger.storage.reading().size(site), counted=next(iter(served or []), None))
    if format_ == EVIDENCE:
        pieces = bundle(watched, site, anchors=settings.data / "anchors")  # type: ignore[arg-type]
    else:
        pieces = export_log(watched, site, format_, filter, after=-1 if after is None else after)  # type: ignore[arg-type]
    with _target(output) as file, watched.bar(hidden=output is None and sys.stdout.isatty()):
        pieces = begun(pieces)
        if site != TRAIL:
            noted()
        for piece in (zipped if gzip else gathered)(pieces):
            file.write(piece)


def _possible(site: str, format: str, filter: Filter, after: int | None) -> None:
    """Raises BadQuery for an export that there is not."""
    if site == TRAIL and format not in TRAIL_FORMATS:
        raise BadQuery(f"The trail is exported as {' or '.join(TRAIL_FORMATS)}.")
    if WHOLE & {site, format} and (filter != Filter(kinds=filter.kinds) or after is not None):
        what = "The trail" if site == TRAIL else "Evidence"
        raise BadQuery(f"{what} is of the whole log: leave --since, --until, --policy, --action and --after out.")


def _give_way() -> None:
    """Run at a lower priority than a service beside us; Linux may weigh sessions first, so ours too if it is our own."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(NICE))  # sched(7), "The autogroup feature"


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears whole or not at all."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    output = output.resolve()
    if output.exists() and not output.is_file():
        raise BadQuery(f"{output} is no regular file; leave --output out to write to standard output.")
    with whole(output) as part, part.open("wb") as file:
        yield file
