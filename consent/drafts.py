"""The draft of a site's next policy, one a site, as the desk keeps it. Its rule: nobody's work is overwritten unseen.

A draft is saved under the stamp that its form was made from; whoever was overtaken is told.
"""

import secrets
from typing import Any

import msgspec

from consent import policy
from consent.errors import Conflict
from consent.lean import lean
from consent.ledger import Ledger
from consent.storage.base import DRAFT, TAKEN, Also, Rows, nothing


class Draft(msgspec.Struct, frozen=True):
    """A draft, with or without mistakes."""

    document: dict[str, Any]
    base: int
    """The version that it was begun from."""
    stamp: str
    """Another one after each save."""
    by: str = ""
    """Who saved it last; empty for one that nobody has begun."""
    at: int = 0


class Drafts:
    """The drafts of an installation."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, site: str) -> Draft:
        """The draft of a site; where there is none, what is published as nobody's draft. Raises UnknownSite."""
        return self._draft(self._ledger.storage.reading(), site)

    def save(
        self,
        site: str,
        document: dict[str, Any],
        *,
        stamp: str,
        by: str,
        base: int | None = None,
        also: Also = nothing,
    ) -> Draft:
        """Keep a draft in the place of the one with that stamp. Raises Conflict where it is another one by now.

        `base`: begin it anew from that version.
        """
        with self._ledger.storage.writing() as rows:
            held = self._unchanged(rows, site, stamp)
            draft = Draft(document, base or held.base, secrets.token_hex(8), by, self._ledger.now())
            rows.put_document(DRAFT, site, msgspec.json.encode(draft))
            also(rows)
        return draft

    def drop(self, site: str, *, stamp: str, also: Also = nothing) -> None:
        """Forget a draft. Raises Conflict where it is another one by now."""
        with self._ledger.storage.writing() as rows:
            self._unchanged(rows, site, stamp)
            rows.drop_document(DRAFT, site)
            also(rows)

    def take(self, rows: Rows, site: str, *, stamp: str) -> None:
        """Forget a draft in the transaction that publishes it; one that somebody has drafted on meanwhile stays."""
        body = rows.document(DRAFT, site)
        if body and msgspec.json.decode(body, type=Draft).stamp == stamp:
            rows.drop_document(DRAFT, site)
        rows.put_document(TAKEN, site, stamp.encode())

    def taken(self, site: str) -> str:
        """The stamp of the draft that was published last; empty where none was."""
        return (self._ledger.storage.reading().document(TAKEN, site) or b"").decode()

    def _draft(self, rows: Rows, site: str) -> Draft:
        rows.site(site)
        # A writer holds the site from here on, before its documents: in the order of whoever publishes.
        version, _ = rows.edition(site)
        if body := rows.document(DRAFT, site):
            return msgspec.json.decode(body, type=Draft)
        published = policy.load(rows.publication(site, version).document)
        return Draft(lean(policy.draft(published)), version, f"v{version}")

    def _unchanged(self, rows: Rows, site: str, stamp: str) -> Draft:
        held = self._draft(rows, site)
        if held.stamp != stamp:
            raise Conflict("The draft was changed meanwhile.")
        return held
