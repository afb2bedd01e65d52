"""`consent backup` and `restore`, as an operator types them."""

import threading
from pathlib import Path

import pytest

from consent import sealing
from consent.errors import BadQuery
from consent.keeper import Keeper
from consent.settings import load
from tests.test_cli import Runner, run, shop  # noqa: F401

PASSPHRASE = "five words are better here"


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "passphrase.txt"
    path.write_text(PASSPHRASE + "\n")
    return str(path)


@pytest.fixture
def copied(shop: Runner, tmp_path: Path, secret: str) -> Path:  # noqa: F811
    """A backup of two receipts, with its keys."""
    shop.record(), shop.record(subject="A" * 22)
    path = tmp_path / "copy.db"
    result = shop("backup", str(path), "--with-keys", "--passphrase-file", secret)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "restored" / "data")


def restored(runner: Runner, path: Path, secret: str):
    return runner("restore", str(path), "--keys", f"{path}.keys", "--passphrase-file", secret)


def test_a_restored_ledger_verifies_and_goes_on(copied, empty, secret):
    result = restored(empty, copied, secret)
    assert result.exit_code == 0 and "consent verify shop --since" in result.output
    assert empty("verify", "shop").exit_code == 0
    empty.record(subject="B" * 21 + "A")
    assert "4 receipt" not in empty("verify", "shop").output and empty("verify", "shop").exit_code == 0


def test_a_restored_older_ledger_is_found_by_a_checkpoint_that_was_kept(shop, copied, empty, secret, tmp_path):  # noqa: F811
    shop.record(subject="B" * 21 + "A")
    kept = tmp_path / "kept.txt"
    kept.write_text(shop("checkpoint", "shop").output)
    restored(empty, copied, secret)
    result = empty("verify", "shop", "--since", str(kept))
    assert result.exit_code == 1 and "rolled back or cut off" in result.output


def test_what_is_secret_is_the_owners_alone_to_read(copied, empty, secret):
    restored(empty, copied, secret)
    files = [copied, Path(f"{copied}.keys"), empty.data / "consent.db", *(empty.data / "keys").glob("*.pem")]
    assert len(files) == 4 and {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (empty.data, empty.data / "keys")} == {0o700}


def test_nothing_is_overwritten(shop, copied, empty, secret):  # noqa: F811
    before = (shop.data / "consent.db").read_bytes()
    result = restored(shop, copied, secret)
    assert result.exit_code == 2 and "move it away" in result.output
    assert (shop.data / "consent.db").read_bytes() == before
    assert shop("backup", str(copied)).exit_code == 2
    (empty.data / "keys").mkdir(parents=True)
    (empty.data / "keys" / "1-x.pem").write_text("")
    assert "leave --keys out" in restored(empty, copied, secret).output


def test_a_restoring_that_was_cut_off_is_taken_up_again(copied, empty, secret):
    empty.data.mkdir(parents=True)
    keys = sealing.unseal(Path(f"{copied}.keys").read_bytes(), PASSPHRASE)
    (empty.data / "keys").mkdir()
    for name, content in keys.items():
        (empty.data / "keys" / name).with_suffix(".part").write_bytes(content[:9])
    assert restored(empty, copied, secret).exit_code == 0
    (empty.data / "consent.db").unlink()
    assert restored(empty, copied, secret).exit_code == 0
    assert empty("verify", "shop").exit_code == 0 and len(list((empty.data / "keys").glob("*"))) == len(keys)


def test_the_doctor_sees_that_an_older_ledger_was_restored_where_checkpoints_were_left(shop, copied, tmp_path):  # noqa: F811
    shop.environ["CONSENT_ANCHORS"] = f"file:{tmp_path / 'kept.txt'}"
    shop.record(subject="B" * 21 + "A")
    keeper = Keeper(shop.ledger(), load(shop.environ))
    keeper.round(), keeper.anchor()
    assert "rolled back" not in shop("doctor").output
    for path in shop.data.glob("consent.db*"):
        path.unlink()
    assert shop("restore", str(copied)).exit_code == 0
    shop.record(subject="C" * 21 + "A"), shop("checkpoint", "shop")
    result = shop("doctor")
    assert result.exit_code == 1 and "whose checkpoint of 4 entries was left at file:" in result.output


def test_another_passphrase_changes_nothing(copied, empty, tmp_path):
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("another passphrase")
    result = restored(empty, copied, str(wrong))
    assert result.exit_code == 2 and "does not open the sealed keys" in result.output
    assert not empty.data.exists() or list(empty.data.iterdir()) == []


def test_a_short_passphrase_is_refused(shop, tmp_path):  # noqa: F811
    short = tmp_path / "short.txt"
    short.write_text("hunter2")
    result = shop("backup", str(tmp_path / "copy.db"), "--with-keys", "--passphrase-file", str(short))
    assert result.exit_code == 2 and "fewer than 12 characters" in result.output


def test_the_passphrase_is_asked_for_twice(shop, tmp_path):  # noqa: F811
    result = shop("backup", str(tmp_path / "copy.db"), "--with-keys", input=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert result.exit_code == 0 and sealing.unseal((tmp_path / "copy.db.keys").read_bytes(), PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"no database", "cut"])
def test_what_is_no_sound_backup_is_refused(copied, empty, tmp_path, content):
    path = tmp_path / "bad.db"
    path.write_bytes(copied.read_bytes()[:9000] if content == "cut" else content)
    result = empty("restore", str(path))
    assert result.exit_code == 2 and str(path) in result.output
    assert not (empty.data / "consent.db").exists()


def test_recording_goes_on_during_a_backup(shop, tmp_path):  # noqa: F811
    shop.record()
    thread = threading.Thread(target=lambda: [shop.record(subject=f"{n:021d}A") for n in range(20)])
    thread.start()
    assert shop("backup", str(tmp_path / "copy.db")).exit_code == 0
    thread.join()
    assert shop("verify", str(tmp_path / "copy.db")).exit_code == 0 and shop("verify", "shop").exit_code == 0


def test_sealed_files_come_back_and_say_nothing_before():
    files = {"1-a.pem": b"secret one", "2-b.pem": bytes(300)}
    sealed = sealing.seal(files, PASSPHRASE)
    assert sealing.unseal(sealed, PASSPHRASE) == files
    assert b"pem" not in sealed and b"secret" not in sealed


@pytest.mark.parametrize("bent", [b"", b"{}", b"[]", b'{"kind":"x"}'])
def test_what_is_not_sealed_by_us_is_refused(bent):
    with pytest.raises(BadQuery):
        sealing.unseal(bent, PASSPHRASE)


def test_a_damaged_seal_is_refused():
    sealed = sealing.seal({"a": b"b"}, PASSPHRASE)
    at = sealed.rindex(b'"sealed":"') + 12
    with pytest.raises(BadQuery, match="or the file is damaged"):
        sealing.unseal(sealed[:at] + (b"A" if sealed[at : at + 1] != b"A" else b"B") + sealed[at + 1 :], PASSPHRASE)
