"""A log to measure: how large it is to be and where it lies, as the command line of a bench says, and how it is filled.

Programs that are given the same folder share one log, which takes ten minutes to fill with five million receipts.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bench import export, servers, stats
from consent import open_ledger
from consent.ledger import Ledger
from consent.settings import load

FULL = "full"
"""Where the log lies in the folder."""


@contextmanager
def asked(bench: str, about: str, receipts: int) -> Iterator[tuple[Path, int]]:
    """The folder, which is gone afterwards unless it was named, and the number of receipts, `receipts` where none is given."""
    options = parser(bench, about, receipts).parse_args()
    with lying(options.folder) as folder:
        yield folder, options.receipts


def parser(bench: str, about: str, receipts: int) -> argparse.ArgumentParser:
    """The options of every bench on a large log."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{bench}", description=about.split("\n")[0])
    parser.add_argument("--receipts", type=int, default=receipts)
    parser.add_argument("--folder", type=Path, help="where the data lies; kept, and measured again where it is there")
    return parser


@contextmanager
def lying(folder: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that is gone afterwards."""
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory() as found:
        Path(found).mkdir(parents=True, exist_ok=True)
        yield Path(found)


def filled(folder: Path, count: int) -> Ledger:
    """The ledger of a data folder with at least so many entries, and the counts that as many leave behind in three years."""
    if not (folder / "consent.db").exists():
        export.fill(folder, 1)
    ledger = opened(folder)
    ledger.storage.migrate()
    missing = count - ledger.storage.reading().size(servers.SITE)
    export.more(folder, missing)
    stats.leave_behind(ledger, missing)
    return ledger


def opened(folder: Path) -> Ledger:
    """The ledger of a data folder."""
    return open_ledger(load({"CONSENT_DATA": str(folder)}))


def roughly(folder: Path) -> int:
    """How many entries the log of a data folder has, to one digit: what was recorded while it was measured does not count."""
    ledger = opened(folder)
    size = ledger.storage.reading().size(servers.SITE)
    ledger.storage.close()
    return round(size, 1 - len(str(size)))
