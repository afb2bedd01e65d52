"""Log lines: one JSON object an event, with the request it belongs to, and without secrets or personal data.

Subject ids, tokens, signed statements and addresses are cut out of whatever is logged.
"""

import logging
import re
from typing import Any

import msgspec
from flask import has_request_context, request
from gunicorn.glogging import Logger as GunicornLogger

from consent.times import rfc3339
from consent.web.watch import ID

SECRET = re.compile(
    r"consent_[0-9a-z]+_[\w-]+"  # API tokens
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"  # signed statements
    r"|(?<=ip=)[0-9a-f.:]+"  # callers' addresses, which gunicorn names in a bad request
    r"|(?<![\w-])[\w-]{21}[AQgw](?![\w-])"  # subject ids
)


class Plain(logging.Formatter):
    """A line for people, traces included, that carries no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRET.sub("…", super().format(record))


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


def config(level: str = "INFO", *, form: str = "lines") -> dict:
    """A dictConfig for the service and for gunicorn: one line an event, `plain` or as `lines` of JSON, to standard error."""
    logger = {"handlers": ["stderr"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"()": Plain, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
            "lines": {"()": Lines},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"consent": logger, "gunicorn.error": logger},
    }


def _told() -> dict[str, Any]:
    """The request that is being answered, where one is."""
    if not has_request_context():
        return {}
    rule = request.url_rule
    return {"request": request.environ.get(ID, ""), "route": rule.rule if rule else "other"}
