"""What each address takes and answers, said once beside its view; the OpenAPI document is made from it."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from consent.errors import ConsentError

View = TypeVar("View", bound=Callable[..., Any])


class Answer(msgspec.Struct, frozen=True):
    """One successful answer: its meaning, media types (separated by commas), the type of its body where it is JSON."""

    description: str
    media_type: str = ""
    body: Any = None


class Operation(msgspec.Struct, frozen=True):
    """An address and method for its readers."""

    summary: str
    answers: dict[int, Answer]
    body: Any = None
    media_types: tuple[str, ...] = ("application/json",)
    query: dict[str, str] = {}
    problems: tuple[type[ConsentError], ...] = ()
    role: str | None = None


def operation(
    summary: str,
    answers: dict[int, Answer],
    *,
    body: Any = None,
    media_types: tuple[str, ...] = ("application/json",),
    query: dict[str, str] | None = None,
    problems: tuple[type[ConsentError], ...] = (),
    role: str | None = None,
) -> Callable[[View], View]:
    """Describe a view; `query` maps parameter names to what they do."""

    def describe(view: View) -> View:
        view.operation = Operation(summary, answers, body, media_types, query or {}, problems, role)  # type: ignore[attr-defined]
        return view

    return describe
