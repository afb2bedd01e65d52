"""Log lines without secrets or personal data.

Subject ids, tokens, signed statements and addresses are cut out of whatever is logged.
"""

import logging
import re

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


FORMS = {
    "plain": {"()": Plain, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    "lines": {"()": "consent.web.logs.Lines"},
}
"""Lines for people and for machines; what the latter need is imported where they are wanted."""


def config(level: str = "INFO", *, form: str = "lines") -> dict:
    """A dictConfig for the service and for gunicorn: one line an event, `plain` or as `lines` of JSON, to standard error."""
    logger = {"handlers": ["stderr"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {form: FORMS[form]},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"consent": logger, "gunicorn.error": logger},
    }
