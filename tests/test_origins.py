"""Which origins a site answers to."""

import re

import pytest

from consent.origins import allows, expression, patterns


@pytest.mark.parametrize(
    ("own", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example", "HTTPS://Shop.Example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://*.shop.example", "https://www.shop.example"),
        ("https://*.shop.example", "https://a.b.shop.example"),
        ("https://*.shop.example:8443", "https://a.shop.example:8443"),
        ("http://localhost:*", "http://localhost:5173"),
        ("http://localhost:*", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_sites_own_origin_is_allowed(own, origin):
    assert allows(patterns(["https://other.example", own]), origin)
    assert re.fullmatch(expression(["https://other.example", own]), origin, re.IGNORECASE)


@pytest.mark.parametrize(
    ("own", "origin"),
    [
        ("https://shop.example", "http://shop.example"),
        ("https://shop.example", "https://shop.example:8443"),
        ("https://shop.example", "https://www.shop.example"),
        ("https://shop.example", "https://shopXexample"),
        ("https://shop.example", "https://shop.example.evil.example"),
        ("https://shop.example", "https://evil.example/https://shop.example"),
        ("https://shop.example", "https://shop.example\n"),
        ("https://shop.example", "null"),
        ("https://shop.example", ""),
        ("https://*.shop.example", "https://shop.example"),
        ("https://*.shop.example", "https://evilshop.example"),
        ("https://*.shop.example", "https://.shop.example"),
        ("https://*.shop.example", "https://evil.example#.shop.example"),
        ("https://*.shop.example", "https://user@a.shop.example"),
        ("http://localhost:*", "http://localhost:evil"),
        ("http://localhost:*", "http://localhost.evil.example:80"),
    ],
)
def test_a_foreign_origin_is_not_allowed(own, origin):
    assert not allows(patterns([own]), origin)
    assert not re.fullmatch(expression([own]), origin, re.IGNORECASE)


def test_a_site_without_origins_answers_nobody():
    assert not allows(patterns([]), "https://shop.example")
