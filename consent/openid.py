"""Signing in with OpenID Connect: what the provider is asked, and what of its answers holds. No storage, no Flask.

Authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636), by Authlib. Its rule: nothing of the
provider is kept; its metadata and keys are read at every sign-in, so that keys it changed need no restart of ours.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from consent.errors import NotSignedIn, Unavailable
from consent.people import Account
from consent.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

CALLBACK = "/admin/sign-in/openid/callback"
"""Under the public address: where the provider sends browsers back to."""
SCOPE = "openid email"
SUBJECT = re.compile(r"[\x00-\x7f]{1,255}")
"""OpenID Connect Core 1.0, section 2: bound, an empty one would be everybody's, and half a character could not be kept."""
PATIENCE = 5
"""Seconds that each answer of the provider may take."""
LEEWAY = 60
"""Seconds that the clocks may differ."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that only the provider can make: neither `none` nor one by a secret that both sides know."""
KEYS = ("RSA", "EC", "OKP")

DOWN = "The sign-in provider does not answer. Try again in a minute; an owner with a password can still sign in."
MISFIT = "The sign-in provider is not set up here as it should be. The log of the service says more."
REFUSED = "The sign-in provider did not take this sign-in. Begin again."
LATE = "The sign-in provider's answer has expired. Begin again; if that does not help, a server's clock is wrong."
ELSEWHERE = "The sign-in provider's answer belongs to another sign-in. Begin again."
FOREIGN = "The answer is from another provider, or for another service. Nobody was signed in."
FORGED = "The sign-in provider's answer is not signed by its keys. Nobody was signed in."
SENTENCES = (DOWN, MISFIT, REFUSED, LATE, ELSEWHERE, FOREIGN, FORGED)
WRONG = {
    "exp": LATE, "iat": LATE, "nbf": LATE, "nonce": ELSEWHERE, "at_hash": ELSEWHERE,
    "iss": FOREIGN, "aud": FOREIGN, "azp": FOREIGN,
}  # fmt: skip
"""What is said of a token by the claim that is wrong."""


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as we need it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Begun(NamedTuple):
    """What a browser that was sent to the provider has to come back with, or to."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The OpenID provider of an installation."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer
        self._id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._callback = settings.public_url + CALLBACK

    def begin(self) -> tuple[str, Begun]:
        """The address at the provider to send the browser to. Raises Unavailable."""
        nonce, verifier = secrets.token_urlsafe(), secrets.token_urlsafe(48)
        with _told(), self._client() as client:
            address = self._metadata(client).authorization_endpoint
            url, state = client.create_authorization_url(address, nonce=nonce, code_verifier=verifier)
        return url, Begun(state, nonce, verifier)

    def finish(self, begun: Begun, code: str, *, now: int) -> Account:
        """The account that the code stands for. Raises NotSignedIn or Unavailable."""
        with _told(), self._client() as client:
            about = self._metadata(client)
            if "client_secret_basic" not in about.token_endpoint_auth_methods_supported:
                client.token_endpoint_auth_method = "client_secret_post"
            token = client.fetch_token(about.token_endpoint, code=code, code_verifier=begun.verifier)
            keys = _read(client, about.jwks_uri, dict[str, Any])
            claims = self._claims(token, keys, nonce=begun.nonce, now=now)
            if not (isinstance(claims["sub"], str) and SUBJECT.fullmatch(claims["sub"])):
                raise ValueError(f"its subject {claims['sub']!r:.100} is none")
            if "email" not in claims and about.userinfo_endpoint:  # a provider need not put it into the token
                more = _read(client, about.userinfo_endpoint, dict[str, Any], withhold_token=False)
                claims |= more if more.get("sub") == claims["sub"] else {}
        email = claims["email"] if isinstance(claims.get("email"), str) else ""
        return Account(self._issuer, claims["sub"], email, claims.get("email_verified") is True)

    def check(self) -> None:
        """Return if the provider answers and is the one that is set. Raises Unavailable."""
        with _told(), self._client() as client:
            self._metadata(client)

    def _client(self) -> "OAuth2Session":
        from authlib.integrations.requests_client import OAuth2Session

        return OAuth2Session(
            self._id,
            self._secret,
            scope=SCOPE,
            redirect_uri=self._callback,
            code_challenge_method="S256",
            default_timeout=PATIENCE,
            max_redirects=0,
            leeway=0,
        )

    def _metadata(self, client: "OAuth2Session") -> Metadata:
        about = _read(client, self._issuer.rstrip("/") + "/.well-known/openid-configuration", Metadata)
        if about.issuer != self._issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise ValueError(f"it calls itself {about.issuer!r}, not {self._issuer!r}")
        for address in (about.authorization_endpoint, about.token_endpoint, about.jwks_uri, about.userinfo_endpoint):
            if address and self._issuer.startswith("https:") and not address.startswith("https:"):
                raise ValueError(f"{address!r} in the provider's metadata is not https")
        return about

    def _claims(self, token: dict[str, Any], keys: dict[str, Any], *, nonce: str, now: int) -> dict[str, Any]:
        """The claims of the ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        usable = KeySet.import_key_set({"keys": [key for key in keys["keys"] if key.get("kty") in KEYS]})
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        found = jwt.decode(token["id_token"], usable, registry=registry)
        options = {"iss": {"essential": True, "value": self._issuer}, "aud": {"essential": True, "value": self._id}}
        expected = {"nonce": nonce, "client_id": self._id, "access_token": token.get("access_token")}
        claims = CodeIDToken(found.claims, found.header, options, expected)
        claims.validate(now, LEEWAY)
        return dict(claims)


def _read(client: "OAuth2Session", address: str, type_: Any, *, withhold_token: bool = True) -> Any:
    """A document of the provider. Raises RequestException, ValueError or msgspec.ValidationError."""
    answer = client.get(address, withhold_token=withhold_token)
    if answer.status_code >= 500:
        answer.raise_for_status()
    if answer.status_code != 200:
        raise ValueError(f"{address} answers with status {answer.status_code}")
    return msgspec.json.decode(answer.content, type=type_)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong with a provider, as one of our sentences; the cause says more."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    try:
        yield
    except RequestException as error:
        raise Unavailable(DOWN) from error
    except AuthlibBaseError as error:
        if error.error == "invalid_grant":  # RFC 6749, section 5.2: the code was used, or is too old
            raise NotSignedIn(REFUSED) from error
        raise Unavailable(MISFIT) from error
    except JoseError as error:
        raise NotSignedIn(WRONG.get(getattr(error, "claim", ""), FORGED)) from error
    except (ValueError, TypeError, KeyError, AttributeError, msgspec.MsgspecError) as error:
        raise Unavailable(MISFIT) from error
