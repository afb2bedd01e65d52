"""Log lines without secrets: subject ids, tokens and signed statements are cut out of whatever is logged."""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

SECRET = re.compile(
    r"consent_[0-9a-z]+_[\w-]+"  # API tokens
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"  # signed statements
    r"|(?<=ip=)[0-9a-f.:]+"  # callers' addresses, which gunicorn names in a bad request
    r"|(?<![\w-])[\w-]{21}[AQgw](?![\w-])"  # subject ids
)


class Redacting(logging.Formatter):
    """A formatter whose output, traces included, carries no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRET.sub("…", super().format(record))


class Logger(GunicornLogger):
    """gunicorn's logger without an access log."""

    def access(self, *_: Any) -> None:
        """Nothing about who asked for what is written."""


def config(level: str = "INFO") -> dict:
    """A dictConfig for the service and for gunicorn: one line an event, to standard error."""
    logger = {"handlers": ["stderr"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"()": Redacting, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"consent": logger, "gunicorn.error": logger},
    }
