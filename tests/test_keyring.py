"""consent.keyring: keys made once, rotated, seen by all, and told apart from what is no key of ours."""

import multiprocessing
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey

from consent import receipts
from consent.errors import BadKeyRing
from consent.keyring import KeyRing
from tests.test_receipts import CLAIMS, KEY, THUMBPRINT

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


@pytest.fixture
def ring(folder, clock) -> KeyRing:
    ring = KeyRing(folder, clock=clock)
    ring.create()
    return ring


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def pem(private, encryption=None) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.pem")
    return path


# Making.


def test_the_first_start_makes_one_key(ring):
    assert len(ring.keys()) == 1


def test_the_next_start_makes_none(ring, folder):
    kid = ring.newest().kid
    KeyRing(folder).create()
    assert [key.kid for key in KeyRing(folder).keys()] == [kid]


def test_private_keys_are_the_owners_alone_whatever_the_umask(folder):
    before = os.umask(0)
    try:
        KeyRing(folder).create()
        KeyRing(folder).rotate()
    finally:
        os.umask(before)
    assert mode(folder) == 0o700 and {mode(path) for path in folder.iterdir()} == {0o600}


def test_nothing_but_whole_keys_and_the_lock_is_left_in_the_folder(ring, folder):
    ring.rotate()
    assert sorted(path.suffix or path.name for path in folder.iterdir()) == [".lock", ".pem", ".pem"]


def create(folder: str, barrier) -> None:
    barrier.wait(30)
    KeyRing(Path(folder)).create()


def test_processes_that_start_at_once_make_one_key(folder):
    barrier = SPAWN.Barrier(4)
    processes = [SPAWN.Process(target=create, args=(str(folder), barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4 and len(KeyRing(folder).keys()) == 1


def test_the_key_id_is_the_thumbprint_of_rfc_7638(ring):
    jwk = ring.jwks()["keys"][0]
    assert OKPKey.import_key(jwk).thumbprint() == jwk["kid"] == ring.newest().kid


def test_the_key_of_rfc_8037_has_the_thumbprint_of_its_appendix_a_3(folder):
    folder.mkdir(parents=True)
    (folder / f"1-{THUMBPRINT}.pem").write_bytes(pem(Ed25519PrivateKey.from_private_bytes(KEY.private)))
    assert KeyRing(folder).keys() == [KEY]


# Rotating.


def test_after_a_rotation_the_newest_key_signs(ring):
    before, made = ring.newest(), ring.rotate()
    assert ring.newest() == made != before


def test_the_newest_key_is_told_by_time_not_by_name(ring, clock):
    made = []
    for _ in range(5):
        clock.forward(days=1)
        made.append(ring.rotate().kid)
    assert [key.kid for key in ring.keys()[1:]] == made


def test_a_key_made_while_the_clock_is_behind_is_the_newest_all_the_same(ring, clock):
    clock.forward(days=-30)
    made = ring.rotate()
    assert ring.newest() == made


def test_after_a_rotation_all_keys_verify(ring):
    tokens = [receipts.sign(CLAIMS, ring.newest(), typ=receipts.RECEIPT)]
    for _ in range(3):
        tokens.append(receipts.sign(CLAIMS, ring.rotate(), typ=receipts.RECEIPT))
    assert {receipts.verify(token, ring.public())[0].kid for token in tokens} == set(ring.public())


def test_the_published_key_set_is_newest_first(ring):
    ring.rotate()
    assert [jwk["kid"] for jwk in ring.jwks()["keys"]] == [key.kid for key in reversed(ring.keys())]


def test_the_published_key_set_holds_no_private_key(ring):
    assert set(ring.jwks()["keys"][0]) == {"kty", "crv", "x", "kid", "use", "alg"}


def rotate(folder: str) -> None:
    KeyRing(Path(folder)).rotate()


def test_a_rotation_by_another_process_is_seen_at_the_next_use(ring, folder):
    before = ring.newest()
    process = SPAWN.Process(target=rotate, args=(str(folder),))
    process.start()
    process.join(60)
    assert ring.newest() != before and len(ring.keys()) == 2


def test_a_rotation_in_the_same_instant_as_the_last_look_is_seen(ring, folder):
    """File systems stamp folders no finer than a clock tick: the same stamp does not mean that nothing happened."""
    (folder / "half-written.part").touch()
    stamp = folder.stat().st_mtime_ns
    ring.keys()
    made = KeyRing(folder).rotate()
    os.utime(folder, ns=(stamp, stamp))
    assert ring.newest() == made


# Trouble.


def said(ring_folder: Path) -> str:
    with pytest.raises(BadKeyRing) as error:
        KeyRing(ring_folder).keys()
    return str(error.value)


def test_no_folder_says_to_make_one(folder):
    assert f"There is no key folder {folder}" in said(folder) and "consent init" in said(folder)


def test_an_empty_folder_says_to_make_or_restore_keys(folder):
    folder.mkdir(parents=True)
    assert f"There is no key in {folder}" in said(folder) and "restore" in said(folder)


CORRUPTED = {"emptied": b"", "garbled": b"\xff" * 100, "truncated": None, "not a key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}  # fmt: skip


@pytest.mark.parametrize("content", CORRUPTED.values(), ids=CORRUPTED)
def test_a_corrupted_key_file_is_named_and_to_be_restored(ring, folder, content):
    path = only_file(folder)
    path.write_bytes(path.read_bytes()[:60] if content is None else content)
    assert f"{path} cannot be read" in said(folder) and "restore it from a backup" in said(folder)


def test_a_key_under_a_passphrase_is_named(ring, folder):
    path = only_file(folder)
    path.write_bytes(pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"secret")))
    assert f"{path} cannot be read" in said(folder)


def foreign_keys() -> dict[str, tuple[str, bytes]]:
    own = pem(Ed25519PrivateKey.from_private_bytes(KEY.private))
    return {
        "another curve": (f"1-{THUMBPRINT}.pem", pem(ec.generate_private_key(ec.SECP256R1()))),
        "another naming": ("server.pem", own),
        "no time": (f"-{THUMBPRINT}.pem", own),
        "digits that are no number": (f"²-{THUMBPRINT}.pem", own),
    }


@pytest.mark.parametrize(("name", "content"), foreign_keys().values(), ids=foreign_keys())
def test_a_foreign_key_file_is_named_and_to_be_moved_out(ring, folder, name, content):
    (folder / name).write_bytes(content)
    assert f"{folder / name} is not one of ours" in said(folder) and "move it out" in said(folder)


def test_a_key_file_under_the_name_of_another_key_is_named(ring, folder):
    path = only_file(folder)
    path.write_bytes(pem(Ed25519PrivateKey.generate()))
    assert f"{path} holds another key than its name says" in said(folder)


def test_the_sentence_on_a_bad_key_file_tells_nothing_of_the_key(ring, folder):
    path = only_file(folder)
    secret = path.read_bytes().splitlines()[1].decode()
    path.write_bytes(path.read_bytes().replace(b"END", b"AND"))
    assert secret not in said(folder)


def test_files_that_are_no_keys_do_not_matter(ring, folder):
    (folder / "README").write_text("keep safe")
    (folder / "left-by-a-crash.part").write_bytes(b"half a key")
    assert len(KeyRing(folder).keys()) == 1


def test_keys_that_others_can_read_are_faults(ring, folder):
    only_file(folder).chmod(0o640)
    folder.chmod(0o750)
    assert [f"chmod go-rwx {path}`" in fault for path, fault in zip([folder, only_file(folder)], ring.faults(), strict=True)] == [True, True]  # fmt: skip


def test_keys_that_only_the_owner_can_read_are_no_faults(ring):
    assert ring.faults() == []


# A folder that cannot be written. Root may write everywhere: those tests go on as somebody else.


def unprivileged(call: str, *arguments: str) -> str:
    """Run a function of this module as somebody unprivileged; what it returned or raised."""
    with SPAWN.Pool(1, initializer=_drop) as pool:
        return pool.apply(_outcome, (call, arguments))


def _drop() -> None:
    if os.getuid() == 0:
        os.setgid(pwd.getpwnam("nobody").pw_gid)
        os.setuid(pwd.getpwnam("nobody").pw_uid)


def _outcome(call: str, arguments: tuple[str, ...]) -> str:
    try:
        return f"{globals()[call](*arguments)}"
    except BadKeyRing as error:
        return str(error)


def start(folder: str) -> str:
    ring = KeyRing(Path(folder))
    ring.create()
    return ring.newest().kid


def turn(folder: str) -> str:
    return KeyRing(Path(folder)).rotate().kid


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder for keys that belong to whoever runs the tests of this section."""
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        folder = Path(base) / "keys"
        folder.mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        yield folder
        folder.chmod(0o700)


def test_keys_in_a_read_only_folder_still_sign(shared):
    kid = unprivileged("start", str(shared))
    shared.chmod(0o500)
    (shared / ".lock").unlink()
    assert unprivileged("start", str(shared)) == kid


def test_a_read_only_folder_without_keys_is_named(shared):
    shared.chmod(0o500)
    assert unprivileged("start", str(shared)) == f"The key folder {shared} cannot be written: Permission denied."


def test_a_rotation_in_a_read_only_folder_is_refused(shared):
    unprivileged("start", str(shared))
    shared.chmod(0o500)
    assert unprivileged("turn", str(shared)) == f"The key folder {shared} cannot be written: Permission denied."
