"""Exports at the desk: how much it is, the file, the trail."""

import csv
import io
import json
import zipfile

import pytest

from consent.downloads import Downloads
from consent.errors import Unavailable
from consent.export import FORMATS
from consent.fields import TRAIL
from consent.storage.base import DOWNLOAD
from consent.trail import Trail
from tests.conftest import ALL, SUBJECT, choice

PAGE = "/admin/sites/shop/export"
OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
BAD = "<script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture
def auditor(browser):
    return browser("auditor")


@pytest.fixture
def three(ledger) -> None:
    """Two custom choices of one subject, one of another that accepts all."""
    for changes in ({}, {}, {"subject": OTHER, "action": "accept_all", "grants": ALL}):
        ledger.record("shop", choice(**changes))


def acts(ledger) -> list[dict]:
    return [told.act for told in Trail(ledger).all()]


def test_every_format_and_the_evidence_can_be_chosen(auditor):
    text = auditor.get(PAGE).text
    for name in (*FORMATS, "evidence"):
        assert f'name="format" value="{name}"' in text


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_has_as_many_rows_as_were_told(auditor, ledger, three, format):
    assert "3 rows" in auditor.get(f"{PAGE}?format={format}").text
    answer = auditor.get(f"{PAGE}/file?format={format}")
    assert answer.mimetype == FORMATS[format].media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="shop-2026-11-18.{format}"'
    if FORMATS[format].packed:
        assert answer.data[:4] == answer.data[-4:] == b"PAR1"
        return
    lines = list(csv.reader(io.StringIO(answer.text))) if format == "csv" else answer.text.splitlines()
    assert len(lines) - (format == "csv") == 3


def test_period_action_and_policy_choose_the_rows(auditor, ledger, clock, three):
    clock.forward(days=1)
    ledger.record("shop", choice())
    auditor.sign_in("auditor")
    for query, rows in (
        ("action=accept_all", "One row"),
        ("policy=1", "4 rows"),
        ("policy=2", "Nothing fits"),
        ("since=2026-11-19", "One row"),
        ("until=2026-11-18", "3 rows"),
        ("since=2026-11-18&until=2026-11-19", "4 rows"),
    ):
        shown = auditor.get(f"{PAGE}?format=ndjson&{query}").text
        lines = auditor.get(f"{PAGE}/file?format=ndjson&{query}").text.splitlines()
        assert rows in shown and len(lines) == {"One row": 1, "Nothing fits": 0}.get(rows, int(rows[0]) if rows[0].isdigit() else 0)  # fmt: skip


def test_an_erased_entry_counts_where_it_has_a_line(auditor, ledger, three):
    ledger.erase("shop", SUBJECT, reason="test")
    for format, rows in (("csv", "One row"), ("ndjson", "3 rows")):
        assert rows in auditor.get(f"{PAGE}?format={format}").text
        answer = auditor.get(f"{PAGE}/file?format={format}").text
        assert len(answer.splitlines()) == (2 if format == "csv" else 3)


def test_the_size_is_told_beforehand(auditor, ledger, three):
    for _ in range(40):
        ledger.record("shop", choice())
    assert "will have about" in auditor.get(f"{PAGE}?format=csv").text
    from consent.web.desk.exports import _newest, _size

    with auditor.client.application.test_request_context():
        told = _size("ndjson", _newest("shop", search_filter()), 43)
    real = len(auditor.get(f"{PAGE}/file?format=ndjson").data)
    assert abs(told - real) < real / 20


def search_filter():
    from consent.model import Filter

    return Filter()


def test_nothing_is_counted_through(auditor, ledger, three, monkeypatch):
    monkeypatch.setattr(type(ledger.storage.reading()), "count", None)
    assert "2 rows" in auditor.get(f"{PAGE}?format=csv&action=custom").text


def test_the_evidence_is_of_the_whole_log(auditor, ledger, three):
    assert "The whole log; entries: 4" in auditor.get(f"{PAGE}?format=evidence").text
    archive = zipfile.ZipFile(io.BytesIO(auditor.get(f"{PAGE}/file?format=evidence").data))
    assert archive.testzip() is None and len(archive.read("entries.ndjson").splitlines()) == 4
    for query in ("since=2026-11-18", "action=custom", "policy=1"):
        for path in (PAGE, f"{PAGE}/file"):
            answer = auditor.get(f"{path}?format=evidence&{query}")
            assert answer.status_code == 400 and "Evidence is of the whole log" in answer.text


def test_each_export_is_in_the_trail_and_names_no_visitor(auditor, ledger, three):
    auditor.get(f"{PAGE}?format=csv")
    assert acts(ledger) == []
    auditor.get(f"{PAGE}/file?format=csv&action=custom&since=2026-11-01")
    (act,) = acts(ledger)
    assert (act.who, act.what, act.site) == ("auditor", "exported the log", "shop")
    assert act.after == {"format": "csv", "since": "2026-11-01T00:00:00Z", "action": "custom", "rows": 2}
    trail = json.dumps([entry.token for entry in ledger.storage.reading().entries(TRAIL, search_filter())])
    assert SUBJECT not in trail and OTHER not in trail


@pytest.mark.parametrize("path", [f"{PAGE}/file?format=csv", f"{PAGE}/file?format=evidence", "/admin/trail.ndjson", "/admin/trail.zip"])  # fmt: skip
def test_who_asks_for_the_headers_alone_starts_and_notes_nothing(browser, ledger, three, monkeypatch, path):
    owner = browser("owner")
    told = owner.get(path).headers
    noted = acts(ledger)
    monkeypatch.setattr("consent.web.streaming.Popen", None)
    answer = owner.client.head(path)
    assert (answer.status_code, answer.data, acts(ledger)) == (200, b"", noted)
    assert [answer.headers[name] for name in ("Content-Type", "Content-Disposition")] == [
        told[name] for name in ("Content-Type", "Content-Disposition")
    ]


def test_the_evidence_of_the_trail_is_taken(browser, ledger, three):
    archive = zipfile.ZipFile(io.BytesIO(browser("owner").get("/admin/trail.zip").data))
    (line,) = [json.loads(line) for line in archive.read("entries.ndjson").splitlines()]
    assert line["claims"]["act"] == {"who": "owner", "what": "exported the trail", "after": {"format": "evidence"}}


@pytest.mark.parametrize(
    "query", [{"format": "exe"}, {"format": ""}, {"format": BAD, "policy": BAD}, {"format": "csv", "since": BAD}]
)
def test_a_wrong_export_is_told(auditor, ledger, three, query):
    answer = auditor.get(f"{PAGE}/file", query_string=query)
    assert answer.status_code == 400 and "<script>alert" not in answer.text
    assert acts(ledger) == []
    if query["format"]:
        shown = auditor.get(PAGE, query_string=query)
        assert shown.status_code == 400 and "<script>alert" not in shown.text


KEY = "0123456789abcdef0123456789abcdef"


def progress(auditor, key: str = KEY):
    return auditor.get(f"{PAGE}/progress?key={key}")


def test_a_download_tells_how_far_it_has_come(auditor, ledger, three, monkeypatch):
    def slow(settings, site, options, tell):
        for row in (b"one", b"two", b"three"):
            yield row
            tell(int(row != b"one") + 1)

    monkeypatch.setattr("consent.web.desk.exports.exported", slow)
    client = auditor.client
    answer = client.get(f"{PAGE}/file?format=csv&key={KEY}", buffered=False)
    pieces = answer.iter_encoded()
    next(pieces)
    assert progress(auditor).json == {"stage": "coming", "done": 0, "text": "0 of 3 so far"}
    next(pieces)
    assert progress(auditor).json == {"stage": "coming", "done": 1 / 3, "text": "1 of 3 so far"}
    assert list(pieces) == [b"three"]
    assert progress(auditor).json == {"stage": "whole", "done": 1, "text": "The service has sent the whole file."}
    answer = client.get(f"{PAGE}/file?format=csv&key={KEY}", buffered=False)
    next(answer.iter_encoded())
    assert progress(auditor).json["stage"] == "coming"
    answer.close()
    assert progress(auditor).json["stage"] == "cut"


@pytest.mark.parametrize("format", [*FORMATS, "evidence"])
def test_a_whole_download_says_so(auditor, three, format):
    assert auditor.get(f"{PAGE}/file?format={format}&key={KEY}").data
    assert progress(auditor).json["text"] == "The service has sent the whole file."


def test_a_download_that_breaks_off_says_so(auditor, three, monkeypatch):
    def broken(settings, site, options, tell):
        yield b"one"
        raise Unavailable("Entry 2 is damaged.")

    monkeypatch.setattr("consent.web.desk.exports.exported", broken)
    with pytest.raises(Unavailable):
        _ = auditor.get(f"{PAGE}/file?format=csv&key={KEY}").data
    assert "broke off" in progress(auditor).json["text"]


def test_nothing_is_told_of_a_download_without_a_key(auditor, ledger, three):
    auditor.get(f"{PAGE}/file?format=csv")
    assert ledger.storage.reading().documents(DOWNLOAD) == []
    assert progress(auditor).status_code == 404


@pytest.mark.parametrize("key", ["", "short", KEY.upper(), KEY + "\n", f"{KEY}0", BAD])
def test_a_wrong_key_is_refused(auditor, ledger, three, key):
    for path in ("progress", "file"):
        answer = auditor.get(f"{PAGE}/{path}", query_string={"format": "csv", "key": key})
        assert answer.status_code == 400 and "<script>alert" not in answer.text
    assert acts(ledger) == []


def test_a_download_is_told_of_at_its_own_site_and_for_a_day(auditor, ledger, three, clock):
    downloads = Downloads(ledger.storage, ledger.now)
    assert list(downloads.followed("shop", KEY, 3, making=lambda tell: iter([b"x"]))) == [b"x"]
    assert downloads.find("shop", KEY).stage == "whole" and downloads.find("other", KEY) is None
    clock.forward(days=1, seconds=1)
    assert list(downloads.followed("shop", KEY[::-1], 3, making=lambda tell: iter([]))) == []
    assert downloads.find("shop", KEY) is None


def test_a_download_goes_on_where_its_progress_cannot_be_kept(ledger, three, monkeypatch):
    downloads = Downloads(ledger.storage, ledger.now)

    def full():
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(ledger.storage, "writing", full)
    assert list(downloads.followed("shop", KEY, 3, making=lambda tell: iter([b"x", b"y"]))) == [b"x", b"y"]


def test_a_download_that_nothing_is_heard_of_is_not_on_its_way_for_ever(auditor, ledger, three, clock):
    pieces = Downloads(ledger.storage, ledger.now).followed("shop", KEY, 3, making=lambda tell: iter([b"x", b"y"]))
    next(pieces)
    assert progress(auditor).json["stage"] == "coming"
    clock.forward(seconds=301)  # its process was killed
    assert progress(auditor).json["stage"] == "silent" and "Nothing was heard" in progress(auditor).json["text"]


def test_a_site_that_is_removed_meanwhile_leaves_nothing_of_a_download(ledger, three):
    pieces = Downloads(ledger.storage, ledger.now).followed("shop", KEY, 3, making=lambda tell: iter([b"x", b"y"]))
    next(pieces)
    ledger.erasure.remove_site("shop")
    assert list(pieces) == [b"y"]
    assert ledger.storage.reading().documents(DOWNLOAD) == []


def test_no_proxy_takes_a_file_faster_than_the_browser(auditor, three):
    assert auditor.get(f"{PAGE}/file?format=csv").headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("format", ["kantara", "iso27560"])
def test_a_format_that_the_policy_has_not_the_words_for_is_told_before(browser, ledger, format):
    ledger.record("shop", choice(action="accept_all", grants=ALL))
    ledger.record("shop", choice(action="reject_all", grants=dict.fromkeys(ALL, False)))
    text = browser("auditor").get(f"/admin/sites/shop/export?format={format}").text
    assert "their policy leaves out: " in text and "/admin/sites/shop/banner/rules" in text
    assert "their policy leaves out" not in browser("auditor").get("/admin/sites/shop/export?format=csv").text
