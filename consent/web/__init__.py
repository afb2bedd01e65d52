"""The HTTP service. With the command line the only place that knows a framework."""

import logging

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from consent import shape
from consent.banner import code_hash
from consent.errors import ConsentError, Unavailable
from consent.ledger import Ledger
from consent.settings import Settings
from consent.web import (
    admin_api,
    cors,
    counts,
    demo,
    desk,
    docs,
    metrics,
    proofs,
    public,
    responses,
    statistics,
    trail_api,
)
from consent.web.place import Places
from consent.web.prefix import Prefix
from consent.web.quick import Quick
from consent.web.rate import RateLimit
from consent.web.service import BODY_BYTES, Service
from consent.web.sightings import Sightings
from consent.web.watch import Watch

log = logging.getLogger("consent")


def make_app(settings: Settings, ledger: Ledger) -> Flask:
    """The application around a ledger."""
    shape.plan()  # before a server makes threads
    app = Flask("consent", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    places = Places(settings.country_header, settings.geoip)
    counted = counts.counts(settings)
    ledger.watch = counted
    limit, seen = RateLimit(settings.rate_limit), Sightings(ledger)
    service = Service(ledger, settings, places, limit, cors.Cors(app), seen, counted)
    app.extensions["consent"] = service
    register(app, with_demo=settings.demo)
    desk.register(app, ledger)
    quick = app.extensions["consent.quick"] = Quick(app.wsgi_app, service)
    app.wsgi_app = quick  # type: ignore[method-assign,assignment]
    _behind_proxies(app, settings)
    believes, logs = settings.trusted_proxies > 0, settings.log_requests
    app.wsgi_app = Watch(app.wsgi_app, counted, believes=believes, logs=logs)  # type: ignore[method-assign,assignment]
    _prepare(ledger)
    return app


def register(app: Flask, *, with_demo: bool) -> None:
    """Mount every address."""
    responses.register(app)
    app.register_blueprint(public.blueprint)
    app.register_blueprint(proofs.blueprint)
    app.register_blueprint(admin_api.blueprint)
    app.register_blueprint(statistics.blueprint)
    app.register_blueprint(trail_api.blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(metrics.blueprint)
    if with_demo:
        app.register_blueprint(demo.blueprint)

    @app.after_request
    def share(response: Response) -> Response:
        return cors.share(response)


def _behind_proxies(app: Flask, settings: Settings) -> None:
    app.wsgi_app = Prefix(app.wsgi_app, settings.public_url)  # type: ignore[method-assign]
    if count := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, count, count, count, count, count)  # type: ignore[method-assign]


def _prepare(ledger: Ledger) -> None:
    """Create an empty database, and bring scripts up to date; a database that cannot be used yet is no reason to die."""
    try:
        if ledger.storage.is_empty():
            ledger.storage.migrate()
        for site in ledger.refresh_scripts(code_hash()):
            log.info("made the banner of site %s anew", site)
    except Unavailable as error:
        log.error("%s Requests are answered with 503 until it can.", error)
    except ConsentError as error:
        log.error("%s", error)
    ledger.storage.close()  # a connection or a lock must not live on across a fork (gunicorn --preload)
