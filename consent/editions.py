"""What is published now, held in memory for a moment: policies decoded, scripts as they are sent.

Its rule: a version and a script never change; which is the newest is asked again when the storage says that something
was published, and once a second, for the storage may not see what is published elsewhere.
"""

import time
from collections.abc import Callable
from typing import Any

from consent import policy
from consent.errors import UnknownScript
from consent.model import Publication, Published, Script
from consent.storage.base import Storage

PATIENCE = 1.0
"""Seconds after which is asked whether something newer was published."""
GLANCE = 0.02
"""Seconds after which is looked whether the storage says so."""

MOST = 2000
"""Things made that are kept for a site."""


class Edition:
    """A published policy version, decoded, with its hash and its scripts."""

    def __init__(self, publication: Publication) -> None:
        self.published: Published = policy.load(publication.document)
        self.hash = publication.hash
        self.scripts: dict[tuple[str, str], Script] = {}
        """By language and regime, as far as they were asked for."""


class _Site:
    def __init__(self, mark: tuple[int, int]) -> None:
        self.mark = mark
        self.published = 0
        self.until = 0.0
        self.versions: dict[int, Edition] = {}
        self.made: dict[Any, Any] = {}


class Editions:
    """The published policies of an installation's sites. Every look may raise UnknownSite or UnknownPolicy."""

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.ask: Callable[..., Any] = _ask
        """Asks the storage; where a loop must not wait, a thread does it."""
        self._storage = storage
        self._clock = clock
        self._sites: dict[str, _Site] = {}
        self._published = 0
        self._glance_at = 0.0

    def newest(self, site: str) -> Edition:
        """The newest version."""
        held = self._held(site)
        return self._edition(held, site, held.mark[0])

    def version(self, site: str, version: int) -> Edition:
        """One version."""
        return self._edition(self._held(site), site, version)

    def script(self, edition: Edition, *, language: str, regime: str) -> Script:
        """The newest script of a version. Raises UnknownScript where none was made."""
        found = edition.scripts.get((language, regime))
        if found is None:
            published = edition.published
            site, version = published.site, published.version
            found = self.ask(
                lambda: self._storage.reading().newest_script(site, version, language=language, regime=regime)
            )
            if found is None:
                raise UnknownScript(f"Site {site!r} has no script for version {version} in {language!r} ({regime}).")
            edition.scripts[language, regime] = found
        return found

    def made(self, site: str) -> dict[Any, Any]:
        """A place to keep what was made from what is published now; it is gone when something new is published."""
        made = self._held(site).made
        if len(made) > MOST:
            made.clear()
        return made

    def look(self) -> None:
        """Look at once: something was published here."""
        self._glance_at = 0.0

    def _held(self, site: str) -> _Site:
        held, now = self._sites.get(site), self._clock()
        if now >= self._glance_at:
            self._published, self._glance_at = self._storage.published(), now + GLANCE
        published = self._published  # while the storage is asked, something newer may be announced
        if held is not None and held.published == published and now < held.until:
            return held
        mark = self.ask(lambda: self._storage.reading().edition(site))
        if held is None or held.mark != mark:
            held = self._sites[site] = _Site(mark)
        held.published, held.until = published, now + PATIENCE
        return held

    def _edition(self, held: _Site, site: str, version: int) -> Edition:
        found = held.versions.get(version)
        if found is None:
            found = held.versions[version] = Edition(
                self.ask(lambda: self._storage.reading().publication(site, version or None))
            )
        return found


def _ask(question: Callable[[], Any]) -> Any:
    return question()
