"""What changed between two policies, in words, and whether it is material.

Material is what the visitor's consent was about: what is asked, for what, by whom, for how long. Only then are
visitors asked again; wording, looks and the removal of something are not. The owner has the last word.
"""

import re
from typing import Any

import msgspec

from consent.model import Policy

MATERIAL = (
    re.compile(r"categories\.[^.]+(\.necessary|\.purpose\..*)?"),
    re.compile(
        r"services\.[^.]+(\.category|\.provider\.name|\.purpose\..*|\.cookies\.[^.]+(\.(lifetime|purpose|party).*)?)?"
    ),
    re.compile(r"controller(\.name)?"),
    re.compile(r"valid_days|regimes(\..*)?"),
)
WORDS = re.compile(r".+\.purpose\.[^.]+")
"""A purpose in one language; saying the same in one language more changes nothing."""


class Change(msgspec.Struct, frozen=True):
    """One difference; `before` or `after` is null where something was added or removed."""

    path: str
    before: Any
    after: Any
    material: bool

    def __str__(self) -> str:
        what = f"{self.before!r} -> {self.after!r}"
        if self.before is None:
            what = f"added {self.after!r}"
        elif self.after is None:
            what = f"removed {self.before!r}"
        return f"{self.path}: {what}{' (material)' if self.material else ''}"


def diff(old: Policy, new: Policy) -> list[Change]:
    """Every difference between two completed policies."""
    return differences(msgspec.to_builtins(old), msgspec.to_builtins(new))


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Every difference between two documents, whether or not they are policies."""
    names = dict.fromkeys([*Policy.__struct_fields__, *before, *after])
    return [change for name in names for change in _changes(name, before.get(name), after.get(name))]


def is_material(changes: list[Change]) -> bool:
    """Whether visitors should be asked again."""
    return any(change.material for change in changes)


def concerned(changes: list[Change]) -> list[str]:
    """Ids of the categories and services that material changes are about."""
    named = [change.path.split(".") for change in changes if change.material and change.after is not None]
    return list(dict.fromkeys(path[1] for path in named if path[0] in ("categories", "services")))


def _changes(path: str, before: Any, after: Any) -> list[Change]:
    if before == after:
        return []
    before, after = _by_name(before), _by_name(after)
    if before == after:
        return []
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [Change(path, before, after, _material(path, before, after))]
    names = list(dict.fromkeys([*before, *after]))
    return [c for name in names for c in _changes(f"{path}.{name}", before.get(name), after.get(name))]


def _by_name(value: Any) -> Any:
    """Lists of named things as tables, so that moving one is no change and adding one is one change."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {str(item.get("id") or item.get("name") or place): item for place, item in enumerate(value, 1)}
    return {} if value == [] else value


def _material(path: str, before: Any, after: Any) -> bool:
    if after is None or (before is None and WORDS.fullmatch(path)):
        return False
    if path == "valid_days":
        return isinstance(before, int) and isinstance(after, int) and after > before
    return any(pattern.fullmatch(path) for pattern in MATERIAL)
