"""The key ring: a folder of Ed25519 keys. The newest signs, all verify; private keys are the owner's alone to read.

One file a key, `<seconds since the epoch>-<kid>.pem` (PKCS #8), written whole or not at all.
"""

import fcntl
import hashlib
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from consent.errors import BadKeyRing
from consent.receipts import Key, jwk

TICK = 1_000_000_000
"""Nanoseconds: within them a file system may give two changes of a folder the same time stamp."""


class KeyRing:
    """The keys of one installation. Another process's rotation is noticed at the next use."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._keys: list[Key] = []
        self._seen = -1

    def create(self) -> None:
        """Make the folder and its first key where there is none; any number of processes may try at once."""
        if self._files():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadKeyRing(f"The key folder {self.folder} cannot be written: {error.strerror}.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._files():
                self._write()
        finally:
            os.close(lock)

    def rotate(self) -> Key:
        """Add a key, which signs from now on."""
        try:
            self._write(after=self.newest().created_at)
        except OSError as error:
            raise BadKeyRing(f"The key folder {self.folder} cannot be written: {error.strerror}.") from None
        return self.newest()

    def newest(self) -> Key:
        """The key that signs."""
        return self.keys()[-1]

    def keys(self) -> list[Key]:
        """Every key, oldest first. Raises BadKeyRing where there is none or one cannot be read."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except OSError:
            raise BadKeyRing(
                f"There is no key folder {self.folder}: restore it from a backup, or run `consent init` if this is new."
            ) from None
        if changed != self._seen:
            self._keys = self._load()
            self._seen = changed if time.time_ns() - changed > TICK else -1
        return self._keys

    def public(self) -> dict[str, bytes]:
        """Key ids and raw public keys."""
        return {key.kid: key.public for key in self.keys()}

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key set (RFC 7517), newest first."""
        return {"keys": [jwk(key.public, key.kid) for key in reversed(self.keys())]}

    def files(self) -> dict[str, bytes]:
        """Names and contents of the key files; none where there is no folder."""
        return {path.name: path.read_bytes() for path in self._files()}

    def restore(self, files: dict[str, bytes]) -> None:
        """Put key files into a folder that has none but these, left by a restoring that was cut off. Raises BadKeyRing."""
        if wrong := [name for name in files if Path(name).name != name or not name.endswith(".pem")]:
            raise BadKeyRing(f"{wrong[0]!r} is not the name of a key file.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in files.keys() - self.files().keys():
                (self.folder / name).with_suffix(".part").unlink(missing_ok=True)
                _keep(self.folder / name, files[name])
        except OSError as error:
            raise BadKeyRing(f"The key folder {self.folder} cannot be written: {error.strerror}.") from None

    def faults(self) -> list[str]:
        """Sentences on files that others can read."""
        loose = [path for path in [self.folder, *self._files()] if path.stat().st_mode & 0o077]
        return [f"{path} can be read by others: run `chmod go-rwx {path}`." for path in loose]

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.pem"))

    def _load(self) -> list[Key]:
        keys = [_read(path) for path in self._files()]
        if not keys:
            raise BadKeyRing(f"There is no key in {self.folder}; run `consent init`, or restore the keys.")
        return sorted(keys, key=lambda key: (key.created_at, key.kid))

    def _write(self, *, after: int = 0) -> None:
        private = Ed25519PrivateKey.generate()
        created_at = max(int(self._clock()), after + 1)
        path = self.folder / f"{created_at}-{_kid(_raw_public(private))}.pem"
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _keep(path, pem)


def _keep(path: Path, pem: bytes) -> None:
    """Write a key file whole or not at all."""
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    _sync(path.parent)


def _read(path: Path) -> Key:
    created_at, _, kid = path.stem.partition("-")
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKeyRing(f"The key file {path} cannot be read ({error}); restore it from a backup.") from None
    if not isinstance(private, Ed25519PrivateKey) or not created_at.isdecimal():
        raise BadKeyRing(f"The key file {path} is not one of ours; move it out of the key folder.")
    public = _raw_public(private)
    if _kid(public) != kid:
        raise BadKeyRing(f"The key file {path} holds another key than its name says; restore it from a backup.")
    return Key(kid, int(created_at), public, private.private_bytes_raw())


def _raw_public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _kid(public: bytes) -> str:
    """RFC 7638 thumbprint: SHA-256 of the required members in lexicographic order, base64url."""
    x = urlsafe_b64encode(public).rstrip(b"=").decode()
    thumbprint = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    return urlsafe_b64encode(thumbprint).rstrip(b"=").decode()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
