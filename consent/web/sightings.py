"""Where a site's tag was seen: the origin, the hour, and whether it stood first in the head. Nothing about a visitor.

Noted when a banner tells that it was shown, at most once an hour; a process looks once a minute at what others noted, so
that the last one of them is told.
"""

from contextlib import suppress

import msgspec

from consent.errors import ConsentError
from consent.ledger import Ledger
from consent.storage.base import SIGHTING

HOUR = 3600
MINUTE = 60


class Sighting(msgspec.Struct, frozen=True):
    """The last time a tag was seen; `first` is None where the banner did not tell."""

    at: int
    first: bool | None = None


class Sightings:
    """What one process saw lately."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seen: dict[tuple[str, str], Sighting] = {}

    def note(self, site: str, origin: str | None, *, first: bool | None) -> None:
        """Keep that a tag was seen. Never raises: showing a banner is not held up by it."""
        seen = Sighting(self._ledger.now(), first)
        if not origin or _tells(self._seen.get((site, origin)), seen, MINUTE):
            return
        id = f"{site} {origin}"
        with suppress(ConsentError):
            told = self._ledger.storage.reading().document(SIGHTING, id)
            if not _tells(msgspec.json.decode(told, type=Sighting) if told else None, seen, HOUR):
                self._ledger.together(lambda rows: rows.put_document(SIGHTING, id, msgspec.json.encode(seen)))
            self._seen[site, origin] = seen

    def of(self, site: str) -> list[tuple[str, Sighting]]:
        """Every origin on which a site's tag was seen, the latest first."""
        documents = self._ledger.storage.reading().documents(SIGHTING)
        prefix = f"{site} "
        found = [
            (id.removeprefix(prefix), msgspec.json.decode(body, type=Sighting))
            for id, body in documents
            if id.startswith(prefix)
        ]
        return sorted(found, key=lambda one: one[1].at, reverse=True)


def _tells(known: Sighting | None, seen: Sighting, seconds: int) -> bool:
    """Whether what is known says the same of not so many seconds ago."""
    return known is not None and known.first == seen.first and seen.at - known.at < seconds
