"""For any WSGI server: `gunicorn wsgi:app`."""

from consent import create_app

app = create_app()
