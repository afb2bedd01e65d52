"""The script at its address: in the visitor's language and regime, in the smallest form, for ever under its hash."""

import gzip
import hashlib
from base64 import urlsafe_b64encode

import brotli
import pytest

from tests.conftest import ORIGIN
from tests.test_public import BANNER, COUNTRY, HERE, client_with

__all__ = ["client_with"]


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"),
    [("br, gzip", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("identity", None, bytes)],
)
def test_the_script_comes_in_the_smallest_form_the_browser_takes(client, accepted, encoding, decode):
    answer = client.get(BANNER, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == encoding
    assert b"\n(function($){" in decode(answer.data)


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
