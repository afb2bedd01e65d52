"""consent.ledger: what time, publications and erasures change, and what is read meanwhile."""

import threading
import uuid
from base64 import urlsafe_b64encode

import msgspec
import pytest

from consent import receipts
from consent.errors import Conflict, UnknownPolicy, UnknownReceipt, UnknownSite
from consent.ledger import Ledger
from consent.policy import canonical, default, digest, named
from tests.conftest import ALL, NONE, ORIGIN, SUBJECT, choice
from tests.test_ledger import EVERYTHING, OTHER, at_once, claims_of, entries, leaves, record, republish

# The state.


def status(ledger: Ledger) -> str:
    return ledger.state("shop", SUBJECT).status


def test_a_subject_never_seen_is_unknown_and_grants_nothing(ledger):
    state = ledger.state("shop", SUBJECT)
    assert (state.status, state.subject, any(state.grants[id] for id in ALL)) == ("unknown", SUBJECT, False)


def test_the_state_of_an_unknown_site_is_refused(ledger):
    with pytest.raises(UnknownSite):
        ledger.state("nowhere", SUBJECT)


@pytest.mark.parametrize(
    ("action", "grants", "expected"),
    [("accept_all", ALL, "given"), ("reject_all", NONE, "refused"), ("custom", {**NONE, "analytics": True}, "partial"), ("withdraw", NONE, "withdrawn")],
)  # fmt: skip
def test_the_state_says_what_was_chosen(ledger, action, grants, expected):
    record(ledger, action=action, grants=grants)
    assert status(ledger) == expected


def test_the_last_choice_counts(ledger):
    record(ledger, action="accept_all", grants=ALL)
    record(ledger, action="withdraw", grants=NONE)
    assert status(ledger) == "withdrawn" and not ledger.state("shop", SUBJECT).granted("analytics")


def test_a_choice_holds_to_its_last_second(ledger, clock):
    record(ledger, action="accept_all", grants=ALL)
    clock.forward(days=180, seconds=-1)
    assert status(ledger) == "given"


def test_a_choice_lapses(ledger, clock):
    record(ledger, action="accept_all", grants=ALL)
    clock.forward(days=180)
    assert status(ledger) == "expired" and not ledger.state("shop", SUBJECT).granted("analytics")


def test_a_material_publication_asks_again(ledger):
    record(ledger, action="accept_all", grants=ALL)
    republish(ledger, name="The shop", material=True)
    assert status(ledger) == "outdated" and not ledger.state("shop", SUBJECT).granted("analytics")


def test_a_publication_that_is_not_material_keeps_the_choice(ledger):
    record(ledger, action="accept_all", grants=ALL)
    republish(ledger, name="The shop", material=False)
    assert status(ledger) == "given"


def test_a_material_publication_counts_however_many_followed_it(ledger):
    record(ledger, action="accept_all", grants=ALL)
    republish(ledger, name="The shop", material=True)
    republish(ledger, name="Our shop", material=False)
    assert status(ledger) == "outdated"


# Publishing.


def test_a_new_site_starts_with_version_1(ledger):
    published = ledger.published("shop")
    assert (published.version, published.material_since, published.name) == (1, 1, "Shop")


def test_a_site_is_created_once(ledger):
    with pytest.raises(Conflict):
        ledger.create_site("shop", default("Again", [ORIGIN]))
    assert ledger.published("shop").name == "Shop" and len(entries(ledger, "policy")) == 1


def test_publishing_makes_the_next_version_and_says_what_it_changed(ledger):
    published, changes = republish(ledger, name="The shop")
    assert published.version == 2 and ledger.published("shop") == published
    assert [(change.path, change.after) for change in changes] == [("name", "The shop")]


def test_the_same_document_twice_is_published_once(ledger):
    first, _ = republish(ledger, name="The shop")
    again, changes = republish(ledger, name="The shop", material=True)
    assert (again, changes) == (first, []) and len(entries(ledger, "policy")) == 2


def test_threads_that_publish_the_same_document_publish_it_once(ledger):
    answers = at_once(4, lambda _: republish(ledger, name="The shop"))
    assert sorted(len(changes) for _, changes in answers) == [0, 0, 0, 1]
    assert [stored.version for stored in ledger.storage.reading().publications("shop")] == [1, 2]


def test_an_older_version_stays_what_it_was(ledger):
    before = ledger.published("shop")
    republish(ledger, name="The shop")
    assert ledger.published("shop", 1) == before


def test_a_version_never_published_is_unknown(ledger):
    with pytest.raises(UnknownPolicy):
        ledger.published("shop", 2)


def test_a_publication_is_an_entry_that_names_the_document(ledger):
    published, _ = republish(ledger, name="The shop")
    token = entries(ledger, "policy")[-1].token
    header, claims = receipts.verify(token, ledger.ring.public())
    statement = msgspec.json.decode(claims, type=receipts.PolicyClaims).policy
    assert header.typ == receipts.POLICY
    assert (statement.version, statement.policy_hash) == (2, named(digest(canonical(published))))


# Erasing.


def test_erasing_names_the_indexes_it_emptied(ledger):
    record(ledger), record(ledger, subject=OTHER), record(ledger)
    assert ledger.erase("shop", SUBJECT, reason="test") == [1, 3]


def test_erasing_keeps_every_leaf_and_appends_one(ledger):
    record(ledger), record(ledger, subject=OTHER), record(ledger)
    before = leaves(ledger)
    ledger.erase("shop", SUBJECT, reason="test")
    assert leaves(ledger)[:-1] == before


def test_erasing_appends_a_signed_statement_of_what_when_and_why(ledger, clock):
    record(ledger), record(ledger)
    ledger.erase("shop", SUBJECT, reason="requested by the subject")
    header, claims = receipts.verify(entries(ledger, "erasure")[0].token, ledger.ring.public())
    decoded = msgspec.json.decode(claims, type=receipts.ErasureClaims)
    assert (header.typ, decoded.iat) == (receipts.ERASURE, int(clock.now))
    assert decoded.erasure == receipts.ErasureStatement([1, 2], "requested by the subject")


def test_an_erasure_does_not_name_the_subject(ledger):
    record(ledger)
    ledger.erase("shop", SUBJECT, reason="test")
    assert SUBJECT.encode() not in receipts.read(entries(ledger, "erasure")[0].token)[1]


def test_nothing_is_found_of_an_erased_subject(ledger):
    claims = record(ledger)
    ledger.erase("shop", SUBJECT, reason="test")
    assert status(ledger) == "unknown" and ledger.history("shop", SUBJECT) == []
    with pytest.raises(UnknownReceipt):
        ledger.receipt("shop", claims.jti)


def test_erasing_leaves_others_alone(ledger):
    kept = record(ledger, subject=OTHER)
    record(ledger)
    ledger.erase("shop", SUBJECT, reason="test")
    assert receipts.receipt(ledger.receipt("shop", kept.jti)) == kept


@pytest.mark.parametrize("seen", [True, False])
def test_erasing_where_there_is_nothing_appends_nothing(ledger, seen):
    if seen:
        record(ledger)
        ledger.erase("shop", SUBJECT, reason="test")
    before = leaves(ledger)
    assert ledger.erase("shop", SUBJECT, reason="test") == [] and leaves(ledger) == before


def test_erasing_on_an_unknown_site_is_refused(ledger):
    with pytest.raises(UnknownSite):
        ledger.erase("nowhere", SUBJECT, reason="test")


def test_a_subject_may_choose_anew_after_its_erasure(ledger):
    record(ledger)
    ledger.erase("shop", SUBJECT, reason="test")
    assert record(ledger).consent.previous is None


# Reading.


def test_entries_are_read_oldest_first_over_all_pages(ledger):
    for _ in range(7):
        record(ledger)
    assert [entry.index for entry in ledger.entries("shop", EVERYTHING, batch=3)] == list(range(8))


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_entries_are_those_of_the_moment_the_reading_began(ledger, batch):
    for _ in range(5):
        record(ledger)
    reading = ledger.entries("shop", EVERYTHING, batch=batch)
    read = [next(reading).index]
    record(ledger), record(ledger)
    assert read + [entry.index for entry in reading] == list(range(6))


def test_reading_ends_while_others_record(ledger):
    stop = threading.Event()
    subject = urlsafe_b64encode(bytes(16)).rstrip(b"=").decode()
    writer = threading.Thread(target=lambda: [record(ledger, subject=subject) for _ in iter(stop.is_set, True)])
    writer.start()
    read = [entry.index for entry in ledger.entries("shop", EVERYTHING, batch=1)]
    stop.set()
    writer.join()
    assert read == list(range(len(read)))


@pytest.mark.parametrize("id", ["policy", "other site", "unknown"])
def test_only_a_receipt_of_the_site_is_found_by_its_id(ledger, id):
    ledger.create_site("other", default("Other", [ORIGIN]))
    elsewhere = claims_of(ledger.record("other", choice())[0]).jti
    ids = {"policy": entries(ledger, "policy")[0].id, "other site": elsewhere, "unknown": str(uuid.uuid4())}
    with pytest.raises(UnknownReceipt):
        ledger.receipt("shop", ids[id])
