"""Whoever acts on an installation: somebody at the desk, a program with a token, the command line, the schedule.

Its rule: an act is noted in the trail where it is done, once it is done; one that could not be noted is not told as done.
Nothing here names a visitor.
"""

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from consent import access, policy, search
from consent.erasure import Erased
from consent.errors import Conflict, ConsentError, NotNoted, Unavailable, UnknownToken
from consent.fields import TRAIL, Role
from consent.ledger import Ledger
from consent.model import Filter, Policy, Published, Token
from consent.policy_diff import Change, diff
from consent.receipts import Key
from consent.times import DAY
from consent.trail import Trail

if TYPE_CHECKING:
    from consent.people import People

SCHEDULE = "(schedule)"
"""As whom the trail knows what the service does by itself. Nobody's name has a parenthesis in it."""
MOST_NOTED = 100
"""Changes of a policy, or of a draft that is thrown away, that the trail keeps."""
EVIDENCE = "evidence"
"""The format of an export that is of the whole log."""


def by_token(token: Token) -> str:
    """As whom the trail knows what was done with a token."""
    return f"{token.name} (token {token.id})".strip()


def by_command_line(operator: str) -> str:
    """As whom the trail knows what was done on the command line; `operator` is empty where nobody is to be named."""
    return f"{operator} (command line)".strip()


class Publishing(NamedTuple):
    """The version that is in force now, whether it is new, and what it changed."""

    published: Published
    is_new: bool
    changes: list[Change]


class Administrator:
    """Somebody who may act; whether they may was asked before."""

    def __init__(self, ledger: Ledger, who: str) -> None:
        self.ledger = ledger
        self.who = who
        self._trail = Trail(ledger)

    @cached_property
    def _people(self) -> "People":
        from consent.people import People  # hashing passwords takes 20 MB, which a download needs not have

        return People(self.ledger.storage, self.ledger.now)

    def did(self, what: str, *, site: str | None = None, before: Any = None, after: Any = None) -> None:
        """Note what is done. Raises NotNoted."""
        try:
            self._trail.add(self.who, what, site=site, before=before, after=after)
        except ConsentError as error:
            raise NotNoted(f"This is done, but it could not be noted in the trail: {error}") from error

    # Sites and policies.

    def make_site(self, id: str, first: Policy) -> Published:
        """A site with its first policy. Raises Conflict or Invalid."""
        published = self.ledger.create_site(id, first)
        self.did("made a site", site=id, after={"name": published.name, "origins": published.origins})
        return published

    def make_usual_site(self, id: str, name: str | None, origins: list[str]) -> Published:
        """A site with the default policy. Raises Conflict or Invalid."""
        draft = policy.default(name or id, origins)
        return self.make_site(id, policy.read(msgspec.to_builtins(draft)))

    def delete_site(self, site: str) -> None:
        """The end of a site and its log. Raises UnknownSite."""
        size = self.ledger.storage.reading().size(site)
        self.ledger.remove_site(site)
        self.did("deleted a site", site=site, before={"entries": size})

    def publish(
        self, site: str, new: Policy, *, material: bool | None = None, drafted_from: int | None = None
    ) -> Publishing:
        """Publish a policy (Ledger.publish)."""
        published, is_new = self.ledger.publish(site, new, material=material, drafted_from=drafted_from)
        if not is_new:
            return Publishing(published, False, [])
        changes = diff(policy.draft(self._before(published)), policy.draft(published))
        told = [str(change) for change in changes[:MOST_NOTED]]
        asks_again = published.material_since == published.version
        after = {"version": published.version, "asks_again": asks_again, "changes": told}
        self.did("published the banner", site=site, before={"version": published.version - 1}, after=after)
        return Publishing(published, True, changes)

    def change_settings(self, site: str, given: dict[str, Any]) -> Publishing:
        """Publish the newest policy with another name, origins or retention; nobody is asked again for that. Raises Invalid."""
        published = None
        while published is None:
            newest = policy.load(self.ledger.storage.reading().publication(site).document)
            new = policy.read(msgspec.to_builtins(policy.draft(newest)) | given)
            with suppress(Conflict):  # something was published meanwhile, which is to stay
                published, is_new = self.ledger.publish(site, new, material=False, drafted_from=newest.version)
        if is_new:
            before = _settings(self._before(published))
            self.did("changed settings", site=site, before=before, after=_settings(published))
        return Publishing(published, is_new, [])

    # Records.

    def erase(self, site: str, subject: str, *, reason: str) -> Erased:
        """Erase a subject (Erasure.erase); the trail names the entry that says so, never whom."""
        erased = self.ledger.erasure.erase(site, subject, reason=reason)
        if erased.indexes:
            self.did("erased a subject on request", site=site, after={"erasure": erased.entry})
        return erased

    def purge(self, site: str, days: int) -> int:
        """Remove what is older than so many days; how many entries were emptied."""
        emptied = 0
        try:
            for count in self.ledger.erasure.purge(site, days):
                emptied += count
        finally:  # what was done before something failed is done
            if emptied:
                after = {"entries": emptied, "days": days}
                self.did("purged what was past its retention", site=site, after=after)
        return emptied

    def exported(self, site: str, format: str, filter: Filter, *, after: int | None = None) -> None:
        """Note that an export has begun; that of the trail is noted before, so that the file says itself who took it.

        Raises Unavailable: what cannot be noted is not given away.
        """
        try:
            self._note_export(site, format, filter, after)
        except NotNoted as error:
            raise Unavailable(
                f"Nothing was exported, for it cannot be noted in the trail: {error.__cause__}"
            ) from error

    def _note_export(self, site: str, format: str, filter: Filter, after: int | None) -> None:
        if site == TRAIL:
            self.did("exported the trail", after={"format": format})
            return
        told = {"format": format} | search.described(filter) | ({} if after is None else {"after": after})
        rows = self._rows(site, filter, after)
        self.did("exported the log", site=site, after=told | ({} if rows is None else {"rows": rows}))

    # Who may.

    def add_person(self, name: str, roles: dict[str, Role], *, account: str = "") -> str:
        """Let somebody sign in; their one-time password, empty for who has an account (People.add). Raises Invalid or Conflict."""
        person, password = self._people.add(name, roles, account=account)
        self.did(
            "added a person", after={"name": name, "roles": roles} | ({"account": person.account} if account else {})
        )
        return password

    def name_account(self, name: str, account: str) -> None:
        """Say by which account somebody signs in (People.set_account). Raises UnknownPerson, Invalid or Conflict."""
        before = self._people.get(name).account
        after = self._people.set_account(name, account).account
        self.did("named an account", before={"name": name, "account": before}, after={"name": name, "account": after})

    def set_roles(self, name: str, roles: dict[str, Role]) -> None:
        """Give somebody other roles. Raises UnknownPerson or Conflict."""
        before = self._people.get(name).roles
        self._people.set_roles(name, roles)
        self.did("changed roles", before={"name": name, "roles": before}, after={"name": name, "roles": roles})

    def reset_person(self, name: str) -> str:
        """A new one-time password, no second factor. Raises UnknownPerson."""
        password = self._people.reset(name)
        self.did("reset a password", after={"name": name})
        return password

    def remove_person(self, name: str) -> None:
        """Let somebody sign in no more. Raises UnknownPerson or Conflict."""
        before = self._people.get(name).roles
        self._people.remove(name)
        self.did("removed a person", before={"name": name, "roles": before})

    def make_token(self, role: Role, *, site: str | None, name: str, days: int | None) -> str:
        """The text of a new token; `days` None: it lives for ever. Raises UnknownSite."""
        ledger = self.ledger
        if site is not None:
            ledger.storage.reading().site(site)
        expires_at = ledger.now() + days * DAY if days else None
        stored, text = access.issue(role=role, site=site, name=name, now=ledger.now(), expires_at=expires_at)
        with ledger.storage.writing() as rows:
            rows.add_token(stored)
        made = {"id": stored.id, "role": role, "name": name} | ({"days": days} if days else {})
        self.did("made a token", site=site, after=made)
        return text

    def revoke_token(self, id: str) -> None:
        """Take a token out of use. Raises UnknownToken."""
        with self.ledger.storage.writing() as rows:
            token = rows.token(id)
            if token is None or not rows.revoke_token(id, self.ledger.now()):
                raise UnknownToken(f"There is no token {id!r} in use.")
        before = {"id": id, "role": token.role, "name": token.name}
        self.did("revoked a token", site=token.site, before=before)

    def rotate_keys(self) -> Key:
        """A new key, which signs from now on, this act first."""
        before = self.ledger.ring.newest().kid
        key = self.ledger.ring.rotate()
        self.did("made a new signing key", before={"key": before}, after={"key": key.kid})
        return key

    def _before(self, published: Published) -> Published:
        """The version that a new one took the place of."""
        return self.ledger.published(published.site, published.version - 1)

    def _rows(self, site: str, filter: Filter, after: int | None) -> int | None:
        """How many rows an export has; None where only looking at each entry would tell."""
        rows = self.ledger.storage.reading()
        if not filter.kinds and not search.described(filter):
            return max(0, rows.size(site) - 1 - (-1 if after is None else after))
        if after is not None or not filter.kinds or any(time % DAY for time in (filter.since or 0, filter.until or 0)):
            return None
        return search.count(rows, site, filter)


def _settings(published: Published) -> dict[str, Any]:
    return {"name": published.name, "origins": published.origins, "retention_days": published.retention_days}
