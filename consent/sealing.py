"""Files sealed with a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM the seal; pure.

One JSON document that says how it was made; whoever has not the passphrase learns nothing of names or contents.
"""

import base64
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from consent.errors import BadQuery

KIND = "consent-sealed-files/1"
N, R, P = 2**17, 8, 1
"""scrypt's cost: some 128 MB and a third of a second a guess."""


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the file; bytes are base64."""

    kind: str
    n: int
    r: int
    p: int
    salt: bytes
    nonce: bytes
    sealed: bytes


def seal(files: dict[str, bytes], passphrase: str) -> bytes:
    """Names and contents, sealed."""
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = msgspec.json.encode({name: base64.b64encode(content).decode() for name, content in files.items()})
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, KIND.encode())
    return msgspec.json.encode(Envelope(KIND, N, R, P, salt, nonce, sealed)) + b"\n"


def unseal(data: bytes, passphrase: str) -> dict[str, bytes]:
    """The names and contents again. Raises BadQuery for another passphrase or a damaged file."""
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
    except msgspec.MsgspecError:
        raise BadQuery("This is no file of sealed keys: name the one that `consent backup --with-keys` made.") from None
    if (envelope.kind, envelope.n, envelope.r, envelope.p) != (KIND, N, R, P) or len(envelope.nonce) != 12:
        raise BadQuery("The sealed keys are of another version: use the version of consent that made them.")
    try:
        plain = AESGCM(_key(passphrase, envelope.salt)).decrypt(envelope.nonce, envelope.sealed, KIND.encode())
    except InvalidTag:
        raise BadQuery("The passphrase does not open the sealed keys, or the file is damaged.") from None
    return {name: base64.b64decode(text) for name, text in msgspec.json.decode(plain, type=dict[str, str]).items()}


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=N, r=R, p=P).derive(passphrase.encode())
