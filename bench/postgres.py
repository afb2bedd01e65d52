"""Recording a choice durably on PostgreSQL, beside SQLite where that is measured in the same run.

PostgreSQL is Debian's newest on this machine, started for the run in the system's folder for temporary files (the name of
its socket must be short) with the settings of the tests: 64 MB of buffers, page checksums, no autovacuum while it lasts.
CPU time is told apart: the service's processes, and the database's; the budget is that of both together.
"""

import os
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg

from bench import load, servers
from bench.budgets import JUDGED
from bench.load import Job
from bench.recording import CHOICE, HEADERS, PATH
from bench.servers import Running
from bench.trial import CONNECTIONS, Figures, Plan, Trial, named
from tests.postgres import BINARIES, Cluster, cluster


def trials(plan: Plan, stack: ExitStack) -> list[Trial]:
    """Every number of connections; none, said, where there is no PostgreSQL."""
    if BINARIES is None:
        print("Not measured on PostgreSQL: that needs its server (`apt install postgresql`).")
        return []
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))
    folder.chmod(0o755)  # the database's own user goes through it
    database = stack.enter_context(cluster(folder))
    url = stack.enter_context(database.unborn())
    service = stack.enter_context(servers.service(plan.folder / "postgres", url))
    found = []
    for connections in CONNECTIONS:
        job = Job(service.port, PATH, connections, plan.seconds, 201, HEADERS, CHOICE)
        name = named("record a choice", connections)
        budget = {"both": f"postgres {connections}"} if connections in JUDGED else {}
        found.append(Trial(f"PostgreSQL, {name}", partial(recorded, service, database, job, url), name, budget))
    return found


def recorded(service: Running, database: Cluster, job: Job, url: str) -> Figures:
    """One load, and what the database used meanwhile, in microseconds a receipt; the bytes of one on its disk."""
    before = used(database)
    count, figures = load.counted(service, job)
    spent = (used(database) - before) / count * 1e6
    with psycopg.connect(url) as connection:
        [(size,)] = connection.execute("SELECT pg_total_relation_size('entries') / count(*) FROM entries")
    return figures | {"database": spent, "both": figures["cpu"] + spent, "bytes": size}


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
