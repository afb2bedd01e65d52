"""Whoever acts on an installation: somebody at the desk, a program with a token, the command line, the schedule.

Its rule: an act is noted in the trail by the transaction that does it; what is done outside of the database, or in many
transactions, is noted after it, and not told as done where it could not be. Nothing here names a visitor.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from consent import access, policy, search
from consent.erasure import Erased
from consent.errors import BadQuery, Conflict, ConsentError, NotNoted, Unavailable, UnknownToken
from consent.fields import HIDDEN, TRAIL, Role
from consent.ledger import Ledger
from consent.model import Filter, Policy, Published, Token
from consent.policy_diff import Change
from consent.receipts import Act, Key
from consent.storage.base import Also, Rows, nothing
from consent.times import DAY
from consent.trail import Trail

if TYPE_CHECKING:
    from consent.people import People

SCHEDULE = "(schedule)"
"""As whom the trail knows what the service does by itself. Nobody's name has a parenthesis in it."""
MOST_NOTED = 100
"""Changes of a policy, or of a draft that is thrown away, that the trail keeps."""
TRIES = 10
"""To change settings while others publish."""
PUBLISHED = "published the banner"
"""What the trail calls a publication."""
EVIDENCE = "evidence"
"""The format of an export that is of the whole log."""


def by_token(token: Token) -> str:
    """As whom the trail knows what was done with a token."""
    return f"{token.name} (token {token.id})".strip()


def by_command_line(operator: str) -> str:
    """As whom the trail knows what was done on the command line; `operator` is empty where nobody is to be named."""
    return f"{operator} (command line)".strip()


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
        """Note what is done already. Raises NotNoted."""
        try:
            self._trail.add(self.who, what, site=site, before=before, after=after)
        except ConsentError as error:
            raise NotNoted(f"This is done, but it could not be noted in the trail: {error}") from error

    def noting(self, what: str, *, site: str | None = None, before: Any = None, after: Any = None) -> Also:
        """To note an act in the transaction that does it; `before` and `after` may be functions of what was done."""

        def note(rows: Rows, *done: Any) -> None:
            was, is_now = (told(*done) if callable(told) else told for told in (before, after))
            self._trail.note(rows, Act(self.who, what, site, was, is_now))

        return note

    # Sites and policies.

    def make_site(self, id: str, first: Policy) -> Published:
        """A site with its first policy. Raises Conflict or Invalid."""
        made = {"name": first.name, "origins": first.origins}
        return self.ledger.create_site(id, first, also=self.noting("made a site", site=id, after=made))

    def make_usual_site(self, id: str, name: str | None, origins: list[str]) -> Published:
        """A site with the default policy. Raises Conflict or Invalid."""
        draft = policy.default(name or id, origins)
        return self.make_site(id, policy.read(msgspec.to_builtins(draft)))

    def delete_site(self, site: str) -> None:
        """The end of a site and its log. Raises UnknownSite."""
        self.ledger.remove_site(
            site, also=self.noting("deleted a site", site=site, before=lambda size: {"entries": size})
        )

    def publish(self, site: str, new: Policy, *, also: Also = nothing, **how: Any) -> tuple[Published, list[Change]]:
        """Publish a policy, and do something else with it; `how` and what comes of it as in Ledger.publish."""
        note = self.noting(PUBLISHED, site=site, before=_replaced, after=_publication)

        def both(rows: Rows, *done: Any) -> None:
            also(rows)
            note(rows, *done)

        return self.ledger.publish(site, new, also=both, **how)

    def change_settings(self, site: str, given: dict[str, Any]) -> tuple[Published, list[Change]]:
        """Publish the newest policy with another name, origins or retention; nobody is asked again for that. Raises Invalid."""
        note = self.noting(
            "changed settings",
            site=site,
            before=lambda old, *_: settings_of(old),
            after=lambda _, new, *__: settings_of(new),
        )
        for _ in range(TRIES):
            newest = policy.load(self.ledger.storage.reading().publication(site).document)
            new = policy.read(msgspec.to_builtins(policy.draft(newest)) | given)
            with suppress(Conflict):  # something was published meanwhile, which is to stay
                return self.ledger.publish(site, new, material=False, drafted_from=newest.version, also=note)
        raise Conflict("Something is published all the time: try again.")

    # Records.

    def erase(self, site: str, subject: str, *, reason: str) -> Erased:
        """Erase a subject (Erasure.erase); the trail names the entry that says so, never whom."""
        note = self.noting("erased a subject on request", site=site, after=lambda entry: {"erasure": entry})
        return self.ledger.erasure.erase(site, subject, reason=reason, also=note)

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
        if site == TRAIL:
            self.gave("exported the trail", after={"format": format})
            return
        told = {"format": format} | search.described(filter) | ({} if after is None else {"after": after})
        rows = self._rows(site, filter, after)
        self.gave("exported the log", site=site, after=told | ({} if rows is None else {"rows": rows}))

    def gave(self, what: str, **told: Any) -> None:
        """Note what gives records away, before it does; `told` as in `did`. Raises Unavailable."""
        try:
            self.did(what, **told)
        except NotNoted as error:
            raise Unavailable(
                f"Nothing was exported, for it cannot be noted in the trail: {error.__cause__}"
            ) from error

    # Who may.

    def add_person(self, name: str, roles: dict[str, Role], *, account: str = "") -> str:
        """Let somebody sign in; their one-time password, empty for who has an account (People.add). Raises Invalid or Conflict."""
        note = self.noting("added a person", after=_person("name", "roles", *(["account"] if account else [])))
        return self._people.add(name, roles, account=account, also=note)[1]

    def name_account(self, name: str, account: str) -> None:
        """Say by which account somebody signs in (People.set_account). Raises UnknownPerson, Invalid or Conflict."""
        self._people.set_account(name, account, also=self._noting_person("named an account", "account"))

    def set_roles(self, name: str, roles: dict[str, Role]) -> None:
        """Give somebody other roles. Raises UnknownPerson or Conflict."""
        self._people.set_roles(name, roles, also=self._noting_person("changed roles", "roles"))

    def reset_person(self, name: str) -> str:
        """A new one-time password, no second factor. Raises UnknownPerson."""
        return self._people.reset(name, also=self.noting("reset a password", after={"name": name}))

    def remove_person(self, name: str) -> None:
        """Let somebody sign in no more. Raises UnknownPerson or Conflict."""
        self._people.remove(name, also=self.noting("removed a person", before=_person("name", "roles")))

    def make_token(self, role: Role, *, site: str | None, name: str, days: int | None) -> str:
        """The text of a new token; `days` None: it lives for ever. Raises UnknownSite or BadQuery."""
        ledger = self.ledger
        if HIDDEN.search(name):
            raise BadQuery("The name of a token must have no control characters.")
        if site is not None:
            ledger.storage.reading().site(site)
        expires_at = ledger.now() + days * DAY if days else None
        stored, text = access.issue(role=role, site=site, name=name, now=ledger.now(), expires_at=expires_at)
        made = {"id": stored.id, "role": role, "name": name} | ({"days": days} if days else {})
        with ledger.storage.writing() as rows:
            rows.add_token(stored)
            self.noting("made a token", site=site, after=made)(rows)
        return text

    def revoke_token(self, id: str) -> None:
        """Take a token out of use. Raises UnknownToken."""
        with self.ledger.storage.writing() as rows:
            token = rows.token(id)
            if token is None or not rows.revoke_token(id, self.ledger.now()):
                raise UnknownToken(f"There is no token {id!r} in use.")
            before = {"id": id, "role": token.role, "name": token.name}
            self.noting("revoked a token", site=token.site, before=before)(rows)

    def rotate_keys(self) -> Key:
        """A new key, which signs from now on, this act first."""
        before = self.ledger.ring.newest().kid
        key = self.ledger.ring.rotate()
        self.did("made a new signing key", before={"key": before}, after={"key": key.kid})
        return key

    def _noting_person(self, what: str, field: str) -> Also:
        """To note a person's change of a field."""
        told = _person("name", field)
        return self.noting(what, before=told, after=lambda _, person: told(person))

    def _rows(self, site: str, filter: Filter, after: int | None) -> int | None:
        """How many rows an export has; None where only looking at each entry would tell."""
        rows = self.ledger.storage.reading()
        if not filter.kinds and not search.described(filter):
            return max(0, rows.size(site) - 1 - (-1 if after is None else after))
        if after is not None or not filter.kinds or any(time % DAY for time in (filter.since or 0, filter.until or 0)):
            return None
        return search.count(rows, site, filter)


def _replaced(old: Published, *_: Any) -> dict[str, Any]:
    return {"version": old.version}


def _publication(_: Published, published: Published, changes: list[Change]) -> dict[str, Any]:
    """What the trail tells of a new version."""
    asks_again = published.material_since == published.version
    told = [str(change) for change in changes[:MOST_NOTED]]
    return {"version": published.version, "asks_again": asks_again, "changes": told}


def _person(*fields: str) -> Callable[..., dict[str, Any]]:
    """What the trail tells of a person."""
    return lambda person, *_: {field: getattr(person, field) for field in fields}


def settings_of(published: Published) -> dict[str, Any]:
    """What of a version is a site's settings rather than its banner."""
    return {"name": published.name, "origins": published.origins, "retention_days": published.retention_days}
