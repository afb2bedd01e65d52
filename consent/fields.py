r"""The shapes of single fields: ids, versions, languages, addresses, closed lists of words.

A pattern is never joined with a table in one union: msgspec up to 0.22 corrupts memory over that.
Patterns end in `(?![\s\S])`, which Python and JSON Schema read alike: Python's `$` also matches before a line's end.
"""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

SiteId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}(?![\s\S])", description="a site id", examples=["shop"])]
TRAIL = "_trail"
"""The log of what administrators did: kept as a site's is, under an id that no site can have."""
Id = Annotated[
    str,
    Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}(?![\s\S])", description="a category or service id", examples=["analytics"]),
]
Version = Annotated[int, Meta(ge=1, le=999_999_999, description="a policy version")]
Language = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}(?![\s\S])", description="a BCP 47 language tag", examples=["en"]
    ),
]
SubjectId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{21}[AQgw](?![\s\S])",
        description="a subject id (128 random bits, base64url)",
        examples=["fZk3PpQ0Tz2mYw4uJr8aBg"],
    ),
]
ReceiptId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\s\S])",
        description="a receipt id (a UUID in lower case)",
        examples=["019ab1c2-77aa-7bbb-8ccc-0123456789ab"],
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=r"^https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:([0-9]{1,5}|\*))?(?![\s\S])|^https?://\[[0-9a-f:]+\](:[0-9]{1,5})?(?![\s\S])",
        description="an origin",
        examples=["https://shop.example"],
    ),
]
Action = Literal["accept_all", "reject_all", "custom", "withdraw", "signal", "load_once"]
ONCE: Action = "load_once"
"""Lets an embed in for one page view; no part of the state."""
Surface = Literal["banner", "preferences", "placeholder", "privacy_page", "api"]
Regime = Literal["opt-in", "opt-out", "notice"]
Role = Literal["auditor", "editor", "owner"]
Status = Literal["given", "partial", "refused", "withdrawn", "expired", "outdated", "unknown"]
Kind = Literal["receipt", "policy", "erasure", "act"]
GoogleType = Literal[
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
]
UetType = Literal["ad_storage"]
ClarityType = Literal["ad_Storage", "analytics_Storage"]
Line = Annotated[str, Meta(min_length=1, max_length=300)]
Paragraph = Annotated[str, Meta(min_length=1, max_length=2000)]
Url = Annotated[
    str, Meta(pattern=r"^https?://[^\s<>\"']+(?![\s\S])", max_length=1000, description="an http or https address")
]

HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]")
"""What nobody sees or can type on purpose: control characters but tabs and ends of lines, and those that turn the writing
direction of what follows (UAX #9, sections 2.1 and 2.2; isolates, which the same standard wants instead, are kept)."""


def is_site(text: str) -> bool:
    """Whether a text could be the id of a site."""
    try:
        return bool(msgspec.convert(text, SiteId))
    except msgspec.ValidationError:
        return False
