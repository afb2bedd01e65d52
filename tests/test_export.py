"""consent.export: what every format keeps, the fields of ndjson, and nothing lost on the way."""

import csv
import io
import json
from collections.abc import Callable

import msgspec
import pytest

from consent import columns, crew, extras, parquet, receipts, verify
from consent.cli import reading
from consent.errors import NotInstalled, Unavailable, UnknownSite
from consent.export import FORMATS, export
from consent.ledger import Ledger
from consent.merkle import leaf_hash
from consent.model import Filter
from consent.times import seconds
from tests.conftest import ALL, NONE, ON_SQLITE, SUBJECT, choice

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


def lines(data: bytes, format: str) -> list[bytes]:
    """The lines of a file, or the whole file where it has none."""
    return [data] if format == "parquet" else data.splitlines(keepends=True)


# Every format.


def table(data: bytes):
    import pyarrow.parquet

    return pyarrow.parquet.read_table(io.BytesIO(data))


TOKENS: dict[str, Callable[[bytes], list[str]]] = {
    "csv": lambda data: [row["receipt"] for row in csv.DictReader(io.StringIO(data.decode(), newline=""))],
    "ndjson": lambda data: [json.loads(line)["receipt"] for line in data.splitlines()],
    "parquet": lambda data: table(data)["receipt"].to_pylist(),
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
    assert SUBJECT.encode() not in data
    left = [entry.token for entry in log.entries("shop", Filter()) if entry.token]
    found = TOKENS[format](b"".join(line for line in lines(data, format) if b'"erased"' not in line))
    assert left and [token for token in found if token in left] == left


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_says_what_it_is(format):
    assert "/" in FORMATS[format].media_type and FORMATS[format].help


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_comes_in_pieces_as_it_is_read(log, format, monkeypatch):
    monkeypatch.setattr(parquet, "PAGE", 1)
    monkeypatch.setattr(parquet, "GROUP", 1)
    assert len(list(export(log, "shop", format, Filter()))) >= 4


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (Filter(since=1_795_000_000), [0, 1, 2, 3]),
        (Filter(since=1_795_000_001), [1, 2, 3]),
        (Filter(since=1_795_000_060), [1, 2, 3]),
        (Filter(since=1_795_000_061), []),
        (Filter(until=1_795_000_000), []),
        (Filter(until=1_795_000_060), [0]),
        (Filter(until=1_795_000_061), [0, 1, 2, 3]),
        (Filter(since=1_795_000_060, until=1_795_000_060), []),
        (Filter(since=1_795_000_060, policy=1, action="accept_all"), [1]),
        (Filter(policy=2), [3]),
    ],
)
def test_since_is_included_and_until_is_not(log, format, filter, found):
    whole = tokens(log)
    assert TOKENS[format](file(log, format, filter)) == [whole[place] for place in found]


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_that_broke_off_goes_on_after_the_last_index(log, format):
    """Two receipts of one second: `since` alone would give the first of them twice."""
    rest = b"".join(export(log, "shop", format, Filter(), after=2))
    assert TOKENS[format](rest) == tokens(log)[2:]


@pytest.mark.parametrize("format", FORMATS)
def test_what_happens_meanwhile_is_not_in_the_file(log, format, monkeypatch):
    monkeypatch.setattr(parquet, "PAGE", 1)
    monkeypatch.setattr(parquet, "GROUP", 1)
    before = tokens(log)
    pieces = export(log, "shop", format, Filter())
    first = next(pieces)
    log.record("shop", choice(subject=OTHER))
    log.erase("shop", SUBJECT, reason="test")
    assert TOKENS[format](first + b"".join(pieces)) == before


def test_the_start_is_found_without_reading_what_lies_before(log, clock, monkeypatch):
    for _ in range(100):
        clock.forward(seconds=10)
        log.record("shop", choice())
    rows, read = log.storage.reading(), []
    monkeypatch.setattr(rows, "entries", lambda *a, **k: read.append(k) or type(rows).entries(rows, *a, **k))
    assert len(list(log.entries("shop", Filter(since=int(clock.now)), rows=rows))) == 1
    assert len(read) < 12 and min(one["after"] for one in read if one["limit"] > 1) > 90


@ON_SQLITE
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_damaged_entry_ends_the_file_with_a_sentence_that_names_it(log, format):
    with log.storage.writing() as rows:
        rows.connection.execute("UPDATE entries SET token = CAST(substr(token, 1, 90) AS BLOB) WHERE position = 2")
    with pytest.raises(Unavailable, match="Entry 2 is damaged"):
        file(log, format)


def test_claims_in_another_order_than_ours_say_the_same(log):
    ours = next(columns.rows(log.entries("shop", Filter()), lambda said: said))
    entry = next(iter(log.entries("shop", Filter())))
    header, ours_said, signature = entry.parts
    claims = json.loads(ours_said)
    claims["consent"] = dict(reversed(claims["consent"].items()))
    turned = json.dumps(dict(reversed(claims.items()))).encode()
    other = msgspec.structs.replace(entry, parts=(header, turned, signature))
    assert next(columns.rows([other], lambda said: said)) == ours
    assert columns.LAYOUT.fullmatch(ours_said.decode()) and not columns.LAYOUT.fullmatch(turned.decode())


def test_a_missing_package_is_named_with_how_to_get_it(log, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"pip install 'consent\[parquet\]'"):
        export(log, "shop", "parquet", Filter())


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
    stored = {one.version: one.hash for one in log.storage.reading().publications("shop")}
    found = verify.check(
        crew.lines(lines), log.ring.public(), verify.Known(site="shop", policies=stored, complete=True)
    )
    assert not any(finding.problem for finding in found)


def test_a_reading_is_counted_for_the_process_that_hands_it_on(log, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "STEP", 2)
    with (tmp_path / "count").open("w+b", buffering=0) as count:
        watched = reading.Watched(log, 5, counted=count.fileno())
        seen = [count.seek(0) or count.read() for _ in watched.entries("shop", Filter())]
    assert seen == [b"", b"", b"2", b"2"]


def test_a_count_that_has_no_room_breaks_off_no_reading(log, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "STEP", 1)
    (tmp_path / "count").touch()
    with (tmp_path / "count").open("rb") as count:  # cannot be written
        watched = reading.Watched(log, 5, counted=count.fileno())
        assert len(list(watched.entries("shop", Filter()))) == 4
