"""How often a sign-in may be tried. Its rule: a stranger who guesses is slowed down, the owner is never locked out.

A browser that signed in before holds a device cookie (OWASP, "Slow down online guessing attacks with device cookies")
and has a count of its own, whatever strangers try under the same name. Somebody who comes with a new browser while
strangers guess has a way in that no guess spoils: a one-time password, which another owner or the command line hands out.
"""

from consent.web.rate import RateLimit

BY_ADDRESS = "20/10minutes"
BY_NAME = "30/hour"
BY_DEVICE = "10/10minutes"


class Throttle:
    """The counts of one process."""

    def __init__(self) -> None:
        self._addresses = RateLimit(BY_ADDRESS)
        self._names = RateLimit(BY_NAME)
        self._devices = RateLimit(BY_DEVICE)

    def hit(self, address: str | None, name: str, device: str) -> None:
        """Count one try. Raises TooManyRequests.

        `device` is the cookie's id, empty without one; `name` is empty for a try that no guess can make, whose answer
        the many tries of others must not spoil.
        """
        if device:
            self._devices.hit(None, what=device)
            return
        self.hit_address(address, "sign-in")
        if name:
            self._names.hit(None, what=name)

    def hit_address(self, address: str | None, what: str) -> None:
        """Count one try by somebody whose name is known only afterwards. Raises TooManyRequests."""
        self._addresses.hit(address, what=what)
