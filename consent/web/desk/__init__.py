"""The administrators' desk under /admin/: pages made on the server, that read and export without JavaScript.

`frame` holds what every page has in common; each other module is one room of the desk.
"""

from flask import Flask

from consent.ledger import Ledger
from consent.web.desk import (
    account,
    ahead,
    designer,
    designer_preview,
    designer_publish,
    exports,
    frame,
    health,
    home,
    install,
    openid,
    overview,
    people,
    receipt,
    receipts,
    requests,
    settings,
    shown,
    signing,
    tokens,
    trail,
    written,
)
from consent.web.desk.frame import Desk

ROOMS = (
    signing, openid, account, home, overview, receipts, receipt, shown, designer, designer_preview, designer_publish, install, exports,
    requests, settings, people, tokens, trail, health, written,
)  # fmt: skip
"""Each adds its pages to `frame.blueprint` when it is imported."""


def register(app: Flask, ledger: Ledger) -> None:
    """Mount the desk."""
    app.extensions["consent.desk"] = Desk.of(ledger)
    frame.prepare(app)
    ahead.prepare(app)
    app.register_blueprint(frame.blueprint)
