"""consent: self-hosted cookie consent with receipts that anyone can verify. Wiring only."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from consent.ledger import Ledger
    from consent.settings import Settings

__version__ = "0.1.0"


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The WSGI application. Imports Flask only here: a website's server imports `consent.client` without it."""
    from consent.settings import load
    from consent.web import make_app

    settings = settings or load()
    return make_app(settings, open_ledger(settings))


def open_ledger(settings: "Settings") -> "Ledger":
    """The ledger of an installation. Makes the first key of a new one; lost keys are never replaced silently."""
    from consent.banner import scripts
    from consent.errors import Unavailable
    from consent.keyring import KeyRing
    from consent.ledger import Ledger
    from consent.storage import open_storage

    ring, storage = KeyRing(settings.data / "keys"), open_storage(settings.database)
    with suppress(Unavailable):
        if storage.is_empty():
            ring.create()
    return Ledger(storage, ring, issuer=settings.public_url, scripts=scripts)
