"""The storage contract: what is written is seen whole or not at all, and documents are not lost between two writers."""

import threading
import time

import pytest

from consent.errors import Conflict, UnknownSite
from consent.fields import TRAIL
from consent.model import Site
from consent.storage import open_storage
from consent.storage.base import logs
from tests.test_storage import append, entry, shop

__all__ = ["shop"]


# Transactions.


def test_a_transaction_is_undone_when_its_block_raises(shop):
    with pytest.raises(ZeroDivisionError), shop.writing() as rows:
        rows.append(entry())
        rows.add_site(Site("third", 30))
        raise ZeroDivisionError
    assert shop.reading().size("shop") == 0 and len(shop.reading().sites()) == 2


def test_a_transaction_is_undone_when_a_row_is_refused(shop):
    given = entry()
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.append(given)
        rows.append(given)
    assert shop.reading().size("shop") == 0


@pytest.mark.parametrize("error", [ZeroDivisionError, Conflict, KeyboardInterrupt])
def test_writing_goes_on_after_a_transaction_that_raised(shop, error):
    with pytest.raises(error), shop.writing():
        raise error
    assert append(shop, entry()) == [0]


def test_readers_see_nothing_of_a_transaction_before_it_ends(shop):
    with shop.writing() as rows:
        rows.append(entry())
        assert shop.reading().size("shop") == 0
    assert shop.reading().size("shop") == 1


def test_a_writer_sees_its_own_rows(shop):
    with shop.writing() as rows:
        rows.append(given := entry())
        assert rows.entry("shop", given.id) and rows.size("shop") == 1


def test_threads_that_append_at_once_get_every_index_once(shop):
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(append(shop, entry())[0] for _ in range(20))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(100))


def test_what_one_storage_writes_another_on_the_same_database_reads(shop, database):
    other = open_storage(database)
    assert other.reading().size("shop") == 0
    append(shop, entry())
    assert other.reading().size("shop") == 1
    other.close()


def test_a_closed_storage_opens_again_at_its_next_use(shop):
    append(shop, entry())
    shop.close()
    assert shop.reading().size("shop") == 1


# Documents.


def test_documents_come_back_by_kind_and_id_in_order(storage):
    with storage.writing() as rows:
        for id in ("b", "a"):
            rows.put_document("person", id, id.encode())
        rows.put_document("session", "a", b"other")
        rows.put_document("person", "b", b"newer")
    rows = storage.reading()
    assert rows.documents("person") == [("a", b"a"), ("b", b"newer")]
    assert (rows.document("session", "a"), rows.document("session", "b")) == (b"other", None)


def test_a_document_is_dropped_once(storage):
    with storage.writing() as rows:
        rows.put_document("person", "a", b"{}")
        assert [rows.drop_document("person", "a") for _ in range(2)] == [True, False]
    assert storage.reading().documents("person") == []


def test_what_a_transaction_does_with_a_document_that_it_read_is_not_lost(storage):
    def add() -> None:
        with storage.writing() as rows:
            number = int(rows.document("count", "a") or b"0")
            time.sleep(0.05)
            rows.put_document("count", "a", b"%d" % (number + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert storage.reading().document("count", "a") == b"4"


def test_a_document_that_is_dropped_while_it_is_changed_stays_away(storage):
    read = threading.Event()

    def drop() -> None:
        read.wait(10)
        with storage.writing() as rows:
            rows.drop_document("session", "a")

    with storage.writing() as rows:
        rows.put_document("session", "a", b"{}")
    thread = threading.Thread(target=drop)
    thread.start()
    with storage.writing() as rows:
        assert rows.document("session", "a")
        read.set()
        time.sleep(0.3)
        rows.put_document("session", "a", b"newer")
    thread.join(20)
    assert storage.reading().document("session", "a") is None


def test_a_removed_site_takes_its_documents_with_it_and_no_others(shop):
    kept = [("draft", "other"), ("draft", "shop-2"), ("person", "shop"), ("sighting", "shop-2 https://shop.example")]
    gone = [("draft", "shop"), ("sighting", "shop https://shop.example")]
    with shop.writing() as rows:
        for kind, id in kept + gone:
            rows.put_document(kind, id, b"{}")
        rows.remove_site("shop")
    rows = shop.reading()
    assert [rows.document(*one) for one in kept] == [b"{}"] * 4
    assert [rows.document(*one) for one in gone] == [None] * 2


def test_the_log_of_administrators_acts_is_no_site(shop):
    with shop.writing() as rows:
        rows.add_site(Site(TRAIL, 30))
    assert [site.id for site in shop.reading().sites()] == ["other", "shop"]
    assert logs(shop.reading()) == ["other", "shop", TRAIL]
    with pytest.raises(UnknownSite):
        shop.reading().site(TRAIL)
    with pytest.raises(UnknownSite), shop.writing() as rows:
        rows.remove_site(TRAIL)
