"""Signing in with OpenID Connect: who does not come in, and what each is told."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from consent import openid
from consent.settings import load
from consent.web.desk.openid import LONGEST
from tests.desk.openid_provider import CLIENT, RSA_KEY
from tests.desk.test_openid import (
    BEGIN,
    CALLBACK,
    acts,
    anna,
    database,
    given,
    provider,
    refused,
    returned,
    sent,
    settings,
    walk,
)

__all__ = ["anna", "database", "given", "provider", "settings"]

SENTENCES = Path(__file__).parent.parent.parent / "consent" / "templates" / "desk" / "de" / "frame.json"


def test_a_stranger_is_told_what_an_owner_may_enter(browser, crew, provider, ledger):
    told = refused(walk(browser()), 401)
    assert told == (
        "Nobody here signs in with this account. Ask an owner to enter its e-mail address or subject. "
        "The account's subject is 248289."
    )
    assert "anna" not in [person.name for person in crew.all()] and acts(ledger) == []


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_does_not_count(browser, anna, provider, verified):
    provider.account["email_verified"] = verified
    assert "is not verified" in refused(walk(browser()), 401)


@pytest.mark.parametrize("email", ["an\u212aa@example.org", "anna@example.org.evil.example", ["anna@example.org"], ""])
def test_an_address_that_only_resembles_does_not_count(browser, crew, provider, email):
    crew.add("anka", {"shop": "editor"}, account="anka@example.org")
    provider.account["email"] = email
    assert "Nobody here" in refused(walk(browser()), 401)


def test_a_return_works_once(browser, anna, provider):
    fresh = browser()
    address = returned(sent(fresh))
    assert fresh.get(address).request.path == "/admin/"
    fresh.post("/admin/sign-out")
    assert "This sign-in is over" in refused(fresh.get(address), 401)


def test_a_used_code_does_not_work_though_the_cookie_was_kept(browser, anna):
    fresh = browser()
    address = returned(sent(fresh))
    kept = fresh.client.get_cookie("consent_desk", path="/admin").value
    fresh.get(address)
    fresh.client.set_cookie("consent_desk", kept, path="/admin", secure=True)
    assert "did not take this sign-in" in refused(fresh.get(address), 401)


def test_a_return_that_another_browser_began_is_refused_and_ends_nothing(browser, anna):
    mine, other = browser(), browser()
    back, foreign = returned(sent(mine)), returned(sent(other))
    assert "another browser" in refused(mine.get(foreign), 401)
    assert "another browser" in refused(browser().get(foreign), 401)
    assert mine.get(back).request.path == "/admin/"


def test_a_return_that_took_too_long_is_refused(browser, anna, clock):
    fresh = browser()
    address = returned(sent(fresh))
    clock.forward(seconds=LONGEST)
    assert "This sign-in is over" in refused(fresh.get(address), 401)


def test_who_says_no_at_the_provider_comes_back_to_the_form(browser, anna):
    fresh = browser()
    state = parse_qs(urlsplit(sent(fresh)).query)["state"][0]
    answer = fresh.get(CALLBACK, query_string={"error": "access_denied", "state": state})
    assert "did not let you in" in refused(answer, 401)


def test_a_return_that_names_another_issuer_is_refused(browser, anna):
    fresh = browser()
    address = returned(sent(fresh))
    assert refused(fresh.get(address + "&iss=https://evil.example"), 401) == openid.FOREIGN


def forged(token: str) -> str:
    """The same token for another account, its signature kept."""
    head, _, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False}) | {"sub": "boss"}
    return f"{head}.{jwt.encode(claims, None, 'none').split('.')[1]}.{signature}"


def confused(token: str) -> str:
    """Signed with the provider's public key as if it were a secret."""
    claims = jwt.decode(token, options={"verify_signature": False})
    head, body, _ = jwt.encode(claims, RSA_KEY.public_key().public_numbers().n.to_bytes(256), "HS256").split(".")
    return f"{head}.{body}.AAAA"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"claims": {"iss": "https://evil.example"}}, openid.FOREIGN),
        ({"claims": {"aud": "another service"}}, openid.FOREIGN),
        ({"claims": {"aud": "another service", "azp": CLIENT}}, openid.FOREIGN),
        ({"claims": {"aud": [CLIENT, "another service"], "azp": "another service"}}, openid.FOREIGN),
        ({"claims": {"exp": 1_794_999_900}}, openid.LATE),
        ({"claims": {"iat": 1_795_000_500}}, openid.LATE),
        ({"claims": {"nonce": "another"}}, openid.ELSEWHERE),
        ({"claims": {"nonce": None}}, openid.ELSEWHERE),
        ({"claims": {"at_hash": "AAAA"}}, openid.ELSEWHERE),
        ({"claims": {"sub": None}}, openid.FORGED),
        ({"claims": {"exp": None}}, openid.LATE),
        ({"changed": forged}, openid.FORGED),
        ({"changed": confused}, openid.FORGED),
        ({"changed": lambda token: token[:-6] + "AAAAAA"}, openid.FORGED),
        ({"changed": lambda token: "nonsense"}, openid.FORGED),
        ({"algorithm": "HS256"}, openid.FORGED),
        ({"algorithm": "none"}, openid.FORGED),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_a_token_that_does_not_hold_signs_nobody_in(browser, anna, provider, ledger, change, told):
    vars(provider).update(change)
    fresh = browser()
    assert refused(walk(fresh), 401) == told
    assert fresh.get("/admin/").request.path == "/admin/sign-in" and acts(ledger) == []


@pytest.mark.parametrize("subject", ["", "ä", "\ud800", "x" * 256])
def test_a_subject_that_is_none_binds_nobody(browser, anna, crew, provider, subject):
    provider.account["sub"] = subject
    assert refused(walk(browser()), 503) == openid.MISFIT
    assert crew.get("anna").bound is None


@pytest.mark.parametrize(
    ("statuses", "metadata", "told"),
    [
        ({"/.well-known/openid-configuration": 503}, {}, openid.DOWN),
        ({"/.well-known/openid-configuration": 404}, {}, openid.MISFIT),
        ({}, {"issuer": "https://evil.example"}, openid.MISFIT),
        ({}, {"token_endpoint": None}, openid.MISFIT),
    ],
)
def test_a_provider_that_cannot_be_used_is_said_before_anybody_leaves(browser, provider, statuses, metadata, told):
    provider.statuses, provider.metadata = statuses, metadata
    assert refused(browser().get(BEGIN), 503) == told


def test_a_provider_that_is_gone_leaves_passwords(browser, provider):
    provider.close()
    assert refused(browser().get(BEGIN), 503) == openid.DOWN
    assert browser().sign_in("owner").request.path == "/admin/"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/token", 503, openid.DOWN),
        ("/token", 404, openid.MISFIT),
        ("/jwks", 500, openid.DOWN),
        ("/jwks", 404, openid.MISFIT),
    ],
)
def test_a_provider_that_fails_meanwhile_signs_nobody_in(browser, anna, provider, path, status, told):
    fresh = browser()
    address = returned(sent(fresh))
    provider.statuses = {path: status}
    assert refused(fresh.get(address), 503) == told


def test_a_provider_that_hangs_is_not_waited_for(browser, provider, monkeypatch):
    monkeypatch.setattr(openid, "PATIENCE", 0.2)
    monkeypatch.setattr(provider, "_about", lambda: time.sleep(1))
    assert refused(browser().get(BEGIN), 503) == openid.DOWN


def test_a_service_that_the_provider_does_not_know_is_told_to_its_operator(browser, anna, given, app, caplog):
    wrong = load(given | {"CONSENT_OIDC_CLIENT_SECRET": "wrong"})
    app.extensions["consent"] = app.extensions["consent"]._replace(settings=wrong)
    assert refused(walk(browser()), 503) == openid.MISFIT
    assert "invalid_client" in caplog.text and "wrong" not in caplog.text


def test_who_tries_often_is_slowed_down(browser, provider):
    fresh = browser()
    answers = [fresh.client.get(BEGIN).headers["Location"] for _ in range(25)]
    assert answers[0].startswith(provider.url) and not answers[-1].startswith(provider.url)
    assert "Too many requests" in refused(fresh.get(BEGIN), 429)
    assert "Too many requests" in refused([fresh.get(CALLBACK) for _ in range(25)][-1], 429)


def test_every_refusal_is_said_in_german(browser, anna, provider):
    german = json.loads(SENTENCES.read_text())
    assert set(openid.SENTENCES) <= set(german)
    provider.claims = {"nonce": "another"}
    fresh = browser()
    fresh.get("/admin/sign-in")
    fresh.post("/admin/language", language="de")
    assert refused(walk(fresh), 401) == german[openid.ELSEWHERE]
    assert "Mit Example anmelden" in fresh.get("/admin/sign-in").text
