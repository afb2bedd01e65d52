"""What the administrators' addresses take and answer."""

from typing import Any

import msgspec

from consent.fields import Line, Origin, SiteId
from consent.policy_diff import Change
from consent.policy_types import Strict


class NewSite(Strict, frozen=True):
    """A site to create."""

    id: SiteId
    origins: list[Origin]
    name: Line | None = None


class SiteChange(Strict, frozen=True):
    """What to change of a site; it publishes a version that is not material."""

    name: Line | None = None
    origins: list[Origin] | None = None


class PolicyInfo(msgspec.Struct, frozen=True):
    """A published version, without its document."""

    version: int
    hash: str
    material_since: int
    published_at: str


class SiteInfo(msgspec.Struct, frozen=True):
    """A site as lists show it."""

    id: str
    name: str
    origins: list[str]
    created_at: str
    policy: PolicyInfo
    entries: int
    """How many entries the ledger has, erased ones included."""


class Sites(msgspec.Struct, frozen=True):
    """A page of sites."""

    items: list[SiteInfo]
    next: str | None


class Policies(msgspec.Struct, frozen=True):
    """A page of versions, newest first."""

    items: list[PolicyInfo]
    next: str | None


class PublishAnswer(msgspec.Struct, frozen=True):
    """The version that is in force now, and what changed."""

    policy: PolicyInfo
    changes: list[Change]


class Found(msgspec.Struct, frozen=True):
    """A receipt in the ledger."""

    index: int
    leaf: str
    receipt: str
    claims: Any


class Receipts(msgspec.Struct, frozen=True):
    """A page of receipts, newest first."""

    items: list[Found]
    next: str | None
