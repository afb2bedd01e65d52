"""The frozen types at the borders: policies, choices, receipts, states, stored rows.

Everything that comes in is checked against these (msgspec), everything that goes out is one of them, and
the OpenAPI document is made from them. Knows no rule: what contradicts what is decided in `policy` and `ledger`.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from consent.fields import (
    Action,
    GoogleType,
    Id,
    Kind,
    Language,
    Line,
    Origin,
    Paragraph,
    ReceiptId,
    Regime,
    Role,
    SiteId,
    Status,
    SubjectId,
    Surface,
    Url,
    Version,
)


class Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """A type for what comes in: unknown fields are mistakes."""


# Policies. A text is words of the policy's first language, or a table of language -> words.


class Cookie(Strict, frozen=True):
    """A cookie, or anything like it, that a service keeps on the visitor's device."""

    name: Annotated[
        str, Meta(pattern=r"^[^\s;,=]{1,128}(?![\s\S])", description="a cookie name (`*` stands for any characters)")
    ]
    lifetime: Annotated[
        str,
        Meta(
            pattern=r"^(session|persistent|[1-9][0-9]{0,4} (second|minute|hour|day|week|month|year)s?)(?![\s\S])",
            description="`session`, `persistent` or a length of time",
            examples=["13 months"],
        ),
    ]
    purpose: Paragraph | dict[Language, Paragraph]
    party: Literal["first", "third"] = "first"


class Provider(Strict, frozen=True):
    """Who runs a service."""

    name: Line
    url: Url | None = None
    country: (
        Annotated[str, Meta(pattern=r"^[A-Z]{2}(?![\s\S])", description="an ISO 3166 country code", examples=["DE"])]
        | None
    ) = None


class Service(Strict, frozen=True):
    """A named third party inside a category."""

    id: Id
    category: Id
    name: Line
    provider: Provider
    purpose: Paragraph | dict[Language, Paragraph]
    cookies: list[Cookie] = []
    urls: list[
        Annotated[
            str,
            Meta(
                pattern=r"^(https?://)?(\*|(\*\.)?[a-z0-9.-]+(:[0-9]+)?)(/[^\s]*)?(?![\s\S])",
                max_length=500,
                description="a URL pattern",
                examples=["*.video.example/embed/*"],
            ),
        ]
    ] = []


class Category(Strict, frozen=True):
    """What a visitor grants or refuses."""

    id: Id
    necessary: bool = False
    name: Line | dict[Language, Line] | None = None
    purpose: Paragraph | dict[Language, Paragraph] | None = None


class Controller(Strict, frozen=True):
    """Who answers for the site."""

    name: Line
    address: Paragraph | None = None
    email: Line | None = None
    phone: Line | None = None
    url: Url | None = None
    dpo: Line | None = None


class Appearance(Strict, frozen=True):
    """How the banner looks."""

    theme: Literal["auto", "light", "dark"] = "auto"
    reopen: Literal["left", "right", "none"] = "left"


class CookieSettings(Strict, frozen=True):
    """The one cookie the banner itself keeps, after a choice."""

    name: Annotated[
        str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}(?![\s\S])", description="a cookie name", examples=["consent"])
    ] = "consent"
    domain: (
        Annotated[str, Meta(pattern=r"^\.?[a-z0-9.-]+(?![\s\S])", description="a domain", examples=[".shop.example"])]
        | None
    ) = None


class Signals(Strict, frozen=True):
    """Which outside signals are spoken to and heard; null speaks the default mapping, {} to nobody."""

    google: dict[Id, list[GoogleType]] | None = None
    gpc: list[Id] | None = None


class Policy(Strict, frozen=True):
    """A policy as its owner writes it (contract, section 6)."""

    name: Line
    origins: Annotated[list[Origin], Meta(min_length=1, max_length=100)]
    languages: Annotated[list[Language], Meta(min_length=1)]
    categories: Annotated[list[Category], Meta(min_length=1, max_length=30)]
    services: list[Service] = []
    valid_days: Annotated[int, Meta(ge=1, le=730)] = 180
    controller: Controller | None = None
    privacy_url: Line | dict[Language, Line] | None = None
    """Checked by a rule: msgspec up to 0.22 corrupts memory over a pattern in a union with a table."""
    regimes: dict[
        Annotated[
            str,
            Meta(
                pattern=r"^(default|[A-Z]{2}(-[A-Z0-9]{1,3})?)(?![\s\S])",
                description="`default` or an ISO 3166 place",
                examples=["US-CA"],
            ),
        ],
        Regime,
    ] = {}
    appearance: Appearance = Appearance()
    cookie: CookieSettings = CookieSettings()
    texts: dict[Language, dict[str, Paragraph]] = {}
    signals: Signals = Signals()


class Published(Policy, frozen=True, kw_only=True):
    """An immutable version: every text of every language filled in, so that it says what visitors saw."""

    site: SiteId
    version: Version
    material_since: Version
    """Oldest version whose choices still hold."""


# Choices, receipts, states.


class Heard(Strict, frozen=True):
    """Signals the browser heard."""

    gpc: bool | None = None


class Choice(Strict, frozen=True):
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


class Display(Strict, frozen=True):
    """One showing of the banner; carries no identifier."""

    policy: Version
    language: Language
    surface: Surface


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
    br: bytes
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
