"""The SQL of every row in and out, as SQLite and PostgreSQL read it alike.

Ids and subjects are kept as their 16 bytes, kinds and actions as small numbers.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from consent.errors import Conflict, UnknownPolicy, UnknownSite
from consent.fields import TRAIL
from consent.model import Entry, Filter, Parcel, Publication, Script, Site, Token
from consent.storage.base import MOST_IDLE, OF_SITES
from consent.storage.parcels import (
    ACTIONS,
    ENTRY,
    KINDS,
    entry_of,
    id_text,
    opened,
    packed,
    subject_bytes,
    subject_text,
)
from consent.storage.shapes import Shapes
from consent.storage.tally_rows import TallyRows
from consent.storage.tree_rows import fields

BETWEEN = "position > ? AND position < ?"
END = 2**62
"""Above every position."""
POLICY = "version, hash, document, material_since, published_at"
SCRIPT = "version, language, regime, code, hash, gzip"
TOKEN = "id, hash, role, site, name, created_at, expires_at, revoked_at"

BATCH = 5000
"""Rows of a table that are read or filled in at a time."""


class SqlRows(TallyRows):
    """Rows as one connection sees them (see base.Rows); `steady` where it sees nobody else's changes meanwhile."""

    def __init__(self, shapes: Shapes, *, steady: bool) -> None:
        super().__init__()
        self.shapes = shapes
        self._steady = steady
        self._ends: dict[int, tuple[int, int]] = {}
        self.published = False
        """Whether something was done that what is held of publications must follow."""

    # Sites and policies.

    def sites(self) -> list[Site]:
        return [Site(*row) for row in self._all("SELECT id, created_at FROM sites WHERE id != ? ORDER BY id", (TRAIL,))]

    def site(self, site: str) -> Site:
        row = self._one("SELECT id, created_at FROM sites WHERE id = ? AND id != ?", (site, TRAIL))
        if row is None:
            raise UnknownSite(f"There is no site {site!r}.")
        return Site(*row)

    def add_site(self, site: Site) -> None:
        if self._one("SELECT id FROM removed_sites WHERE id = ?", (site.id,)):
            raise Conflict(f"There was a site {site.id!r}, whose log must not begin a second time: choose another id.")
        sql = "INSERT INTO sites (id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING"
        if not self._execute(sql, (site.id, site.created_at)):
            raise Conflict(f"There is a site {site.id!r} already.")
        self.published = True

    def remove_site(self, site: str) -> None:
        key = self._key(self.site(site).id)
        self.published = True
        self.finish()
        for table in ("entries", "tiles", "checkpoints", "scripts", "policies", "tallies", "answers"):
            self._execute(f"DELETE FROM {table} WHERE site = ?", (key,))
        for kind in OF_SITES:
            of_it = "DELETE FROM documents WHERE kind = ? AND (id = ? OR id LIKE ?)"
            self._execute(of_it, (kind, site, f"{site} %"))  # no site's id has a sign that LIKE takes for another
        self._execute("DELETE FROM tokens WHERE site = ?", (site,))
        self._execute("DELETE FROM sites WHERE key = ?", (key,))
        self._execute("INSERT INTO removed_sites VALUES (?)", (site,))

    def publications(self, site: str) -> list[Publication]:
        rows = self._all(f"SELECT {POLICY} FROM policies WHERE site = ? ORDER BY version", (self._key(site),))
        return [Publication(site, *row) for row in rows]

    def publication(self, site: str, version: int | None = None) -> Publication:
        key = self._key(site)
        if version is None:
            sql, values = "site = ? ORDER BY version DESC LIMIT 1", [key]
        else:
            sql, values = "site = ? AND version = ?", [key, version]
        row = self._one(f"SELECT {POLICY} FROM policies WHERE {sql}", values)
        if row is None:
            raise UnknownPolicy(f"Site {site!r} has no policy {'yet' if version is None else f'version {version}'}.")
        return Publication(site, *row)

    def edition(self, site: str) -> tuple[int, int]:
        key = self._key(site)
        sql = (
            "SELECT (SELECT max(version) FROM policies WHERE site = ?), (SELECT max(rowid) FROM scripts WHERE site = ?)"
        )
        version, script = self._all(sql, (key, key))[0]
        return version or 0, script or 0

    def add_publication(self, publication: Publication) -> None:
        values = (self._key(publication.site), *fields(publication, POLICY))
        sql = f"INSERT INTO policies (site, {POLICY}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        if not self._execute(sql, values):
            raise Conflict(f"Version {publication.version} of {publication.site!r} is published already.")
        self.published = True

    # Scripts.

    def script(self, site: str, hash: bytes) -> Script | None:
        row = self._one(f"SELECT {SCRIPT} FROM scripts WHERE site = ? AND hash = ?", (self._key(site), hash))
        return Script(site, *row) if row else None

    def scripts(self, site: str) -> list[bytes]:
        return [row[0] for row in self._all("SELECT hash FROM scripts WHERE site = ?", (self._key(site),))]

    def newest_script(self, site: str, version: int, *, language: str, regime: str) -> Script | None:
        row = self._one(
            f"SELECT {SCRIPT} FROM scripts WHERE site = ? AND version = ? AND language = ? AND regime = ?"
            " ORDER BY rowid DESC LIMIT 1",
            (self._key(site), version, language, regime),
        )
        return Script(site, *row) if row else None

    def add_script(self, script: Script) -> None:
        values = (self._key(script.site), *fields(script, SCRIPT))
        sql = f"INSERT INTO scripts (site, {SCRIPT}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        self._execute(sql, values)
        self.published = True

    # The ledger.

    def size(self, site: str) -> int:
        return self._end(self._key(site))[0]

    def last_time(self, site: str) -> int:
        return self._end(self._key(site))[1]

    def append(self, entry: Entry) -> int:
        key = self._key(entry.site)
        position = self._end(key)[0]
        done = self._execute(
            f"INSERT INTO entries (site, {ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (site, id) WHERE id IS NOT NULL DO NOTHING",
            (
                key,
                KINDS.index(entry.kind),
                entry.recorded_at,
                entry.leaf,
                self.shapes.stored(entry, self._one),
                entry.id and UUID(entry.id).bytes,
                entry.subject and subject_bytes(entry.subject),
                entry.policy,
                entry.action and ACTIONS.index(entry.action),
                position,
            ),
        )
        if not done:
            raise Conflict(f"There is an entry {entry.id} already.")
        self._ends[key] = (position + 1, entry.recorded_at)
        return position

    def entry(self, site: str, id: str) -> Entry | None:
        return self._entry(site, "id = ?", UUID(id).bytes)

    def latest(self, site: str, subject: str, *, but: str | None = None) -> Entry | None:
        kept = f" AND action != {ACTIONS.index(but)}" if but else ""
        return self._entry(site, f"subject = ?{kept} ORDER BY position DESC LIMIT 1", subject_bytes(subject))

    def latest_id(self, site: str, subject: str) -> str | None:
        sql = "SELECT id FROM entries WHERE site = ? AND subject = ? ORDER BY position DESC LIMIT 1"
        row = self._one(sql, (self._key(site), subject_bytes(subject)))
        return id_text(row[0]) if row else None

    def entries(self, site: str, filter: Filter, *, after: int = -1, limit: int = 1000) -> list[Entry]:
        return self._some(site, filter, (after, END), order="ASC", limit=limit)

    def parcels(self, site: str, *, end: int, batch: int = 2000) -> Iterator[Parcel]:
        key, after = self._key(site), -1
        sql = f"SELECT {ENTRY} FROM entries WHERE site = ? AND {BETWEEN} ORDER BY position LIMIT ?"
        while rows := self._all(sql, (key, after, end, batch)):
            yield Parcel(opened, packed(site, rows, self._shape), len(rows))
            after = rows[-1][-1]

    def newest(
        self, site: str, filter: Filter, *, before: int | None = None, after: int = -1, limit: int = 1000
    ) -> list[Entry]:
        return self._some(site, filter, (after, END if before is None else before), order="DESC", limit=limit)

    def count(self, site: str, filter: Filter, *, before: int | None = None, after: int = -1) -> int:
        where, values = _where(filter)
        sql = f"SELECT count(*) FROM entries WHERE site = ? AND {BETWEEN}{where}"
        return self._all(sql, (self._key(site), after, END if before is None else before, *values))[0][0]

    def idle(self, site: str, before: int) -> list[str]:
        key = self._key(site)
        # Times never run backwards in a log, so that what is older is its beginning; the rest is not looked through.
        end = bisect_left(range(self._end(key)[0]), before, key=lambda position: self._time(key, position))
        sql = (
            "SELECT subject FROM entries AS old WHERE site = ? AND position < ? AND subject IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM entries AS new WHERE new.site = old.site AND new.subject = old.subject"
            f" AND new.position >= ?) GROUP BY subject ORDER BY min(position) LIMIT {MOST_IDLE}"
        )
        return [subject_text(row[0]) for row in self._all(sql, (key, end, end))]

    def of_subjects(self, site: str, subjects: list[str], *, after: int = -1, limit: int = 1000) -> list[Entry]:
        marks = ", ".join("?" for _ in subjects)
        # The signs before `position` keep SQLite from walking through the whole log in its order.
        sql = f"SELECT {ENTRY} FROM entries WHERE site = ? AND subject IN ({marks}) AND +position > ? ORDER BY +position LIMIT ?"
        rows = self._all(sql, (self._key(site), *map(subject_bytes, subjects), after, limit))
        return [self._entry_of(site, row) for row in rows]

    def empty(self, site: str, indexes: list[int]) -> None:
        key = self._key(site)
        for start in range(0, len(indexes), BATCH):
            some = indexes[start : start + BATCH]
            self._execute(
                "UPDATE entries SET token = NULL, id = NULL, subject = NULL, policy = NULL, action = NULL"
                f" WHERE site = ? AND position IN ({', '.join('?' for _ in some)})",
                (key, *some),
            )

    # Tokens.

    def tokens(self) -> list[Token]:
        return [Token(*row) for row in self._all(f"SELECT {TOKEN} FROM tokens ORDER BY created_at, id")]

    def token(self, id: str) -> Token | None:
        row = self._one(f"SELECT {TOKEN} FROM tokens WHERE id = ?", (id,))
        return Token(*row) if row else None

    def add_token(self, token: Token) -> None:
        if token.site is not None:
            self._key(token.site)
        sql = f"INSERT INTO tokens ({TOKEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        if not self._execute(sql, fields(token, TOKEN)):
            raise Conflict(f"There is a token {token.id!r} already.")

    def revoke_token(self, id: str, at: int) -> bool:
        sql = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
        return self._execute(sql, (at, id)) == 1

    # Inside.

    def _end(self, key: int) -> tuple[int, int]:
        """How many entries a site has, and when the last was recorded; asked once where nobody else can add any."""
        if key in self._ends:
            return self._ends[key]
        sql = "SELECT position + 1, recorded_at FROM entries WHERE site = ? ORDER BY position DESC LIMIT 1"
        end = self._one(sql, (key,)) or (0, 0)
        if self._steady:
            self._ends[key] = end
        return end

    def _time(self, key: int, position: int) -> int:
        row = self._one("SELECT recorded_at FROM entries WHERE site = ? AND position = ?", (key, position))
        return row[0] if row else 0

    def _entry(self, site: str, where: str, value: bytes) -> Entry | None:
        row = self._one(f"SELECT {ENTRY} FROM entries WHERE site = ? AND {where}", (self._key(site), value))
        return self._entry_of(site, row) if row else None

    def _some(self, site: str, filter: Filter, bounds: tuple[int, int], *, order: str, limit: int) -> list[Entry]:
        where, values = _where(filter)
        sql = f"SELECT {ENTRY} FROM entries WHERE site = ? AND {BETWEEN}{where} ORDER BY position {order} LIMIT ?"
        rows = self._all(sql, (self._key(site), *bounds, *values, limit))
        shape = self._shape
        return [entry_of(site, row, shape) for row in rows]

    def _entry_of(self, site: str, row: tuple) -> Entry:
        return entry_of(site, row, self._shape)

    def _shape(self, number: bytes) -> bytes:
        return self.shapes.shape(number, self._one)


def order(columns: str) -> str:
    """The order of a table's rows: by its first two columns, or the one that it has."""
    return "1, 2" if "," in columns else "1"


def _where(filter: Filter) -> tuple[str, list[Any]]:
    conditions: list[tuple[str, Any]] = []
    if filter.kinds:
        conditions.append((f"kind IN ({', '.join(str(KINDS.index(kind)) for kind in filter.kinds)})", None))
    if filter.since is not None:
        conditions.append(("recorded_at >= ?", filter.since))
    if filter.until is not None:
        conditions.append(("recorded_at < ?", filter.until))
    if filter.action is not None:
        conditions.append(("action = ?", ACTIONS.index(filter.action)))
    if filter.policy is not None:
        conditions.append(("policy = ?", filter.policy))
    if filter.subject is not None:
        conditions.append(("subject = ?", subject_bytes(filter.subject)))
    if not filter.erased:
        conditions.append(("token IS NOT NULL", None))
    clauses = "".join(f" AND {sql}" for sql, _ in conditions)
    return clauses, [value for sql, value in conditions if "?" in sql]
