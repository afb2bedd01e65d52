"""Where a site's tag was seen: the origin, the hour, and whether it stood first in the head. Nothing about a visitor.

Noted when a banner tells that it was shown, at most once an hour by each process.
"""

import msgspec

from consent.errors import ConsentError
from consent.ledger import Ledger
from consent.storage.base import SIGHTING

HOUR = 3600


class Sighting(msgspec.Struct, frozen=True):
    """The last time a tag was seen; `first` is None where the banner did not tell."""

    at: int
    first: bool | None = None


class Sightings:
    """What one process noted lately."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._noted: dict[tuple[str, str], Sighting] = {}

    def note(self, site: str, origin: str | None, *, first: bool | None) -> None:
        """Keep that a tag was seen. Never raises: showing a banner is not held up by it."""
        now, known = self._ledger.now(), self._noted.get((site, origin or ""))
        if not origin or (known and known.first == first and now - known.at < HOUR):
            return
        seen = Sighting(now, first)
        try:
            self._ledger.together(
                # The id is the site, a space, the origin.
                lambda rows: rows.put_document(SIGHTING, f"{site} {origin}", msgspec.json.encode(seen))
            )
        except ConsentError:
            return
        self._noted[site, origin] = seen

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
