"""`consent verify` and what lies beside the entries: every way of changing a bundle or a database is named."""

import gzip
import json
import sqlite3
import zipfile
from pathlib import Path

import msgspec
import pytest

from consent import evidence, merkle, policy, receipts, verify
from consent.bundle import Bundle
from tests.conftest import SUBJECT, choice
from tests.test_cli import Runner, run, shop  # noqa: F401
from tests.test_evidence import bundle, files, lines, rewritten, tampered, verdict  # noqa: F401
from tests.test_receipts import KEY

# A bundle.


def zipped(path: Path, members: list[tuple[str, bytes]]) -> Path:
    """A bundle of these members, twice the same name as well."""
    out = path.with_name("tampered.zip")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out


def refusal(shop: Runner, path: Path) -> str:  # noqa: F811
    """What `verify` says of a file that it does not take for a bundle."""
    result = shop("verify", str(path))
    assert result.exit_code == 2, result.output
    return result.output


def without(path: Path, *folders: str) -> Path:
    return zipped(path, [one for one in files(path).items() if not one[0].startswith(folders)])


def test_a_bundle_whose_entries_no_checkpoint_covers_is_named(shop, bundle):  # noqa: F811
    out = verdict(shop, str(without(bundle, "checkpoints/", "tile/")))
    assert "no checkpoint is there over more than 0 of 7 entries: nothing vouches for the others" in out


def test_a_bundle_without_its_newest_checkpoint_is_named(shop, bundle):  # noqa: F811
    out = verdict(shop, str(without(bundle, "checkpoints/7.txt")))
    assert "no checkpoint is there over more than 6 of 7 entries" in out


def test_an_emptied_bundle_is_named(shop, bundle):  # noqa: F811
    assert "rolled back or cut off" in verdict(shop, str(rewritten(bundle, [])))


@pytest.mark.parametrize("name", ["policies/01.json", "policies/x/1.json", "scripts/z.js", "../x", "notes.txt"])
def test_a_file_that_is_no_part_of_a_bundle_is_refused(shop, bundle, name):  # noqa: F811
    out = refusal(shop, zipped(bundle, [*files(bundle).items(), (name, b"{}")]))
    assert f"it holds {name!r}, which is no part of one" in out


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(shop, bundle):  # noqa: F811
    out = refusal(shop, zipped(bundle, [*files(bundle).items(), ("policies/1.json", b"{}")]))
    assert "it holds 'policies/1.json' twice" in out


def test_a_bundle_that_does_not_say_whose_it_is_is_refused(shop, bundle):  # noqa: F811
    assert "it lacks 'site.txt'" in refusal(shop, without(bundle, "site.txt"))


def test_a_swapped_script_is_named(shop, bundle):  # noqa: F811
    first, *_ = (name for name in files(bundle) if name.startswith("scripts/"))
    changed = files(bundle) | {first: b"alert(1)"}
    assert f"{first} has other bytes than its name says" in verdict(shop, str(zipped(bundle, list(changed.items()))))


def test_a_changed_tile_is_named(shop, bundle):  # noqa: F811
    changed = files(bundle) | {"tile/0/000.p/7": bytes(7 * 32)}
    out = verdict(shop, str(zipped(bundle, list(changed.items()))))
    assert "tile 0 of level 0 is not of the entries: the tree was changed" in out


def test_a_checkpoint_under_another_size_is_named(shop, bundle):  # noqa: F811
    out = verdict(shop, str(tampered(bundle, checkpoints__5_dot_txt=files(bundle)["checkpoints/7.txt"])))
    assert "checkpoints/5.txt is of 7 entries" in out


def test_a_foreign_verifier_key_is_named(shop, bundle):  # noqa: F811
    line = files(bundle)["vkey.txt"].replace(b"+", b"+0", 1)
    assert "vkey.txt names a key that is not in the key set" in verdict(shop, str(tampered(bundle, vkey_dot_txt=line)))


def test_an_erasure_that_names_what_is_not_empty_is_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    key = shop.ledger().ring.newest()
    said = json.loads(receipts.read(rows[-1]["receipt"])[1])
    assert said["erasure"]["indexes"] == [4]
    for named in ([4, 1], [4, 9], [4, -5], [4, 4]):
        claims = said | {"erasure": said["erasure"] | {"indexes": named}}
        token = receipts.sign(msgspec.convert(claims, receipts.ErasureClaims), key, typ=receipts.ERASURE)
        leaf = merkle.leaf_hash(token.encode()).hex()
        again = [*rows[:-1], {"index": 6, "leaf": leaf, "receipt": token, "claims": claims}]
        out = verdict(shop, str(rewritten(bundle, again)))
        assert f"entry 6 is an erasure of entry {named[1]}, which is not empty, or was named before" in out


@pytest.mark.parametrize(
    "name", ["tile/0/001", "tile/0/000", "tile/0/000.p/6", "tile/7/000.p/1", "tile/0/x000/000.p/7", "tile/9/000"]
)
def test_a_tile_that_the_tree_does_not_have_is_named(shop, bundle, name):  # noqa: F811
    out = verdict(shop, str(zipped(bundle, [*files(bundle).items(), (name, bytes(32))])))
    assert f"{name} is no tile of a tree of 7 entries" in out


def test_a_policy_that_was_never_published_is_named(shop, bundle):  # noqa: F811
    out = verdict(shop, str(zipped(bundle, [*files(bundle).items(), ("policies/9.json", b"{}")])))
    assert "policy version 9 is there, but the log never published it" in out


def test_a_script_that_was_never_published_is_named(shop, bundle):  # noqa: F811
    name = policy.named(policy.digest(b"alert(1)"))
    out = verdict(shop, str(zipped(bundle, [*files(bundle).items(), (f"scripts/{name}.js", b"alert(1)")])))
    assert f"banner script {name} is there, but the log never published it" in out


def test_a_bundle_of_nothing_does_not_hold(shop, bundle):  # noqa: F811
    bare = without(rewritten(bundle, []), "checkpoints/", "tile/", "policies/", "scripts/")
    assert "the log is empty" in verdict(shop, str(bare))


def test_what_an_erased_entry_is_said_to_have_been_is_not_believed(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    assert rows[4]["erased"] is True
    rows[4]["claims"] = rows[1]["claims"]
    assert "line 5 is not a line of an ndjson export" in verdict(shop, str(rewritten(bundle, rows)))


@pytest.mark.parametrize("member", ['"receipt":"a.b.c",', '"leaf":"00",', '"index":0,', '"note":"lie",'])
def test_a_line_that_says_something_twice_or_besides_is_named(shop, bundle, member):  # noqa: F811
    changed = files(bundle)["entries.ndjson"].replace(b"{", b"{" + member.encode(), 1)
    out = verdict(shop, str(tampered(bundle, entries_dot_ndjson=changed)))
    assert "line 1 is not a line of an ndjson export" in out


def test_two_keys_of_one_name_are_refused(shop, bundle):  # noqa: F811
    keys = json.loads(files(bundle)["jwks.json"])
    keys["keys"].insert(0, receipts.jwk(KEY.public, keys["keys"][0]["kid"]))
    out = refusal(shop, tampered(bundle, jwks_dot_json=json.dumps(keys).encode()))
    assert "has no jwks.json with Ed25519 keys" in out


def test_a_key_set_that_is_not_the_one_named_is_named(shop, bundle, tmp_path):  # noqa: F811
    kept = tmp_path / "jwks.json"
    kept.write_bytes(files(bundle)["jwks.json"])
    keys = json.loads(kept.read_bytes())
    keys["keys"].append(receipts.jwk(KEY.public, KEY.kid))
    path = tampered(bundle, jwks_dot_json=json.dumps(keys).encode())
    assert "jwks.json names a key that is not in the key set" in verdict(shop, str(path), "--jwks", str(kept))


@pytest.mark.parametrize("form", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_form_that_we_never_write_is_refused(shop, bundle, form):  # noqa: F811
    path = bundle.with_name("strange.zip")
    with zipfile.ZipFile(path, "w", form) as archive:
        for name, data in files(bundle).items():
            archive.writestr(name, data)
    assert "in a form that we never write" in refusal(shop, path)


@pytest.mark.parametrize("trick", ["number", "twice"])
def test_claims_that_only_look_like_those_signed_are_named(shop, bundle, trick):  # noqa: F811
    line = files(bundle)["entries.ndjson"].splitlines()[1]
    old, new = {
        "number": (b'"necessary":', b'"necessary":1,"necessary":'),
        "twice": (b'"claims":{', b'"claims":{"sub":"lie",'),
    }[trick]
    assert old in line
    changed = files(bundle)["entries.ndjson"].replace(line, line.replace(old, new, 1))
    assert "entry 1" in verdict(shop, str(tampered(bundle, entries_dot_ndjson=changed)))


def test_a_bundle_damaged_on_its_way_is_refused_in_one_sentence(shop, bundle):  # noqa: F811
    data = bytearray(bundle.read_bytes())
    for at in range(200, len(data), 997):
        bent = bytearray(data)
        bent[at] ^= 0x55
        path = bundle.with_name("bent.zip")
        path.write_bytes(bent)
        result = shop("verify", str(path))
        assert result.exception is None or isinstance(result.exception, SystemExit), (at, result.exception)


def test_a_bomb_is_refused(shop, bundle):  # noqa: F811
    members = files(bundle) | {"policies/2.json": bytes(65 << 20)}
    assert "is larger than anything we write" in refusal(shop, zipped(bundle, list(members.items())))


def test_an_erasure_made_during_the_export_spoils_nothing(ledger, tmp_path):
    for _ in range(3):
        ledger.record("shop", choice())
    ledger.record("shop", choice(subject="B" * 21 + "A"))
    calls: list[list[int]] = []

    class Busy(type(ledger)):  # type: ignore[misc]
        def entries(self, *args, **kwargs):
            for entry in super().entries(*args, **kwargs):
                yield entry
                if not calls:
                    calls.append(self.erase("shop", SUBJECT, reason="meanwhile"))

    ledger.__class__ = Busy
    path = tmp_path / "evidence.zip"
    path.write_bytes(b"".join(evidence.bundle(ledger, "shop", anchors=tmp_path)))
    assert len(calls) == 1
    with Bundle(path) as found:
        checked = verify.check(found.parcels(), found.keys(), found.known([]))
        assert [one.problem for one in checked if one.problem] == []


# A database.

CHANGES = {
    "UPDATE entries SET action = 1 WHERE position = 2": "entry 2 is filed under other data than those that were signed",
    "UPDATE entries SET kind = 1 WHERE position = 2": "entry 2 is filed under other data",
    "UPDATE entries SET recorded_at = 1 WHERE position = 2": "entry 2 is filed under other data",
    "UPDATE entries SET policy = 9 WHERE position = 2": "entry 2 is filed under other data",
    "UPDATE entries SET subject = x'00' WHERE position = 4": "entry 4 has no statement, but is still filed",
    "UPDATE tiles SET hashes = zeroblob(length(hashes))": "tile 0 of level 0 is not of the entries",
    "DELETE FROM tiles": "tile 0 of level 0 is not of the entries",
    "UPDATE checkpoints SET root = zeroblob(32) WHERE size = 7": "the checkpoint of 7 entries is filed under another",
    "UPDATE checkpoints SET size = 2 WHERE size = 6": "the checkpoint of 2 entries is filed under another",
    "UPDATE policies SET material_since = 9": "policy version 1 is filed under other data than its own",
    "UPDATE policies SET hash = zeroblob(32)": "policy version 1 is filed under other data than its own",
    "UPDATE policies SET document = 'x'": "policy version 1 is filed under other data than its own",
    "UPDATE scripts SET gzip = zeroblob(9)": "has other bytes than its name says",
    "UPDATE entries SET recorded_at = 0 WHERE position = 4": "entry 4 says that it was recorded before entries",
    "UPDATE scripts SET language = 'xx'": "is filed under another version, language or regime than it was published for",
    "UPDATE scripts SET version = 9": "is filed under another version, language or regime than it was published for",
    "UPDATE tiles SET hashes = 7": "tile 0 of level 0 is not of the entries",
    "UPDATE sites SET key = 99 WHERE id = 'shop'": "the log is empty: even a new site's begins with its policy",
    "UPDATE checkpoints SET note = 7 WHERE size = 7": "This is not a checkpoint",
}


def changed(shop: Runner, sql: str, *values: object) -> None:  # noqa: F811
    database = sqlite3.connect(shop.data / "consent.db")
    with database:
        assert database.execute(sql, values).rowcount > 0
    database.close()


@pytest.mark.parametrize(("sql", "sentence"), CHANGES.items())
def test_a_changed_column_is_named(shop, bundle, sql, sentence):  # noqa: F811
    changed(shop, sql)
    assert sentence in verdict(shop, "shop")


def test_a_script_that_unpacks_without_end_is_named(shop, bundle):  # noqa: F811
    changed(shop, "UPDATE scripts SET gzip = ?", gzip.compress(bytes(1 << 28)))
    assert "has other bytes than its name says: it was changed" in verdict(shop, "shop")


def test_a_script_that_would_be_served_in_the_place_of_another_is_named(shop, bundle):  # noqa: F811
    changed(shop, "UPDATE scripts SET gzip = ?", gzip.compress(b"alert(1)"))
    assert "has other bytes than its name says: it was changed" in verdict(shop, "shop")


FOREIGN = ["kind = 99", "action = 99", "id = x'00'", "id = 'x'", "subject = 7", "leaf = 7", "recorded_at = 'x'", "token = 7", "kind = -3", "action = -4", "leaf = zeroblob(33)"]  # fmt: skip


@pytest.mark.parametrize("column", FOREIGN)
def test_a_value_of_a_kind_that_we_never_write_is_named_and_the_rest_read_on(shop, bundle, column):  # noqa: F811
    changed(shop, f"UPDATE entries SET {column} WHERE position = 2")
    changed(shop, "UPDATE entries SET policy = 9 WHERE position = 3")
    out = verdict(shop, "shop")
    assert "entry 2 " in out and "entry 3 is filed under other data" in out


def test_an_entry_at_a_place_that_is_none_is_named(shop, bundle):  # noqa: F811
    changed(shop, "UPDATE entries SET position = 'x' WHERE position = 2")
    assert "is signed, but the log has 1: it was rolled back or cut off" in verdict(shop, "shop")


def test_a_log_that_is_wrong_throughout_is_told_within_bounds(shop, bundle, monkeypatch):  # noqa: F811
    monkeypatch.setattr("consent.cli.proving.MOST", 3)
    changed(shop, "UPDATE entries SET recorded_at = 1")
    told = json.loads(shop("verify", "shop", "--json").stdout)["problems"]
    assert len(told) == 4 and told[3] == "and 6 more"


# What is only looked at.


def test_nothing_is_written_beside_a_database_that_is_verified(shop, bundle, tmp_path):  # noqa: F811
    kept = tmp_path / "kept" / "copy.db"
    kept.parent.mkdir()
    assert shop("backup", str(kept)).exit_code == 0
    before = kept.read_bytes()
    assert shop("verify", str(kept)).exit_code == 0
    assert [path.name for path in kept.parent.iterdir()] == ["copy.db"] and kept.read_bytes() == before


def test_a_database_is_verified_where_there_is_no_installation(shop, bundle, tmp_path):  # noqa: F811
    kept, keys, elsewhere = tmp_path / "copy.db", tmp_path / "jwks.json", Runner(tmp_path / "elsewhere")
    shop("backup", str(kept))
    keys.write_bytes(files(bundle)["jwks.json"])
    refused = elsewhere("verify", str(kept))
    assert refused.exit_code == 2 and "Name the public key set" in refused.output
    assert elsewhere("verify", str(kept), "--jwks", str(keys)).exit_code == 0
    assert not elsewhere.data.exists()


@pytest.mark.parametrize("name", ["no/such/evidence.zip", "Shop.zip", "x" * 5000, "a\0b"])
def test_a_name_of_nothing_is_refused_as_such(shop, name):  # noqa: F811
    result = shop("verify", name)
    assert result.exit_code == 2 and "There is no file" in result.output
