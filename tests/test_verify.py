"""consent.verify: a good log holds, and every way of tampering with one is found and named."""

import json

import msgspec
import pytest

from consent import crew, policy, receipts, verify
from consent.export import export
from consent.keyring import Key
from consent.ledger import Ledger
from consent.merkle import leaf_hash
from consent.model import Filter
from tests.conftest import ALL, NONE, ORIGIN, SUBJECT, choice
from tests.test_receipts import KEY

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
EVERYTHING = Filter(kinds=())


@pytest.fixture
def log(ledger: Ledger) -> Ledger:
    """Entries 0 policy, 1 to 3 receipts, 4 policy, 5 receipt."""
    ledger.record("shop", choice())
    ledger.record("shop", choice(action="accept_all", grants=ALL))
    ledger.record("shop", choice(action="withdraw", grants=NONE))
    ledger.publish("shop", policy.default("The shop", [ORIGIN]), material=True)
    ledger.record("shop", choice(policy=2, subject=OTHER))
    return ledger


def policies(ledger: Ledger) -> dict[int, bytes]:
    rows = ledger.storage.reading()
    return {stored.version: policy.digest(stored.document) for stored in rows.publications("shop")}


def scripts(ledger: Ledger) -> frozenset[str]:
    return frozenset(policy.named(hash) for hash in ledger.storage.reading().scripts("shop"))


def lines(ledger: Ledger) -> list[dict]:
    """The whole log as an exported file has it."""
    return [json.loads(line) for line in b"".join(export(ledger, "shop", "ndjson", EVERYTHING)).splitlines()]


def problems(ledger: Ledger, rows: list[dict], **options) -> dict[int, str]:
    """Index -> what was found, for the lines of a file."""
    items = crew.lines(json.dumps(row).encode() for row in rows)
    given = {"site": "shop", "policies": policies(ledger), "complete": True} | options
    return {
        found.index: found.problem
        for found in verify.check(items, ledger.ring.public(), verify.Known(**given))
        if found.problem
    }


def token_with(row: dict, key: Key, **claims) -> dict:
    """A line with other claims, properly signed with a key and hashed."""
    _, body = receipts.read(row["receipt"])
    changed = json.loads(body) | claims
    token = receipts.sign(msgspec.convert(changed, receipts.Receipt), key, typ=receipts.RECEIPT)
    return {**row, "receipt": token, "leaf": leaf_hash(token.encode()).hex(), "claims": changed}


# What holds.


def test_a_ledger_of_ours_holds(log):
    items = log.parcels("shop")
    found = list(
        verify.check(items, log.ring.public(), verify.Known(site="shop", policies=policies(log), complete=True))
    )
    assert [finding.problem for finding in found] == [""] * 6


def test_every_entry_is_reported_with_its_kind(log):
    log.erase("shop", OTHER, reason="test")
    items = log.parcels("shop")
    kinds = [finding.kind for finding in verify.check(items, log.ring.public(), verify.Known())]
    assert kinds == ["policy", "receipt", "receipt", "receipt", "policy", "erased", "erasure"]


def test_an_exported_file_holds(log):
    assert problems(log, lines(log)) == {}


def test_an_exported_file_holds_after_an_erasure(log):
    log.erase("shop", SUBJECT, reason="test")
    assert problems(log, lines(log)) == {}


def test_a_file_of_receipts_alone_holds(log):
    receipts_only = [row for row in lines(log) if "consent" in row["claims"]]
    assert problems(log, receipts_only, complete=False) == {}


def test_a_log_holds_over_a_rotation_of_keys(log):
    log.ring.rotate()
    log.record("shop", choice())
    assert problems(log, lines(log)) == {}


def test_claims_in_another_order_or_spacing_hold(log):
    rows = lines(log)
    rows[1]["claims"] = dict(reversed(rows[1]["claims"].items()))
    assert problems(log, rows) == {}


def test_what_the_log_never_published_is_found(log):
    assert (
        "policy version 9 is there, but the log never"
        in problems(log, lines(log), policies={**policies(log), 9: bytes(32)})[-1]
    )
    assert "banner script x is there, but the log never" in problems(log, lines(log), scripts=scripts(log) | {"x"})[-1]
    assert problems(log, lines(log), scripts=scripts(log)) == {}


# What does not.


def test_an_empty_log_does_not_hold(log):
    assert "even a new site's begins with its policy" in problems(log, [], policies={})[-1]


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_a_changed_byte_of_a_statement_is_found(log, part):
    rows = lines(log)
    parts = rows[2]["receipt"].split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    rows[2]["receipt"] = ".".join(parts)
    assert "does not have the hash" in problems(log, rows)[2]


def test_a_changed_statement_is_found_though_its_hash_was_made_anew(log):
    rows = lines(log)
    header, body, seal = rows[2]["receipt"].split(".")
    changed = body[:40] + ("A" if body[40] != "A" else "B") + body[41:]
    rows[2]["receipt"] = token = f"{header}.{changed}.{seal}"
    rows[2]["leaf"] = leaf_hash(token.encode()).hex()
    assert "The signature does not fit" in problems(log, rows)[2]


def test_a_changed_hash_is_found(log):
    rows = lines(log)
    rows[2]["leaf"] = "00" * 32
    assert "does not have the hash" in problems(log, rows)[2]


def test_claims_changed_beside_the_statement_are_found(log):
    rows = lines(log)
    rows[1]["claims"]["consent"]["grants"]["analytics"] = False
    assert problems(log, rows) == {1: "entry 1 shows other claims than those that were signed"}


@pytest.mark.parametrize("removed", [0, 2, 4])
def test_a_removed_line_is_found(log, removed):
    rows = lines(log)
    del rows[removed]
    found = problems(log, rows)
    assert {removed + 1: found[removed + 1]} == {
        removed + 1: f"between entry {removed - 1} and entry {removed + 1} something was removed"
    }


def test_swapped_lines_are_found(log):
    rows = lines(log)
    rows[1], rows[2] = rows[2], rows[1]
    assert "entry 1 stands after entry 2" in problems(log, rows, complete=False)[1]


def test_swapped_statements_are_found(log):
    rows = lines(log)
    rows[1]["receipt"], rows[2]["receipt"] = rows[2]["receipt"], rows[1]["receipt"]
    assert set(problems(log, rows)) == {1, 2}


def test_an_inserted_duplicate_is_found(log):
    rows = lines(log)
    rows.insert(3, rows[2])
    assert "entry 2 stands after entry 2" in problems(log, rows, complete=False)[2]


def test_a_statement_by_a_foreign_key_is_found(log):
    rows = lines(log)
    rows[2] = token_with(rows[2], KEY)
    assert "which is not in the key set" in problems(log, rows)[2]


def test_a_foreign_key_under_the_name_of_ours_is_found(log):
    rows = lines(log)
    rows[2] = token_with(rows[2], Key(log.ring.newest().kid, 1, KEY.public, KEY.private))
    assert "The signature does not fit" in problems(log, rows)[2]


def test_a_swapped_policy_document_is_found_at_every_entry_that_rests_on_it(log):
    swapped = {**policies(log), 1: policy.digest(b"{}")}
    found = problems(log, lines(log), policies=swapped)
    assert set(found) == {0, 1, 2, 3} and "names another policy version 1" in found[1]


def test_a_policy_document_that_is_gone_is_found(log):
    found = problems(log, lines(log), policies={1: policies(log)[1]})
    assert found == {index: f"entry {index} names policy version 2, which is not there" for index in (4, 5)}


def test_an_entry_of_another_site_is_found(log):
    rows = lines(log)
    rows[2] = token_with(rows[2], log.ring.newest(), aud="other")
    assert problems(log, rows) == {2: "entry 2 belongs to site 'other', not to 'shop'"}


def test_a_log_of_another_site_is_found(log):
    assert set(problems(log, lines(log), site="other")) >= set(range(6))


def test_a_receipt_passed_off_as_erased_is_found(log):
    rows = lines(log)
    rows[2] = {"index": 2, "leaf": rows[2]["leaf"], "erased": True}
    assert "no erasure names it" in problems(log, rows)[2]


def test_a_line_that_lacks_its_statement_is_found(log):
    rows = lines(log)
    del rows[2]["receipt"]
    assert set(problems(log, rows, complete=False)) == {-1}


LEAF = b"a" * 64
BROKEN = [
    b'{"index":1,"leaf":"%s","erased":true,"claims":{"sub":"lie"}}' % LEAF,
    b'{"index":1,"leaf":"%s","erased":true,"erased":true}' % LEAF,
    b'{"index":0,"index":1,"leaf":"%s","erased":true}' % LEAF,
    b'{"index":1,"leaf":"%s","erased":true,"note":"lie"}' % LEAF,
    b'{"index":1,"leaf":"%s","erased":true}' % LEAF.upper(),
    b'{"index":1,"leaf":"%s","erased":true}' % LEAF[2:],
    b'{"index":1,"leaf":"%s  ","erased":true}' % LEAF[2:],
    b'{"index":1.5,"leaf":"%s","erased":true}' % LEAF,
    b'{"index":1e400,"leaf":"%s","erased":true}' % LEAF,
    b'{"index":99999999999999999999,"leaf":"%s","erased":true}' % LEAF,
    b'{"index":NaN,"leaf":"%s","erased":true}' % LEAF,
    b"",
    b"{}",
    b"[]",
    b"not json",
    b'{"index":1,"leaf":"xyz"}',
    b'{"index":"1","leaf":""}',
    b"\xff",
    b"[" * 100_000,
]


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: repr(line[:20]))
def test_a_line_that_cannot_be_read_is_named_and_the_rest_is_read_on(log, line):
    good = [json.dumps(row).encode() for row in lines(log)]
    found = list(verify.check(crew.lines([good[0], line, *good[1:]]), log.ring.public(), verify.Known(complete=True)))
    assert [finding.problem for finding in found if finding.problem] == ["line 2 is not a line of an ndjson export"]
    assert len(found) == 7


@pytest.mark.parametrize("claims", [None, [], "x", 1, {}, {"consent": None}], ids=repr)
def test_claims_of_another_shape_are_found(log, claims):
    rows = lines(log)
    rows[1]["claims"] = claims
    assert set(problems(log, rows)) == {1}


def test_claims_nested_without_end_are_found(log):
    row = (
        json.dumps(lines(log)[0] | {"claims": 0})
        .encode()
        .replace(b'"claims": 0', b'"claims": ' + b"[" * 900 + b"]" * 900)
    )
    assert [bool(found.problem) for found in verify.check(crew.lines([row]), log.ring.public(), verify.Known())] == [
        True
    ]
