"""consent.export: columns and fields as the contract says, and nothing lost on the way through any format."""

import csv
import io
import json
from collections.abc import Callable

import pytest

from consent import crew, policy, receipts, verify
from consent.errors import UnknownSite
from consent.export import FORMATS, export
from consent.ledger import Ledger
from consent.merkle import leaf_hash
from consent.model import Filter
from consent.times import rfc3339, seconds
from tests.conftest import ALL, NONE, SUBJECT, choice

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
def log(ledger: Ledger, draft, clock) -> Ledger:
    """Three receipts on the default policy, one on a policy with other categories."""
    ledger.record("shop", choice(), where="DE")
    clock.forward(seconds=60)
    ledger.record("shop", choice(subject=OTHER, action="accept_all", grants=ALL, signals={"gpc": True}))
    ledger.record("shop", choice(action="withdraw", grants=NONE, signals={"gpc": False}))
    ledger.publish("shop", draft)
    grants = {"analytics": True, "social": False, "chat": False}
    ledger.record("shop", choice(policy=2, grants=grants, services={"hotjar": False, "video": True}, language="de"))
    return ledger


def file(ledger: Ledger, format: str, filter: Filter | None = None) -> bytes:
    return b"".join(export(ledger, "shop", format, filter or Filter()))


def rows(ledger: Ledger, filter: Filter | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file(ledger, "csv", filter).decode(), newline="")))


def objects(ledger: Ledger, filter: Filter | None = None) -> list[dict]:
    return [json.loads(line) for line in file(ledger, "ndjson", filter).splitlines()]


def tokens(ledger: Ledger) -> list[str | None]:
    return [entry.token for entry in ledger.entries("shop", Filter())]


# Every format.

TOKENS: dict[str, Callable[[bytes], list[str]]] = {
    "csv": lambda data: [row["receipt"] for row in csv.DictReader(io.StringIO(data.decode(), newline=""))],
    "ndjson": lambda data: [json.loads(line)["receipt"] for line in data.splitlines()],
    "iso27560": lambda data: [
        row.get("receipt") or row["proof"]["value"] for row in map(json.loads, data.splitlines())
    ],
    "kantara": lambda data: [
        row.get("receipt") or row["extension"]["receipt"] for row in map(json.loads, data.splitlines())
    ],
}
"""How to read the receipts back out of a file; a new format adds its line."""


@pytest.mark.parametrize("format", FORMATS)
def test_every_receipt_comes_back_whole_and_in_order(log, format):
    assert TOKENS[format](file(log, format)) == tokens(log)


@pytest.mark.parametrize("format", FORMATS)
def test_every_receipt_that_comes_back_verifies(log, format):
    for token in TOKENS[format](file(log, format)):
        receipts.verify(token, log.ring.public())


@pytest.mark.parametrize("format", FORMATS)
def test_a_filter_holds_in_every_format(log, format):
    assert len(TOKENS[format](file(log, format, Filter(action="withdraw")))) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_an_unknown_site_is_refused_before_the_first_piece(log, format):
    with pytest.raises(UnknownSite):
        export(log, "nowhere", format, Filter())


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_an_erased_subject_is_in_any_format(log, format):
    log.erase("shop", SUBJECT, reason="test")
    data = file(log, format, Filter(kinds=()))
    assert SUBJECT.encode() not in data and OTHER.encode() in data


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_says_what_it_is(format):
    assert "/" in FORMATS[format].media_type and FORMATS[format].help


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_comes_in_pieces_as_it_is_read(log, format):
    assert len(list(export(log, "shop", format, Filter()))) >= 4


# csv.


def test_csv_has_the_columns_of_the_contract(log):
    head = file(log, "csv").splitlines()[0].decode().split(",")
    assert head == [
        *("index", "id", "recorded_at", "subject", "policy", "language", "regime", "country", "action", "surface"),
        *("session", "persistent", "analytics", "social", "chat"),
        *("services", "gpc", "valid_until", "previous", "receipt"),
    ]


def test_csv_says_of_a_receipt_what_its_claims_say(log):
    row, claims = rows(log)[0], receipts.receipt(tokens(log)[0])
    assert row == {
        "index": "1",
        "id": claims.jti,
        "recorded_at": rfc3339(claims.iat),
        "subject": SUBJECT,
        "policy": "1",
        "language": "en",
        "regime": "opt-in",
        "country": "DE",
        "action": "custom",
        "surface": "banner",
        "session": "necessary",
        "persistent": "refused",
        "analytics": "granted",
        "social": "refused",
        "chat": "",
        "services": "",
        "gpc": "",
        "valid_until": rfc3339(claims.exp),
        "previous": "",
        "receipt": tokens(log)[0],
    }


def test_csv_leaves_a_category_empty_that_was_not_asked_about(log):
    assert [row["persistent"] for row in rows(log)] == ["refused", "granted", "refused", ""]


def test_csv_names_the_services_that_deviate(log):
    assert [row["services"] for row in rows(log)] == ["", "", "", "hotjar=refused video=granted"]


def test_csv_tells_heard_and_unheard_signals_apart(log):
    assert [row["gpc"] for row in rows(log)] == ["", "true", "false", ""]


def test_csv_names_the_predecessor(log):
    first, _, third, fourth = rows(log)
    assert (third["previous"], fourth["previous"]) == (first["id"], third["id"])


def test_csv_has_receipts_only_even_of_a_whole_log(log):
    log.erase("shop", OTHER, reason="test")
    assert [row["index"] for row in rows(log, Filter(kinds=()))] == ["1", "3", "5"]


def test_csv_ends_its_lines_as_rfc_4180_says(log):
    data = file(log, "csv")
    assert data.endswith(b"\r\n") and data.count(b"\r\n") == data.count(b"\n") == 5


def test_csv_of_an_empty_log_is_its_head(ledger):
    assert file(ledger, "csv").count(b"\r\n") == 1


# ndjson.


def test_ndjson_has_the_fields_of_the_contract(log):
    assert [list(line) for line in objects(log)] == [["index", "leaf", "receipt", "claims"]] * 4


def test_ndjson_shows_the_claims_that_were_signed(log):
    for line in objects(log):
        assert line["claims"] == json.loads(receipts.read(line["receipt"])[1])


def test_ndjson_shows_the_leaf_in_hex(log):
    for line in objects(log):
        assert bytes.fromhex(line["leaf"]) == leaf_hash(line["receipt"].encode())


def test_ndjson_has_receipts_only_unless_more_is_asked_for(log):
    assert [line["index"] for line in objects(log)] == [1, 2, 3, 5]
    assert [line["index"] for line in objects(log, Filter(kinds=()))] == [0, 1, 2, 3, 4, 5]


def test_ndjson_keeps_index_and_leaf_of_an_erased_entry(log):
    leaf = objects(log)[1]["leaf"]
    log.erase("shop", OTHER, reason="test")
    assert objects(log)[1] == {"index": 2, "leaf": leaf, "erased": True}


def test_ndjson_of_an_empty_log_is_empty(ledger):
    assert file(ledger, "ndjson") == b""


def test_ndjson_is_resumed_where_the_last_file_ended(log):
    first = objects(log)[1]
    since = seconds(rows(log)[1]["recorded_at"])
    assert objects(log, Filter(since=since))[0] == first


def test_ndjson_of_a_whole_log_verifies(log):
    lines = file(log, "ndjson", Filter(kinds=())).splitlines()
    stored = {one.version: policy.digest(policy.canonical(one)) for one in log.versions("shop")}
    found = verify.check(
        crew.lines(lines), log.ring.public(), verify.Known(site="shop", policies=stored, complete=True)
    )
    assert not any(finding.problem for finding in found)
