"""consent.receipts: standard statements that others verify, and none other."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import joserfc.jws
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import KeySet

from consent import receipts
from consent.errors import BadSignature
from consent.keyring import Key
from consent.model import Consent, Receipt
from tests.conftest import SUBJECT

# RFC 8037, appendix A.
SECRET = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
SIGNED = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


KEY = Key(THUMBPRINT, 1, decode(PUBLIC), decode(SECRET))
KEYS = {KEY.kid: KEY.public}
CLAIMS = Receipt(
    "https://consent.example.org",
    "shop",
    SUBJECT,
    "019ab1c2-77aa-7bbb-8ccc-0123456789ab",
    1_795_000_000,
    4_000_000_000,
    Consent(
        policy=3,
        policy_hash="sha256-abc",
        script_hash=None,
        language="ar",
        regime="opt-in",
        regime_basis="default",
        country=None,
        action="custom",
        surface="banner",
        grants={"analytics": True},
        services={},
        necessary=["session"],
        signals={},
        decided_at=None,
        previous=None,
    ),
)
TOKEN = receipts.sign(CLAIMS, KEY, typ=receipts.RECEIPT)
HEADER, BODY, SEAL = TOKEN.split(".")
JWKS = {"keys": [receipts.jwk(KEY.public, KEY.kid)]}


def signed(header: dict, body: bytes = decode(BODY), key: Key = KEY) -> str:
    """A statement with any header, truly signed."""
    value = f"{encode(json.dumps(header).encode())}.{encode(body)}"
    return f"{value}.{encode(Ed25519PrivateKey.from_private_bytes(key.private).sign(value.encode()))}"


GOOD = {"alg": "EdDSA", "kid": KEY.kid, "typ": receipts.RECEIPT}


# What others make of it.


def test_pyjwt_verifies_a_receipt_with_the_published_key_set():
    key = jwt.PyJWKSet.from_dict(JWKS)[jwt.get_unverified_header(TOKEN)["kid"]]
    decoded = jwt.decode_complete(TOKEN, key, algorithms=["EdDSA"], audience="shop", options={"verify_iat": False})
    assert decoded["payload"] == msgspec.to_builtins(CLAIMS)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_joserfc_verifies_a_receipt_with_the_published_key_set():
    verified = joserfc.jws.deserialize_compact(TOKEN, KeySet.import_key_set(JWKS), algorithms=["EdDSA"])
    assert json.loads(verified.payload) == msgspec.to_builtins(CLAIMS)


def test_a_statement_that_pyjwt_makes_verifies_here():
    private = Ed25519PrivateKey.from_private_bytes(KEY.private)
    token = jwt.encode(msgspec.to_builtins(CLAIMS), private, "EdDSA", {"kid": KEY.kid, "typ": receipts.RECEIPT})
    assert msgspec.json.decode(receipts.verify(token, KEYS)[1], type=Receipt) == CLAIMS


@pytest.mark.parametrize("typ", [receipts.RECEIPT, receipts.POLICY, receipts.ERASURE])
def test_the_header_has_exactly_three_members(typ):
    header = json.loads(decode(receipts.sign(CLAIMS, KEY, typ=typ).split(".")[0]))
    assert header == {"alg": "EdDSA", "kid": THUMBPRINT, "typ": typ}


def test_the_types_are_those_of_the_contract():
    assert (receipts.RECEIPT, receipts.POLICY, receipts.ERASURE) == (
        "consent-receipt+jwt",
        "consent-policy+jwt",
        "consent-erasure+jwt",
    )


def test_a_receipt_has_the_claims_of_the_contract():
    claims = json.loads(decode(BODY))
    assert set(claims) == {"iss", "aud", "sub", "jti", "iat", "exp", "consent"}
    assert set(claims["consent"]) == {
        *("policy", "policy_hash", "script_hash", "language", "regime", "regime_basis", "country", "action"),
        *("surface", "grants", "services", "necessary", "signals", "decided_at", "previous"),
    }


def test_a_public_key_is_published_as_rfc_8037_says():
    members = {"kty": "OKP", "crv": "Ed25519", "x": PUBLIC, "kid": THUMBPRINT, "use": "sig", "alg": "EdDSA"}
    assert receipts.jwk(KEY.public, KEY.kid) == members


# RFC 8037, appendix A.


def test_signs_the_example_of_rfc_8037_a_4():
    assert encode(receipts.Ed25519().get_signature(KEY.private, SIGNED.encode())) == SIGNATURE


def test_verifies_the_example_of_rfc_8037_a_5():
    assert receipts.Ed25519().verify_signature(KEY.public, SIGNED.encode(), decode(SIGNATURE))


def test_the_secret_of_rfc_8037_a_1_has_the_public_key_of_a_2():
    assert encode(Ed25519PrivateKey.from_private_bytes(KEY.private).public_key().public_bytes_raw()) == PUBLIC


# What is read back.


def test_a_verified_statement_gives_its_header_and_the_bytes_that_were_signed():
    assert receipts.verify(TOKEN, KEYS) == (receipts.Header("EdDSA", KEY.kid, receipts.RECEIPT), decode(BODY))


def test_a_stored_receipt_is_read_without_its_signature():
    assert receipts.receipt(TOKEN) == CLAIMS


def test_a_key_set_is_read_back():
    assert receipts.keys_of(JWKS) == KEYS


def test_keys_of_other_kinds_in_a_key_set_are_passed_over():
    other = {"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}
    assert receipts.keys_of({"keys": [other, *JWKS["keys"]]}) == KEYS


@pytest.mark.parametrize(
    "jwks",
    [
        None,
        [],
        "",
        {},
        {"keys": []},
        {"keys": {}},
        {"keys": ["x"]},
        {"keys": [{"crv": "Ed25519"}]},
        {"keys": [{"kty": "RSA"}]},
    ]
    + [
        {"keys": [{"crv": "Ed25519", "kid": kid, "x": x}]}
        for kid, x in [("a", "AA"), ("a", 1), ([], PUBLIC), ("a", "é"), ("a", "")]
    ],
    ids=repr,
)
def test_what_is_no_key_set_is_refused(jwks):
    with pytest.raises(BadSignature, match="JWK set"):
        receipts.keys_of(jwks)


# What is refused.


def refused(token: str, keys: dict[str, bytes] = KEYS) -> str:
    with pytest.raises(BadSignature) as error:
        receipts.verify(token, keys)
    return str(error.value)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_a_changed_byte_is_refused_wherever_it_is(part):
    parts = [decode(piece) for piece in TOKEN.split(".")]
    for position in range(len(parts[part])):
        changed = bytearray(parts[part])
        changed[position] ^= 1
        refused(".".join(encode(bytes(changed)) if number == part else encode(p) for number, p in enumerate(parts)))


def test_a_changed_character_is_refused_wherever_it_is():
    for position, character in enumerate(TOKEN):
        refused(TOKEN[:position] + ("A" if character != "A" else "B") + TOKEN[position + 1 :])


def other_spellings() -> dict[str, str]:
    """Tokens that a lenient decoder takes for the same bytes."""
    last = {"A": "B", "Q": "R", "g": "h", "w": "x"}
    return {
        "padding": TOKEN + "==",
        "newline": TOKEN + "\n",
        "space inside": f"{HEADER}. {BODY}.{SEAL}",
        "unused bits set": TOKEN[:-1] + last[TOKEN[-1]],
        "standard alphabet": f"{HEADER}.{BODY}.{SEAL.replace('-', '+').replace('_', '/')}",
        "foreign characters inside": f"{HEADER}.{BODY}.{SEAL[:10]}*{SEAL[10:]}",
        "full-width letters": f"{HEADER}.{BODY}.{SEAL[:-1]}\uff21",
    }


@pytest.mark.parametrize("token", other_spellings().values(), ids=other_spellings())
def test_a_statement_has_one_spelling(token):
    refused(token)


SHAPES = ["", ".", "..", "...", HEADER, f"{HEADER}.{BODY}", f"{HEADER}.{BODY}.", f".{BODY}.{SEAL}", f"{HEADER}..{SEAL}", f"{TOKEN}.", f".{TOKEN}", f"{TOKEN}.{SEAL}", f"{TOKEN} ", TOKEN * 2]  # fmt: skip


@pytest.mark.parametrize("token", SHAPES)
def test_what_has_not_three_parts_is_refused(token):
    refused(token)


@pytest.mark.parametrize(
    "changes",
    [{"alg": alg} for alg in ("none", "None", "HS256", "ES256", "eddsa", "")]
    + [{"typ": typ} for typ in ("JWT", "consent-receipt", "CONSENT-RECEIPT+JWT", "")],
    ids=str,
)
def test_another_alg_or_typ_is_refused_though_it_is_signed(changes):
    assert "is not one of ours" in refused(signed(GOOD | changes))


def test_an_unsigned_statement_is_refused():
    header = encode(json.dumps(GOOD | {"alg": "none"}).encode())
    refused(f"{header}.{BODY}.")


@pytest.mark.parametrize("missing", GOOD)
def test_a_header_without_a_member_is_refused(missing):
    refused(signed({name: value for name, value in GOOD.items() if name != missing}))


def test_a_header_that_demands_more_than_is_understood_is_refused():
    """RFC 7515, section 4.1.11."""
    refused(signed(GOOD | {"crit": ["b64"], "b64": False}))


def test_a_key_that_is_not_in_the_set_is_refused():
    assert "not in the key set" in refused(TOKEN, {})


def test_another_key_under_the_same_name_is_refused():
    assert "does not fit" in refused(TOKEN, {KEY.kid: Ed25519PrivateKey.generate().public_key().public_bytes_raw()})


def test_a_signature_over_another_statement_is_refused():
    other = receipts.sign(msgspec.structs.replace(CLAIMS, aud="other"), KEY, typ=receipts.RECEIPT)
    assert "does not fit" in refused(f"{HEADER}.{BODY}.{other.split('.')[2]}")


@pytest.mark.parametrize("depth", [100, 100_000])
def test_nesting_without_end_is_refused(depth):
    refused(
        signed({}, b"{}").replace(encode(b"{}"), encode(b'{"alg":"EdDSA","x":' + b"[" * depth + b"]" * depth + b"}"), 1)
    )


@given(st.binary(max_size=400))
def test_random_bytes_never_verify(data):
    refused(data.decode("latin-1"))


@given(st.lists(st.binary(max_size=120), min_size=1, max_size=5))
def test_random_parts_never_verify(parts):
    refused(".".join(encode(part) for part in parts))


@given(st.binary(min_size=64, max_size=64))
def test_random_signatures_never_verify(signature):
    refused(f"{HEADER}.{BODY}.{encode(signature)}")


@given(st.integers(0, len(TOKEN)), st.text(min_size=1, max_size=5))
def test_nothing_can_be_put_into_a_statement(position, text):
    refused(TOKEN[:position] + text + TOKEN[position:])
