"""`python -m bench.postgres`: recording a choice durably on PostgreSQL, beside SQLite in the same run.

PostgreSQL is Debian's newest on this machine, started for the run on the disk of the folder with the settings of the tests:
64 MB of buffers, page checksums, no autovacuum while it lasts. CPU time is told apart: the service's processes, and the database's.
"""

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import load, servers
from bench.load import Job
from bench.recording import CHOICE, HEADERS
from bench.servers import Running
from bench.trial import Figures
from tests.postgres import Cluster, cluster

CONNECTIONS = (1, 16, 64, 256)
JUDGED = (("PostgreSQL", 16), ("PostgreSQL", 64))
MOST_US = 600
"""Of the service's processes, at the numbers of connections above."""


def main() -> None:
    """Record in turns, print."""
    options = arguments()
    rounds: dict[tuple[str, int], list[Figures]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder, prefix="pg-")))
        folder.chmod(0o755)  # the database's own user goes through it
        database = stack.enter_context(cluster(folder))
        services = {
            "PostgreSQL": stack.enter_context(servers.service(folder / "far", stack.enter_context(database.unborn()))),
            "SQLite": stack.enter_context(servers.service(folder / "near")),
        }
        for round in range(options.rounds + 1):
            for connections in CONNECTIONS:
                for name, service in services.items():
                    found = recorded(service, database, connections, options.seconds)
                    if round:  # the first one warms up
                        rounds.setdefault((name, connections), []).append(found)
    print(f"{'record a choice':<34}{'a second':>10}{'service, us':>13}{'database, us':>14}{'p50 ms':>9}{'p99 ms':>9}")
    for (name, connections), found in rounds.items():
        rate, cpu, its, p50, p99 = (
            median(one[what] for one in found) for what in ("rate", "cpu", "database", "p50", "p99")
        )
        verdict = "" if (name, connections) not in JUDGED else "ok" if cpu <= MOST_US else "ABOVE"
        title = f"{name}, {connections} connection{'s' * (connections > 1)}"
        print(f"{title:<34}{rate:>10,.0f}{cpu:>13,.0f}{its:>14,.0f}{p50:>9.1f}{p99:>9.1f}  {verdict}")


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m bench.postgres", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 51), metavar="1-50")
    parser.add_argument("--seconds", type=float, default=4, help="length of one load")
    parser.add_argument("--folder", type=Path, help="where the data lies while measuring: the disk counts")
    return parser.parse_args()


def recorded(service: Running, database: Cluster, connections: int, seconds: float) -> Figures:
    """One load, and what the database used meanwhile, in microseconds a receipt."""
    job = Job(service.port, f"/sites/{servers.SITE}/receipts", connections, seconds, 201, HEADERS, CHOICE)
    before = used(database)
    count, figures = load.counted(service, job)
    return figures | {"database": (used(database) - before) / count * 1e6}


def used(database: Cluster) -> float:
    """CPU seconds of a database's processes so far, those that have ended included (proc(5), /proc/pid/stat)."""
    spent = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == database.pid:
            spent += sum(map(int, fields[11:15]))
        elif int(fields[1]) == database.pid:
            spent += sum(map(int, fields[11:13]))
    return spent / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
