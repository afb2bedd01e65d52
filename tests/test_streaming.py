"""Exports over HTTP, from the real server: whole, while recording goes on, and never whole-looking where they broke off."""

import csv
import gzip
import http.client
import io
import json
import re
import signal
from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest

from bench.export import LARGE, fill, more, run
from consent.web import streaming
from tests.conftest import ORIGIN
from tests.test_durability import Server

RECEIPTS = 150
"""More than is answered with the first piece."""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("streaming") / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "2")
    for _ in range(RECEIPTS):
        assert server.record()[0] == 201
    yield server
    server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def export(server):
    """Ask for an export; status, headers and what came."""
    token = re.search(r"consent_\S+", server.cli("token", "create", "--role", "auditor", "--name", "test"))[0]

    def ask(query: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            headers = {"Authorization": f"Bearer {token}", **headers}
            connection.request("GET", f"/api/sites/shop/export?{query}", headers=headers)
            with connection.getresponse() as answer:
                return answer.status, dict(answer.getheaders()), answer.read()

    return ask


def test_every_format_has_every_receipt(export, tmp_path):
    lines = [json.loads(line) for line in export("format=ndjson")[2].splitlines()]
    rows = list(csv.DictReader(io.StringIO(export("format=csv")[2].decode(), newline="")))
    (tmp_path / "shop.parquet").write_bytes(export("format=parquet")[2])
    found = duckdb.sql(f"SELECT receipt FROM '{tmp_path}/shop.parquet' ORDER BY index").fetchall()
    assert len(lines) == RECEIPTS and [line["receipt"] for line in lines] == [row["receipt"] for row in rows]
    assert [row["receipt"] for row in rows] == [row[0] for row in found]


def test_an_export_is_zipped_where_that_is_accepted(export):
    _, headers, data = export("format=csv", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip" and gzip.decompress(data).count(b"\r\n") == RECEIPTS + 1


def test_parts_add_up_to_the_whole(export):
    whole = export("format=ndjson")[2].splitlines()
    parts, last = [], 0
    while part := export(f"format=ndjson&after={last}")[2].splitlines()[:70]:  # each one is cut
        parts += part
        last = json.loads(part[-1])["index"]
    assert parts == whole


def test_an_export_that_breaks_off_is_no_whole_answer(server, export):
    damage(server, RECEIPTS - 1)
    with pytest.raises(http.client.IncompleteRead):
        export("format=csv")
    assert any(f"Entry {RECEIPTS - 1} is damaged" in line for line in server.log.read_text().splitlines())


def test_an_export_that_fails_at_once_is_refused(server, export):
    damage(server, 1)
    status, headers, data = export("format=csv")
    assert (status, headers["Content-Type"]) == (503, "application/problem+json") and b"unavailable" in data


def damage(server: Server, position: int) -> None:
    sql = "UPDATE entries SET token = CAST(substr(token, 1, 90) AS BLOB) WHERE position = ?"
    storage = server.ledger().storage
    with storage.writing() as rows:
        rows.connection.execute(sql, (position,))
    storage.close()


def test_rows_are_counted_only_where_somebody_asks_and_there_is_room(monkeypatch):
    with streaming._counter(None) as nobody, streaming._counter(lambda _: None) as file:
        assert nobody is None and file is not None
    monkeypatch.setattr(streaming, "TemporaryFile", full)
    with streaming._counter(lambda _: None) as file:
        assert file is None


def full(**_) -> None:
    raise OSError("No space left on device")


@pytest.fixture(scope="module")
def peaks(tmp_path_factory) -> dict[str, list[float]]:
    """The most memory, in MiB, that a process held which exported a small log, and one five times as large."""
    folder = tmp_path_factory.mktemp("log")
    fill(folder, 12_000)
    small = {name: run(name, folder)["peak"] for name in LARGE}
    more(folder, 48_000)
    return {name: [small[name], run(name, folder)["peak"]] for name in LARGE}


@pytest.mark.parametrize("format", LARGE)
def test_an_export_of_a_larger_log_needs_no_more_memory(peaks, format):
    small, large = peaks[format]
    assert large < small + 12  # all rows at once would be some 70
