"""The evidence bundle and `consent verify`: what holds, and each kind of tampering with the sentence that names it."""

import base64
import hashlib
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint

from consent import checkpoint, merkle, receipts
from tests.test_cli import Runner, run, shop  # noqa: F401
from tests.test_receipts import KEY


@pytest.fixture
def bundle(shop: Runner, tmp_path: Path) -> Path:  # noqa: F811
    """Seven entries: a policy, five receipts of which one is erased, an erasure; two checkpoints."""
    for number in range(5):
        shop.record(subject=f"{'B' * 21}A" if number == 3 else f"{number}{'A' * 21}")
    assert shop("checkpoint", "shop").exit_code == 0
    assert shop("erase", "shop", f"{'B' * 21}A").exit_code == 0
    path = tmp_path / "evidence.zip"
    assert shop("export", "shop", "--format", "evidence", "--output", str(path)).exit_code == 0
    return path


def files(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in files(path)["entries.ndjson"].splitlines()]


def tampered(path: Path, **changes: bytes | None) -> Path:
    """A copy with other files; None removes one. `/` is written `__`, `.` as `_dot_`."""
    kept = files(path) | {name.replace("__", "/").replace("_dot_", "."): data for name, data in changes.items()}
    out = path.with_name("tampered.zip")
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in kept.items():
            if data is not None:
                archive.writestr(name, data)
    return out


def rewritten(path: Path, rows: list[dict]) -> Path:
    return tampered(path, entries_dot_ndjson=b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def signed(row: dict, key: receipts.Key, **claims) -> dict:
    """A line with other claims, properly signed and hashed by whoever has the key."""
    changed = json.loads(receipts.read(row["receipt"])[1]) | claims
    token = receipts.sign(msgspec.convert(changed, receipts.Receipt), key, typ=receipts.RECEIPT)
    return {**row, "receipt": token, "leaf": merkle.leaf_hash(token.encode()).hex(), "claims": changed}


def verdict(shop: Runner, *arguments: str) -> str:  # noqa: F811
    """What `verify` says where it finds something."""
    result = shop("verify", *arguments)
    assert result.exit_code == 1, result.output
    return result.output


def test_a_bundle_of_ours_holds(shop, bundle):  # noqa: F811
    result = shop("verify", str(bundle))
    assert result.exit_code == 0 and "everything holds" in result.output
    assert "1 erased, 1 erasure, 1 policy, 4 receipt" in result.output


@pytest.mark.filterwarnings("ignore:EdDSA")
def test_a_bundle_is_checked_with_tools_that_are_not_ours(bundle):
    held = files(bundle)
    keys = KeySet.import_key_set(json.loads(held["jwks.json"]))
    leaves = []
    for row in lines(bundle):
        leaves.append(bytes.fromhex(row["leaf"]))
        if "receipt" in row:
            found = jws.deserialize_compact(row["receipt"], keys, algorithms=["EdDSA", "Ed25519"])
            claims = json.loads(found.payload)
            assert hashlib.sha256(b"\0" + row["receipt"].encode()).hexdigest() == row["leaf"]
            if "consent" in claims:
                document = held[f"policies/{claims['consent']['policy']}.json"]
                hash = base64.urlsafe_b64encode(hashlib.sha256(document).digest()).rstrip(b"=").decode()
                assert claims["consent"]["policy_hash"] == f"sha256-{hash}"
                script = held[f"scripts/{claims['consent']['script_hash']}.js"]
                assert b"consent" in script
    note = Checkpoint.from_text(held["checkpoints/7.txt"].decode())
    note.verify(Vkey.from_string(held["vkey.txt"].decode().split("\n")[0]))
    assert held["tile/0/000.p/7"] == b"".join(leaves)


def test_checkpoints_from_before_the_service_moved_have_their_keys_too(shop, bundle, tmp_path):  # noqa: F811
    shop.environ["CONSENT_PUBLIC_URL"] = "https://moved.example.org"
    shop.record(), shop("checkpoint", "shop")
    path = tmp_path / "moved.zip"
    shop("export", "shop", "--format", "evidence", "--output", str(path))
    held = files(path)
    keys = {vkey.partition("+")[0]: vkey for vkey in held["vkey.txt"].decode().split()}
    for size in (7, 8):
        note = Checkpoint.from_text(held[f"checkpoints/{size}.txt"].decode())
        note.verify(Vkey.from_string(keys[note.origin]))
    assert len(keys) == 2 and shop("verify", str(path)).exit_code == 0


def test_the_readme_says_what_is_proved_and_what_not(bundle):
    text = files(bundle)["README.txt"].decode()
    assert "What it does not prove" in text and "RFC 9162" in text


def test_a_changed_byte_is_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    token = rows[2]["receipt"]
    rows[2]["receipt"] = token[:-90] + ("A" if token[-90] != "A" else "B") + token[-89:]
    assert "entry 2 does not have the hash that the ledger kept of it: it was changed" in verdict(shop, str(rewritten(bundle, rows)))  # fmt: skip


def test_a_removed_entry_is_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    del rows[2]
    assert "between entry 1 and entry 3 something was removed" in verdict(shop, str(rewritten(bundle, rows)))


def test_a_removed_entry_with_all_others_numbered_anew_is_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    del rows[2]
    for number, row in enumerate(rows):
        row["index"] = number
    out = verdict(shop, str(rewritten(bundle, rows)))
    assert (
        "the first 6 entries are not those that the checkpoint of 6 entries was signed over: history was rewritten"
        in out
    )


def test_an_inserted_entry_is_named_though_it_is_properly_signed(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    key = shop.ledger().ring.newest()
    rows.insert(2, signed(rows[2], key, jti="019ab1c2-77aa-7bbb-8ccc-0123456789ab"))
    for number, row in enumerate(rows):
        row["index"] = number
    assert "history was rewritten" in verdict(shop, str(rewritten(bundle, rows)))


def test_reordered_entries_are_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    rows[2], rows[3] = rows[3], rows[2]
    assert "the order was changed or an entry was inserted" in verdict(shop, str(rewritten(bundle, rows)))


def test_a_back_dated_entry_is_named_though_it_is_properly_signed(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    key = shop.ledger().ring.newest()
    rows[2] = signed(rows[2], key, iat=rows[2]["claims"]["iat"] - 3600)
    out = verdict(shop, str(rewritten(bundle, rows)))
    assert "entry 2 says that it was recorded before entries that stand before it: it was back-dated" in out


def test_an_entry_hidden_as_erased_is_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    rows[2] = {"index": 2, "leaf": rows[2]["leaf"], "erased": True}
    assert "entry 2 is empty, but no erasure names it: it was removed" in verdict(shop, str(rewritten(bundle, rows)))


def test_a_swapped_policy_is_named(shop, bundle):  # noqa: F811
    other = files(bundle)["policies/1.json"].replace(b"shop", b"shoe")
    out = verdict(shop, str(tampered(bundle, policies__1_dot_json=other)))
    assert "entry 1 names another policy version 1 than the one that is stored" in out


def test_a_policy_and_a_script_that_are_gone_are_named(shop, bundle):  # noqa: F811
    name = next(name for name in files(bundle) if name.startswith("scripts/"))
    out = verdict(shop, str(tampered(bundle, policies__1_dot_json=None)))
    assert "names policy version 1, which is not there" in out
    with zipfile.ZipFile(bundle.with_name("less.zip"), "w") as archive:
        for other, data in files(bundle).items():
            if other != name:
                archive.writestr(other, data)
    assert f"names banner script {Path(name).stem}, which is not there" in verdict(
        shop, str(bundle.with_name("less.zip"))
    )


def test_a_forged_signature_is_named(shop, bundle):  # noqa: F811
    rows = lines(bundle)
    rows[2] = signed(rows[2], KEY)
    assert "which is not in the key set" in verdict(shop, str(rewritten(bundle, rows)))


def test_a_forged_checkpoint_is_named(shop, bundle):  # noqa: F811
    note = files(bundle)["checkpoints/6.txt"].replace(b"\n6\n", b"\n5\n")
    assert "has a signature that does not fit: it is forged" in verdict(shop, str(tampered(bundle, checkpoints__6_dot_txt=note)))  # fmt: skip


def test_a_log_that_was_cut_off_is_named(shop, bundle):  # noqa: F811
    out = verdict(shop, str(rewritten(bundle, lines(bundle)[:-1])))
    assert "the checkpoint of 7 entries is signed, but the log has 6: it was rolled back or cut off" in out


def test_keys_from_elsewhere_are_held_against_the_bundle(shop, bundle, tmp_path):  # noqa: F811
    other = tmp_path / "jwks.json"
    other.write_text(json.dumps({"keys": [receipts.jwk(KEY.public, KEY.kid)]}))
    assert "which is not in the key set" in verdict(shop, str(bundle), "--jwks", str(other))


# Against a remembered checkpoint.


@pytest.fixture
def again(shop, bundle, tmp_path) -> Runner:  # noqa: F811
    """The same installation, gone back to how it stood before the newest checkpoint; that is kept in kept.txt."""
    shop("backup", str(tmp_path / "old.db"))
    shop.record()
    (tmp_path / "kept.txt").write_text(shop("checkpoint", "shop").output)
    shutil.copytree(shop.data / "keys", tmp_path / "again" / "keys")
    shutil.copy(tmp_path / "old.db", tmp_path / "again" / "consent.db")
    return Runner(tmp_path / "again")


def test_a_remembered_checkpoint_holds_where_nothing_was_changed(shop, again, tmp_path):  # noqa: F811
    shop.record()
    assert shop("verify", "shop", "--since", str(tmp_path / "kept.txt")).exit_code == 0


def test_a_rolled_back_database_is_named(again, tmp_path):
    out = verdict(again, "shop", "--since", str(tmp_path / "kept.txt"))
    assert "the remembered checkpoint of 8 entries is signed, but the log has 7: it was rolled back or cut off" in out


def test_two_histories_are_named(again, tmp_path):
    """The keeper goes back to a backup and goes on from there as if nothing had been."""
    again.record(subject="C" * 21 + "A"), again("checkpoint", "shop")
    assert again("verify", "shop").exit_code == 0
    out = verdict(again, "shop", "--since", str(tmp_path / "kept.txt"))
    assert "are not those that the remembered checkpoint of 8 entries was signed over: history was rewritten" in out


def test_a_backup_is_verified_as_a_file_and_left_as_it_was(shop, bundle, tmp_path):  # noqa: F811
    copy = tmp_path / "copy.db"
    shop("backup", str(copy))
    before = copy.read_bytes()
    assert shop("verify", str(copy)).exit_code == 0
    assert copy.read_bytes() == before and [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE entries SET recorded_at = 1, token = CAST('eyJ9.e30.AAAA' AS TEXT) WHERE position = 2")
    assert "entry 2 does not have the hash" in verdict(shop, str(copy))


@pytest.mark.parametrize("what", ["shop", "bundle"])
def test_a_terminal_shows_how_far_verification_is(shop, bundle, what):  # noqa: F811
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-c",
        "from consent.cli import main; main()",
        "verify",
        "shop" if what == "shop" else str(bundle),
    ]
    done = subprocess.run(command, env=os.environ | shop.environ, stderr=theirs, stdout=subprocess.PIPE, timeout=120)
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert done.returncode == 0 and b"everything holds" in done.stdout
    assert "Entries" in shown and ("100%" in shown or what == "bundle")


def test_what_is_no_bundle_is_refused(shop, tmp_path):  # noqa: F811
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 nothing")
    result = shop("verify", str(path))
    assert result.exit_code == 2 and "is not an evidence bundle" in result.output


def test_a_receipt_is_shown_with_its_proof(shop, bundle):  # noqa: F811
    id = lines(bundle)[2]["claims"]["jti"]
    proof = checkpoint.read_proof(shop("receipt", "show", "shop", id, "--proof").output)
    assert checkpoint.read(proof.note).size == 7 and proof.index == 2


def test_purging_can_be_rehearsed(shop):  # noqa: F811
    shop.record()
    assert "shop: 0 subjects would be purged." in shop("purge", "--dry-run").output
    assert "shop: 0 entries emptied." in shop("purge", "shop").output


def test_erasing_says_what_it_emptied(shop):  # noqa: F811
    shop.record()
    assert "Emptied 1 entries" in shop("erase", "shop", "fZk3PpQ0Tz2mYw4uJr8aBg").output
    assert "Nothing was recorded" in shop("erase", "shop", "fZk3PpQ0Tz2mYw4uJr8aBg").output
    assert shop("erase", "shop", "short").exit_code == 2


def test_a_checkpoint_of_another_log_never_passes(shop, bundle, tmp_path):  # noqa: F811
    shop("site", "create", "other", "--origin", "https://other.example")
    kept, copy, lines = tmp_path / "kept.txt", tmp_path / "copy.db", tmp_path / "lines.ndjson"
    kept.write_text(shop("checkpoint", "other").output)
    assert "another log" in verdict(shop, "shop", "--since", str(kept))
    assert "another log" in verdict(shop, str(bundle), "--since", str(kept))
    shop("backup", str(copy))
    assert shop("verify", str(copy), "--since", str(kept)).exit_code == 0
    kept.write_text(kept.read_text().replace("/sites/other", "/sites/gone"))
    assert "which is not there" in verdict(shop, str(copy), "--since", str(kept))
    shop("export", "shop", "--output", str(lines))
    result = shop("verify", str(lines), "--since", str(kept))
    assert result.exit_code == 2 and "held against a whole log" in result.output


def test_many_checkpoints_are_held_against_the_log_in_one_walk(shop):  # noqa: F811
    for number in range(30):
        shop.record(subject=f"{number:021d}A"), shop.ledger().tree.checkpoint("shop")
    assert shop("verify", "shop").exit_code == 0
    with sqlite3.connect(shop.data / "consent.db") as database:
        database.execute("UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 9) WHERE size = 20")
        database.execute("DELETE FROM entries WHERE position > 25")
    database.close()
    out = verdict(shop, "shop")
    assert out.count("rolled back or cut off") == 5
