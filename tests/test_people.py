"""Who may sign in: passwords, second factors, roles, sessions, and the trail of what they did."""

import json
import threading
from contextlib import suppress

import pyotp
import pytest
from argon2 import extract_parameters

from consent import people
from consent.errors import Conflict, Invalid, NotSignedIn, UnknownPerson
from consent.fields import TRAIL
from consent.people import ALL, Account, People
from consent.sessions import IDLE, LONGEST, Sessions, id_of
from consent.trail import Trail
from tests.conftest import ON_SQLITE

PASSWORD = "a long enough password"


@pytest.fixture
def crew(ledger) -> People:
    crew = People(ledger.storage, ledger.now)
    crew.add("anna", {ALL: "owner"}, PASSWORD)
    return crew


@pytest.fixture
def sessions(ledger, crew) -> Sessions:
    return Sessions(ledger.storage, crew, ledger.now)


def test_the_right_password_signs_in(crew, clock):
    clock.forward(days=1)
    assert crew.sign_in("anna", PASSWORD, "").seen_at == int(clock.now)


@pytest.mark.parametrize(
    "name, password", [("anna", "wrong"), ("anna", ""), ("nobody", PASSWORD), ("anna", "x" * 9999)]
)
def test_anything_else_does_not_and_does_not_say_why(crew, name, password):
    with pytest.raises(NotSignedIn, match="Name, password or code is not right"):
        crew.sign_in(name, password, "")


@pytest.mark.parametrize("name", ["anna", "nobody", "bert"])
def test_an_unknown_name_costs_as_much_as_a_wrong_password(crew, monkeypatch, name):
    crew.add("bert", {"shop": "editor"}, account="bert@example.org")  # has no password
    work = []

    def verify(hash: str, password: str) -> bool:
        work.append((extract_parameters(hash), len(password)))
        return False

    monkeypatch.setattr(people, "_verify", verify)
    with pytest.raises(NotSignedIn):
        crew.sign_in(name, "wrong", "")
    hasher = people._hasher
    [(done, length)] = work
    assert (done.time_cost, done.memory_cost, done.parallelism, done.hash_len, length) == (
        hasher.time_cost, hasher.memory_cost, hasher.parallelism, hasher.hash_len, 5,
    )  # fmt: skip


@ON_SQLITE
def test_no_password_is_kept_in_clear(crew, ledger):
    _, given = crew.add("bert", {"shop": "editor"})
    stored = ledger.storage.path.read_bytes() + ledger.storage.path.with_name("consent.db-wal").read_bytes()
    assert PASSWORD.encode() not in stored and given.encode() not in stored


def test_a_one_time_password_must_be_changed(crew):
    person, given = crew.add("bert", {"shop": "editor"})
    assert person.must_change and crew.sign_in("bert", given, "").must_change
    crew.set_password("bert", PASSWORD)
    assert not crew.sign_in("bert", PASSWORD, "").must_change


@pytest.mark.parametrize("password", ["short", "x" * 201])
def test_a_password_that_is_too_short_or_long_is_refused(crew, password):
    with pytest.raises(Invalid):
        crew.add("bert", {}, password)


@pytest.mark.parametrize("name", ["", "Anna", "a b", "<script>", "x" * 65, "-a"])
def test_a_name_that_cannot_be_one_is_refused(crew, name):
    with pytest.raises(Invalid):
        crew.add(name, {})


def test_a_name_is_taken_once(crew):
    with pytest.raises(Conflict):
        crew.add("anna", {})


def test_a_code_is_asked_for_and_works_once(crew, clock):
    secret = people.new_secret()
    crew.set_secret("anna", secret)
    code = pyotp.TOTP(secret).at(int(clock.now))
    for wrong in ("", "000000", "abc", pyotp.TOTP(secret).at(int(clock.now) - 120)):
        with pytest.raises(NotSignedIn):
            crew.sign_in("anna", PASSWORD, wrong)
    assert crew.sign_in("anna", PASSWORD, code[:3] + " " + code[3:])
    with pytest.raises(NotSignedIn):
        crew.sign_in("anna", PASSWORD, code)
    clock.forward(seconds=30)
    assert crew.sign_in("anna", PASSWORD, pyotp.TOTP(secret).at(int(clock.now)))


def during(monkeypatch, act) -> None:
    """Do something else while the next password is held against its hash."""
    verify = people._verify

    def verified(hash: str, password: str) -> bool:
        monkeypatch.setattr(people, "_verify", verify)
        act()
        return verify(hash, password)

    monkeypatch.setattr(people, "_verify", verified)


def test_a_password_that_is_changed_while_it_is_tried_does_not_come_back(crew, monkeypatch):
    during(monkeypatch, lambda: crew.set_password("anna", "another long password"))
    with pytest.raises(NotSignedIn):
        crew.sign_in("anna", PASSWORD, "")
    with pytest.raises(NotSignedIn):
        crew.sign_in("anna", PASSWORD, "")
    assert crew.sign_in("anna", "another long password", "")


def test_an_account_that_is_bound_while_a_password_is_tried_ends_the_password(crew, monkeypatch):
    crew.set_account("anna", "anna@example.org")
    account = Account("https://login.example", "1", "anna@example.org", verified=True)
    during(monkeypatch, lambda: crew.sign_in_with(account))
    with pytest.raises(NotSignedIn):
        crew.sign_in("anna", PASSWORD, "")
    assert crew.get("anna").hash == ""


def test_who_is_removed_while_signing_in_is_not_signed_in(crew, monkeypatch):
    crew.add("bert", {ALL: "owner"})
    during(monkeypatch, lambda: crew.remove("anna"))
    with pytest.raises(NotSignedIn):
        crew.sign_in("anna", PASSWORD, "")


def test_a_code_that_is_used_twice_at_once_works_once(crew, clock, monkeypatch):
    crew.set_secret("anna", secret := people.new_secret())
    code = pyotp.TOTP(secret).at(int(clock.now))
    during(monkeypatch, lambda: crew.sign_in("anna", PASSWORD, code))
    with pytest.raises(NotSignedIn):
        crew.sign_in("anna", PASSWORD, code)


def test_an_account_is_bound_by_its_first_sign_in_and_takes_the_passwords_place(crew, sessions):
    crew.add("bert", {ALL: "owner"}, PASSWORD)
    key = sessions.start(crew.sign_in("bert", PASSWORD, ""))
    crew.set_account("bert", "Bert@example.org")
    with pytest.raises(NotSignedIn):
        sessions.person(key)
    account = Account("https://login.example", "1", "bert@Example.org", verified=True)
    seen = []
    for _ in range(2):
        person = crew.sign_in_with(account, also=lambda _, before, person: seen.append((before.bound, person.bound)))
        assert person.bound == ("https://login.example", "1")
    assert seen == [(None, person.bound), (person.bound, person.bound)]
    for other in (Account("https://login.example", "2"), Account("https://other.example", "1")):
        with pytest.raises(NotSignedIn, match="Nobody here"):
            crew.sign_in_with(other)
    with pytest.raises(NotSignedIn, match="Another account"):
        crew.sign_in_with(Account("https://login.example", "2", "bert@example.org", verified=True))
    with pytest.raises(NotSignedIn):
        crew.sign_in("bert", "", "")


def test_a_subject_comes_in_though_its_address_was_somebody_elses(crew):
    crew.set_account("anna", "anna@example.org")
    crew.add("cleo", {}, account="cleo@example.org")
    crew.sign_in_with(Account("https://login.example", "1", "anna@example.org", verified=True))
    crew.add("bert", {}, account="2")
    crew.add("dora", {}, account="3")
    assert crew.sign_in_with(Account("https://login.example", "2", "anna@example.org", verified=True)).name == "bert"
    assert crew.sign_in_with(Account("https://login.example", "3", "cleo@example.org", verified=True)).name == "dora"


def test_the_last_owner_keeps_a_way_in(crew):
    crew.set_account("anna", "anna@example.org")
    crew.sign_in_with(Account("https://login.example", "1", "anna@example.org", verified=True))
    with pytest.raises(Conflict, match="has to stay owner"):
        crew.set_account("anna", "")
    assert crew.get("anna").bound == ("https://login.example", "1")
    crew.add("bert", {ALL: "owner"}, PASSWORD)
    crew.set_account("anna", "")
    with pytest.raises(Conflict, match="has to stay owner"):
        crew.remove("bert")


def test_roles_hold_where_they_were_given(crew):
    person, _ = crew.add("bert", {"shop": "editor", ALL: "auditor"})
    assert (person.role("shop"), person.role("other"), person.role(None)) == ("editor", "auditor", "auditor")
    only, _ = crew.add("cleo", {"shop": "owner"})
    assert (only.role("shop"), only.role("other"), only.role(None)) == ("owner", None, None)
    assert only.may("editor", "shop") and not only.may("auditor", None)


def test_somebody_stays_owner(crew):
    for act in (lambda: crew.remove("anna"), lambda: crew.set_roles("anna", {"shop": "owner"})):
        with pytest.raises(Conflict):
            act()
    crew.add("bert", {ALL: "owner"})
    crew.remove("anna")
    with pytest.raises(UnknownPerson):
        crew.get("anna")


def test_two_owners_who_remove_each_other_at_once_leave_one(crew, monkeypatch):
    crew.add("bert", {ALL: "owner"}, PASSWORD)
    owned, both, refused = people._owned, threading.Barrier(2), []

    def at_once(rows, changed) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        owned(rows, changed)

    monkeypatch.setattr(people, "_owned", at_once)

    def remove(name: str) -> None:
        try:
            crew.remove(name)
        except Conflict:
            refused.append(name)

    threads = [threading.Thread(target=remove, args=(name,)) for name in ("anna", "bert")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [person.name for person in crew.all()] == refused and len(refused) == 1


def test_a_session_ends_when_it_is_not_used(crew, sessions, clock):
    key = sessions.start(crew.get("anna"))
    for _ in range(3):
        clock.forward(seconds=IDLE - 1)
        assert sessions.person(key).name == "anna"
    clock.forward(seconds=IDLE)
    with pytest.raises(NotSignedIn):
        sessions.person(key)


def test_a_session_ends_after_a_day_of_work(crew, sessions, clock):
    key = sessions.start(crew.get("anna"))
    for _ in range(LONGEST // 1000):
        clock.forward(seconds=1000)
        sessions.person(key)
    clock.forward(seconds=1000)
    with pytest.raises(NotSignedIn):
        sessions.person(key)


def test_signing_out_ends_a_session_for_good(crew, sessions, ledger):
    key = sessions.start(crew.get("anna"))
    sessions.end(key)
    with pytest.raises(NotSignedIn):
        sessions.person(key)
    assert ledger.storage.reading().documents("session") == []


def test_a_new_password_ends_every_other_session(crew, sessions):
    mine, other = sessions.start(crew.get("anna")), sessions.start(crew.get("anna"))
    crew.set_password("anna", "another long password", keep=id_of(mine))
    assert sessions.person(mine)
    with pytest.raises(NotSignedIn):
        sessions.person(other)


def test_what_the_browser_holds_is_not_in_the_database(crew, sessions, ledger):
    key = sessions.start(crew.get("anna"))
    assert key not in json.dumps([(id, body.decode()) for id, body in ledger.storage.reading().documents("session")])


def test_the_trail_is_a_log_of_its_own_under_checkpoints(ledger):
    trail = Trail(ledger)
    trail.add("anna", "renamed a site", site="shop", before="Shop", after="<b>Shop</b>")
    trail.add("anna", "signed out")
    assert [(told.index, told.act.what) for told in trail.newest()] == [(1, "signed out"), (0, "renamed a site")]
    assert [told.act.after for told in trail.all()] == ["<b>Shop</b>", None]
    ledger.tree.checkpoint_all()
    assert ledger.tree.newest(TRAIL).size == 2
    assert [site.id for site in ledger.storage.reading().sites()] == ["shop"]


def test_an_empty_trail_is_empty(ledger):
    assert (Trail(ledger).newest(), list(Trail(ledger).all())) == ([], [])
