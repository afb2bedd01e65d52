"""One tree of errors under ConsentError.

Each class carries a code, an HTTP status and a title; each instance one sentence that tells its reader
what to do next. The web turns them into RFC 9457 problems, the command line into one line and exit code 1.
"""


class ConsentError(Exception):
    """Anything this package refuses or cannot do; `str(error)` is a whole sentence."""

    code = "error"
    status = 500
    title = "Something went wrong"

    def __init__(self, sentence: str = "", *, mistakes: "tuple[tuple[str, str], ...]" = ()) -> None:
        super().__init__(sentence or self.title)
        self.mistakes = mistakes
        """Pairs of (path in the document, what would be right); empty when the whole is at fault."""


# What a request or a command got wrong.


class Malformed(ConsentError):
    code, status, title = "malformed", 400, "The body cannot be read"


class BadQuery(ConsentError):
    code, status, title = "bad-query", 400, "A query parameter is wrong"


class BadId(ConsentError):
    code, status, title = "bad-id", 400, "An id in the address has the wrong shape"


class Invalid(ConsentError):
    code, status, title = "invalid", 422, "The document has mistakes"


class Unauthorized(ConsentError):
    code, status, title = "unauthorized", 401, "A valid token is needed"


class NotSignedIn(Unauthorized):
    code, title = "not-signed-in", "Sign in first"


class Forbidden(ConsentError):
    code, status, title = "forbidden", 403, "Not allowed"


class ForeignOrigin(Forbidden):
    code, title = "foreign-origin", "This origin may not record for the site"


class NotFound(ConsentError):
    code, status, title = "not-found", 404, "There is no such thing here"


class UnknownSite(NotFound):
    code, title = "unknown-site", "There is no such site"


class UnknownPolicy(NotFound):
    code, title = "unknown-policy", "There is no such policy version"


class UnknownReceipt(NotFound):
    code, title = "unknown-receipt", "There is no such receipt"


class UnknownTile(NotFound):
    code, title = "unknown-tile", "There is no such tile"


class NotYet(NotFound):
    code, title = "not-yet", "The next checkpoint will cover it"
    retry_after = 60
    """Seconds to wait."""


class UnknownToken(NotFound):
    code, title = "unknown-token", "There is no such token"


class UnknownPerson(NotFound):
    code, title = "unknown-person", "There is no such person"


class UnknownScript(NotFound):
    code, title = "unknown-script", "There is no such script"


class MethodNotAllowed(ConsentError):
    code, status, title = "method-not-allowed", 405, "This address does not take that method"


class Conflict(ConsentError):
    code, status, title = "conflict", 409, "This contradicts what is stored"


class NotRenderable(ConsentError):
    code, status, title = "not-renderable", 409, "The receipt cannot be said in that format"


class TooLarge(ConsentError):
    code, status, title = "too-large", 413, "The body is too large"


class UnsupportedType(ConsentError):
    code, status, title = "unsupported-type", 415, "The body has a media type that is not taken here"


class NotInstalled(ConsentError):
    code, status, title = "not-installed", 501, "A package is missing that not every installation needs"


class TooManyRequests(ConsentError):
    code, status, title = "too-many-requests", 429, "Too many requests"

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        """Seconds to wait."""


# What the installation got wrong.


class BadSettings(ConsentError):
    code, title = "bad-settings", "A setting is wrong"


class BadKeyRing(ConsentError):
    code, status, title = "bad-key-ring", 503, "The key ring cannot be used"


class NotNoted(ConsentError):
    """Something was done that the trail does not say."""

    code, title = "not-noted", "It was done, but not noted"


class BadSignature(ConsentError):
    code, title = "bad-signature", "The signature does not hold"


class BadCheckpoint(ConsentError):
    code, title = "bad-checkpoint", "The checkpoint does not hold"


class NewerDatabase(ConsentError):
    code, status, title = "newer-database", 503, "The database is from a newer version"


class PendingMigrations(ConsentError):
    code, status, title = "pending-migrations", 503, "The database has to be migrated first"


class Unavailable(ConsentError):
    code, status, title = "unavailable", 503, "The ledger cannot be written or read now"
    retry_after = 5
    """Seconds to wait."""
