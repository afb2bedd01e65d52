"""One export in a process of its own.

    python -m bench.export_run FORMAT|cursor FOLDER     prints its figures as JSON

Imports the package only for a format: the cursor's memory is that of Python and sqlite3 alone.
"""

import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

SITE = "bench"


def main(what: str, folder: Path) -> None:
    """Export everything to nowhere and print what it took."""
    database = folder / "consent.db"
    with closing(sqlite3.connect(database)) as connection:
        count = connection.execute("SELECT count(*) FROM entries WHERE kind = 0").fetchone()[0]
    pieces = cursor(database) if what == "cursor" else exported(what, folder)
    cpu, start = time.process_time(), time.perf_counter()
    with open(os.devnull, "wb") as sink:
        for piece in pieces:
            sink.write(piece)
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"rate": count / elapsed, "cpu": cpu / count * 1e6, "peak": peak()}))


def cursor(database: Path) -> Iterator[bytes]:
    """The floor: what is stored of every receipt, one a line."""
    with closing(sqlite3.connect(database)) as connection:
        for row in connection.execute("SELECT token FROM entries WHERE kind = 0 ORDER BY site, position"):
            yield row[0] + b"\n"


def exported(format: str, folder: Path) -> Iterator[bytes]:
    """The export as the command line and the API stream it."""
    from consent import open_ledger
    from consent.export import export
    from consent.model import Filter
    from consent.settings import load

    return export(open_ledger(load({"CONSENT_DATA": str(folder)})), SITE, format, Filter())


def peak() -> float:
    """The most memory this process ever held, in MB (proc(5), VmHWM)."""
    found = re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
