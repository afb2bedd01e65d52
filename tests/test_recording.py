"""Recording a choice over HTTP: who may, what is refused and why, and how often."""

import json
from base64 import urlsafe_b64decode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import ALL, NONE, ORIGIN, body
from tests.test_public import HERE, RECEIPTS, client_with, post

__all__ = ["client_with"]


def paths(answer) -> set[str]:
    return {error["path"] for error in answer.json["errors"]}


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


NESTED = {"lists": b"[" * 8000, "tables": b'{"x":' * 1500, "a field": b'{"grants":{"a":' + b"[" * 4000}


@pytest.mark.parametrize("data", NESTED.values(), ids=list(NESTED))
def test_a_bottomless_body_is_malformed(client, data):
    answer = client.post(RECEIPTS, data=data, headers=HERE, content_type="application/json")
    assert answer.status_code == 400 and answer.json["type"].endswith("#malformed")


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
