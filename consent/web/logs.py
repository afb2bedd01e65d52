"""Log lines of the service: one JSON object an event, with the request it belongs to, and without secrets or personal data.

Its rule: what `logs` cuts out of lines for people is cut out of these too.
"""

import logging
from typing import Any

import msgspec
from flask import has_request_context, request
from gunicorn.glogging import Logger as GunicornLogger

from consent.logs import SECRET
from consent.times import rfc3339
from consent.web.watch import ID


class Lines(logging.Formatter):
    """A line for machines: `time`, `level`, `logger`, `message`, and where there are any `request`, `route`, `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"time": rfc3339(int(record.created)), "level": record.levelname.lower()}
        line |= {"logger": record.name, "message": record.getMessage()} | getattr(record, "told", _told())
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        cut = {name: SECRET.sub("…", value) if isinstance(value, str) else value for name, value in line.items()}
        return msgspec.json.encode(cut).decode()


class Logger(GunicornLogger):
    """gunicorn's logger without an access log, and without the addresses of requests that failed."""

    def access(self, *_: Any) -> None:
        """Nothing about who asked for what is written."""

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Of a request only that it failed: its address may carry what was asked for, or by whom."""
        failed = "Error handling request"
        super().exception(*((failed,) if msg.startswith(failed) else (msg, *args)), **kwargs)


def _told() -> dict[str, Any]:
    """The request that is being answered, where one is."""
    if not has_request_context():
        return {}
    rule = request.url_rule
    return {"request": request.environ.get(ID, ""), "route": rule.rule if rule else "other"}
