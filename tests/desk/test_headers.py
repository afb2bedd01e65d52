"""What protects every answer at the addresses of administrators, whatever it is: page, file, redirect, refusal, fault."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from consent.web.desk.frame import FILES
from tests.conftest import SUBJECT
from tests.desk.test_access import ACTS, act, database, settings  # noqa: F401

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ARGUMENTS = {
    "site": "shop", "subject": SUBJECT, "version": 1, "id": "019ab1c2-77aa-7bbb-8ccc-0123456789ab", "form": "jws",
    "index": 0, "section": "services", "name": "editor", "rest": "nothing/at/all",
}  # fmt: skip
"""What stands for each part of an address; a new one needs a value."""
UNNAMED = ("/admin", "/admin/sites/shop/banner/texts", "/admin/sites/shop/overview/", "/api", "/api/", "/api/nothing")
"""Addresses that no view answers: moved, or nowhere."""
FRAMED = {"/admin/sites/shop/preview": "'self'"}
"""Pages that another page of the desk may frame."""
SOURCES = ("'none'", "'self'", "'sha256-", "'nonce-", "data:", "allow-scripts")
"""All that a content-security policy of ours may name: nothing on other servers, nothing unsafe; a sandbox may run scripts."""


def addresses(app: Flask) -> Iterator[str]:
    """One of every rule for administrators, and some that are none."""
    yield from UNNAMED
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/admin", "/api")):
            assert rule.arguments <= ARGUMENTS.keys(), f"say in ARGUMENTS what stands in {rule.rule}"
            values = {name: ARGUMENTS[name] for name in rule.arguments - (rule.defaults or {}).keys()}
            yield rule.build(values | (rule.defaults or {}))[1].partition("?")[0]  # type: ignore[index]


def faults(headers: Headers, framed_by: str = "'none'") -> list[str]:
    """What an answer lacks."""
    given = headers.get("Content-Security-Policy", "")
    rules = {name: words for name, *words in (part.split() for part in given.split(";") if part.strip())}
    sources = {word for words in rules.values() for word in words}
    lacking = {
        "no-store": headers.get("Cache-Control") == "no-store",
        "nothing by default": rules.get("default-src") == rules.get("base-uri") == ["'none'"],
        "frames": rules.get("frame-ancestors") == [framed_by],
        "forms": rules.get("form-action") in (["'none'"], ["'self'"]),
        "nobody else's, nothing inline": all(word.startswith(SOURCES) for word in sources),
        "no sniffing": headers.get("X-Content-Type-Options") == "nosniff",
        "no frames in old browsers": headers.get("X-Frame-Options") == ("DENY" if framed_by == "'none'" else "SAMEORIGIN"),
        "no address told elsewhere": headers.get("Referrer-Policy") in ("same-origin", "no-referrer"),
        "only by https": "max-age=" in headers.get("Strict-Transport-Security", ""),
    }  # fmt: skip
    return [name for name, holds in lacking.items() if not holds]


def unprotected(app: Flask, call) -> dict[tuple[str, str], list[str]]:
    """By method and address: what the answers of a caller lack."""
    found = {}
    for path in sorted(set(addresses(app))):
        for method in METHODS:
            answer = call(path, method=method)
            is_framed = path in FRAMED and answer.status_code == 200 and method in ("GET", "HEAD")
            if lacking := faults(answer.headers, FRAMED[path] if is_framed else "'none'"):
                found[method, path] = [*lacking, answer.status]
    return found


def test_no_answer_to_a_stranger_is_kept_or_can_do_anything(app, client, crew):
    assert unprotected(app, client.open) == {}


def test_no_answer_to_an_owner_is_kept_or_can_do_anything(app, browser):
    assert unprotected(app, browser("owner").client.open) == {}


def test_no_answer_to_a_token_is_kept_or_can_do_anything(app, client, token):
    header = {"Authorization": f"Bearer {token('owner')}"}
    assert unprotected(app, lambda path, method: client.open(path, method=method, headers=header)) == {}


@pytest.mark.parametrize("path", ACTS)
def test_no_answer_to_an_act_is_kept_or_can_do_anything(browser, path):
    """Those above carry no token against forgery: these are done."""
    answer = act(browser("owner"), path, follow=False)
    framed_by = "'self'" if path.startswith("/admin/sites/shop/preview/") else "'none'"
    assert answer.status_code != 400 or path.endswith("/service")
    assert faults(answer.headers, framed_by) == []


@pytest.mark.parametrize("path", ["/admin/", "/admin/sign-in", "/api/sites"])
def test_no_fault_of_ours_is_kept_or_can_do_anything(app, browser, token, monkeypatch, path):
    text, owner = token("owner"), browser("owner")
    for endpoint in ("desk.home", "desk.show_sign_in", "api.list_sites"):
        monkeypatch.setitem(app.view_functions, endpoint, lambda: 1 / 0)
    answer = owner.client.get(path, headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 500 and faults(answer.headers) == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_desk_is_kept_under_its_version_only_and_is_the_same_for_everybody(browser, name):
    owner = browser("owner").client
    assert owner.get(f"/admin/{name}").headers["Cache-Control"] == "no-cache"
    kept = owner.get(f"/admin/{name}?v=1")
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in kept.headers and "nosniff" in kept.headers["X-Content-Type-Options"]
