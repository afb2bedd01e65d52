"""consent.ledger: what is recorded, and the chain that a subject's receipts make."""

import threading
import uuid
from contextlib import contextmanager

import msgspec
import pytest

from consent import claims, receipts
from consent.errors import Conflict, Invalid, UnknownSite
from consent.ledger import Ledger
from consent.merkle import leaf_hash
from consent.model import Display, Entry, Filter, Receipt
from consent.policy import canonical, default, digest, named
from consent.times import rfc3339
from tests.conftest import ALL, NONE, ORIGIN, SUBJECT, choice

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
EVERYTHING = Filter(kinds=())


def claims_of(recorded: msgspec.Struct) -> Receipt:
    return receipts.receipt(recorded.receipt)


def record(ledger: Ledger, **changes) -> Receipt:
    return claims_of(ledger.record("shop", choice(**changes))[0])


def leaves(ledger: Ledger) -> list[bytes]:
    return [entry.leaf for entry in ledger.entries("shop", EVERYTHING)]


def entries(ledger: Ledger, kind: str) -> list[Entry]:
    return list(ledger.entries("shop", Filter(kinds=(kind,))))


def republish(ledger: Ledger, *, material: bool | None = None, **changes):
    new = msgspec.structs.replace(default("Shop", [ORIGIN]), **changes)
    return ledger.publish("shop", new, material=material)


def at_once(count: int, work) -> list:
    """What `work(number)` returned in as many threads as there are numbers."""
    results: list = [None] * count
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait(10)
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


# Recording.


def test_a_recorded_choice_is_a_receipt_with_what_the_browser_said(ledger):
    asked = choice(services={}, signals={"gpc": True}, decided_at="2026-11-18T09:00:00+02:00")
    receipt = claims_of(ledger.record("shop", asked)[0])
    said = receipt.consent
    assert (receipt.sub, receipt.jti, said.policy, said.language) == (asked.subject, asked.id, 1, "en")
    assert (said.action, said.surface, said.grants, said.services) == ("custom", "banner", asked.grants, {})
    assert (said.signals, said.decided_at) == ({"gpc": True}, "2026-11-18T07:00:00Z")


def test_a_receipt_carries_what_only_the_service_knows(ledger, clock):
    claims = claims_of(ledger.record("shop", choice(), where="DE")[0])
    published = ledger.published("shop")
    assert (claims.iss, claims.aud, claims.iat) == ("https://consent.example.org", "shop", int(clock.now))
    assert claims.exp == claims.iat + published.valid_days * 86_400
    assert claims.consent.policy_hash == named(digest(canonical(published)))
    assert (claims.consent.country, claims.consent.necessary) == ("DE", ["session"])


def test_a_receipt_is_signed_before_the_storage_is_locked(ledger, monkeypatch):
    locked = [False]
    signed: list[bool] = []
    writing, sign = ledger.storage.writing, claims.sign

    @contextmanager
    def watched():
        with writing() as rows:
            locked[0] = True
            yield rows
        locked[0] = False

    def watch(*args, **kwargs):
        signed.append(locked[0])
        return sign(*args, **kwargs)

    monkeypatch.setattr(ledger.storage, "writing", watched)
    monkeypatch.setattr(claims, "sign", watch)
    record(ledger)
    assert signed == [False]


@pytest.mark.parametrize(("grants", "days"), [(ALL, 180), (NONE, 90), ({**NONE, "analytics": True}, 180)])
def test_a_refusal_may_lapse_at_another_time_than_consent(ledger, grants, days):
    republish(ledger, refusal_days=90)
    claims = record(ledger, policy=2, grants=grants)
    assert claims.exp == claims.iat + days * 86_400
    state = ledger.state("shop", claims.sub)
    assert state.valid_until == rfc3339(claims.exp)


def test_a_receipt_names_the_very_script_that_asked(ledger):
    claims = record(ledger, language="de")
    script = ledger.script("shop", language="de", regime="opt-in", version=1)
    assert claims.consent.script_hash == named(script.hash)


def test_a_receipt_is_signed_by_the_newest_key(ledger):
    made = ledger.ring.rotate()
    recorded, _ = ledger.record("shop", choice())
    assert receipts.verify(recorded.receipt, ledger.ring.public())[0].kid == made.kid


def test_what_is_answered_is_what_is_kept(ledger):
    asked = choice()
    recorded, _ = ledger.record("shop", asked)
    assert ledger.receipt("shop", asked.id) == recorded.receipt


def test_the_leaf_is_the_hash_of_the_statement(ledger):
    record(ledger)
    for entry in ledger.entries("shop", EVERYTHING):
        assert entry.leaf == leaf_hash(entry.token.encode())


def test_the_answer_carries_the_state_after_the_choice(ledger):
    recorded, _ = ledger.record("shop", choice(action="accept_all", grants=ALL))
    assert recorded.state == ledger.state("shop", SUBJECT) and recorded.state.status == "given"


def test_what_is_loaded_once_is_recorded_and_changes_no_state(ledger):
    once = {"action": "load_once", "surface": "placeholder", "grants": {**NONE, "social": True}}
    recorded, _ = ledger.record("shop", choice(**once))
    assert (recorded.state.status, ledger.state("shop", SUBJECT).status) == ("unknown", "unknown")
    record(ledger, action="custom", grants={**NONE, "analytics": True})
    recorded, _ = ledger.record("shop", choice(**once))
    claims = claims_of(recorded)
    assert (recorded.state, recorded.state.grants["social"]) == (ledger.state("shop", SUBJECT), False)
    assert (claims.exp, claims.consent.previous is not None) == (claims.iat, True)


def test_the_same_choice_again_gets_the_same_receipt_and_is_not_new(ledger, clock):
    asked = choice(decided_at="2026-11-18T09:00:00.5Z")
    first, is_new = ledger.record("shop", asked)
    clock.forward(days=1)
    ledger.ring.rotate()
    again, is_new_again = ledger.record("shop", asked)
    assert (again.receipt, is_new, is_new_again) == (first.receipt, True, False)


def test_the_same_choice_again_is_kept_once(ledger):
    asked = choice()
    ledger.record("shop", asked), ledger.record("shop", asked)
    assert len(entries(ledger, "receipt")) == 1


def test_the_same_choice_again_is_known_after_later_ones(ledger):
    asked = choice()
    first, _ = ledger.record("shop", asked)
    record(ledger, action="withdraw", grants=NONE)
    assert ledger.record("shop", asked)[0].receipt == first.receipt


DIFFERENT = [
    {"subject": OTHER},
    {"language": "de"},
    {"surface": "preferences"},
    {"action": "signal"},
    {"grants": {**ALL, "social": False}},
    {"signals": {"gpc": False}},
    {"decided_at": "2026-11-18T09:00:00Z"},
]


@pytest.mark.parametrize("changes", DIFFERENT, ids=str)
def test_an_id_with_another_content_is_a_conflict(ledger, changes):
    asked = choice()
    ledger.record("shop", asked)
    with pytest.raises(Conflict, match="another content"):
        ledger.record("shop", choice(id=asked.id, **changes))


def test_an_id_with_another_policy_version_is_a_conflict(ledger):
    asked = choice()
    ledger.record("shop", asked)
    republish(ledger, name="The shop")
    with pytest.raises(Conflict):
        ledger.record("shop", choice(id=asked.id, policy=2))


def test_the_id_of_a_policy_statement_is_taken(ledger):
    with pytest.raises(Conflict, match="is taken"):
        ledger.record("shop", choice(id=entries(ledger, "policy")[0].id))


def test_two_sites_may_record_the_same_id(ledger):
    ledger.create_site("other", default("Other", [ORIGIN]))
    asked = choice()
    assert [ledger.record(site, asked)[1] for site in ("shop", "other")] == [True, True]


def test_a_choice_on_an_unknown_site_is_refused(ledger):
    with pytest.raises(UnknownSite):
        ledger.record("nowhere", choice())


def test_a_choice_on_a_version_never_published_is_refused(ledger):
    with pytest.raises(Invalid) as refused:
        ledger.record("shop", choice(policy=2))
    assert refused.value.mistakes[0][0] == "policy"


def test_a_choice_on_an_older_version_is_accepted(ledger):
    republish(ledger, name="The shop", material=True)
    assert record(ledger, policy=1).consent.policy == 1


def test_a_refused_choice_leaves_nothing(ledger):
    before = leaves(ledger)
    with pytest.raises(Invalid):
        ledger.record("shop", choice(grants={"analytics": True}))
    assert leaves(ledger) == before


# The chain.


def test_the_first_receipt_of_a_subject_has_no_predecessor(ledger):
    record(ledger, subject=OTHER)
    assert record(ledger).consent.previous is None


def test_each_receipt_names_its_predecessor(ledger):
    first = record(ledger)
    record(ledger, subject=OTHER)
    second = record(ledger)
    third = record(ledger, action="withdraw", grants=NONE)
    assert (second.consent.previous, third.consent.previous) == (first.jti, second.jti)


def test_the_history_is_the_subjects_own_newest_first(ledger):
    made = [record(ledger).jti for _ in range(3)]
    record(ledger, subject=OTHER)
    assert [entry.id for entry in ledger.history("shop", SUBJECT)] == made[::-1]


def test_threads_that_record_the_same_choice_get_the_same_receipt(ledger):
    asked = choice()
    answers = at_once(8, lambda _: ledger.record("shop", asked))
    assert len({recorded.receipt for recorded, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1


def test_threads_that_contest_an_id_are_told_apart(ledger):
    id = str(uuid.uuid4())

    def contest(number: int) -> str:
        try:
            return ledger.record("shop", choice(id=id, grants=ALL if number % 2 else NONE))[0].receipt
        except Conflict:
            return "conflict"

    answers = at_once(8, contest)
    assert answers.count("conflict") == 4 and len(set(answers)) == 2


def test_threads_that_record_for_one_subject_make_an_unbroken_chain(ledger):
    at_once(8, lambda _: [record(ledger) for _ in range(5)])
    chain = [receipts.receipt(entry.token) for entry in entries(ledger, "receipt")]
    assert len(chain) == 40
    assert [claims.consent.previous for claims in chain] == [None, *(claims.jti for claims in chain[:-1])]


# Displays.


def test_displays_are_counted_by_the_day(ledger, clock):
    shown = Display(1, "en", "banner")
    for days in (0, 0, 1):
        clock.forward(days=days)
        ledger.count_display("shop", shown)
    counted = ledger.storage.reading().tallies("shop", "2000-01-01", "3000-01-01")
    assert [(tally.action, count) for tally, count in counted] == [("shown", 2), ("shown", 1)]


@pytest.mark.parametrize(
    ("display", "path"), [(Display(2, "en", "banner"), "policy"), (Display(1, "tlh", "banner"), "language")]
)
def test_a_display_of_what_was_never_published_is_refused(ledger, display, path):
    with pytest.raises(Invalid) as refused:
        ledger.count_display("shop", display)
    assert refused.value.mistakes[0][0] == path
