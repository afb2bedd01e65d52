"""Sessions of people who signed in. Its rule: only the hash of what the browser holds is kept."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress

import msgspec

from consent.errors import NotSignedIn, Unavailable
from consent.people import SESSION, People, Person
from consent.storage.base import Storage

IDLE = 30 * 60
"""Seconds without a request after which a session ends."""
LONGEST = 12 * 3600
"""Seconds after which it ends in any case."""
MINUTE = 60


class Session(msgspec.Struct, frozen=True):
    """One browser that signed in; times in seconds since the epoch."""

    person: str
    started_at: int
    seen_at: int


class Sessions:
    """The sessions of an installation."""

    def __init__(self, storage: Storage, people: People, now: Callable[[], int]) -> None:
        self._storage = storage
        self._people = people
        self._now = now

    def start(self, person: Person) -> str:
        """A new session; what the browser is to hold. Sessions that ended are cleared away."""
        key, now = secrets.token_urlsafe(32), self._now()
        with self._storage.writing() as rows:
            for id, body in rows.documents(SESSION):
                if not _lives(msgspec.json.decode(body, type=Session), now):
                    rows.drop_document(SESSION, id)
            rows.put_document(SESSION, id_of(key), msgspec.json.encode(Session(person.name, now, now)))
        return key

    def person(self, key: str) -> Person:
        """Whose session it is. Raises NotSignedIn where it has ended, or UnknownPerson."""
        body, now = self._storage.reading().document(SESSION, id_of(key)), self._now()
        session = msgspec.json.decode(body, type=Session) if body else None
        if session is None or not _lives(session, now):
            raise NotSignedIn("The session has ended: sign in again.")
        if now - session.seen_at >= MINUTE:
            with suppress(Unavailable):  # a full disk can be looked at; the session ends sooner then
                self._see(key, now)
        return self._people.get(session.person)

    def end(self, key: str) -> None:
        """Sign out."""
        with self._storage.writing() as rows:
            rows.drop_document(SESSION, id_of(key))

    def _see(self, key: str, now: int) -> None:
        """Note that the session is used, unless it was ended meanwhile."""
        with self._storage.writing() as rows:
            body = rows.document(SESSION, id_of(key))
            if body:
                seen = msgspec.structs.replace(msgspec.json.decode(body, type=Session), seen_at=now)
                rows.put_document(SESSION, id_of(key), msgspec.json.encode(seen))


def id_of(key: str) -> str:
    """Under what a session is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def _lives(session: Session, now: int) -> bool:
    return now - session.seen_at < IDLE and now - session.started_at < LONGEST
