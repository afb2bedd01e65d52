"""The addresses for administrators: what they get and what they change (who may is in desk/test_api_access.py)."""

import gzip
import json
import os
import threading
from pathlib import Path

import pytest

from consent import extras
from consent.errors import Unavailable
from consent.web.streaming import exported
from tests.conftest import ALL, NONE, ON_SQLITE, SUBJECT, choice

TOML = (Path(__file__).parent / "data" / "policy.toml").read_bytes()


@pytest.fixture
def call(client, token):
    """Call an address with a token, by default an owner's of the whole installation."""
    owner = token("owner")

    def make(method: str, path: str, *, text: str = owner, **rest):
        return client.open(path, method=method, headers={"Authorization": f"Bearer {text}"}, **rest)

    return make


def record(ledger, **changes):
    ledger.record("shop", choice(**changes))


# Sites.


def test_a_site_is_created_with_a_published_policy(call):
    answer = call("POST", "/api/sites", json={"id": "blog", "origins": ["https://blog.example"]})
    assert answer.status_code == 201 and answer.json["policy"]["version"] == 1


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"id": "shop", "origins": ["https://shop.example"]}, 409),
        ({"id": "Blog", "origins": ["https://blog.example"]}, 422),
        ({"id": "blog", "origins": []}, 422),
        ({"id": "blog", "origins": ["blog.example"]}, 422),
        ({"id": "blog"}, 422),
    ],
)
def test_a_wrong_site_is_refused(call, document, status):
    assert call("POST", "/api/sites", json=document).status_code == status


def test_a_token_of_one_site_creates_no_other(call, token):
    document = {"id": "blog", "origins": ["https://blog.example"]}
    assert call("POST", "/api/sites", json=document, text=token("owner", site="shop")).status_code == 403


def test_lists_show_a_token_only_its_own_site(call, token):
    items = call("GET", "/api/sites", text=token("auditor", site="other")).json["items"]
    assert [item["id"] for item in items] == ["other"]


def test_sites_come_in_pages(call):
    call("POST", "/api/sites", json={"id": "blog", "origins": ["https://blog.example"]})
    first = call("GET", "/api/sites?limit=1").json
    second = call("GET", f"/api/sites?limit=1&cursor={first['next']}").json
    assert [first["items"][0]["id"], second["items"][0]["id"], second["next"]] == ["blog", "shop", None]


def test_changing_origins_publishes_a_version_that_is_not_material(call):
    answer = call("PATCH", "/api/sites/shop", json={"origins": ["https://new.example"]}).json
    assert (answer["origins"], answer["policy"]["version"]) == (["https://new.example"], 2)
    assert answer["policy"]["material_since"] == 1


def test_deleting_a_site_asks_for_its_name(call):
    assert call("DELETE", "/api/sites/shop").status_code == 400
    assert call("DELETE", "/api/sites/shop?confirm=shop").status_code == 204
    assert call("GET", "/api/sites/shop").status_code == 404


# Policies.


@pytest.mark.parametrize(("query", "since"), [("", 2), ("?material=false", 1), ("?material=true", 2)])
def test_publishing_says_whether_visitors_are_asked_again(call, query, since):
    answer = call("POST", "/api/sites/shop/policies" + query, data=TOML, content_type="application/toml")
    assert answer.status_code == 201 and answer.json["policy"]["material_since"] == since
    assert any(change["path"] == "categories.chat" for change in answer.json["changes"])


def test_the_same_policy_is_not_published_twice(call):
    for status in (201, 200):
        answer = call("POST", "/api/sites/shop/policies", data=TOML, content_type="application/toml")
        assert answer.status_code == status
    assert answer.json["policy"]["version"] == 2


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"a = ", "application/toml", 400),
        (b"\xff", "application/toml", 400),
        (b"{}", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 1_100_000, "application/json", 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_wrong_policy_is_refused(call, data, media_type, status):
    assert call("POST", "/api/sites/shop/policies", data=data, content_type=media_type).status_code == status


def test_a_wrong_material_is_refused(call):
    answer = call("POST", "/api/sites/shop/policies?material=perhaps", data=TOML, content_type="application/toml")
    assert answer.status_code == 400


def test_versions_come_newest_first_in_pages(call):
    call("POST", "/api/sites/shop/policies", data=TOML, content_type="application/toml")
    first = call("GET", "/api/sites/shop/policies?limit=1").json
    second = call("GET", f"/api/sites/shop/policies?limit=1&cursor={first['next']}").json
    assert [first["items"][0]["version"], second["items"][0]["version"], second["next"]] == [2, 1, None]


# Receipts.


def test_receipts_come_newest_first_in_pages(call, ledger):
    for _ in range(3):
        record(ledger)
    first = call("GET", "/api/sites/shop/receipts?limit=2").json
    second = call("GET", f"/api/sites/shop/receipts?limit=2&cursor={first['next']}").json
    assert [item["index"] for item in first["items"] + second["items"]] == [3, 2, 1] and second["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=accept_all", [2]),
        ("policy=1", [2, 1]),
        ("policy=2", []),
        (f"subject={SUBJECT}", [2, 1]),
        ("subject=AAAAAAAAAAAAAAAAAAAAAA", []),
        ("since=2026-11-18T12:00:00Z", [2]),
        ("until=2026-11-18T12:00:00Z", [1]),
    ],
)
def test_receipts_are_found_by(call, ledger, clock, query, found):
    clock.now = 1_763_380_800 + 365 * 86_400  # 2026-11-17T12:00:00Z
    record(ledger)
    clock.forward(days=2)
    record(ledger, action="accept_all", grants=ALL)
    assert [item["index"] for item in call("GET", f"/api/sites/shop/receipts?{query}").json["items"]] == found


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "since=yesterday",
        "action=accept",
        "policy=x",
        "subject=x",
        "limit=²",
        f"limit={'1' * 5000}",
        f"cursor={'9' * 19}",
        f"policy={'9' * 20}",
    ],
)
def test_a_wrong_query_is_refused(call, query):
    assert call("GET", f"/api/sites/shop/receipts?{query}").status_code == 400


def test_an_erased_receipt_is_found_no_more(call, ledger):
    record(ledger)
    assert call("DELETE", f"/api/sites/shop/subjects/{SUBJECT}").status_code == 204
    assert call("GET", "/api/sites/shop/receipts").json["items"] == []


# Exports.


@pytest.mark.parametrize(("format", "media_type"), [("csv", "text/csv"), ("ndjson", "application/x-ndjson")])
def test_an_export_is_the_same_zipped_and_plain(call, ledger, format, media_type):
    record(ledger)
    plain = call("GET", f"/api/sites/shop/export?format={format}")
    path = f"/api/sites/shop/export?format={format}"
    zipped = call("GET", path, environ_overrides={"HTTP_ACCEPT_ENCODING": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip" and gzip.decompress(zipped.data) == plain.data
    assert plain.mimetype == media_type


def test_an_export_of_everything_shows_policies_and_erasures(call, ledger):
    record(ledger)
    ledger.erase("shop", SUBJECT, reason="test")
    lines = [json.loads(line) for line in call("GET", "/api/sites/shop/export?entries=all").data.splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 2] and lines[1] == {
        "index": 1,
        "leaf": lines[1]["leaf"],
        "erased": True,
    }


def test_an_export_resumes_by_time(call, ledger, clock):
    record(ledger)
    clock.forward(seconds=10)
    record(ledger, action="reject_all", grants=NONE)
    from consent.times import rfc3339

    lines = call("GET", f"/api/sites/shop/export?since={rfc3339(int(clock.now))}").data.splitlines()
    assert [json.loads(line)["index"] for line in lines] == [2]


def test_an_export_goes_on_after_an_index(call, ledger):
    """All of one second: only the index tells them apart."""
    for _ in range(3):
        record(ledger)
    lines = call("GET", "/api/sites/shop/export?after=1").data.splitlines()
    assert [json.loads(line)["index"] for line in lines] == [2, 3]


@pytest.mark.parametrize(
    ("query", "found"), [("policy=1", [1, 2]), ("policy=2", []), ("action=reject_all", [2]), ("policy=0", [])]
)
def test_an_export_is_filtered(call, ledger, query, found):
    record(ledger)
    record(ledger, action="reject_all", grants=NONE)
    lines = call("GET", f"/api/sites/shop/export?{query}").data.splitlines()
    assert [json.loads(line)["index"] for line in lines] == found


def test_a_parquet_export_is_not_zipped_twice(call, ledger):
    record(ledger)
    path = "/api/sites/shop/export?format=parquet"
    answer = call("GET", path, environ_overrides={"HTTP_ACCEPT_ENCODING": "gzip"})
    assert answer.data[:4] == answer.data[-4:] == b"PAR1" and "Content-Encoding" not in answer.headers
    assert answer.mimetype == "application/vnd.apache.parquet"


def test_a_format_whose_package_is_missing_is_refused_with_how_to_get_it(call, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    answer = call("GET", "/api/sites/shop/export?format=parquet")
    assert answer.status_code == 501 and "pip install 'consent[parquet]'" in answer.json["detail"]


@ON_SQLITE
def test_an_export_that_breaks_off_never_looks_whole(call, settings, ledger):
    record(ledger)
    with ledger.storage.writing() as rows:
        rows.connection.execute("UPDATE entries SET token = CAST(substr(token, 1, 90) AS BLOB) WHERE position = 1")
    assert call("GET", "/api/sites/shop/export?format=csv").status_code == 503
    with pytest.raises(Unavailable, match="Entry 1 is damaged"):
        list(exported(settings, "shop", ["--format=csv"]))


@pytest.fixture
def large(ledger):
    """More than the pipe between the processes takes."""
    for _ in range(600):
        record(ledger)


def test_an_export_gives_way_to_recording(settings, large):
    pieces = exported(settings, "shop", ["--format=ndjson"])
    next(pieces)
    [child] = children()
    assert os.getpriority(os.PRIO_PROCESS, child) >= 10 and os.getsid(child) == child
    pieces.close()


def test_an_export_nobody_reads_any_more_ends(settings, large):
    pieces = exported(settings, "shop", ["--format=ndjson"])
    next(pieces)
    [child] = children()
    pieces.close()
    assert not Path(f"/proc/{child}").exists()


def children() -> list[int]:
    """The exports that this thread started."""
    found = map(int, Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split())
    return [child for child in found if b"export" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.parametrize("query", ["format=xml", "since=x", "until=x", "after=x", "after=-1", "policy=x", "action=x", f"after={'9' * 19}", f"subject={SUBJECT}"])  # fmt: skip
def test_a_wrong_export_is_refused(call, query):
    assert call("GET", f"/api/sites/shop/export?{query}").status_code == 400
