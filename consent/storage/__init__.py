"""Where ledgers are kept: one module a database, chosen by the scheme of its URL.

A backend knows rows and transactions; it knows no rule, no signature and no Flask.
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from consent.errors import BadSettings
from consent.storage import sqlite
from consent.storage.base import Storage

SCHEMES: dict[str, Callable[[str], Storage]] = {
    "sqlite": lambda url: sqlite.SqliteStorage(Path(unquote(urlsplit(url).path))),
    "postgresql": lambda url: _postgres(url),
}


def open_storage(url: str) -> Storage:
    """Open the database at a URL such as `sqlite:///var/lib/consent/consent.db`.

    Raises BadSettings for a scheme nobody serves. Nothing is created before `migrate`.
    """
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        raise BadSettings(
            f"CONSENT_DATABASE is {url.split('@')[-1]!r}; use {' or '.join(f'{one}://…' for one in SCHEMES)}"
        )
    return SCHEMES[scheme](url)


def named(url: str) -> str:
    """A database's URL as it may be shown: without user, password and options."""
    shown = re.fullmatch(r"(\w+://)(?:[^@/?]*@)?([^@?]*)(\?.*)?", url)
    return f"{shown[1]}{shown[2]}" if shown else f"{url.partition(':')[0]}://…"


def _postgres(url: str) -> Storage:
    try:
        from consent.storage.postgres import PostgresStorage
    except ImportError as error:
        raise BadSettings("A PostgreSQL database needs `pip install 'consent[postgres]'`.") from error
    return PostgresStorage(url)
