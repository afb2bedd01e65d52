"""The types of a policy: as its owner writes it, and as it is published.

Part of `model`, which hands them on; checked alike. A text is words of the policy's first language, or a table of
language -> words.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from consent.fields import (
    ClarityType,
    GoogleType,
    Id,
    Language,
    Line,
    Origin,
    Paragraph,
    Regime,
    SiteId,
    UetType,
    Url,
    Version,
)


class Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """A type for what comes in: unknown fields are mistakes."""


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
    kind: Literal["cookie", "local_storage", "session_storage", "indexed_db", "cache_storage"] = "cookie"
    http_only: bool = False
    """Whether scripts can neither read nor clear it."""


class Provider(Strict, frozen=True):
    """Who runs a service."""

    name: Line
    url: Url | None = None
    country: (
        Annotated[str, Meta(pattern=r"^[A-Z]{2}(?![\s\S])", description="an ISO 3166 country code", examples=["DE"])]
        | None
    ) = None


Call = Annotated[list[Any], Meta(min_length=1, max_length=10)]


class Calls(Strict, frozen=True):
    """How a provider is told: each call is a path of a function on `window`, then its arguments."""

    granted: list[Call] = []
    refused: list[Call] = []


def _left_out() -> str:
    """What the catalogue fills in; made, not given, for it is no value that a policy may write."""
    return ""


class Service(Strict, frozen=True):
    """A named third party inside a category. What is left out comes from the catalogue, where it has the id."""

    id: Id
    category: Id = field(default_factory=_left_out)
    name: Line = field(default_factory=_left_out)
    provider: Provider = field(default_factory=lambda: Provider(_left_out()))
    purpose: Paragraph | dict[Language, Paragraph] = field(default_factory=_left_out)
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
    calls: Calls = Calls()


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


class Records(Strict, frozen=True):
    """What other formats of a receipt must say and no banner knows (ISO/IEC TS 27560, Kantara Consent Receipt)."""

    jurisdiction: Line | None = None
    data: list[Line] = []
    """What is processed, such as `cookie identifiers`."""
    sensitive: list[Line] | None = None
    """Which of it is special or sensitive; [] says that nothing is."""
    storage_locations: list[Line] = []


Color = Annotated[
    str, Meta(pattern=r"^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})(?![\s\S])", description="a colour", examples=["#2b5ea7"])
]


class Palette(Strict, frozen=True):
    """The colours of a theme; with one of its own, the others are named too."""

    paper: Color | None = None
    ink: Color | None = None
    accent: Color | None = None
    """Behind the two answers, and behind a switch that is on."""
    accent_ink: Color | None = None
    line: Color | None = None
    """Around buttons and switches."""


class Appearance(Strict, frozen=True):
    """How the banner looks."""

    layout: Literal["box", "bar", "center", "modal", "none"] = "box"
    """`none`: no banner comes; embeds ask where they stand, and the control opens the preferences."""
    position: Literal["top", "bottom", "bottom-left", "bottom-right", "top-left", "top-right"] | None = None
    """Of a bar or box; left and right as in left-to-right languages."""
    preferences: Literal["dialog", "drawer"] = "dialog"
    reopen: Literal["left", "right", "hidden", "none"] = "left"
    """Corner of the control that reopens the preferences; `hidden`: drawn only while it has the focus."""
    theme: Literal["auto", "light", "dark"] = "auto"
    light: Palette = Palette()
    dark: Palette = Palette()
    logo: (
        Annotated[
            str,
            Meta(
                pattern=r"^(/(?!/)[^\s\"'()<>\\]*|data:image/(png|svg\+xml|webp|jpeg|gif);base64,[A-Za-z0-9+/=]+)(?![\s\S])",
                max_length=12_000,
                description="a path on the website, or an image as a data: address in base64",
                examples=["/logo.svg"],
            ),
        ]
        | None
    ) = None
    font: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9 ,'_-]{1,200}(?![\s\S])",
                description="font families that the page has",
                examples=["'Open Sans', sans-serif"],
            ),
        ]
        | None
    ) = None
    font_size: Annotated[int, Meta(ge=14, le=24)] | None = None
    """Pixels at the reader's usual setting, and in proportion to any other."""
    radius: Annotated[int, Meta(ge=0, le=32)] | None = None
    """Pixels."""
    spacing: Literal["compact", "normal", "wide"] = "normal"


class CookieSettings(Strict, frozen=True):
    """The one cookie the banner itself keeps, after a choice."""

    name: Annotated[
        str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}(?![\s\S])", description="a cookie name", examples=["consent"])
    ] = "consent"
    domain: (
        Annotated[str, Meta(pattern=r"^\.?[a-z0-9.-]+(?![\s\S])", description="a domain", examples=[".shop.example"])]
        | None
    ) = None
    follow_links: bool = False
    """Whether a choice is taken along by links from one of the origins to another."""


class GoogleOptions(Strict, frozen=True):
    """How Google is spoken to."""

    mode: Literal["basic", "advanced"] = "basic"
    """Advanced: Google's tags are not held back by their addresses, and send pings without cookies."""
    wait_for_update: Annotated[int, Meta(ge=0, le=10_000)] = 500
    """Milliseconds."""
    ads_data_redaction: bool = True
    url_passthrough: bool = False
    regions: list[
        Annotated[
            str,
            Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?(?![\s\S])", description="an ISO 3166 place", examples=["ES"]),
        ]
    ] = []
    """Where the default holds; everywhere if there are none."""


class Blocking(Strict, frozen=True):
    """What is held back besides marked markup, and what happens on withdrawal."""

    urls: bool = True
    storage: bool = True
    reload: bool = False


class Signals(Strict, frozen=True):
    """Which outside signals are spoken to and heard; null speaks the default mapping, {} to nobody."""

    google: dict[Id, list[GoogleType]] | None = None
    google_options: GoogleOptions = GoogleOptions()
    uet: dict[Id, list[UetType]] | None = None
    clarity: dict[Id, list[ClarityType]] | None = None
    gpc: list[Id] | None = None


class Policy(Strict, frozen=True):
    """A policy as its owner writes it (contract, section 6)."""

    name: Line
    origins: Annotated[list[Origin], Meta(min_length=1, max_length=100)]
    languages: Annotated[list[Language], Meta(min_length=1)]
    categories: Annotated[list[Category], Meta(min_length=1, max_length=30)]
    services: list[Service] = []
    valid_days: Annotated[int, Meta(ge=1, le=730)] = 180
    refusal_days: Annotated[int, Meta(ge=1, le=730)] | None = None
    """Days that a choice holds which grants nothing; None: as long as any other."""
    retention_days: Annotated[int, Meta(ge=1, le=36500)] | None = None
    """Days after a subject's last receipt until its data are purged; None: as the installation says."""
    controller: Controller | None = None
    records: Records = Records()
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
    blocking: Blocking = Blocking()


class Published(Policy, frozen=True, kw_only=True):
    """An immutable version: every text of every language filled in, so that it says what visitors saw."""

    site: SiteId
    version: Version
    material_since: Version
    """Oldest version whose choices still hold."""
    changed: list[Id] = []
    """Categories and services that are new or have changed since the version before `material_since`."""
