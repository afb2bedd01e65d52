"""The SQLite schema, as migrations that are only ever added to.

sqlite-utils runs them. It is imported only where there is something to run: with what it imports itself it would take
every process of the service another 8 MB, and twice that where NumPy is installed.
"""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from consent.storage.months import by_months
from consent.storage.recount import recount

if TYPE_CHECKING:
    from sqlite_utils import Database

SET = "consent"
"""The name of our migrations in the table of sqlite-utils."""
MIGRATIONS: "list[Callable[[Database], None]]" = []


def applied(connection: sqlite3.Connection) -> list[str]:
    """Names of the migrations that a database has, in their order."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone():
        return []
    sql = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY rowid"
    return [name for (name,) in connection.execute(sql, [SET])]


def apply(connection: sqlite3.Connection) -> None:
    """Run what a database does not have yet, each migration in a transaction of its own."""
    from sqlite_utils import Database, Migrations

    migrations = Migrations(SET)
    for work in MIGRATIONS:
        migrations()(work)
    migrations.apply(Database(connection))


def migration(work: "Callable[[Database], None]") -> "Callable[[Database], None]":
    MIGRATIONS.append(work)
    return work


@migration
def m001_ledger(db: "Database") -> None:
    """Sites, policies, scripts and the entries of every site's ledger."""
    _run(
        db,
        """
        CREATE TABLE sites (key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL);
        CREATE TABLE policies (
            site INTEGER NOT NULL, version INTEGER NOT NULL, hash BLOB NOT NULL, document BLOB NOT NULL,
            material_since INTEGER NOT NULL, published_at INTEGER NOT NULL, PRIMARY KEY (site, version)
        );
        CREATE TABLE scripts (
            site INTEGER NOT NULL, version INTEGER NOT NULL, language TEXT NOT NULL, regime TEXT NOT NULL,
            code BLOB NOT NULL, hash BLOB NOT NULL, br BLOB NOT NULL, gzip BLOB NOT NULL
        );
        CREATE UNIQUE INDEX scripts_by_hash ON scripts (site, hash);
        CREATE INDEX scripts_by_version ON scripts (site, version, language, regime);
        CREATE TABLE entries (
            site INTEGER NOT NULL, position INTEGER NOT NULL, kind INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
            leaf BLOB NOT NULL, token TEXT, id BLOB, subject BLOB, policy INTEGER, action INTEGER
        );
        CREATE UNIQUE INDEX entries_in_order ON entries (site, position);
        CREATE UNIQUE INDEX entries_by_id ON entries (site, id) WHERE id IS NOT NULL;
        CREATE INDEX entries_by_subject ON entries (site, subject, position) WHERE subject IS NOT NULL
        """,
    )


@migration
def m002_tokens(db: "Database") -> None:
    """API tokens; only hashes of their secrets."""
    db.conn.execute(
        """
        CREATE TABLE tokens (
            id TEXT PRIMARY KEY, hash BLOB NOT NULL, role TEXT NOT NULL, site TEXT, name TEXT NOT NULL,
            created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER
        )
        """
    )


@migration
def m003_displays(db: "Database") -> None:
    """How often the banner was shown: daily counts, no identifier."""
    db.conn.execute(
        """
        CREATE TABLE displays (
            site INTEGER NOT NULL, day TEXT NOT NULL, policy INTEGER NOT NULL, language TEXT NOT NULL,
            surface TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (site, day, policy, language, surface)
        )
        """
    )


@migration
def m004_scripts_in_one_form(db: "Database") -> None:
    """Scripts are kept once; the other compressed form is made when a browser asks for it."""
    db.conn.execute("ALTER TABLE scripts DROP COLUMN br")


@migration
def m005_tree(db: "Database") -> None:
    """The Merkle tree of every ledger in tiles of up to 256 hashes, and its checkpoints."""
    _run(
        db,
        """
        CREATE TABLE tiles (
            site INTEGER NOT NULL, level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
            PRIMARY KEY (site, level, number)
        );
        CREATE TABLE checkpoints (
            site INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
            made_at INTEGER NOT NULL, PRIMARY KEY (site, size)
        ) WITHOUT ROWID
        """,
    )


@migration
def m006_shapes(db: "Database") -> None:
    """What statements have in common; an entry's token is a text, or the number of its shape and what is left."""
    db.conn.execute("CREATE TABLE shapes (key INTEGER PRIMARY KEY, shape BLOB NOT NULL UNIQUE)")


@migration
def m007_removed_sites(db: "Database") -> None:
    """The ids of removed sites, so that no second log begins under the name of a first."""
    db.conn.execute("CREATE TABLE removed_sites (id TEXT PRIMARY KEY)")


@migration
def m008_documents(db: "Database") -> None:
    """What the desk keeps: people, their sessions, drafts, each as JSON under a kind and an id."""
    db.conn.execute(
        "CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))"
        " WITHOUT ROWID"
    )


@migration
def m009_tallies(db: "Database") -> None:
    """Daily counts of showings and decisions, in full and summed to answers, with those of the receipts that are stored already."""
    _run(
        db,
        """
        CREATE TABLE tallies (
            site INTEGER NOT NULL, day TEXT NOT NULL, policy INTEGER NOT NULL, action TEXT NOT NULL,
            granted TEXT NOT NULL, language TEXT NOT NULL, country TEXT NOT NULL, regime TEXT NOT NULL,
            surface TEXT NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (site, day, policy, action, granted, language, country, regime, surface)
        ) WITHOUT ROWID;
        CREATE TABLE answers (
            site INTEGER NOT NULL, day TEXT NOT NULL, policy INTEGER NOT NULL, action TEXT NOT NULL,
            granted TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (site, day, policy, action, granted)
        ) WITHOUT ROWID;
        INSERT INTO tallies SELECT site, day, policy, 'shown', '', language, '', '', surface, count FROM displays;
        DROP TABLE displays
        """,
    )
    recount(db.conn)
    db.conn.execute(
        "INSERT INTO answers SELECT site, day, policy, action, granted, sum(count) FROM tallies GROUP BY 1, 2, 3, 4, 5"
    )


@migration
def m010_months(db: "Database") -> None:
    """The daily counts in a row for each month, with a column for each day."""
    _run(db, by_months(text="TEXT", kept=" WITHOUT ROWID"))


def _run(db: "Database", statements: str) -> None:
    """Run statements one by one; sqlite3's executescript would commit the migration's transaction first."""
    for statement in statements.split(";"):
        db.conn.execute(statement)
