"""The addresses for browsers, from the outside."""

import gzip
import hashlib
import json
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode

import brotli
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

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


def paths(answer) -> set[str]:
    return {error["path"] for error in answer.json["errors"]}


# The script.


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"),
    [("br, gzip", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("identity", None, bytes)],
)
def test_the_script_comes_in_the_smallest_form_the_browser_takes(client, accepted, encoding, decode):
    answer = client.get(BANNER, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == encoding
    assert b"\n(function(__CONSENT__){" in decode(answer.data)


def test_the_script_has_the_cache_headers_of_the_contract(client):
    headers = client.get(BANNER).headers
    assert headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
    assert headers["ETag"].startswith('"sha256-') and "W/" not in headers["ETag"]


def test_the_etag_gives_304_for_the_same_encoding_only(client):
    etag = client.get(BANNER, headers={"Accept-Encoding": "br"}).headers["ETag"]
    same = client.get(BANNER, headers={"Accept-Encoding": "br", "If-None-Match": etag})
    other = client.get(BANNER, headers={"Accept-Encoding": "gzip", "If-None-Match": etag})
    assert (same.status_code, same.data, other.status_code) == (304, b"", 200)


def test_the_script_varies_by_language_unless_one_is_forced(client):
    assert "Accept-Language" in client.get(BANNER).headers["Vary"]
    assert "Accept-Language" not in client.get(BANNER + "?lang=de").headers["Vary"]


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "de-AT,en;q=0.5", "de"),
        ("", "xx", "en"),
        ("?lang=fr", "de", "fr"),
        ("?lang=de-CH", "en", "de"),
        ("", "", "en"),
    ],
)
def test_the_script_speaks_the_visitors_language(client, query, header, language):
    answer = client.get(BANNER + query, headers={"Accept-Language": header, "Accept-Encoding": "identity"})
    assert f'"language":"{language}"'.encode() in answer.data


def test_a_language_the_policy_does_not_have_is_refused(client):
    assert client.get(BANNER + "?lang=xx").json["type"].endswith("#bad-query")


def test_the_script_varies_by_place_only_where_the_policy_does(client_with, ledger, draft):
    client = client_with(**COUNTRY)
    assert "CF-IPCountry" not in client.get(BANNER).headers["Vary"]
    ledger.publish("shop", draft)
    assert "CF-IPCountry" in client.get(BANNER).headers["Vary"]


@pytest.mark.parametrize(
    ("country", "regime"), [("US", "opt-out"), ("BR", "notice"), ("DE", "opt-in"), (None, "opt-in"), ("XX", "opt-in")]
)
def test_the_regime_follows_the_place_and_an_unknown_place_is_asked_first(client_with, ledger, draft, country, regime):
    ledger.publish("shop", draft)
    headers = {"Accept-Encoding": "identity", **({"CF-IPCountry": country} if country else {})}
    assert f'"regime":"{regime}"'.encode() in client_with(**COUNTRY).get(BANNER, headers=headers).data


def test_the_script_is_kept_for_ever_under_its_hash(client, ledger, draft):
    script = client.get(BANNER, headers={"Accept-Encoding": "identity"}).data
    name = urlsafe_b64encode(hashlib.sha256(script).digest()).rstrip(b"=").decode()
    ledger.publish("shop", draft)
    kept = client.get(f"/sites/shop/banner.{name}.js", headers={"Accept-Encoding": "identity", **HERE})
    assert kept.data == script and "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("name", ["0" * 43, "nonsense", "ä"])
def test_a_hash_that_was_never_served_is_not_found(client, name):
    assert client.get(f"/sites/shop/banner.{name}.js").json["type"].endswith("#unknown-script")


# Recording.


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "text/plain;charset=UTF-8"])
def test_a_choice_is_recorded_in_both_media_types(client, media_type):
    answer = client.post(RECEIPTS, data=json.dumps(body()), content_type=media_type, headers=HERE)
    assert answer.status_code == 201 and answer.json["state"]["status"] == "partial"


@pytest.mark.parametrize(
    ("header", "said", "recorded"),
    [
        ("1", {}, {"gpc": True}),
        ("1", {"gpc": False}, {"gpc": False}),
        ("0", {}, {}),
        (None, {"gpc": True}, {"gpc": True}),
    ],
)
def test_global_privacy_control_is_heard_in_the_header_too(client, header, said, recorded):
    headers = {"Origin": ORIGIN, **({"Sec-GPC": header} if header else {})}
    answer = client.post("/sites/shop/receipts", json=body(signals=said), headers=headers)
    claims = json.loads(urlsafe_b64decode(answer.json["receipt"].split(".")[1] + "=="))
    assert claims["consent"]["signals"] == recorded


def test_the_same_choice_again_gets_the_same_receipt(client):
    document = body()
    first, again = post(client, document), post(client, document)
    assert (first.status_code, again.status_code) == (201, 200) and first.json["receipt"] == again.json["receipt"]


def test_an_id_with_other_content_is_a_conflict(client):
    document = body()
    post(client, document)
    assert post(client, {**document, "surface": "preferences"}).status_code == 409


def test_a_version_that_was_ever_published_is_accepted(client, ledger, draft):
    ledger.publish("shop", draft)
    answer = post(client, body(policy=1))
    assert answer.status_code == 201 and answer.json["state"]["status"] == "outdated"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"policy": 9}, "policy"),
        ({"policy": 0}, "policy"),
        ({"policy": "1"}, "policy"),
        ({"id": "nonsense"}, "id"),
        ({"id": "019AB1C2-77AA-7BBB-8CCC-0123456789AB"}, "id"),
        ({"subject": "short"}, "subject"),
        ({"subject": "fZk3PpQ0Tz2mYw4uJr8aBh"}, "subject"),
        ({"language": "tlh"}, "language"),
        ({"action": "accept"}, "action"),
        ({"surface": "wall"}, "surface"),
        ({"grants": {"persistent": True}}, "grants.analytics"),
        ({"grants": {**NONE, "session": True}}, "grants.session"),
        ({"grants": {**NONE, "adverts": True}}, "grants.adverts"),
        ({"grants": {**NONE, "social": "yes"}}, "grants.social"),
        ({"services": {"hotjar": False}}, "services.hotjar"),
        ({"action": "accept_all"}, "action"),
        ({"action": "reject_all"}, "action"),
        ({"action": "withdraw"}, "action"),
        ({"decided_at": "yesterday"}, "decided_at"),
        ({"decided_at": "2026-11-23T18:46:00"}, "decided_at"),
        ({"decided_at": "0001-01-01T00:00:00+23:59"}, "decided_at"),
        ({"decided_at": "9999-12-31T23:59:59-23:59"}, "decided_at"),
        ({"signals": {"dnt": True}}, "signals.dnt"),
        ({"ip": "192.0.2.1"}, "ip"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(client, changes, path):
    answer = post(client, body(**changes))
    assert answer.status_code == 422 and path in paths(answer)


def test_a_missing_field_is_named(client):
    document = body()
    del document["subject"]
    assert paths(post(client, document)) == {"subject"}


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"id": NaN}', b"null garbage", b"[" * 8000])
def test_a_body_that_is_not_json_is_malformed(client, data):
    answer = client.post(RECEIPTS, data=data, content_type="application/json", headers=HERE)
    assert answer.status_code == 400 and answer.json["type"].endswith("#malformed")


@pytest.mark.parametrize("document", [[], "text", 3, {}])
def test_json_of_another_shape_is_invalid(client, document):
    assert post(client, document).status_code == 422


@pytest.mark.parametrize("media_type", ["application/xml", "multipart/form-data", ""])
def test_another_media_type_is_unsupported(client, media_type):
    answer = client.post(RECEIPTS, data=json.dumps(body()), content_type=media_type, headers=HERE)
    assert answer.status_code == 415


def test_more_than_8_kib_is_too_large(client):
    assert post(client, body(language="x" * 9000)).status_code == 413


def test_an_unannounced_long_body_is_too_large(client):
    from io import BytesIO

    answer = client.post(
        RECEIPTS,
        input_stream=BytesIO(b" " * 9000 + json.dumps(body()).encode()),
        content_type="application/json",
        headers=HERE,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "origin", [None, "https://evil.example", "null", "http://shop.example", "https://shop.example.evil.example"]
)
def test_a_foreign_or_missing_origin_may_not_record(client, origin):
    answer = post(client, body(), {"Origin": origin} if origin else {})
    assert answer.status_code == 403 and "Access-Control-Allow-Origin" not in answer.headers


def test_a_site_that_is_not_there_is_not_found(client):
    assert client.post("/sites/nope/receipts", json=body(), headers=HERE).status_code == 404


@pytest.mark.parametrize(
    ("role", "site", "status"),
    [("editor", "shop", 201), ("owner", None, 201), ("auditor", "shop", 403), ("editor", "other", 403)],
)
def test_a_server_records_with_a_token_instead_of_an_origin(client, token, role, site, status):
    headers = {"Authorization": f"Bearer {token(role, site=site)}"}
    assert post(client, body(surface="api"), headers).status_code == status


def test_a_forged_token_is_refused(client, token):
    assert post(client, body(), {"Authorization": f"Bearer {token()[:-1]}x"}).status_code == 401


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_whatever_are_a_fault_of_ours(client, data):
    answer = client.post(RECEIPTS, data=data, content_type="text/plain", headers=HERE)
    assert answer.status_code in (400, 422)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.sampled_from(sorted(body())), ANYTHING)
def test_no_value_whatever_is_a_fault_of_ours(client, field, value):
    document = {**body(), field: value}
    assert post(client, document).status_code in (201, 409, 413, 422, 429)


# Limits.


def test_too_many_choices_are_asked_to_wait(client_with):
    client = client_with(CONSENT_RATE_LIMIT="3/hour")
    answers = [post(client, body()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("action", ["reject_all", "withdraw", "custom"])
def test_a_refusal_is_never_one_too_many(client_with, action):
    client = client_with(CONSENT_RATE_LIMIT="1/hour")
    answers = {post(client, body(action=action, grants=NONE)).status_code for _ in range(5)}
    assert answers == {201}


def test_a_withdrawal_right_after_too_many_grants_is_recorded(client_with):
    client = client_with(CONSENT_RATE_LIMIT="1/hour")
    for _ in range(3):
        post(client, body(action="accept_all", grants=ALL))
    assert post(client, body(action="withdraw", grants=NONE)).json["state"]["status"] == "withdrawn"


def test_a_trusted_proxy_tells_visitors_apart(client_with):
    client = client_with(CONSENT_RATE_LIMIT="1/hour", CONSENT_TRUSTED_PROXIES="1")
    answers = [post(client, body(), {**HERE, "X-Forwarded-For": f"192.0.2.{number}"}) for number in range(3)]
    assert {answer.status_code for answer in answers} == {201}


def test_without_a_trusted_proxy_the_header_is_not_believed(client_with):
    client = client_with(CONSENT_RATE_LIMIT="1/hour")
    answers = [post(client, body(), {**HERE, "X-Forwarded-For": f"192.0.2.{number}"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 429, 429]


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


NESTED = {"lists": b"[" * 8000, "tables": b'{"x":' * 1500, "a field": b'{"grants":{"a":' + b"[" * 4000}


@pytest.mark.parametrize("data", NESTED.values(), ids=list(NESTED))
def test_a_bottomless_body_is_malformed(client, data):
    answer = client.post(RECEIPTS, data=data, headers=HERE, content_type="application/json")
    assert answer.status_code == 400 and answer.json["type"].endswith("#malformed")


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
