"""The trail is held against its own tree and checkpoints as a site's log is, and whatever was done to it is named."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from consent import merkle, receipts
from consent.receipts import Act, ActClaims, ErasureClaims, ErasureStatement
from tests.test_cli import Runner, run, shop  # noqa: F401
from tests.test_evidence import files, lines, rewritten, tampered, verdict
from tests.test_receipts import KEY


@pytest.fixture
def busy(shop: Runner) -> Runner:  # noqa: F811
    """Five acts, four of them under a checkpoint."""
    for name in ("anna", "berta", "carl"):
        assert shop("user", "add", name, "--role", "auditor").exit_code == 0
    assert shop("checkpoint").output.count("/sites/_trail") == 2, "the name stands in the note and beside its signature"
    assert shop("user", "remove", "carl").exit_code == 0
    return shop


@pytest.fixture
def zipped(busy: Runner, tmp_path: Path) -> Path:
    """The evidence: six acts, taking it the last of them."""
    path = tmp_path / "trail.zip"
    assert busy("export", "_trail", "--format", "evidence", "--output", str(path)).exit_code == 0
    return path


@pytest.fixture
def plain(busy: Runner, tmp_path: Path) -> Path:
    """The same as ndjson; the key set stands beside it."""
    path = tmp_path / "trail.ndjson"
    assert busy("export", "_trail", "--output", str(path)).exit_code == 0
    (tmp_path / "jwks.json").write_text(busy("keys", "list", "--json").stdout)
    return path


def changed(busy: Runner, sql: str, *values: object) -> None:
    database = sqlite3.connect(busy.data / "consent.db")
    with database:
        assert database.execute(sql, values).rowcount > 0
    database.close()


TRAIL = "site = (SELECT key FROM sites WHERE id = '_trail')"


# In a database.


def test_a_trail_of_ours_holds(busy):
    for what in ("_trail", str(busy.data / "consent.db")):
        result = busy("verify", what)
        assert result.exit_code == 0 and "5 act" in result.output, result.output


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (f"UPDATE entries SET token = replace(token, substr(token, 100, 6), 'AAAAAA') WHERE position = 1 AND {TRAIL}", "entry 1 does not have the hash"),
        (f"DELETE FROM entries WHERE position = 1 AND {TRAIL}", "between entry 0 and entry 2 something was removed"),
        (f"DELETE FROM entries WHERE position > 2 AND {TRAIL}", "of 4 entries is signed, but the log has 3: it was rolled back or cut off"),
        (f"UPDATE entries SET token = NULL, id = NULL WHERE position = 1 AND {TRAIL}", "entry 1 is empty, though what administrators did is never erased"),
        (f"UPDATE entries SET recorded_at = recorded_at + 9 WHERE position = 2 AND {TRAIL}", "entry 2 is filed under other data"),
        (f"UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE {TRAIL}", "the tree was changed"),
        (f"UPDATE checkpoints SET note = replace(note, '_trail', 'shop') WHERE {TRAIL}", "The checkpoint of 4 entries"),
        (f"UPDATE entries SET position = 1, site = (SELECT key FROM sites WHERE id = 'shop') WHERE position = 4 AND {TRAIL}", "belongs to site '_trail', not to 'shop'"),
    ],
)  # fmt: skip
def test_what_was_done_to_the_trail_in_a_database_is_named(busy, sql, sentence):
    changed(busy, sql)
    assert sentence in verdict(busy, str(busy.data / "consent.db"))
    if "belongs" not in sentence:
        assert sentence in verdict(busy, "_trail") and busy("verify", "shop").exit_code == 0


def test_swapped_acts_are_named(busy):
    changed(busy, f"UPDATE entries SET position = 99 WHERE position = 1 AND {TRAIL}")
    changed(busy, f"UPDATE entries SET position = 1 WHERE position = 2 AND {TRAIL}")
    changed(busy, f"UPDATE entries SET position = 2 WHERE position = 99 AND {TRAIL}")
    assert "history was rewritten" in verdict(busy, "_trail")


def test_a_trail_that_was_rolled_back_is_named_by_a_checkpoint_that_was_kept(busy, tmp_path):
    old, kept = Runner(tmp_path / "old"), tmp_path / "kept.txt"
    old.data.mkdir()
    busy.ledger().storage.scrub()
    shutil.copy(busy.data / "consent.db", old.data), shutil.copytree(busy.data / "keys", old.data / "keys")
    busy("user", "add", "dora")
    kept.write_text(busy("checkpoint", "_trail").output)
    assert busy("verify", "_trail", "--since", str(kept)).exit_code == 0
    assert old("verify", "_trail").exit_code == 0
    assert "the log has 5: it was rolled back or cut off" in verdict(old, "_trail", "--since", str(kept))
    old("user", "add", "emil")
    assert "history was rewritten" in verdict(old, str(old.data / "consent.db"), "--since", str(kept))


# As a file.


def test_the_evidence_holds_anywhere(zipped, tmp_path):
    result = Runner(tmp_path / "elsewhere")("verify", str(zipped))
    assert result.exit_code == 0 and "6 act; everything holds" in result.output, result.output
    assert b"It names no visitor" in files(zipped)["README.txt"] and files(zipped)["site.txt"] == b"_trail\n"
    assert lines(zipped)[-1]["claims"]["act"]["what"] == "exported the trail"


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (lambda rows: [*rows[:1], *rows[2:]], "between entry 0 and entry 2 something was removed"),
        (lambda rows: rows[:-1], "it was rolled back or cut off"),
        (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], "the order was changed or an entry was inserted"),
        (lambda rows: [rows[0], {"index": 1, "leaf": rows[1]["leaf"], "erased": True}, *rows[2:]], "never erased"),
        (lambda rows: [{"index": 0, "leaf": rows[0]["leaf"], "erased": True}, *rows[1:]], "never erased"),
        (lambda rows: [rows[0] | {"claims": rows[1]["claims"]}, *rows[1:]], "shows other claims"),
        (lambda rows: [rows[0] | {"receipt": rows[1]["receipt"]}, *rows[1:]], "entry 0 does not have the hash"),
    ],
)
def test_what_was_done_to_a_file_of_the_trail_is_named(busy, zipped, plain, tmp_path, what, sentence):
    assert sentence in verdict(busy, str(rewritten(zipped, what(lines(zipped)))))
    rows = [json.loads(line) for line in plain.read_text().splitlines()]
    plain.write_text("".join(json.dumps(row) + "\n" for row in what(rows)))
    arguments = (str(plain), "--jwks", str(tmp_path / "jwks.json"))
    if "cut off" not in sentence:
        assert sentence in verdict(busy, *arguments)
    kept = tmp_path / "kept.txt"
    kept.write_text(busy("checkpoint", "_trail").output)
    assert verdict(busy, *arguments, "--since", str(kept))


def test_a_plain_file_holds_alone_and_against_a_checkpoint_that_was_kept(busy, plain, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text(busy("checkpoint", "_trail").output)
    result = busy("verify", str(plain), "--jwks", str(tmp_path / "jwks.json"), "--since", str(kept))
    assert result.exit_code == 0 and "6 act; everything holds" in result.output


def test_a_forged_act_is_named(busy, zipped):
    claims = ActClaims("x", "_trail", "019ab1c2-77aa-7bbb-8ccc-0123456789ab", 1_795_000_000, Act("anna", "signed out"))
    token = receipts.sign(claims, KEY, typ=receipts.ACT)
    rows = lines(zipped)
    rows[2] = {"index": 2, "leaf": merkle.leaf_hash(token.encode()).hex(), "receipt": token}
    assert "which is not in the key set" in verdict(busy, str(rewritten(zipped, rows)))


@pytest.mark.parametrize("aud", ["_trail", "shop"])
def test_nothing_but_acts_has_a_place_in_the_trail_whoever_signs_it(busy, zipped, aud):
    key, row = busy.ledger().ring.newest(), lines(zipped)[-1]
    id, at = row["claims"]["jti"], row["claims"]["iat"]
    if aud == "_trail":
        token = receipts.sign(ErasureClaims("x", aud, id, at, ErasureStatement([1], "no")), key, typ=receipts.ERASURE)
    else:
        token = receipts.sign(ActClaims("x", aud, id, at, Act("anna", "signed out")), key, typ=receipts.ACT)
    row = {"index": row["index"] + 1, "leaf": merkle.leaf_hash(token.encode()).hex(), "receipt": token}
    out = verdict(busy, str(rewritten(zipped, [*lines(zipped), row])))
    assert ("which has no place in the log '_trail'" if aud == "_trail" else "belongs to site 'shop'") in out


def test_an_act_has_no_place_in_a_sites_log(busy, tmp_path):
    key = busy.ledger().ring.newest()
    claims = ActClaims("x", "shop", "019ab1c2-77aa-7bbb-8ccc-0123456789ab", 1_795_000_000, Act("anna", "signed out"))
    token = receipts.sign(claims, key, typ=receipts.ACT)
    path, jwks = tmp_path / "log.ndjson", tmp_path / "jwks.json"
    path.write_text(json.dumps({"index": 0, "leaf": merkle.leaf_hash(token.encode()).hex(), "receipt": token}) + "\n")
    jwks.write_text(busy("keys", "list", "--json").stdout)
    assert "is of the kind 'act', which has no place" in verdict(busy, str(path), "--jwks", str(jwks))


def test_a_changed_tile_of_the_evidence_is_named(busy, zipped):
    assert "the tree was changed" in verdict(busy, str(tampered(zipped, tile__0__000_dot_p__6=bytes(192))))


# What there is not.


@pytest.mark.parametrize(
    "options", [["--format", "csv"], ["--since", "2026-01-01"], ["--after", "0"], ["--format", "evidence", "--action", "custom"]]
)  # fmt: skip
def test_the_trail_is_exported_whole_or_not_at_all(busy, options):
    before = busy.ledger().storage.reading().size("_trail")
    result = busy("export", "_trail", *options)
    assert result.exit_code == 2 and "The trail is" in result.output
    assert busy.ledger().storage.reading().size("_trail") == before


@pytest.mark.parametrize("command", [["site", "delete", "_trail", "--confirm", "_trail"], ["site", "show", "_trail"]])
def test_the_trail_is_no_site_and_cannot_be_deleted(busy, command):
    assert busy(*command).exit_code == 2
    assert busy("verify", "_trail").exit_code == 0
    with pytest.raises(Exception, match="no site '_trail'"):
        busy.ledger().remove_site("_trail")
