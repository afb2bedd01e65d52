"""The addresses for browsers, from the outside: showing, state, history, places, and what every answer has in common."""

import hashlib
import sqlite3
from base64 import urlsafe_b64encode

import pytest

from consent.settings import load
from consent.web import make_app
from tests.conftest import ALL, NONE, ON_SQLITE, ORIGIN, SUBJECT, body

HERE = {"Origin": ORIGIN}
RECEIPTS = "/sites/shop/receipts"
BANNER = "/sites/shop/banner.js"
COUNTRY = {"CONSENT_COUNTRY_HEADER": "CF-IPCountry"}


@pytest.fixture
def client_with(ledger, settings):
    """A client of the same ledger under other settings."""

    def make(**environ):
        given = {"CONSENT_DATA": str(settings.data), "CONSENT_PUBLIC_URL": settings.public_url, **environ}
        return make_app(load(given), ledger).test_client()

    return make


def post(client, document, headers=HERE):
    return client.post(RECEIPTS, json=document, headers=headers)


# Showing, state, history, erasure.


def test_a_display_is_counted_without_an_identifier(client, ledger):
    for _ in range(2):
        document = {"policy": 1, "language": "en", "surface": "banner"}
        assert client.post("/sites/shop/displays", json=document, headers=HERE).status_code == 204
    [(shown, count)] = ledger.storage.reading().tallies("shop", "2000-01-01", "3000-01-01")
    assert (shown.action, shown.language, shown.regime, count) == ("shown", "en", "opt-in", 2)


@pytest.mark.parametrize("changes", [{"policy": 9}, {"language": "xx"}, {"subject": SUBJECT}])
def test_a_display_that_does_not_fit_is_refused(client, changes):
    document = {"policy": 1, "language": "en", "surface": "banner", **changes}
    assert client.post("/sites/shop/displays", json=document, headers=HERE).status_code == 422


def test_a_subject_never_seen_is_unknown(client):
    state = client.get(f"/sites/shop/subjects/{SUBJECT}/state").json
    assert (state["status"], state["subject"], state["grants"]["analytics"]) == ("unknown", SUBJECT, False)


def test_the_state_is_that_of_the_last_choice(client):
    post(client, body(action="accept_all", grants=ALL))
    post(client, body(action="withdraw", grants=NONE))
    assert client.get(f"/sites/shop/subjects/{SUBJECT}/state").json["status"] == "withdrawn"


def test_history_is_newest_first_and_chained(client):
    first, second = post(client, body()).json["receipt"], post(client, body()).json["receipt"]
    items = client.get(f"/sites/shop/subjects/{SUBJECT}/receipts").json["items"]
    assert [item["receipt"] for item in items] == [second, first]
    assert items[0]["claims"]["consent"]["previous"] == items[1]["claims"]["jti"]


def test_an_erased_subject_is_unknown_and_has_no_receipts(client):
    id = body()["id"]
    post(client, body(id=id))
    assert client.delete(f"/sites/shop/subjects/{SUBJECT}").status_code == 204
    assert client.get(f"/sites/shop/subjects/{SUBJECT}/state").json["status"] == "unknown"
    assert client.get(f"/sites/shop/receipts/{id}").status_code == 404


@pytest.mark.parametrize(
    ("accept", "media_type"), [("*/*", "application/jwt"), ("application/json", "application/json")]
)
def test_a_receipt_comes_signed_or_as_claims(client, accept, media_type):
    document = body()
    token = post(client, document).json["receipt"]
    answer = client.get(f"{RECEIPTS}/{document['id']}", headers={"Accept": accept})
    assert answer.mimetype == media_type
    assert answer.data.decode() == token or answer.json["jti"] == document["id"]


@pytest.mark.parametrize("path", ["subjects/short/state", "subjects/short/receipts", "receipts/nonsense"])
def test_an_id_of_the_wrong_shape_is_named(client, path):
    answer = client.get(f"/sites/shop/{path}")
    assert answer.status_code == 400 and answer.json["type"].endswith("#bad-id")


def test_a_policy_is_answered_as_the_bytes_its_hash_is_over(client):
    receipt = post(client, body()).json["receipt"]
    from consent.receipts import receipt as claims

    document = client.get("/sites/shop/policies/1").data
    name = "sha256-" + urlsafe_b64encode(hashlib.sha256(document).digest()).rstrip(b"=").decode()
    assert claims(receipt).consent.policy_hash == name


# Places.


def test_the_receipt_names_the_regime_and_its_reason(client_with, ledger, draft):
    ledger.publish("shop", draft)
    grants = {"analytics": True, "social": False, "chat": False}
    document = body(policy=2, grants=grants)
    client = client_with(**COUNTRY)
    post(client, document, {**HERE, "CF-IPCountry": "US-CA"})
    consent = client.get(f"{RECEIPTS}/{document['id']}", headers={"Accept": "application/json"}).json["consent"]
    assert (consent["regime"], consent["regime_basis"], consent["country"]) == ("opt-out", "region", "US")


def test_a_display_is_counted_under_its_place(client_with, ledger, draft):
    ledger.publish("shop", draft)
    document = {"policy": 2, "language": "en", "surface": "banner"}
    headers = {**HERE, "CF-IPCountry": "US-CA"}
    assert client_with(**COUNTRY).post("/sites/shop/displays", json=document, headers=headers).status_code == 204
    [(shown, count)] = ledger.storage.reading().tallies("shop", "2000-01-01", "3000-01-01")
    assert (shown.country, shown.regime, count) == ("US", "opt-out", 1)


def test_a_place_is_found_in_an_mmdb_file(client_with, ledger, draft, tmp_path):
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter()
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "BR"}})
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    ledger.publish("shop", draft)
    client = client_with(CONSENT_GEOIP=str(tmp_path / "places.mmdb"))
    headers = {"Accept-Encoding": "identity"}
    answer = client.get(BANNER, headers=headers, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert b'"regime":"notice"' in answer.data and answer.headers["Cache-Control"].startswith("private")


# What every answer has in common.


@pytest.mark.parametrize("origin", [ORIGIN, "https://a.shop.example", "https://a.b.shop.example"])
def test_cors_answers_the_sites_own_origins(client, ledger, draft, origin):
    ledger.publish("shop", draft)
    answer = client.get(f"/sites/shop/subjects/{SUBJECT}/state", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin and "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://notshop.example", "https://shop.example:444"]
)
def test_cors_does_not_answer_others(client, origin):
    answer = client.get(f"/sites/shop/subjects/{SUBJECT}/state", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_preflight_is_answered_for_json(client):
    asked = {**HERE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    headers = client.options(RECEIPTS, headers=asked).headers
    assert headers["Access-Control-Allow-Origin"] == ORIGIN and "POST" in headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    "path", [BANNER, "/healthz", "/nope", "/docs", "/openapi.json", "/.well-known/jwks.json", "/api/sites"]
)
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"] and "Set-Cookie" not in headers


@pytest.mark.parametrize("path", ["/consent/healthz", "/healthz"])
def test_a_base_url_with_a_path_works_whether_or_not_the_proxy_strips_it(client_with, path):
    client = client_with(CONSENT_PUBLIC_URL="https://shop.example/consent")
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/consent/docs", "/docs"])
def test_links_keep_the_prefix_that_the_proxy_strips(client_with, path):
    client = client_with(CONSENT_PUBLIC_URL="https://shop.example/consent")
    assert 'href="/consent/docs.css"' in client.get(path).text


def test_a_wrong_method_is_told_which_are_right(client):
    answer = client.put(RECEIPTS)
    assert answer.status_code == 405 and answer.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_probes_answer(client, path):
    assert client.get(path).status_code == 200


def test_gpc_says_that_the_service_abides(client):
    assert client.get("/.well-known/gpc.json").json["gpc"] is True


def test_the_key_set_is_for_everybody(client):
    answer = client.get("/.well-known/jwks.json", headers={"Origin": "https://auditor.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(answer.json["keys"][0]) == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize("version", ["0", "2", "9999999999", "9" * 30])
def test_a_version_that_was_never_published_is_not_found(client, version):
    answer = client.get(f"/sites/shop/policies/{version}")
    assert answer.status_code == 404 and answer.json["type"].endswith("#unknown-policy")


# What is wrong with the installation.


@ON_SQLITE
def test_a_database_from_a_newer_version_is_not_ready(client, ledger):
    with sqlite3.connect(ledger.storage.path) as db:
        db.execute("UPDATE _sqlite_migrations SET name = 'm999_later' WHERE name = 'm005_tree'")
    db.close()
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json["type"].endswith("#newer-database")


def test_a_corrupted_key_file_is_named_and_nothing_is_recorded(client, ledger):
    _corrupt(ledger)
    answer = post(client, body())
    assert answer.json["type"].endswith("#bad-key-ring") and ledger.history("shop", SUBJECT) == []


def test_a_corrupted_key_file_is_no_500(client, ledger):
    _corrupt(ledger)
    assert post(client, body()).status_code == 503


def test_a_corrupted_key_file_tells_the_caller_no_path(client, ledger):
    _corrupt(ledger)
    assert str(ledger.ring.folder) not in post(client, body()).text


def _corrupt(ledger) -> None:
    (key,) = ledger.ring.folder.glob("*.pem")
    key.unlink()
    key.write_text("no key")
