"""The short way, in front of Flask, for what browsers ask all the time: the script, recording, the state.

Its rule: it decides nothing. Headers, and whole scripts, are those that Flask answered to the same question since the
last publication; whatever is not plain, and every refusal, is Flask's to answer.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NamedTuple

import msgspec

from consent.model import Choice, Display, SubjectId
from consent.web.public import count, take
from consent.web.service import RECORD_BYTES, TEXT_OR_JSON, Service
from consent.web.watch import ROUTE

Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]
Headers = list[tuple[str, str]]

REFUSED = "consent.refused"
"""Where in the request's environment an error stands that the short way met: Flask raises it instead of trying again."""
OF_BODIES = ("content-length", "content-type", "content-encoding")

_CHOICE = msgspec.json.Decoder(Choice)
_DISPLAY = msgspec.json.Decoder(Display)


class Posted(NamedTuple):
    """What a browser posted, and the headers of the answer."""

    value: Any
    headers: Headers


class Script:
    """An answer with the script as Flask gave it."""

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.etag = dict(headers).get("ETag", "")
        self.unchanged = [(name, value) for name, value in headers if name.lower() not in OF_BODIES]


class Quick:
    """WSGI middleware (PEP 3333) around the application of a service."""

    def __init__(self, app: App, service: Service) -> None:
        self.app = app
        """What answers everything else; a server may put it into threads of its own."""
        self.service = service
        self._editions = service.ledger.editions

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        method, parts = environ["REQUEST_METHOD"], environ["PATH_INFO"].split("/")
        answer = None
        if parts[1:2] == ["sites"]:
            match (method, *parts[3:]):
                case ("POST", "receipts"):
                    answer, environ[ROUTE] = self._record, "/sites/<site>/receipts"
                case ("POST", "displays"):
                    answer, environ[ROUTE] = self._count, "/sites/<site>/displays"
                case ("GET", "banner.js"):
                    answer, environ[ROUTE] = self._script, "/sites/<site>/banner.js"
                case ("GET", "subjects", _, "state"):
                    answer, environ[ROUTE] = self._state, "/sites/<site>/subjects/<subject>/state"
        if answer is None:
            return self.app(environ, start)
        try:
            found = answer(parts, environ, start)
        except Exception as error:
            environ[REFUSED] = error
            found = None
        return self.app(environ, start) if found is None else found

    def _record(self, parts: list[str], environ: Environ, start: Start) -> Iterable[bytes] | None:
        posted = self._posted(parts, environ, start, _CHOICE)
        if not isinstance(posted, Posted):
            return posted
        recorded, is_new = take(self.service, parts[2], posted.value, environ)
        return _json(start, "201 CREATED" if is_new else "200 OK", posted.headers, recorded)

    def _count(self, parts: list[str], environ: Environ, start: Start) -> Iterable[bytes] | None:
        posted = self._posted(parts, environ, start, _DISPLAY)
        if not isinstance(posted, Posted):
            return posted
        count(self.service, parts[2], posted.value, environ)
        start("204 NO CONTENT", posted.headers)
        return []

    def _posted(self, parts: list[str], environ: Environ, start: Start, decoder: msgspec.json.Decoder) -> Any:
        """What was posted, or Flask's answer, or None for what Flask has to answer.

        An origin that was answered before is one of the site's own, until something is published.
        """
        made, key = self._editions.made(parts[2]), (parts[3], environ.get("HTTP_ORIGIN"))
        headers = made.get(key)
        if headers is None:
            return self._learned(environ, start, lambda headers, _: made.__setitem__(key, _for_any(headers)))
        data = _body(environ)
        if data is None or "HTTP_AUTHORIZATION" in environ:
            return None
        try:
            return Posted(decoder.decode(data), headers)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _state(self, parts: list[str], environ: Environ, start: Start) -> Iterable[bytes] | None:
        site, subject = parts[2], parts[4]
        made, key = self._editions.made(site), ("state", environ.get("HTTP_ORIGIN"))
        headers = made.get(key)
        if headers is None:
            return self._learned(environ, start, lambda headers, _: made.__setitem__(key, _for_any(headers)))
        try:
            msgspec.convert(subject, SubjectId)
        except msgspec.ValidationError:
            return None
        return _json(start, "200 OK", headers, self._editions.ask(lambda: self.service.ledger.state(site, subject)))

    def _script(self, parts: list[str], environ: Environ, start: Start) -> Iterable[bytes] | None:
        if environ.get("QUERY_STRING") or "HTTP_RANGE" in environ:
            return None
        made = self._editions.made(parts[2])
        key = (
            environ.get("HTTP_ACCEPT_LANGUAGE"),
            environ.get("HTTP_ACCEPT_ENCODING"),
            self.service.places.of(environ),
        )
        script, known = made.get(key), environ.get("HTTP_IF_NONE_MATCH")
        if script is None:
            if known is not None or "HTTP_IF_MODIFIED_SINCE" in environ:
                return None
            return self._learned(environ, start, lambda headers, body: made.__setitem__(key, Script(headers, body)))
        if known is None:
            start("200 OK", script.headers)
            return [script.body]
        if known != script.etag:
            return None
        start("304 NOT MODIFIED", script.unchanged)
        return []

    def _learned(self, environ: Environ, start: Start, keep: Callable[[Headers, bytes], None]) -> Iterable[bytes]:
        """Flask's answer; its headers and body are kept where it is no refusal."""
        told: list[Any] = []

        def hear(status: str, headers: Headers, *rest: Any) -> Any:
            told[:] = [status, headers]
            return start(status, headers, *rest)

        pieces = self.app(environ, hear)
        try:
            body = b"".join(pieces)
        finally:
            getattr(pieces, "close", lambda: None)()
        if told[0].startswith("20"):
            keep([one for one in told[1] if one[0] != "Date"], body)  # the server adds its own, or nobody needs one
        return [body]


def _body(environ: Environ) -> bytes | None:
    """A body of a kind and size that recording takes, left in place for whoever reads it again; None for any other."""
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    length = environ.get("CONTENT_LENGTH") or ""
    if kind not in TEXT_OR_JSON or not (length.isascii() and length.isdecimal()) or int(length) > RECORD_BYTES:
        return None
    data = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(data)
    return data


def _for_any(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() != "content-length"]


def _json(start: Start, status: str, headers: Headers, value: Any) -> Iterable[bytes]:
    body = msgspec.json.encode(value)
    start(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
