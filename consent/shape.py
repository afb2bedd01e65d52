"""What is wrong with the shape of a document: every mistake at once, each with its path and what would be right.

msgspec stops at the first mistake, which is right for speed; this walks the same types only after it has refused.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import inspect

from consent.errors import Invalid, Malformed

Mistake = tuple[str, str]

MOST_DOTS = 4_000_000
"""Sum over a TOML document's keys of their dots squared; a plain document stays below a thousandth of it."""


def plan() -> None:
    """Have msgspec plan every type that is loaded now. Call it before there are threads.

    It plans a type at its first use and in Python, so that another thread finds the plan half made and the whole process
    dies of it (msgspec 0.22).
    """
    types = msgspec.Struct.__subclasses__()
    for type_ in types:
        msgspec.json.Decoder(type_)
        types += type_.__subclasses__()


def decode(data: bytes, *, what: str, toml: bool = False) -> Any:
    """The plain data of JSON or TOML bytes. Raises Malformed with line or byte; `what` begins its sentence."""
    if toml and _is_deep(data):
        raise Malformed(f"{what} is nested too deeply.")
    try:
        return tomllib.loads(data.decode()) if toml else msgspec.json.decode(data)
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{what} is not valid {'TOML' if toml else 'JSON'}: {error}.") from None
    except RecursionError:
        raise Malformed(f"{what} is nested too deeply.") from None


def read(document: Any, type_: type, *, what: str) -> Any:
    """Convert plain data to a type of `model`.

    Raises Invalid with every mistake; `what` names the document in the error's sentence.
    """
    try:
        return msgspec.convert(document, type_)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"{what} has mistakes.", mistakes=tuple(mistakes(document, type_)) or (("", str(error)),)
        ) from None


def mistakes(document: Any, type_: type) -> list[Mistake]:
    """Every mistake of the document's shape as (path, what would be right)."""
    return list(_walk(inspect.type_info(type_), document, "", "", ""))


def nearest(name: str, known: list[str]) -> str:
    """` (did you mean …?)` for the most similar known name, or nothing."""
    close = difflib.get_close_matches(name, known, 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _is_deep(toml: bytes) -> bool:
    """Whether dotted keys are so long that tomllib, whose memory grows with their square, would fill the machine."""
    return sum(part.count(b".") ** 2 for part in re.split(rb"[=\r\n]", toml)) > MOST_DOTS


def _walk(info: inspect.Type, value: Any, path: str, description: str, example: str) -> Iterator[Mistake]:
    if isinstance(info, inspect.Metadata):
        schema = info.extra_json_schema or {}
        examples = schema.get("examples", [])
        yield from _walk(info.type, value, path, schema.get("description", ""), str(examples[0]) if examples else "")
    elif isinstance(info, inspect.UnionType):
        yield from _walk(_branch(info, value), value, path, description, example)
    elif isinstance(info, inspect.StructType):
        yield from _struct(info, value, path)
    elif isinstance(info, inspect.ListType):
        yield from _list(info, value, path)
    elif isinstance(info, inspect.DictType):
        yield from _dict(info, value, path)
    elif not isinstance(info, inspect.AnyType):  # whatever is allowed is right
        yield from _leaf(info, value, path, description, example)


def _struct(info: inspect.StructType, value: Any, path: str) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield path, f"must be a table, not {_kind(value)}"
        return
    fields = {field.encode_name: field for field in info.fields}
    for name in value:
        if name not in fields:
            yield join(path, name), f"is not known here{nearest(str(name), list(fields))}"
    for name, field in fields.items():
        if name in value:
            yield from _walk(field.type, value[name], join(path, name), "", "")
        elif field.required:
            yield join(path, name), "is missing"


def _list(info: inspect.ListType, value: Any, path: str) -> Iterator[Mistake]:
    if not isinstance(value, list):
        yield path, f"must be a list, not {_kind(value)}"
        return
    if len(value) < (info.min_length or 0):
        yield path, f"must have at least {info.min_length} item"
    if info.max_length is not None and len(value) > info.max_length:
        yield path, f"must have at most {info.max_length} items"
    for position, item in enumerate(value):
        yield from _walk(info.item_type, item, f"{path}[{position}]", "", "")


def _dict(info: inspect.DictType, value: Any, path: str) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield path, f"must be a table, not {_kind(value)}"
        return
    for key, item in value.items():
        yield from _walk(info.key_type, key, join(path, key), "", "")
        yield from _walk(info.value_type, item, join(path, key), "", "")


def _leaf(info: inspect.Type, value: Any, path: str, description: str, example: str) -> Iterator[Mistake]:
    try:
        msgspec.convert(value, _annotation(info))
    except msgspec.ValidationError:
        right = description or _expected(info)
        yield path, f"must be {right}{f', for example {example}' if example else ''}, not {_shown(value)}"


def _annotation(info: inspect.Type) -> Any:
    """A type annotation that accepts exactly what `info` does."""
    if isinstance(info, inspect.LiteralType):
        return Literal[tuple(info.values)]
    if isinstance(info, inspect.StrType):
        meta = msgspec.Meta(pattern=info.pattern, min_length=info.min_length, max_length=info.max_length)
        return Annotated[str, meta]
    if isinstance(info, inspect.IntType):
        return Annotated[int, msgspec.Meta(ge=info.ge, le=info.le)]
    simple = {inspect.BoolType: bool, inspect.NoneType: None, inspect.FloatType: float}
    if isinstance(info, inspect.DateTimeType):
        return Annotated[datetime, msgspec.Meta(tz=info.tz)]
    return simple[type(info)]


def _expected(info: inspect.Type) -> str:
    if isinstance(info, inspect.LiteralType):
        return f"one of {', '.join(map(str, info.values))}"
    if isinstance(info, inspect.IntType):
        return f"a whole number from {info.ge} to {info.le}"
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.DateTimeType):
        return "an RFC 3339 time with its zone"
    if isinstance(info, inspect.StrType) and info.pattern:
        return f"text of the form {info.pattern}"
    return (
        f"text of {getattr(info, 'min_length', None) or 0} to {getattr(info, 'max_length', None) or 'any'} characters"
    )


def _branch(info: inspect.UnionType, value: Any) -> inspect.Type:
    """The member of a union that a value of this kind is most likely meant for."""
    if value is None:
        wanted: tuple = (inspect.NoneType,)
    elif isinstance(value, dict):
        wanted = (inspect.DictType, inspect.StructType)
    else:
        wanted = (inspect.StrType, inspect.IntType, inspect.ListType, inspect.LiteralType, inspect.DateTimeType)
    for member in info.types:
        inner = member.type if isinstance(member, inspect.Metadata) else member
        if isinstance(inner, wanted):
            return member
    return next(member for member in info.types if not isinstance(member, inspect.NoneType))


def join(path: str, name: Any) -> str:
    """The path of what is called so in the table at a path."""
    return f"{path}.{name}" if path else str(name)


def _kind(value: Any) -> str:
    kinds = {dict: "a table", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "…")
    return _kind(value) if isinstance(value, dict | list | type(None)) else str(value).lower()
