"""Tokens and roles."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import access
from consent.errors import Forbidden, Unauthorized

NOW = 1_795_000_000


@pytest.fixture
def issued():
    return access.issue(role="editor", site="shop", name="ci", now=NOW, expires_at=NOW + 60)


def test_a_token_is_known_by_its_text(issued):
    token, text = issued
    assert access.check(token, text, now=NOW) == token
    assert access.token_id(text) == token.id


def test_only_the_hash_of_the_secret_is_kept(issued):
    token, text = issued
    secret = text.split("_", 2)[2]
    assert token.hash == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(token)


def test_secrets_differ():
    made = {access.issue(role="owner", site=None, name="", now=NOW)[1] for _ in range(100)}
    assert len(made) == 100


def test_another_secret_is_refused(issued):
    token, text = issued
    with pytest.raises(Unauthorized, match="not known"):
        access.check(token, text[:-1] + ("A" if text[-1] != "A" else "B"), now=NOW)


def test_a_token_nobody_made_is_refused(issued):
    with pytest.raises(Unauthorized, match="not known"):
        access.check(None, issued[1], now=NOW)


def test_a_revoked_token_is_refused(issued):
    with pytest.raises(Unauthorized, match="revoked"):
        access.check(msgspec.structs.replace(issued[0], revoked_at=NOW), issued[1], now=NOW)


def test_a_token_ends_at_its_last_second(issued):
    token, text = issued
    assert access.check(token, text, now=NOW + 59)
    with pytest.raises(Unauthorized, match="expired"):
        access.check(token, text, now=NOW + 60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "consent",
        "consent_",
        "consent_abc",
        "consent_abc_",
        "consent__x",
        "other_abc_x",
        "consent_a-b_x",
        "consent_é_x",
    ],
)
def test_a_text_of_another_form_is_refused(text):
    with pytest.raises(Unauthorized, match="consent token create"):
        access.token_id(text)


@given(st.text() | st.text().map("consent_{0}_{0}".format))
def test_no_text_whatever_is_a_token_nobody_made(text):
    with pytest.raises(Unauthorized):
        access.token_id(text)
        access.check(None, text, now=NOW)


@pytest.mark.parametrize(
    ("held", "needed", "allowed"),
    [
        (held, needed, access.RANK[held] >= access.RANK[needed])
        for held in ("auditor", "editor", "owner")
        for needed in ("auditor", "editor", "owner")
    ],
)
def test_a_role_includes_those_below_it(held, needed, allowed):
    token, _ = access.issue(role=held, site=None, name="", now=NOW)
    if allowed:
        access.allow(token, needed, site="shop")
    else:
        with pytest.raises(Forbidden, match=f"role {needed}"):
            access.allow(token, needed, site="shop")


@pytest.mark.parametrize("site", ["other", None])
def test_a_token_of_one_site_acts_on_no_other(issued, site):
    with pytest.raises(Forbidden, match="shop"):
        access.allow(issued[0], "auditor", site=site)
