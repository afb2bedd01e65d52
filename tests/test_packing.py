"""What is packed comes out as it went in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import receipts, verify
from consent.claims import shape_of
from consent.ledger import Ledger
from consent.model import Filter
from consent.packing import pack, unpack
from tests.conftest import ALL, ON_SQLITE, choice
from tests.test_receipts import KEY


def recorded(ledger: Ledger, **changes) -> str:
    return ledger.record("shop", choice(**changes))[0].receipt


@ON_SQLITE
def test_every_receipt_comes_back_byte_for_byte_and_small(ledger: Ledger):
    tokens = [
        recorded(ledger),
        recorded(ledger),
        recorded(ledger, action="accept_all", grants=ALL, signals={"gpc": True}, decided_at="2026-11-23T18:46:00Z"),
        recorded(ledger, surface="preferences", action="withdraw", grants=dict.fromkeys(ALL, False)),
    ]
    stored = [
        row[0]
        for row in ledger.storage.reading().connection.execute("SELECT token FROM entries WHERE typeof(token) = 'blob'")
    ]
    assert [entry.token for entry in ledger.entries("shop", Filter())] == tokens
    assert len(stored) == 4 and all(len(token) < 200 for token in stored)


def test_a_shape_names_nobody(ledger: Ledger):
    token = recorded(ledger)
    receipt = receipts.receipt(token)
    for trace in (receipt.sub, receipt.jti, str(receipt.iat)):
        assert trace.encode() not in shape_of(receipt, token)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_statement_comes_back_whatever_its_shape(claims: bytes, dictionary: bytes):
    head = "eyJhIjoxfQ"
    token = f"{head}.{receipts._encode(claims)}.{receipts._encode(receipts.raw_signature(claims, KEY.private))}"
    shape = head.encode() + b"." + dictionary
    packed = pack(token, shape)
    assert packed is not None and unpack(packed, shape) == token


@given(st.text(), st.text(), st.text(max_size=9), st.text(max_size=9))
def test_texts_known_from_elsewhere_come_back_or_nothing_is_packed(before: str, after: str, one: str, two: str):
    claims = f"{before}{one}{two}{after}".encode()
    token = f"h.{receipts._encode(claims)}.{receipts._encode(bytes(64))}"
    packed = pack(token, b"h.", (one, two))
    assert packed is None or unpack(packed, b"h.", (one, two)) == token


def test_what_would_not_come_back_the_same_is_not_packed():
    good = receipts._encode(bytes(64))
    for token in ("a.b", f"x.YQ.{good}", f"h.YR.{good}", "h.YQ.YQ", f"h.ä.{good}", f"h.YQ==.{good}", ""):
        assert pack(token, b"h.{}") is None


@ON_SQLITE
@pytest.mark.parametrize("sql", ["UPDATE entries SET token = CAST(substr(token, 1, 90) AS BLOB) WHERE position = 1", "DELETE FROM shapes"])  # fmt: skip
def test_what_cannot_be_unpacked_any_more_is_named_by_verify(ledger: Ledger, sql: str):
    recorded(ledger)
    with ledger.storage.writing() as rows:
        rows.connection.execute(sql)
    items = ledger.parcels("shop")
    found = [one.problem for one in verify.check(items, ledger.ring.public(), verify.Known())]
    assert "entry 1 does not have the hash that the ledger kept of it" in found[1]
