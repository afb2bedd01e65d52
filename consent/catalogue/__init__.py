"""The known services: loads the TOML files beside it.

A service is one file, and the file's name is its id; nothing has to be registered (docs/catalogue.md).
"""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import msgspec


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a service; a policy that names it may say any of it otherwise."""

    name: str
    categories: list[str]
    """Ids of categories it usually belongs to; the first one that a policy has is used."""
    purpose: dict[str, str]
    """Language -> one sentence."""
    provider: dict[str, str]
    urls: list[str] = []
    examples: list[str] = []
    """Addresses that its URL patterns must match, for the tests."""
    cookies: list[dict[str, Any]] = []
    calls: dict[str, list[list[Any]]] = {}
    """`granted` and `refused` -> calls of the provider's own consent functions: a path on `window`, then arguments."""


@cache
def known() -> dict[str, Known]:
    """Every known service, by id."""
    found = (path for path in files("consent.catalogue").iterdir() if path.name.endswith(".toml"))
    loaded = {PurePath(path.name).stem: tomllib.loads(path.read_text("utf-8")) for path in found}
    return {id: msgspec.convert(loaded[id], Known) for id in sorted(loaded)}


def find(id: str) -> Known | None:
    """The known service of that id, if there is one."""
    return known().get(id)
