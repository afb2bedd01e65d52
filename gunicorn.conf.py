"""Production defaults, read by `gunicorn wsgi:app`; `consent serve` uses the same (consent/web/serve.py says why)."""

from consent.web.serve import DEFAULTS

globals().update(DEFAULTS)
