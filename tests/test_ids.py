"""Ids that the service makes (UUID version 7), and those that open what is found under them."""

from uuid import RFC_4122, UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import UnknownReceipt
from consent.ids import same, uuid7
from consent.model import ReceiptId
from tests.conftest import SUBJECT, body, choice

MOMENTS = st.floats(0, 2**47 / 1000)


@given(MOMENTS)
def test_an_id_is_a_uuid_of_version_7(now):
    made = UUID(uuid7(now))
    assert (made.version, made.variant) == (7, RFC_4122)


@given(MOMENTS)
def test_an_id_carries_its_millisecond(now):
    assert UUID(uuid7(now)).int >> 80 == int(now * 1000)


def test_ids_of_one_millisecond_differ():
    assert len({uuid7(1_795_000_000) for _ in range(1000)}) == 1000


def test_later_ids_sort_later():
    assert uuid7(1_795_000_000) < uuid7(1_795_000_000.002)


def test_an_id_is_of_the_shape_that_receipts_have():
    assert msgspec.convert(uuid7(1_795_000_000), ReceiptId)


# A pattern's `$` also matches before a line end in Python; ids end where they end.


@pytest.mark.parametrize("end", ["\n", " ", "\r\n", "\x00"])
def test_an_id_with_something_behind_it_is_refused(end):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(uuid7(1_795_000_000) + end, ReceiptId)


# Who knows a subject or a receipt id sees what stands under it, and nobody else's.


def test_only_the_same_is_the_same():
    assert same("a", "a") and not same("a", "b") and not same(None, "a") and not same("a", "ä")


def test_an_index_that_leads_to_another_entry_gives_nothing_away(ledger, monkeypatch):
    mine, theirs = choice(), choice(**body(subject="A" * 22))
    ledger.record("shop", mine), ledger.record("shop", theirs)
    entry = ledger.storage.reading().entry("shop", theirs.id)
    for name, wrong in {"entry": entry, "latest": entry, "newest": [entry]}.items():
        monkeypatch.setattr(type(ledger.storage.reading()), name, lambda *_, wrong=wrong, **__: wrong)
    with pytest.raises(UnknownReceipt):
        ledger.receipt("shop", mine.id)
    with pytest.raises(UnknownReceipt):
        ledger.proof("shop", mine.id)
    assert ledger.state("shop", SUBJECT).status == "unknown" and ledger.history("shop", SUBJECT) == []
    assert ledger.receipt("shop", theirs.id) == entry.token
