"""A log to measure: how large it is to be and where it lies, as the command line of a bench says."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path


@contextmanager
def asked(bench: str, about: str, receipts: int) -> Iterator[tuple[Path, int]]:
    """The folder, which is gone afterwards unless it was named, and the number of receipts, `receipts` where none is given."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{bench}", description=about.split("\n")[0])
    parser.add_argument("--receipts", type=int, default=receipts)
    parser.add_argument("--folder", type=Path, help="where the data lies; kept, and measured again where it is there")
    options = parser.parse_args()
    with nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory() as folder:
        yield Path(folder), options.receipts
