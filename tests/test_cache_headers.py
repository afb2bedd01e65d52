"""The headers by which browsers and caches keep the script, each and no other."""

import gzip
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

import brotli
import pytest

from tests.conftest import ON_SQLITE, ORIGIN

BANNER = "/sites/shop/banner.js"
CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
FOR_EVER = "public, max-age=31536000, immutable"
DECODE: dict[str | None, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
PLAIN = {"Accept-Encoding": "identity"}
SECURE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": "max-age=31536000",
}


def address_of(script: bytes) -> str:
    """Where a script is for ever."""
    return f"/sites/shop/banner.{urlsafe_b64encode(sha256(script).digest()).rstrip(b'=').decode()}.js"


def headers_of(answer) -> dict[str, str]:
    """Every header but those that tell of the request."""
    return {name: value for name, value in answer.headers if name not in ("X-Request-ID", "Content-Length", "Date")}


@ON_SQLITE
@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None)])
def test_the_script_has_these_headers_and_no_other(client, accepted, encoding):
    expected = {
        **SECURE,
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": CACHE_CONTROL,
        "Vary": "Accept-Encoding, Accept-Language",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    for _ in range(2):  # by Flask, then the short way
        answer = client.get(BANNER, headers={"Accept-Encoding": accepted})
        found = headers_of(answer)
        digest = sha256(DECODE[encoding](answer.data)).digest()
        etag = f'"sha256-{urlsafe_b64encode(digest).rstrip(b"=").decode()}-{encoding or "identity"}"'
        assert found.pop("ETag") == etag and found.pop("Content-Encoding", None) == encoding
        assert found == expected and int(answer.headers["Content-Length"]) == len(answer.data)
        unchanged = client.get(BANNER, headers={"Accept-Encoding": accepted, "If-None-Match": etag})
        assert unchanged.status_code == 304 and headers_of(unchanged) == {
            name: value for name, value in expected.items() if name != "Content-Type"
        } | {"ETag": etag}


@ON_SQLITE
def test_what_is_kept_of_an_answer_has_no_time_of_its_own(client):
    """A cache reckons age by it (RFC 9111, section 4.2.3); the server gives each answer its own."""
    client.get(BANNER, headers=PLAIN)
    assert "Date" not in client.get(BANNER, headers=PLAIN).headers


@ON_SQLITE
def test_the_script_under_its_hash_has_these_headers_and_no_other(client):
    script = client.get(BANNER, headers=PLAIN).data
    found = headers_of(client.get(address_of(script), headers={"Accept-Encoding": "br", "Origin": ORIGIN}))
    assert found.pop("ETag").endswith('-br"')
    assert found == {
        **SECURE,
        "Content-Type": "text/javascript; charset=utf-8",
        "Content-Encoding": "br",
        "Cache-Control": FOR_EVER,
        "Vary": "Accept-Encoding, Origin",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Expose-Headers": "ETag, Retry-After",
    }
