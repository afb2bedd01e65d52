"""The frozen types at the borders: policies, choices, receipts, states, stored rows.

Everything that comes in is checked against these (msgspec), everything that goes out is one of them, and
the OpenAPI document is made from them. Knows no rule: what contradicts what is decided in `policy` and `ledger`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from consent.fields import (
    Action,
    Id,
    Kind,
    Language,
    ReceiptId,
    Regime,
    Role,
    SiteId,
    Status,
    SubjectId,
    Surface,
    Version,
)
from consent.policy_types import (
    Appearance as Appearance,
)
from consent.policy_types import (
    Blocking as Blocking,
)
from consent.policy_types import (
    Calls as Calls,
)
from consent.policy_types import (
    Category as Category,
)
from consent.policy_types import (
    Controller as Controller,
)
from consent.policy_types import (
    Cookie as Cookie,
)
from consent.policy_types import (
    CookieSettings as CookieSettings,
)
from consent.policy_types import (
    GoogleOptions as GoogleOptions,
)
from consent.policy_types import (
    Policy as Policy,
)
from consent.policy_types import (
    Provider as Provider,
)
from consent.policy_types import (
    Published as Published,
)
from consent.policy_types import (
    Records as Records,
)
from consent.policy_types import (
    Service as Service,
)
from consent.policy_types import (
    Signals as Signals,
)
from consent.policy_types import (
    Strict as Strict,
)

# Choices, receipts, states.


class Heard(Struct, frozen=True, forbid_unknown_fields=True):
    """Signals the browser heard."""

    gpc: bool | None = None


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """One choice as a browser posts it (contract, section 2)."""

    id: ReceiptId
    subject: SubjectId
    policy: Version
    language: Language
    action: Action
    surface: Surface
    grants: dict[Id, bool]
    services: dict[Id, bool] = {}
    signals: Heard = Heard()
    decided_at: Annotated[datetime, Meta(tz=True)] | None = None


class Place(Struct, frozen=True):
    """Where a visitor is, as far as the service can tell, and what follows from it."""

    country: str | None
    regime: Regime
    basis: Literal["country", "region", "default", "unknown"]


class Consent(Struct, frozen=True):
    """The `consent` claim of a receipt."""

    policy: Version
    policy_hash: str
    script_hash: str | None
    language: Language
    regime: Regime
    regime_basis: str
    country: str | None
    action: Action
    surface: Surface
    grants: dict[str, bool]
    services: dict[str, bool]
    necessary: list[str]
    signals: dict[str, bool]
    decided_at: str | None
    previous: ReceiptId | None


class Receipt(Struct, frozen=True):
    """The claims of a receipt (contract, section 2); times are seconds since the epoch."""

    iss: str
    aud: SiteId
    sub: SubjectId
    jti: ReceiptId
    iat: int
    exp: int
    consent: Consent


class State(Struct, frozen=True):
    """The consent state of a subject, derived from its last choice; times are RFC 3339 or null."""

    status: Status
    grants: dict[str, bool]
    services: dict[str, bool]
    policy: int | None
    subject: str | None
    decided_at: str | None
    valid_until: str | None
    regime: Regime
    language: str | None

    def granted(self, id: str) -> bool:
        """Whether a category or service is granted; an unknown id is not."""
        return self.grants.get(id, False) or self.services.get(id, False)


class Recorded(Struct, frozen=True):
    """What recording a choice answers."""

    receipt: str
    state: State


class Display(Struct, frozen=True, forbid_unknown_fields=True):
    """One showing of the banner; carries no identifier."""

    policy: Version
    language: Language
    surface: Surface
    first: bool | None = None
    """Whether the tag stands first in the page's head, as far as the banner tells; not counted."""


class Tally(Struct, frozen=True):
    """What showings or receipts have in common that are counted together; names nobody. Kept as daily counts."""

    day: str
    """YYYY-MM-DD, in UTC."""
    policy: int
    action: str
    """A receipt's action; or what `tallies` names beside them."""
    granted: str
    """The ids of the granted categories, sorted and joined with `~`."""
    language: str
    country: str
    """ISO 3166; empty where it is not known."""
    regime: str
    surface: str


# Stored rows.


class Site(Struct, frozen=True):
    """A site as stored; what it asks stands in its policy."""

    id: SiteId
    created_at: int


class Entry(Struct, frozen=True):
    """One entry of a site's ledger, in the order of its index; an erased one keeps only index, kind, time and leaf."""

    site: str
    kind: Kind
    recorded_at: int
    leaf: bytes
    """SHA-256(0x00 || token): RFC 9162, section 2.1.1."""
    token: str | None
    """The signed statement, a JWS in compact form."""
    id: str | None = None
    subject: str | None = None
    policy: int | None = None
    action: str | None = None
    index: int = -1
    """Position in the site's sequence, from 0; given by the storage on appending."""
    shape: bytes | None = None
    """On appending: what the statement has in common with others (packing.pack); names nobody."""
    packed: bytes | None = None
    """On appending: the statement packed against it, where it can be."""
    parts: tuple[bytes, bytes, bytes] | None = None
    """On reading: what the statement was put together from (packing.Parts), where it was; spares taking it apart."""


class Parcel(NamedTuple):
    """Many entries as bytes, opened where they are needed: in another process too."""

    opened: Callable[[bytes], Iterable[Any]]
    data: bytes
    entries: int
    """How many entries they are."""


class Checkpoint(Struct, frozen=True):
    """A signed statement of how many entries a site's ledger has, and of the root over them; kept for ever."""

    site: str
    size: int
    root: bytes
    note: str
    """The C2SP signed note."""
    made_at: int


class Publication(Struct, frozen=True):
    """A published policy as stored."""

    site: str
    version: int
    hash: bytes
    document: bytes
    material_since: int
    published_at: int


class Script(Struct, frozen=True):
    """The script of one policy version in one language and regime, kept under its hash for ever."""

    site: str
    version: int
    language: str
    regime: Regime
    code: bytes
    """SHA-256 of the shared part, static/banner.js."""
    hash: bytes
    gzip: bytes


class Token(Struct, frozen=True):
    """An API token; only the hash of its secret is kept."""

    id: str
    hash: bytes
    role: Role
    site: str | None
    name: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


class Filter(Struct, frozen=True):
    """Which entries to read; times are seconds since the epoch, `since` included, `until` not."""

    kinds: tuple[str, ...] = ("receipt",)
    since: int | None = None
    until: int | None = None
    action: str | None = None
    policy: int | None = None
    subject: str | None = None
    erased: bool = True
    """Whether erased entries are read too."""
