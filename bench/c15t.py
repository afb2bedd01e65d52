"""c15t's backend as a server under test: installed from npm, started, and its rows counted, copied and cut back.

Nothing of it is a dependency of the project: the packages lie in bench/results/, which git ignores.
"""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench import servers
from bench.fresh import c15t_subject
from bench.servers import Running

PACKAGES = {
    "@c15t/backend": "2.2.1",
    "@hono/node-server": "2.1.9",
    "better-sqlite3": "12.11.1",
    "hono": "4.13.19",
    "kysely": "0.28.19",
}
NODE = 20
"""The oldest Node.js that @hono/node-server and better-sqlite3 take."""
PATIENCE = 900
"""Seconds for an installation: where no built better-sqlite3 can be had, it is compiled."""
CHOICE = {
    "type": "cookie_banner",
    "domain": "bench.example",
    "preferences": {"necessary": True, "measurement": True, "marketing": False},
    "jurisdiction": "GDPR",
    "jurisdictionModel": "opt-in",
    "uiSource": "banner",
    "consentAction": "custom",
}
"""The body of its client (npm c15t 2.2.1, `saveConsents`) but for subject and time; the preferences of its documentation."""
HEADERS = {"Origin": servers.ORIGIN, "Content-Type": "application/json"}


class NotHere(Exception):
    """The backend cannot be had or run on this machine; says why."""


def installed(folder: Path) -> Path:
    """The folder with the packages, installed once; raises NotHere."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise NotHere("there is no Node.js with npm")
    found = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if int(found.removeprefix("v").partition(".")[0] or 0) < NODE:
        raise NotHere(f"Node.js {found.removeprefix('v')} is older than {NODE}")
    wanted = json.dumps({"private": True, "dependencies": PACKAGES, "allowScripts": {"better-sqlite3": True}}, indent=2)
    done = folder / "installed.json"
    if not done.exists() or done.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(wanted)
        command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise NotHere(f"npm did not install it within {PATIENCE} seconds") from None
        if run.returncode:
            raise NotHere(f"npm did not install it ({' '.join(run.stderr.split())[:300]})")
        done.write_text(wanted)
    shutil.copy(Path(__file__).with_name("c15t.mjs"), folder / "server.mjs")
    return folder


@contextmanager
def server(packages: Path, database: Path, cache: int) -> Iterator[Running]:
    """The backend on a new database, with so many KiB of SQLite's cache; one process, which is how Node.js serves."""
    port = servers.free_port()
    command = ["node", str(packages / "server.mjs"), str(port), str(database), servers.ORIGIN, str(cache)]
    with servers.started(command, port, {"NODE_ENV": "production"}) as running:
        yield running


def consents(database: Path) -> int:
    """How many consents are stored."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT count(*) FROM consent").fetchone()[0]


def keep(database: Path, count: int) -> None:
    """Delete all consents but the oldest `count`, and the subjects without one."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute(
            "DELETE FROM consent WHERE rowid NOT IN (SELECT rowid FROM consent ORDER BY rowid LIMIT ?)", (count,)
        )
        connection.execute("DELETE FROM subject WHERE id NOT IN (SELECT subjectId FROM consent)")


def copy(database: Path, count: int) -> None:
    """Store as many consents as are missing, like the last one but for id, subject and time."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.row_factory = sqlite3.Row
        consent = dict(connection.execute("SELECT * FROM consent ORDER BY rowid DESC LIMIT 1").fetchone())
        subject = dict(connection.execute("SELECT * FROM subject WHERE id = ?", (consent["subjectId"],)).fetchone())
        missing = count - connection.execute("SELECT count(*) FROM consent").fetchone()[0]
        for at in range(missing):
            given = consent["givenAt"] - missing + at
            name = c15t_subject(given)
            _insert(connection, "subject", subject | {"id": name})
            _insert(
                connection,
                "consent",
                consent | {"id": "cns_" + name.removeprefix("sub_"), "subjectId": name, "givenAt": given},
            )


def _insert(connection: sqlite3.Connection, table: str, row: dict) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(row))})', list(row.values()))
