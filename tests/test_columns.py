"""consent.columns: csv and Parquet have the columns of the contract, and a spreadsheet runs none of them."""

import csv
import io

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import parquet, receipts
from consent.export import _line, harmless
from consent.model import Filter
from consent.times import rfc3339
from tests.conftest import SUBJECT, choice
from tests.test_export import OTHER, file, log, objects, rows, table, tokens

__all__ = ["log"]


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


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''", "a,b", 'a"b', "a;=1", "", "é"]


@pytest.mark.parametrize("cell", HOSTILE)
def test_no_cell_of_a_csv_is_a_formula_and_each_comes_back(cell):
    written = next(csv.reader(io.StringIO(_line(["x", cell]), newline="")))[1]
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert written.removeprefix("'") == cell


def test_a_subject_that_a_spreadsheet_would_take_for_a_formula_is_held_back(ledger):
    subject = "-cmdAAAAAAAAAAAAAAAAAA"
    ledger.record("shop", choice(subject=subject))
    assert rows(ledger)[0]["subject"] == f"'{subject}"


@given(st.text())
def test_any_cell_comes_back(cell):
    assert harmless(cell).removeprefix("'") == cell or harmless(cell) == cell


# parquet.


def test_parquet_has_the_columns_of_csv_and_says_the_same(log):
    found = table(file(log, "parquet"))
    assert found.column_names == list(rows(log)[0])
    for parquet_row, csv_row in zip(found.to_pylist(), rows(log), strict=True):
        services = " ".join(f"{id}={'granted' if granted else 'refused'}" for id, granted in parquet_row["services"])
        times = {name: rfc3339(int(parquet_row[name].timestamp())) for name in ("recorded_at", "valid_until")}
        gpc = {None: "", True: "true", False: "false"}[parquet_row["gpc"]]
        said = parquet_row | times | {"services": services, "gpc": gpc}
        assert {name: "" if value is None else str(value) for name, value in said.items()} == csv_row


def test_parquet_is_typed(log):
    types = {field.name: str(field.type) for field in table(file(log, "parquet")).schema}
    assert types["index"] == "int64" and types["policy"] == "int32" and types["gpc"] == "bool"
    assert types["recorded_at"] == types["valid_until"] == "timestamp[ms, tz=UTC]"
    assert types["services"] == "map<string, bool ('services')>"


def test_parquet_of_an_empty_log_has_columns_and_no_row(ledger):
    assert table(file(ledger, "parquet")).num_rows == 0 and "analytics" in table(file(ledger, "parquet")).column_names


def test_duckdb_reads_the_parquet_file_and_counts_what_the_ledger_has(log, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "PAGE", 2)
    monkeypatch.setattr(parquet, "GROUP", 1)
    path = tmp_path / "shop.parquet"
    path.write_bytes(file(log, "parquet"))
    found = duckdb.sql(
        f"SELECT action, count(*), count(DISTINCT subject) FROM '{path}' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert found == [("accept_all", 1, 1), ("custom", 2, 1), ("withdraw", 1, 1)]
    granted = duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE analytics = 'granted'").fetchall()
    assert granted[0] == (sum(line["claims"]["consent"]["grants"]["analytics"] for line in objects(log)),)
    assert duckdb.sql(f"SELECT services['video'] FROM '{path}' WHERE policy = 2").fetchall() == [(True,)]
