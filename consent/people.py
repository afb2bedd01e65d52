"""The people who sign in at the desk: passwords, second factors, accounts, roles. Its rule: no secret is kept in clear.

Passwords are hashed with Argon2id (RFC 9106) at the strength OWASP names; second factors are TOTP (RFC 6238).
"""

import re
import secrets
import threading
from collections.abc import Callable

import msgspec
import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from consent.access import RANK
from consent.errors import Conflict, Invalid, NotSignedIn, UnknownPerson
from consent.fields import Role
from consent.storage.base import Also, Rows, Storage, nothing

PERSON = "person"
SESSION = "session"
ALL = "*"
"""In the place of a site: the whole installation."""
LEAST = 12
"""Characters of a password; NIST SP 800-63B, section 5.1.1, asks for eight and no rules of composition."""
MOST = 200
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of one-time passwords; none is taken for another."""
ONE_TIME = re.compile(rf"([{LETTERS}]{{5}}-){{3}}[{LETTERS}]{{5}}")
NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
WRONG = "Name, password or code is not right."
ACCOUNT = re.compile(r"[!-~]{1,255}")
"""A subject (OpenID Connect Core 1.0, section 2), or an address. Of ASCII, where lower case is the same for everybody."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_one_at_a_time = threading.Lock()
"""A flood of sign-ins must not take the memory of a flood of hashes."""
_NOBODY = _hasher.hash(secrets.token_urlsafe())
"""What the password of an unknown name is held against, so that it takes as long."""


class Person(msgspec.Struct, frozen=True):
    """Somebody who may sign in."""

    name: str
    hash: str
    """Of the password; empty where there is none."""
    roles: dict[str, Role]
    """By site id, or ALL."""
    created_at: int
    must_change: bool = False
    """Whether the password is a one-time one."""
    secret: str = ""
    """Of the second factor, in base32; empty without one."""
    step: int = 0
    """The last TOTP time step that was accepted: a code works once."""
    seen_at: int = 0
    account: str = ""
    """By which account at the OpenID provider the person signs in: a verified e-mail address, or a subject; or by none."""
    bound: tuple[str, str] | None = None
    """Issuer and subject of the account that signed in first; no other signs in from then on."""

    def role(self, site: str | None) -> Role | None:
        """The role on a site, or on the whole installation (None)."""
        found = [self.roles[key] for key in (site, ALL) if key in self.roles]
        return max(found, key=RANK.__getitem__, default=None)

    def may(self, role: Role, site: str | None) -> bool:
        held = self.role(site)
        return held is not None and RANK[held] >= RANK[role]


class Account(msgspec.Struct, frozen=True):
    """An account at the OpenID provider, as a checked token tells of it."""

    issuer: str
    subject: str
    email: str = ""
    verified: bool = False
    """Whether the provider knows that the address is the account's own."""

    def is_called(self, name: str) -> bool:
        """Whether an owner means this account: what has an @ is an address, anything else a subject."""
        if "@" not in name:
            return name == self.subject
        return self.verified and self.email.isascii() and self.email.lower() == name


class People:
    """The people of an installation. `also` is given the person before a change, and after it where there is one still."""

    def __init__(self, storage: Storage, now: Callable[[], int]) -> None:
        self._storage = storage
        self._now = now

    def all(self) -> list[Person]:
        return _everybody(self._storage.reading())

    def get(self, name: str) -> Person:
        """Raises UnknownPerson."""
        return _get(self._storage.reading(), name)

    def add(
        self, name: str, roles: dict[str, Role], password: str = "", *, account: str = "", also: Also = nothing
    ) -> tuple[Person, str]:
        """A new person, whom `also` is given, and the password: a one-time one where none is given, none for who has an account.

        Raises Invalid or Conflict.
        """
        if not NAME.fullmatch(name):
            right = "must be of lower-case letters, digits and . _ @ + -, 64 at most"
            raise Invalid("The name cannot be used.", mistakes=(("name", right),))
        given = "" if account else checked(password or one_time())
        person = Person(name, given and _hash(given), roles, self._now(), must_change=bool(given) and not password)
        person = msgspec.structs.replace(person, account=_called(account))
        with self._storage.writing() as rows:
            if rows.document(PERSON, name) is not None:
                raise Conflict(f"There is somebody called {name!r} already.")
            _put_named(rows, person)
            also(rows, person)
        return person, given

    def remove(self, name: str, *, also: Also = nothing) -> None:
        """Raises UnknownPerson, or Conflict for the last owner."""
        with self._storage.writing() as rows:
            person = _get(rows, name)
            rows.drop_document(PERSON, name)
            _end_sessions(rows, name)
            _owned(rows, person)
            also(rows, person)

    def set_roles(self, name: str, roles: dict[str, Role], *, also: Also = nothing) -> Person:
        """Raises UnknownPerson, or Conflict for the last owner."""
        return self._change(name, also, roles=roles)

    def set_password(self, name: str, password: str, *, keep: str = "", also: Also = nothing) -> None:
        """A new password; every session but `keep` ends. Raises Invalid."""
        self._change(name, also, keep=keep, hash=_hash(checked(password)), must_change=False)

    def reset(self, name: str, *, also: Also = nothing) -> str:
        """A new one-time password in the place of password and second factor; every session ends."""
        given = one_time()
        self._change(name, also, hash=_hash(given), must_change=True, secret="", step=0)
        return given

    def set_account(self, name: str, account: str, *, also: Also = nothing) -> Person:
        """Who signs in under a name with OpenID Connect, nobody where it is empty; what was bound is so no more.

        Every session ends. Raises UnknownPerson, Invalid, or Conflict, also for the last owner's only way in.
        """
        called = _called(account)
        with self._storage.writing() as rows:
            before = _get(rows, name)
            person = msgspec.structs.replace(before, account=called, bound=None)
            _put_named(rows, person)
            _end_sessions(rows, name)
            _owned(rows, person)
            also(rows, before, person)
        return person

    def set_secret(self, name: str, secret: str, *, also: Also = nothing) -> Person:
        """Turn the second factor on with a secret, or off with an empty one."""
        return self._change(name, also, keep=ALL, secret=secret, step=0)

    def sign_in(self, name: str, password: str, code: str) -> Person:
        """The person, if all of it is right. Raises NotSignedIn, one sentence for every reason."""
        body = self._storage.reading().document(PERSON, name)
        person = _decoded(body) if body else None
        holds = _verify((person and person.hash) or _NOBODY, password[: MOST + 1])
        step = _step(person.secret, code, self._now()) if person and person.secret else 0
        if person is None or not holds or step is None or (person.secret and step <= person.step):
            raise NotSignedIn(WRONG)
        fresh = _hash(password) if _hasher.check_needs_rehash(person.hash) else person.hash
        with self._storage.writing() as rows:
            body = rows.document(PERSON, name)
            if body is None or _proved_by(_decoded(body)) != _proved_by(person):  # hashing takes time
                raise NotSignedIn(WRONG)
            changes = {"step": step, "seen_at": self._now(), "hash": fresh}
            person = msgspec.structs.replace(_decoded(body), **changes)
            _put(rows, person)
        return person

    def sign_in_with(self, account: Account, *, also: Also = nothing) -> Person:
        """The person; the first time binds the account. Password and second factor end: they are the provider's.

        Raises NotSignedIn, one sentence for each reason.
        """
        key = (account.issuer, account.subject)
        with self._storage.writing() as rows:
            before = _owner_of(account, key, _everybody(rows))
            changes = {"bound": key, "hash": "", "must_change": False, "secret": "", "step": 0, "seen_at": self._now()}
            person = msgspec.structs.replace(before, **changes)
            _put(rows, person)
            if before.hash:
                _end_sessions(rows, before.name)
            also(rows, before, person)
        return person

    def _change(self, name: str, also: Also, *, keep: str = "", **changes: object) -> Person:
        """Change a person; every session but `keep` ends, none where it is ALL."""
        with self._storage.writing() as rows:
            before = _get(rows, name)
            person = msgspec.structs.replace(before, **changes)
            _put(rows, person)
            if keep != ALL:
                _end_sessions(rows, name, keep)
            _owned(rows, before)
            also(rows, before, person)
        return person


def one_time() -> str:
    """A password to be changed at the first sign-in: 100 random bits, easy to read out."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))


def is_one_time(password: str) -> bool:
    """Whether it looks like a one-time password: nobody guesses one of those."""
    return bool(ONE_TIME.fullmatch(password))


def checked(password: str) -> str:
    """The password, if it is long enough. Raises Invalid."""
    if not LEAST <= len(password) <= MOST:
        right = f"must have {LEAST} to {MOST} characters"
        raise Invalid("The password cannot be used.", mistakes=(("password", right),))
    return password


def new_secret() -> str:
    """A secret for a second factor."""
    return pyotp.random_base32()


def address_of(secret: str, name: str, *, issuer: str) -> str:
    """What an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def code_holds(secret: str, code: str, now: int) -> bool:
    """Whether a code fits a secret now."""
    return _step(secret, code, now) is not None


def _step(secret: str, code: str, now: int) -> int | None:
    """The time step that a code belongs to, the one before and after taken too (RFC 6238, section 5.2)."""
    totp = pyotp.TOTP(secret)
    here = now // totp.interval
    digits = code.replace(" ", "")
    found = [step for step in (here - 1, here, here + 1) if pyotp.utils.strings_equal(totp.generate_otp(step), digits)]
    return found[-1] if found else None


def _hash(password: str) -> str:
    with _one_at_a_time:
        return _hasher.hash(password)


def _verify(hash: str, password: str) -> bool:
    try:
        with _one_at_a_time:
            return _hasher.verify(hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _proved_by(person: Person) -> tuple[str, str, int]:
    """What a sign-in was held against: where it has changed meanwhile, nothing is proved."""
    return person.hash, person.secret, person.step


def _decoded(body: bytes) -> Person:
    return msgspec.json.decode(body, type=Person)


def _get(rows: Rows, name: str) -> Person:
    body = rows.document(PERSON, name)
    if body is None:
        raise UnknownPerson(f"There is nobody called {name!r}.")
    return _decoded(body)


def _put(rows: Rows, person: Person) -> None:
    rows.put_document(PERSON, person.name, msgspec.json.encode(person))


def _put_named(rows: Rows, person: Person) -> None:
    """Keep a person. Raises Conflict where somebody else has the account already."""
    for other in _everybody(rows):
        if person.account and other.name != person.name and person.account in (other.account, *(other.bound or ())):
            raise Conflict("This account is somebody else's already.")
    _put(rows, person)


def _everybody(rows: Rows) -> list[Person]:
    return [_decoded(body) for _, body in rows.documents(PERSON)]


def _called(account: str) -> str:
    """The name of an account; addresses in lower case. Raises Invalid."""
    if account and not ACCOUNT.fullmatch(account):
        right = "must be an e-mail address or a subject, without spaces, accents and umlauts, 255 characters at most"
        raise Invalid("The account cannot be used.", mistakes=(("account", right),))
    return account.lower() if "@" in account else account


def _owner_of(account: Account, key: tuple[str, str], people: list[Person]) -> Person:
    """Whose account it is. Raises NotSignedIn."""
    if bound := [person for person in people if person.bound == key]:
        return bound[0]
    if named := [person for person in people if person.account and account.is_called(person.account)]:
        if free := [person for person in named if person.bound is None]:
            return min(free, key=lambda person: "@" in person.account)  # a subject is nobody else's, an address may be
        raise NotSignedIn("Another account signed in here first under this address. Ask an owner to enter it anew.")
    if account.email and not account.verified:
        raise NotSignedIn("The e-mail address of this account is not verified. Ask an owner to enter its subject.")
    raise NotSignedIn("Nobody here signs in with this account. Ask an owner to enter its e-mail address or subject.")


def _owned(rows: Rows, changed: Person) -> None:
    """Raises Conflict where the person who was changed was the last owner who has a way in."""
    owners = [person for person in _everybody(rows) if person.role(None) == "owner"]
    if changed.role(None) == "owner" and not any(person.hash or person.account for person in owners):
        raise Conflict("Somebody has to stay owner of the whole installation: make somebody else one first.")


def _end_sessions(rows: Rows, name: str, keep: str = "") -> None:
    for id, body in rows.documents(SESSION):
        if msgspec.json.decode(body)["person"] == name and id != keep:
            rows.drop_document(SESSION, id)
