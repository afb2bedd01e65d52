"""How the desk writes times and numbers. Its rule: a number stays in one line, and a decimal is the reader's language's."""

from consent.times import rfc3339
from consent.web.desk import words
from consent.web.desk.frame import blueprint


@blueprint.app_template_filter()
def day(seconds: int) -> str:
    """A time as its day, in UTC."""
    return (rfc3339(seconds) or "")[:10]


@blueprint.app_template_filter()
def minute(seconds: int) -> str:
    """A time to the minute, in UTC."""
    return (rfc3339(seconds) or "")[:16].replace("T", " ")


@blueprint.app_template_filter()
def second(seconds: int) -> str:
    """A time to the second, in UTC."""
    return (rfc3339(seconds) or "")[:19].replace("T", " ")


@blueprint.app_template_filter()
def grouped(number: int) -> str:
    """A number with its thousands apart, as every language reads it (ISO 80000-1, section 7.3.1)."""
    return f"{number:,}".replace(",", "\u202f")


@blueprint.app_template_filter()
def decimal(number: float, form: str = ".1f") -> str:
    """A number with one decimal."""
    written = f"{number:{form}}"
    return written.replace(".", ",") if words.language() == "de" else written


@blueprint.app_template_filter()
def percent(share: float) -> str:
    """A share (0 to 1) in per cent."""
    return f"{decimal(share * 100)}\u00a0%"


@blueprint.app_template_filter()
def points(change: float) -> str:
    """A change of a share (-1 to 1) in percentage points, with its sign."""
    return decimal(change * 100, "+.1f").replace("-", "\u2212")
