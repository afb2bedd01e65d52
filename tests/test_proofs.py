"""The log as outsiders see it, over HTTP."""

import msgspec
import pytest
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint, InclusionProof

from consent import checkpoint, merkle
from consent.errors import BadQuery
from consent.mirror import Mirror
from tests.conftest import body, choice


@pytest.fixture
def ids(ledger) -> list[str]:
    """600 receipts, all in the newest checkpoint."""
    made = [choice(**body(subject=f"{number:021d}A")) for number in range(600)]
    for one in made:
        ledger.record("shop", one)
    ledger.tree.checkpoint("shop")
    return [one.id for one in made]


def test_a_proof_fetched_over_http_holds_for_another_implementation(client, ids):
    text = client.get(f"/sites/shop/receipts/{ids[300]}/proof").text
    proof = checkpoint.read_proof(text)
    note = Checkpoint.from_text(proof.note)
    note.verify(Vkey.from_string(client.get("/sites/shop/ledger/vkey").text.split("\n")[0]))
    receipt = client.get(f"/sites/shop/receipts/{ids[300]}").data
    InclusionProof(proof.index, note.size, proof.path).check(merkle.leaf_hash(receipt), note.root_hash)


def test_the_newest_checkpoint_is_for_everybody_and_never_cached(client, ids):
    answer = client.get("/sites/shop/ledger/checkpoint")
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and answer.headers["Cache-Control"] == "no-store"
    assert Checkpoint.from_text(answer.text).origin == "consent.example.org/sites/shop"


def test_tiles_are_the_hashes_of_the_tree_and_cacheable_for_ever(client, ids):
    tile = client.get("/sites/shop/ledger/tile/0/001")
    assert len(tile.data) == 256 * 32 and "immutable" in tile.headers["Cache-Control"]
    assert len(client.get("/sites/shop/ledger/tile/0/002.p/89").data) == 89 * 32
    assert len(client.get("/sites/shop/ledger/tile/1/000.p/2").data) == 2 * 32


@pytest.mark.parametrize("path", ["0/3", "0/0000", "0/002", "0/002.p/90", "0/002.p/0", "0/002.p/089", "0/001.p/256", "0/x000/001", "9/000", "0/x001", "0/a01", "0/\u0660\u0660\u0661", "0/001.p/", "99999999999999999999/000", "00/001", "\u0660/001", "-1/001", "0/x999/x999/x999/x999/x999/x999/x999/999"])  # fmt: skip
def test_a_tile_that_is_not_there_or_spelled_otherwise_is_refused(client, ids, path):
    answer = client.get(f"/sites/shop/ledger/tile/{path}")
    assert answer.status_code == 404 and answer.mimetype == "application/problem+json"


def test_before_the_first_checkpoint_callers_are_told_to_ask_again(client, ledger):
    one = choice(**body())
    ledger.record("shop", one)
    for path in ("ledger/checkpoint", f"receipts/{one.id}/proof"):
        answer = client.get(f"/sites/shop/{path}")
        assert answer.status_code == 404 and answer.json["type"].endswith("#not-yet") and answer.headers["Retry-After"]


@pytest.mark.parametrize("path", ["ledger/checkpoint", "ledger/vkey", "ledger/tile/0/000"])
def test_an_unknown_site_has_no_log(client, path):
    assert client.get(f"/sites/nowhere/{path}").json["type"].endswith("#unknown-site")


# From another machine, without any entry.


@pytest.fixture
def mirror(client, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    def get(self, url: str) -> bytes:
        answer = client.get(url.removeprefix("https://consent.example.org"))
        if answer.status_code != 200:
            raise BadQuery(f"{url} cannot be read: {answer.status_code}.")
        return answer.data

    monkeypatch.setattr(Mirror, "_get", get)
    return Mirror("https://consent.example.org/sites/shop/")


def test_a_log_elsewhere_is_checked_by_its_tree_alone(mirror, ledger, ids):
    kept = ledger.tree.newest("shop").note
    ledger.record("shop", choice(**body()))
    ledger.tree.checkpoint("shop")
    assert [found.problem for found in mirror.findings(None, [kept])] == ["", ""]


def test_a_log_elsewhere_that_was_rewritten_is_named(mirror, ledger, ids):
    head = checkpoint.read(ledger.tree.newest("shop").note)
    other = checkpoint.make(checkpoint.Head(head.origin, 500, bytes(32)), ledger.ring.newest())
    ahead = checkpoint.make(checkpoint.Head(head.origin, 5000, bytes(32)), ledger.ring.newest())
    found = [one.problem for one in mirror.findings(None, [other, ahead])]
    assert "history was rewritten" in found[1] and "rolled back" in found[2]


def test_a_remembered_checkpoint_of_another_log_is_named(mirror, ledger, ids):
    head = checkpoint.read(ledger.tree.newest("shop").note)
    other = msgspec.structs.replace(head, origin="consent.example.org/sites/other")
    found = [one.problem for one in mirror.findings(None, [checkpoint.make(other, ledger.ring.newest())])]
    assert found[1] == "the remembered checkpoint is of consent.example.org/sites/other, another log"


def test_tiles_that_do_not_fit_the_checkpoint_are_named(mirror, ledger, ids):
    with ledger.storage.writing() as rows:
        rows.put_tiles("shop", {(0, 2): bytes(89 * 32)})
    assert [one.problem for one in mirror.findings(None, [])] == ["the tiles are not of the tree that the checkpoint was signed over"]  # fmt: skip


@pytest.mark.parametrize("address", ["https://consent.example.org/", "https://consent.example.org/sites/", "https://x/sites/a/b"])  # fmt: skip
def test_an_address_that_is_no_site_is_refused(address):
    with pytest.raises(BadQuery, match="address of a site"):
        Mirror(address)
