"""Rows of entries as entries again; also many at a time, as bytes that another process may open.

Kinds and actions are kept as small numbers, ids and subjects as their 16 bytes.
"""

from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec

from consent.errors import Unavailable
from consent.model import Action, Entry, Kind
from consent.packing import URL, Parts, joined, parts

KINDS: tuple[str, ...] = get_args(Kind)
ACTIONS: tuple[str, ...] = get_args(Action)
ENTRY = "kind, recorded_at, leaf, token, id, subject, policy, action, position"
LEAF, TOKEN = 2, 3
"""Where the hash and the statement stand among these."""
HASH = 32
"""Bytes of a leaf hash."""
KEY_BYTES = 3
"""Of the number of its shape, before a packed statement."""
TEXT = bytes(KEY_BYTES)
"""Before a statement that is kept as it is where a column has one type: the number of no shape."""
DAMAGED = "damaged"
"""In the place of a statement that cannot be read any more: no leaf hash fits it, so that `verify` names the entry."""


def entry_of(site: str, row: tuple, shape: Callable[[bytes], bytes]) -> Entry:
    """The entry of a row (ENTRY); `shape` finds a shape by its number. Raises Unavailable where the row is damaged."""
    kind, recorded_at, leaf, token, id, subject, policy, action, position = row
    try:
        if not isinstance(leaf, bytes) or not isinstance(recorded_at, int) or not isinstance(position, int):
            raise TypeError("its hash, time or place is none")
        if len(leaf) != HASH or min(kind, action or 0) < 0:
            raise ValueError("its hash, kind or action is none of ours")
        id, subject = id and id_text(id), subject and subject_text(subject)
        token = plain(token)
        of = _parts(token, shape, (subject or "", id or "")) if isinstance(token, bytes) else None
        told = joined(of) if of else DAMAGED if isinstance(token, bytes) else token
        named = None if action is None else ACTIONS[action]
        return Entry(site, KINDS[kind], recorded_at, leaf, told, id, subject, policy, named, position, parts=of)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise Unavailable(f"Entry {position} of {site!r} is damaged ({error}): restore a backup.") from None


def statement(
    stored: bytes | str | None, shape: Callable[[bytes], bytes], known: tuple[str, str] = ("", "")
) -> str | None:
    """The statement that is stored for a subject and an id, without them where they are not known."""
    stored = plain(stored)
    if not isinstance(stored, bytes):
        return stored
    of = _parts(stored, shape, known)
    return joined(of) if of else DAMAGED


def plain(stored: bytes | str | None) -> bytes | str | None:
    """A statement as a text, or as bytes that begin with the number of a shape."""
    if isinstance(stored, bytes) and stored.startswith(TEXT):
        return stored[KEY_BYTES:].decode(errors="replace")
    return stored


def packed(site: str, rows: list[tuple], shape: Callable[[bytes], bytes]) -> bytes:
    """Rows as bytes, with the shapes that their statements are packed against."""
    numbers = {row[TOKEN][:KEY_BYTES] for row in rows if isinstance(row[TOKEN], bytes)}
    shapes = {}
    for number in numbers:
        try:
            shapes[number] = shape(number)
        except KeyError:
            continue  # named where it is opened
    return _ENCODER.encode((site, shapes, rows))


def opened(data: bytes) -> Iterator[Entry]:
    """The entries of packed rows, one by one while the processor holds them; one that is damaged has a statement that its hash does not fit, or no place (-1)."""
    site, shapes, rows = _DECODER.decode(data)
    return (_whole(site, row, shapes.__getitem__) for row in rows)


def _whole(site: str, row: tuple, shape: Callable[[bytes], bytes]) -> Entry:
    leaf, position = row[LEAF], row[-1]
    try:
        return entry_of(site, row, shape)
    except Unavailable:
        index = position if isinstance(position, int) else -1
        return Entry(site, "receipt", 0, leaf if isinstance(leaf, bytes) else b"", DAMAGED, index=index)


def id_text(id: bytes) -> str:
    """A UUID of 16 bytes as text; `str(UUID(bytes=id))` takes four times as long."""
    if len(id) != 16:
        raise ValueError("its id has not 16 bytes")
    text = id.hex("-", 2)
    return f"{text[:4]}{text[5:29]}{text[30:34]}{text[35:]}"


def subject_bytes(subject: str) -> bytes:
    """The 16 bytes behind a subject id."""
    return urlsafe_b64decode(subject + "==")


def subject_text(subject: bytes) -> str:
    """The subject id of 16 bytes."""
    return b2a_base64(subject, newline=False).translate(URL, b"=").decode()


def _parts(stored: bytes, shape: Callable[[bytes], bytes], known: tuple[str, str]) -> Parts | None:
    """What a packed statement is put together from; None where it cannot be read any more."""
    try:
        return parts(stored[KEY_BYTES:], shape(stored[:KEY_BYTES]), known)
    except (KeyError, ValueError):
        return None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder()
