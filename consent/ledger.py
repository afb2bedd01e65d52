"""The service: publish, record, state, history, erase. Owns every rule and the clock.

What it answers is durable. Statements are signed before the storage's lock is taken; inside it only what they rest
on is looked at again, and the work is redone if somebody else was faster.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import msgspec

from consent import choices, policy, receipts, regime, state, tallies
from consent.checkpoint import proof_text
from consent.claims import content, content_of, entry_of, policy_claims, receipt_claims
from consent.editions import Edition, Editions
from consent.erasure import Erasure
from consent.errors import Conflict, Invalid, UnknownPolicy, UnknownReceipt, UnknownScript
from consent.fields import ONCE
from consent.ids import same, uuid7
from consent.keyring import KeyRing
from consent.model import (
    Choice,
    Display,
    Entry,
    Filter,
    Parcel,
    Policy,
    Publication,
    Published,
    Receipt,
    Recorded,
    Script,
    Site,
    State,
    Tally,
)
from consent.policy_diff import Change, concerned, diff, is_material
from consent.reading import entries
from consent.renderings import RENDERINGS
from consent.storage.base import Also, Rows, Storage, nothing
from consent.together import Job, Together, Watch
from consent.tree import Tree


class Ledger:
    """One installation's sites and what was recorded for them."""

    def __init__(
        self,
        storage: Storage,
        ring: KeyRing,
        *,
        issuer: str,
        scripts: Callable[[Published], list[Script]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.storage = storage
        self.ring = ring
        self.issuer = issuer
        self.editions = Editions(storage)
        self.together: Callable[[Job], Any] = Together(storage)
        """Makes a job durable, together with others; a server may put its own way of waiting here."""
        self.watch: Watch | None = None
        """Told when a job begins to wait for its transaction, and when it is durable."""
        self._scripts = scripts
        self._clock = clock
        self._reached = 0
        self.tree = Tree(storage, ring, issuer=issuer, now=self.now)
        self.erasure = Erasure(storage, ring, issuer=issuer, clock=clock)

    def now(self) -> int:
        """Seconds since the epoch; never less than what was recorded, though the machine's clock be set back."""
        return max(int(self._clock()), self._reached)

    # Sites and policies.

    def create_site(self, site: str, first: Policy, *, also: Also = nothing) -> Published:
        """A new site with its first policy version. Raises Conflict where the id is taken."""
        published = policy.publish(policy.complete(first), site=site, version=1, material_since=1)
        scripts = self._scripts(published)
        with self._publishing() as rows:
            rows.add_site(Site(site, self.now()))
            self._add_version(rows, published, scripts)
            also(rows)
        return published

    def publish(
        self,
        site: str,
        new: Policy,
        *,
        material: bool | None = None,
        drafted_from: int | None = None,
        also: Also = nothing,
    ) -> tuple[Published, list[Change]]:
        """Publish a policy as the next version; that version and what it changed.

        One that says what the newest version says, and so changes nothing, is not published. `material` None: as the diff says.
        `drafted_from`: the version that the policy was made from. Raises Conflict where that is not the newest any more.
        `also` is given the version before, the new one and what it changed.
        """
        completed = policy.complete(new)
        while True:
            newest = policy.load(self.storage.reading().publication(site).document)
            if drafted_from not in (None, newest.version):
                raise Conflict(f"Version {newest.version} was published meanwhile.")
            changes = diff(policy.draft(newest), completed)
            if not changes:
                return newest, []
            asks_again = is_material(changes) if material is None else material
            version = newest.version + 1
            since = version if asks_again else newest.material_since
            told = concerned(changes) if asks_again else newest.changed
            published = policy.publish(completed, site=site, version=version, material_since=since, changed=told)
            scripts = self._scripts(published)
            with self._publishing() as rows:
                is_next = rows.edition(site)[0] == newest.version
                if is_next:
                    self._add_version(rows, published, scripts)
                    also(rows, newest, published, changes)
            if is_next:
                return published, changes

    def remove_site(self, site: str, *, also: Also = nothing) -> None:
        """Remove a site and everything recorded for it."""
        self.erasure.remove_site(site, also=also)
        self.editions.look()

    def published(self, site: str, version: int | None = None) -> Published:
        """A policy version, or the newest. Raises UnknownSite or UnknownPolicy."""
        edition = self.editions.newest(site) if version is None else self.editions.version(site, version)
        return edition.published

    def refresh_scripts(self, code: bytes) -> list[str]:
        """Make the scripts of the newest policies anew where the banner's code changed; the sites concerned."""
        sites = [site.id for site in self.storage.reading().sites()]
        return [site for site in sites if self._refresh(site, code)]

    def script(self, site: str, *, language: str, regime: str, version: int) -> Script:
        """The newest script of a policy version. Raises UnknownScript where none was made."""
        return self.editions.script(self.editions.version(site, version), language=language, regime=regime)

    def script_by_hash(self, site: str, hash: bytes) -> Script:
        """A script by its SHA-256, however old. Raises UnknownScript."""
        found = self.storage.reading().script(site, hash)
        if found is None:
            raise UnknownScript(f"Site {site!r} has no script with that hash.")
        return found

    # Choices.

    def record(self, site: str, choice: Choice, *, where: str | None = None) -> tuple[Recorded, bool]:
        """Record a choice durably; what to answer and whether it is new (False: the same choice again).

        `where` is the visitor's place (ISO 3166) as far as it is known. Raises Invalid, Conflict, UnknownSite.
        """
        edition = self._asked(site, choice.policy)
        asked = edition.published
        if wrong := choices.mistakes(asked, choice):
            raise Invalid("The choice does not fit the policy it names.", mistakes=tuple(wrong))
        place = regime.place(asked, where)
        hashes = (edition.hash, self._script_hash(edition, choice.language, place.regime))
        previous = None  # nearly every subject is new; for another one the transaction says no
        while True:
            receipt = receipt_claims(
                choice, asked, place, issuer=self.issuer, now=self.now(), hashes=hashes, previous=previous
            )
            entry = entry_of(
                receipt, self.ring.newest(), subject=choice.subject, policy=choice.policy, action=choice.action
            )
            if self._durably(partial(self._append_after, previous, entry, tallies.of_receipt(receipt))):
                return self._recorded(entry.token or "", receipt), True
            if known := self.storage.reading().entry(site, choice.id):
                return self._again(site, choice, known), False
            previous = self.storage.reading().latest_id(site, choice.subject)

    def state(self, site: str, subject: str) -> State:
        """The state of a subject now; `unknown` for one never seen. Raises UnknownSite."""
        latest = self.storage.reading().latest(site, subject, but=ONCE)
        if latest is not None and latest.token and same(latest.subject, subject):
            return self._state(receipts.receipt(latest.token))
        unknown = state.derive(self.published(site), None, now=self.now())
        return msgspec.structs.replace(unknown, subject=subject)

    def history(self, site: str, subject: str) -> list[Entry]:
        """A subject's receipts, newest first."""
        found = self.storage.reading().newest(site, Filter(subject=subject))
        return [entry for entry in found if same(entry.subject, subject)]

    def receipt(self, site: str, id: str) -> str:
        """The signed receipt with an id. Raises UnknownReceipt."""
        return self._receipt(site, id).token or ""

    def rendered(self, site: str, id: str, format: str) -> dict[str, Any]:
        """A receipt in another standard's words (RENDERINGS). Raises UnknownReceipt or NotRenderable."""
        token = self.receipt(site, id)
        receipt = receipts.receipt(token)
        return RENDERINGS[format](receipt, self.published(site, receipt.consent.policy), token)

    def proof(self, site: str, id: str) -> str:
        """The `tlog-proof` that a receipt is in the log. Raises UnknownReceipt, or NotYet until a checkpoint covers it."""
        return proof_text(self.tree.proof(site, self._receipt(site, id).index))

    def entries(self, site: str, filter: Filter, *, rows: Rows | None = None, **how: Any) -> Iterator[Entry]:
        """Entries oldest first, by default those of now; `how` as in reading.entries."""
        return entries(rows or self.storage.reading(), site, filter, **how)

    def parcels(self, site: str, *, rows: Rows | None = None) -> Iterator[Parcel]:
        """Every entry, oldest first, as far as they went when the reading began, to be opened by any process."""
        rows = rows or self.storage.reading()
        return rows.parcels(site, end=rows.size(site))

    def erase(self, site: str, subject: str, *, reason: str) -> list[int]:
        """Remove a subject's data and append an erasure entry; the indexes emptied, none if there was nothing."""
        return self.erasure.erase(site, subject, reason=reason).indexes

    def retention(self, site: str, days: int) -> int:
        """Days that a subject's data are kept after its last receipt; `days` where the newest policy names none."""
        return self.published(site).retention_days or days

    def count_display(self, site: str, display: Display, *, where: str | None = None) -> None:
        """Count one showing of the banner for today; nothing but the count is kept. `where` as in `record`."""
        shown = self._asked(site, display.policy).published
        if display.language not in shown.languages:
            right = f"must be one of the policy's languages {', '.join(shown.languages)}"
            raise Invalid("The display does not fit the policy it names.", mistakes=(("language", right),))
        tally = tallies.of_display(display, regime.place(shown, where), self.now())
        self._durably(lambda rows: rows.tally(site, {tally: 1}))

    # Inside.

    @contextmanager
    def _publishing(self) -> Iterator[Rows]:
        with self.storage.writing() as rows:
            yield rows
        self.editions.look()

    def _durably(self, job: Job) -> Any:
        if self.watch is None:
            return self.together(job)
        began = self.watch.begin()
        try:
            return self.together(job)
        finally:
            self.watch.done(began)

    def _receipt(self, site: str, id: str) -> Entry:
        entry = self.storage.reading().entry(site, id)
        if entry is None or entry.kind != "receipt" or entry.token is None or not same(entry.id, id):
            raise UnknownReceipt(f"Site {site!r} has no receipt {id!r}.")
        return entry

    def _append_after(self, previous: str | None, entry: Entry, tally: Tally, rows: Rows) -> bool:
        """Append and count a receipt if its id is free, `previous` still its subject's last one, and no entry is younger."""
        site, subject = entry.site, entry.subject or ""
        newest = rows.last_time(site)
        self._reached = max(self._reached, newest)
        if entry.recorded_at < newest or rows.latest_id(site, subject) != previous:
            return False
        with suppress(Conflict):
            rows.append(entry)
            rows.tally(site, {tally: 1})
            return True
        return False

    def _asked(self, site: str, version: int) -> Edition:
        """The version that a browser names. Raises Invalid."""
        try:
            return self.editions.version(site, version)
        except UnknownPolicy as error:
            mistake = ("policy", "must be a version that was published for this site")
            raise Invalid(str(error), mistakes=(mistake,)) from None

    def _script_hash(self, edition: Edition, language: str, regime: str) -> bytes | None:
        try:
            return self.editions.script(edition, language=language, regime=regime).hash
        except UnknownScript:
            return None

    def _add_version(self, rows: Rows, published: Published, scripts: list[Script]) -> None:
        document = policy.canonical(published)
        rows.add_publication(
            Publication(
                published.site,
                published.version,
                policy.digest(document),
                document,
                published.material_since,
                self.now(),
            )
        )
        self._add_scripts(rows, published, scripts, policy.digest(document))

    def _add_scripts(self, rows: Rows, published: Published, scripts: list[Script], hash: bytes) -> None:
        for script in scripts:
            rows.add_script(script)
        id, now = uuid7(self._clock()), max(self.now(), rows.last_time(published.site))
        claims = policy_claims(self.issuer, published, hash, scripts, id=id, now=now)
        rows.append(entry_of(claims, self.ring.newest(), policy=published.version))

    def _refresh(self, site: str, code: bytes) -> bool:
        published = self.published(site)
        if self._is_fresh(self.storage.reading(), published, code):
            return False
        scripts = self._scripts(published)
        with self._publishing() as rows:
            if self._is_fresh(rows, published, code) or rows.publication(site).version != published.version:
                return False
            self._add_scripts(rows, published, scripts, rows.publication(site).hash)
        return True

    def _is_fresh(self, rows: Rows, published: Published, code: bytes) -> bool:
        language = published.languages[0]
        script = rows.newest_script(published.site, published.version, language=language, regime="opt-in")
        return script is not None and script.code == code

    def _again(self, site: str, choice: Choice, known: Entry) -> Recorded:
        """The answer to a choice whose id is known: the same receipt, or a Conflict."""
        if known.kind != "receipt" or known.token is None:
            raise Conflict(f"The id {choice.id!r} is taken; make a new one for every choice.")
        receipt = receipts.receipt(known.token)
        if content(receipt) != content_of(choice):
            raise Conflict(f"The id {choice.id!r} is recorded with another content; make a new one for every choice.")
        return self._recorded(known.token, receipt)

    def _recorded(self, token: str, receipt: Receipt) -> Recorded:
        once = receipt.consent.action == ONCE
        return Recorded(token, self.state(receipt.aud, receipt.sub) if once else self._state(receipt))

    def _state(self, receipt: Receipt) -> State:
        consent = receipt.consent
        kept = state.keep(
            policy=consent.policy,
            decided_at=receipt.iat,
            subject=receipt.sub,
            grants=consent.grants,
            services=consent.services,
            withdrawn=consent.action == "withdraw",
        )
        return state.derive(
            self.published(receipt.aud),
            kept,
            now=self.now(),
            regime=consent.regime,
            gpc=consent.signals.get("gpc", False),
            language=consent.language,
        )
