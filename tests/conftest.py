"""Fixtures for every test: a ledger on a fresh folder, a clock moved by hand, the application and its client."""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent import banner, policy
from consent.keyring import KeyRing
from consent.ledger import Ledger
from consent.model import Choice, Policy, Published, Script
from consent.settings import Settings, load
from consent.shape import decode, read
from consent.storage import open_storage
from consent.storage.base import Storage
from consent.web import make_app
from tests.postgres import BINARIES, Cluster, cluster

SUBJECT = "fZk3PpQ0Tz2mYw4uJr8aBg"
ORIGIN = "https://shop.example"


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, *, days: float = 0, seconds: float = 0) -> None:
        self.now += days * 86_400 + seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Those of the installation; they name the test's database, if it has one, to processes that a view begins."""
    given = {"CONSENT_DATA": str(tmp_path / "data"), "CONSENT_PUBLIC_URL": "https://consent.example.org"}
    if "database" in request.fixturenames:
        given["CONSENT_DATABASE"] = request.getfixturevalue("database")
    return load(given)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of our own."""
    if BINARIES is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("PostgreSQL is not installed: run tests/install.sh")
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of every kind."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path / 'data' / 'consent.db'}"
    return request.getfixturevalue("postgres").emptied()


@pytest.fixture(params=["sqlite", "postgresql"])
def unborn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of every kind in which nothing was ever created."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path / 'fresh' / 'consent.db'}"
        return
    with request.getfixturevalue("postgres").unborn() as url:
        yield url


ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what a test does to the file."""


@pytest.fixture
def storage(database: str) -> Iterator[Storage]:
    """Every backend, migrated and empty."""
    storage = open_storage(database)
    storage.migrate()
    yield storage
    storage.close()


MADE: dict[bytes, list[Script]] = {}


def scripts(published: Published) -> list[Script]:
    """The real scripts, compressed once a run for each policy."""
    key = policy.canonical(published)
    if key not in MADE:
        MADE[key] = banner.scripts(published)
    return MADE[key]


@pytest.fixture
def ledger(storage: Storage, settings: Settings, clock: Clock) -> Ledger:
    """A ledger with the site `shop` on its default policy."""
    ring = KeyRing(settings.data / "keys", clock=clock)
    ring.create()
    ledger = Ledger(storage, ring, issuer=settings.public_url, scripts=scripts, clock=clock)
    ledger.create_site("shop", policy.default("Shop", [ORIGIN]))
    return ledger


@pytest.fixture
def draft() -> Policy:
    """A policy with services, as an owner would write it."""
    path = Path(__file__).parent / "data" / "policy.toml"
    return policy.read(decode(path.read_bytes(), what="The policy", toml=True))


@pytest.fixture
def app(ledger: Ledger, settings: Settings):
    return make_app(settings, ledger)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def token(ledger: Ledger):
    """Make an API token: `token("editor", site="shop")` is its text."""
    from consent import access

    def make(role: str = "owner", *, site: str | None = None, expires_at: int | None = None) -> str:
        if site not in (None, "shop"):
            ledger.create_site(site, policy.default(site, ["https://other.example"]))  # type: ignore[arg-type]
        stored, text = access.issue(role=role, site=site, name="test", now=ledger.now(), expires_at=expires_at)  # type: ignore[arg-type]
        with ledger.storage.writing() as rows:
            rows.add_token(stored)
        return text

    return make


def body(**changes) -> dict:
    """The body of a choice on version 1 of the default policy, with a fresh id."""
    return {
        "id": str(uuid.uuid4()),
        "subject": SUBJECT,
        "policy": 1,
        "language": "en",
        "action": "custom",
        "surface": "banner",
        "grants": {"persistent": False, "analytics": True, "social": False},
        **changes,
    }


def choice(**changes) -> Choice:
    """The same as a checked choice."""
    return read(json.loads(json.dumps(body(**changes))), Choice, what="The choice")


ALL = {"persistent": True, "analytics": True, "social": True}
NONE = {"persistent": False, "analytics": False, "social": False}
