"""What is wrong with a draft, in the reader's language. Its rule: a sentence that is not known here is told in English."""

from consent.web.desk.words import reworded

MISTAKES = (
    "is missing",
    "is not known here",
    "is not known here; did you mean {near}?",
    "must be a table, not {found}",
    "must be a list, not {found}",
    "must have at least {count} item",
    "must have at most {count} items",
    "must be unique; {id} stands at {place} already",
    "must be unique; {id} stands there already",
    "must be another one; {id} is a column of the export already",
    "must be one of the categories {list}; did you mean {near}?",
    "must be one of the categories {list}",
    "must be one of the policy's languages {list}",
    "is missing; the catalogue has no {id}; did you mean {near}?",
    "is missing; the catalogue has no {id}",
    "is missing; of {list} this policy has none",
    "is missing; {id} has no built-in words",
    "must be the path of a function, for example fbq or _paq.push",
    "must hold only text, numbers, true, false, lists and tables",
    "must have a host, or a path of at least 6 fixed characters",
    "must have words in at least one language",
    "must have no control characters",
    "must be an http or https address",
    "must have an IPv6 address between its brackets",
    "may have any port only on localhost or 127.0.0.1",
    "must have a port up to 65535",
    "need {size} bytes of cookie, {most} is the most: shorten ids or join categories",
    "needs a contrast of {least}:1 for {purpose}, and {front} {one} on {back} {other} has {found}:1",
    "must show something where not everybody is asked first, not 'none'",
    "must be left out with the layout {layout}",
    "must be one of {list} with the layout {layout}",
    "must be {right}, for example {example}, not {found}",
    "must be {right}, not {found}",
    "must be of lower-case letters, digits and . _ @ + -, 64 at most",
    "must have {least} to {most} characters",
)
"""What `policy.read` says of a mistake, the more special first."""
TRANSLATED = ("right", "purpose", "found")
RIGHTS = (
    "text of {least} to {most} characters",
    "a whole number from {least} to {most}",
    "one of {list}",
)


def said(message: str) -> str:
    """A mistake in the reader's language; a sentence may hold several."""
    return reworded(message, MISTAKES, dict.fromkeys(TRANSLATED, _right))


def _right(text: str) -> str:
    return reworded(text, RIGHTS)
