"""What a website pastes for each way of installing, and the expressions that stand in it."""

import base64
import gzip
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from consent import patterns, policy, snippet
from consent.model import Blocking, Category, Cookie, Policy, Provider, Published, Service

BASE = "https://consent.example.org/here"
CASES = json.loads((Path(__file__).parent / "data" / "urls.json").read_text())


def published(services: list[Service] | None = None, **fields) -> Published:
    categories = [Category("session", necessary=True), Category("analytics"), Category("social")]
    draft = Policy("Shop", ["https://shop.example"], ["en", "de"], categories, services=services or [], **fields)
    return policy.publish(policy.complete(draft), site="shop", version=3, material_since=2)


def service(id: str, category: str, *urls: str, cookies: tuple[str, ...] = ()) -> Service:
    kept = [Cookie(name, "1 year", "Counts.") for name in cookies]
    return Service(id, category, id, Provider("Somebody"), "For something.", kept, list(urls))


def script_of(html: str) -> str:
    found = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert found
    return found[1]


def test_the_tag_is_asynchronous_unless_asked_otherwise():
    assert snippet.to_paste(published(), BASE, "async").html == (
        '<script async src="https://consent.example.org/here/sites/shop/banner.js"></script>'
    )
    assert "async" not in snippet.to_paste(published(), BASE, "sync").html


@pytest.mark.parametrize("way", ["inline", "strict"])
def test_the_hash_is_that_of_the_inline_script(way):
    made = snippet.to_paste(published([service("video", "social", "*.video.example/*")]), BASE, way)
    digest = base64.b64encode(hashlib.sha256(script_of(made.html).encode()).digest()).decode()
    assert made.csp == f"'sha256-{digest}'"
    assert made.html.endswith(snippet.to_paste(published(), BASE, "async").html)


def test_the_strict_guard_comes_after_a_harmless_policy():
    assert snippet.to_paste(published(), BASE, "strict").html.startswith(
        '<meta http-equiv="Content-Security-Policy" content="base-uri *">\n<script>'
    )


def test_the_guard_of_the_default_policy_weighs_at_most_1500_bytes():
    default = policy.complete(policy.default("Shop", ["https://shop.example"]))
    code = snippet.guard(policy.publish(default, site="shop", version=1, material_since=1))
    assert len(gzip.compress(code.encode(), 9)) <= 1500


def test_nothing_ends_the_script_early():
    made = snippet.guard(published([service("video", "social", "video.example/</script>")]))
    assert "</script" not in made


def test_necessary_services_and_own_origins_always_load_and_the_rest_by_service():
    made = published(
        [service("pay", "session", "pay.example/v1/*"), service("video", "social", "https://*.video.example/embed")]
    )
    strict = script_of(snippet.to_paste(made, BASE, "strict").html).rpartition("})(")[2]
    said = json.loads(strict.removesuffix(");"))
    assert said["sources"].split() == [
        "'self'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:", "https://consent.example.org", "https://shop.example",
        "pay.example:*/v1/", "wss://pay.example:*/v1/",
    ]  # fmt: skip
    assert said["services"] == {"video": "https://video.example:*/embed https://*.video.example:*/embed"}


def test_what_is_not_held_back_does_not_travel():
    counter = service("counter", "analytics", "counter.example", cookies=("_count*",))
    assert "counter" in snippet.guard(published([counter]))
    loose = snippet.guard(published([counter], blocking=Blocking(urls=False, storage=False)))
    assert "counter\\\\.example" not in loose and "_count" not in loose


def test_the_expressions_match_what_the_patterns_match():
    """In JavaScript, on addresses as a browser writes them."""
    given = [[patterns.one_of_urls([case["pattern"]]), case["url"]] for case in CASES]
    program = (
        f"JSON.stringify({json.dumps(given)}.map(([text, url]) => !!text && RegExp(text).test(new URL(url).href)))"
    )
    done = subprocess.run(["node", "--print", program], capture_output=True, text=True, check=True)
    wrong = [case for case, found in zip(CASES, json.loads(done.stdout), strict=True) if found != case["matches"]]
    assert not wrong


def test_one_expression_serves_several_patterns():
    whole = re.compile(patterns.one_of_urls(["a.example/x/*", "*.b.example", "https://a.example:8443/y?*z"]))
    for url in ("https://a.example/x/1?q#f", "http://c.b.example/", "https://a.example:8443/y?q=z"):
        assert whole.search(url)
    for url in ("https://a.example/y", "https://ab.example/", "https://a.example:8443/y", "http://a.example:8443/y?z"):
        assert not whole.search(url)
    names = re.compile(patterns.one_of_names(["_ga", "_ga_*", "a.b"]))
    assert [bool(names.search(name)) for name in ("_ga", "_ga_1", "_gat", "a.b", "axb")] == [
        True,
        True,
        False,
        True,
        False,
    ]
    assert patterns.one_of_urls([]) == ""


@pytest.mark.parametrize(
    ("pattern", "sources"),
    [
        ("https://www.video.example/embed/*", ["https://www.video.example:*/embed/"]),
        ("http://localhost:8080/js?id=*", ["http://localhost:8080"]),
        ("https://a.example/gtag/js", ["https://a.example:*/gtag/js"]),
        ("https://a.example/gtag/js*", ["https://a.example:*/gtag/"]),
        ("https://a.example/a;b,c", ["https://a.example:*/a%3Bb%2Cc"]),
        ("*.a.example", ["a.example:*", "wss://a.example:*", "*.a.example:*", "wss://*.a.example:*"]),
        ("*/matomo.js", ["*:*/matomo.js", "wss://*:*/matomo.js"]),
    ],
)
def test_a_source_lets_through_what_a_pattern_matches(pattern, sources):
    assert patterns.csp_sources(pattern) == sources
