"""What the views share: the service they work for, the caller's token, the body and the ids they take."""

from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from flask import current_app, request

from consent import access
from consent.administrator import Administrator, by_token
from consent.errors import BadId, Invalid, Unauthorized, Unavailable, UnknownPolicy, UnsupportedType
from consent.ledger import Ledger
from consent.model import Token
from consent.settings import Settings
from consent.shape import decode, mistakes
from consent.web.cors import Cors
from consent.web.counts import Counts
from consent.web.place import Places
from consent.web.rate import RateLimit
from consent.web.sightings import Sightings

BODY_BYTES = 1_048_576
"""No body is read beyond this; recording takes far less."""
RECORD_BYTES = 8192
"""The most a browser may post."""

USED = "token-use"
"""The kind of document that says when a token was last used, in seconds since the epoch."""
MINUTE = 60

HIGHEST_VERSION = 999_999_999
"""As in the type of a choice's `policy`."""

FOR_EVER = "public, max-age=31536000, immutable"

TEXT_OR_JSON = ("application/json", "text/plain")


class Service(NamedTuple):
    """What the views work with; at `app.extensions["consent"]`."""

    ledger: Ledger
    settings: Settings
    places: Places
    rate_limit: RateLimit
    cors: Cors
    sightings: Sightings
    counts: Counts


def service() -> Service:
    return current_app.extensions["consent"]


def bearer() -> Token:
    """The token of the request. Raises Unauthorized."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized(
            "The Authorization header must be `Bearer consent_…`; make a token with `consent token create`."
        )
    ledger = service().ledger
    found = ledger.storage.reading().token(access.token_id(text.strip()))
    token = access.check(found, text.strip(), now=ledger.now())
    _note_use(ledger, token.id)
    return token


def token_holder() -> Administrator:
    """Whoever acts with the token of the request. Raises Unauthorized."""
    return Administrator(service().ledger, by_token(bearer()))


def _note_use(ledger: Ledger, id: str) -> None:
    """Keep when a token was last used, to the minute."""
    told, now = ledger.storage.reading().document(USED, id), ledger.now()
    if told is None or now - int(told) >= MINUTE:
        with suppress(Unavailable):  # reading goes on where nothing can be written
            ledger.together(lambda rows: rows.put_document(USED, id, b"%d" % now))


def body(type_: Any) -> Any:
    """The decoded body. Raises UnsupportedType, TooLarge, Malformed or Invalid."""
    if request.mimetype not in TEXT_OR_JSON:
        raise UnsupportedType("Send application/json or text/plain.")
    request.max_content_length = RECORD_BYTES
    data = request.get_data(cache=False)
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError as error:
        first = str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        first = ""
    found = mistakes(decode(data, what="The body"), type_)
    raise Invalid("The body has mistakes.", mistakes=tuple(found) or (("", first),))


def checked_version(site: str, version: int) -> int:
    """A version number from the address, if there can be one so high. Raises UnknownPolicy."""
    if version > HIGHEST_VERSION:
        raise UnknownPolicy(f"Site {site!r} has no policy version that high.")
    return version


def shaped(id: str, type_: Any) -> str:
    """An id from the address. Raises BadId."""
    try:
        return msgspec.convert(id, type_)
    except msgspec.ValidationError:
        description = mistakes(id, type_)[0][1]
        raise BadId(f"The id in the address {description}.") from None
