"""The settings as one table: it feeds parsing, `consent --help`, `consent doctor` and docs/deploy.md.

They come from `CONSENT_*` environment variables or from the TOML file that `CONSENT_CONFIG` names (the same names,
lower case, without the prefix); the environment wins. A name that is not in the table is refused.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from consent import anchors
from consent.errors import BadSettings
from consent.extras import installed
from consent.shape import nearest

PREFIX = "CONSENT_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
RATE = "120/minute"


class Setting(NamedTuple):
    """One row of the table."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Parsed settings."""

    data: Path
    database: str
    public_url: str
    trusted_proxies: int
    country_header: str
    geoip: Path | None
    rate_limit: str
    """In the notation of the limits library."""
    retention_days: int
    checkpoint_seconds: int
    anchors: tuple[str, ...]
    log_requests: bool
    oidc_issuer: str
    """Empty: nobody signs in with OpenID Connect."""
    oidc_client_id: str
    oidc_client_secret: str
    oidc_client_secret_file: Path | None
    oidc_name: str
    operator: str
    demo: bool = False
    """Whether the demo site is served; `consent serve --demo` says so, no variable."""


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _optional_file(text: str) -> Path | None:
    path = _folder(text) if text else None
    if path is not None and not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    told = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    # The name of the log is made of it, and has neither spaces nor a plus sign (C2SP signed-note).
    if not told or parts.username is not None or re.search(r"[^!-*,-~]", text):
        raise ValueError("give an address such as https://consent.example.org")
    return text.rstrip("/")


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(text)

    return parse


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]*", text):
        raise ValueError("give the name of a request header such as CF-IPCountry")
    return text


def _rate(text: str) -> str:
    if text != RATE:
        import limits  # 6 MB that only the service needs

        try:
            limits.parse(text)
        except ValueError:
            raise ValueError("give a rate such as 120/minute") from None
    return text


def _issuer(text: str) -> str:
    """An issuer (OpenID Connect Discovery 1.0, section 3), as it is typed: its last slash counts."""
    parts = urlsplit(text)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if text and not (safe and parts.hostname and not parts.query and not parts.fragment and parts.username is None):
        raise ValueError("give the issuer's address, such as https://login.example.org/realms/staff")
    if text and not (installed("authlib") and installed("requests")):
        raise ValueError("this needs packages that are not installed: run `pip install 'consent[oidc]'`")
    return text


def _operator(text: str) -> str:
    if not re.fullmatch(r"[^()\x00-\x1f\x7f]{0,64}", text):
        raise ValueError("give a name of at most 64 characters, without parentheses")
    return text.strip()


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("give yes or no")
    return text == "yes"


SETTINGS = (
    Setting("data", "data", _folder, "Folder of the database and the keys."),
    Setting("database", "", str, "Database URL; empty means SQLite in the data folder (`sqlite:///…/consent.db`); `postgresql://user@host/database` needs `pip install consent[postgres]`."),
    Setting("public_url", "http://127.0.0.1:8080", _base_url, "Base URL under which browsers reach the service; the issuer of every receipt."),
    Setting("trusted_proxies", "0", _between(0, 10), "How many reverse proxies in front may be believed about the caller's address."),
    Setting("country_header", "", _header, "Request header in which a trusted proxy or CDN names the visitor's country (ISO 3166, such as `DE` or `US-CA`)."),
    Setting("geoip", "", _optional_file, "MMDB file that maps addresses to countries (needs `pip install consent[geoip]`)."),
    Setting("rate_limit", RATE, _rate, "Recordings per address and worker, in the notation of the limits library; a refusal or withdrawal is never limited."),
    Setting("retention_days", "1096", _between(1, 36500), "Days after a subject's last receipt until what is known of it is purged; a policy may say otherwise for its site."),
    Setting("checkpoint_seconds", "60", _between(1, 86400), "Seconds between checkpoints of the ledger, as long as something is new."),
    Setting("anchors", "", anchors.parse, "Where checkpoints are left too, separated by spaces: file:/path, git:/repository, https://webhook, rfc3161:https://authority (`consent[timestamp]`)."),
    Setting("log_requests", "no", _yes, "`yes`: a log line for every request, with its id, route and status, nothing of its caller."),
    Setting("oidc_issuer", "", _issuer, "OpenID provider whose accounts sign in at the desk, by its issuer's address (needs `pip install consent[oidc]`)."),
    Setting("oidc_client_id", "", str, "What the OpenID provider calls this service."),
    Setting("oidc_client_secret", "", str, "The secret that the OpenID provider gave to this service."),
    Setting("oidc_client_secret_file", "", _optional_file, "File that holds that secret, instead of the variable."),
    Setting("oidc_name", "", str, "What the button of the sign-in page calls the OpenID provider; empty means the issuer's host."),
    Setting("operator", "", _operator, "Who works on the command line, as the trail of what administrators did is to name them; nobody is named if left out."),
)  # fmt: skip


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises BadSettings naming every wrong or unknown one."""
    environ = os.environ if environ is None else environ
    given = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    config = given.pop("config", "")
    values = {**_file(config), **given}
    known = [setting.name for setting in SETTINGS]
    wrong = [_unknown(name, known, from_file=name not in given) for name in values if name not in known]
    parsed: dict[str, Any] = {}
    for setting in SETTINGS:
        try:
            parsed[setting.name] = setting.parse(str(values.get(setting.name, setting.default)))
        except ValueError as error:
            wrong.append(f"{PREFIX}{setting.name.upper()} is {values[setting.name]!r}: {error}.")
    if wrong:
        raise BadSettings(" ".join(wrong))
    parsed["database"] = parsed["database"] or f"sqlite://{parsed['data'] / 'consent.db'}"
    return Settings(**parsed | _provider(parsed))


def _provider(parsed: dict[str, Any]) -> dict[str, str]:
    """The secret and the name of the OpenID provider. Raises BadSettings where one of its settings misses another."""
    issuer, file, secret = parsed["oidc_issuer"], parsed["oidc_client_secret_file"], parsed["oidc_client_secret"]
    if file and secret:
        raise BadSettings("Set CONSENT_OIDC_CLIENT_SECRET or CONSENT_OIDC_CLIENT_SECRET_FILE, not both.")
    try:
        secret = file.read_text().strip() if file else secret
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"CONSENT_OIDC_CLIENT_SECRET_FILE is {str(file)!r}, which cannot be read: {error}.") from None
    given = (issuer, parsed["oidc_client_id"], secret)
    if any(given) and not all(given):
        right = "CONSENT_OIDC_ISSUER, CONSENT_OIDC_CLIENT_ID and CONSENT_OIDC_CLIENT_SECRET (or a file that holds it)"
        raise BadSettings(f"Signing in with OpenID Connect needs {right}: set all of them, or none.")
    return {"oidc_client_secret": secret, "oidc_name": parsed["oidc_name"] or urlsplit(issuer).hostname or ""}


def _file(config: str) -> dict[str, Any]:
    if not config:
        return {}
    try:
        return tomllib.loads(Path(config).read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"CONSENT_CONFIG names {config!r}, which cannot be read: {error}.") from None


def _unknown(name: str, known: list[str], *, from_file: bool) -> str:
    if from_file:
        return f"{name!r} in the file of CONSENT_CONFIG is not a setting{nearest(name, known) or '.'}"
    shown = nearest(PREFIX + name.upper(), [PREFIX + other.upper() for other in [*known, "config"]])
    return f"{PREFIX}{name.upper()} is not a setting{shown or '.'}"
