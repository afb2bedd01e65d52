"""A small OpenID provider of the tests' own: a real HTTP server on loopback with real keys, that also errs as it is told.

Its tokens are made by PyJWT, which the service does not use; what a client sends is held against the standards here.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT = "consent-desk"
SECRET = "a-secret-of-the-tests"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


class OpenIdProvider:
    """A running provider; `now` is its clock, `account` who is signed in there, and the rest is how it errs."""

    def __init__(self, callback: str, now: Callable[[], float]) -> None:
        self.callback = callback
        self.now = now
        self.account: dict[str, Any] = {"sub": "248289", "email": "Anna@Example.org", "email_verified": True}
        self.algorithm = "RS256"
        self.metadata: dict[str, Any] = {}
        """What its metadata says besides, or otherwise."""
        self.claims: dict[str, Any] = {}
        """What a token says besides, or otherwise; None leaves a claim out."""
        self.told: dict[str, Any] | None = None
        """What /userinfo answers; without it the token says all."""
        self.changed: Callable[[str], str] = str
        """What happens to a token on its way."""
        self.statuses: dict[str, int] = {}
        """By path: what is answered instead."""
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length", 0))
        form = {name: value for name, [value] in parse_qs(handler.rfile.read(length).decode()).items()}
        query = {name: value for name, [value] in parse_qs(parts.query).items()}
        self.asked.append(parts.path)
        places = {
            "/.well-known/openid-configuration": lambda: (200, self._about()),
            "/jwks": lambda: (200, self._keys()),
            "/authorize": lambda: self._authorize(query),
            "/token": lambda: self._token(form, handler.headers.get("Authorization", "")),
            "/userinfo": lambda: (200, self.told if handler.headers["Authorization"] == "Bearer access" else {}),
        }
        status, told = self.statuses.get(parts.path), {}
        if status is None:
            status, told = places[parts.path]()
        body = json.dumps(told).encode()
        handler.send_response(status)
        if isinstance(told, str):
            handler.send_header("Location", told)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _about(self) -> dict[str, Any]:
        about = {
            "issuer": self.url,
            "authorization_endpoint": self.url + "/authorize",
            "token_endpoint": self.url + "/token",
            "jwks_uri": self.url + "/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        }
        return about | ({"userinfo_endpoint": self.url + "/userinfo"} if self.told else {}) | self.metadata

    def _keys(self) -> dict[str, Any]:
        more = {"use": "sig"}
        return {
            "keys": [
                {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), **more, "kid": "RS256", "alg": "RS256"},
                {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), **more, "kid": "ES256"},
                {"kty": "AKP", "kid": "later", "alg": "ML-DSA-44", "pub": "AAAA"},
            ]
        }

    def _authorize(self, query: dict[str, str]) -> tuple[int, Any]:
        """Whoever comes is signed in there already, as `account`."""
        right = {"client_id": CLIENT, "redirect_uri": self.callback, "response_type": "code", "scope": "openid email"}
        if {name: query.get(name) for name in right} != right or query.get("code_challenge_method") != "S256":
            return 400, {"error": "invalid_request"}
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        return 302, f"{self.callback}?{urlencode({'code': code, 'state': query['state']})}"

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if not (authorization == basic or (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)):
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if not asked or challenge.decode() != asked["code_challenge"] or form["redirect_uri"] != self.callback:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": self._id(asked)}

    def _id(self, asked: dict[str, str]) -> str:
        now = int(self.now())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= ({"sub": self.account["sub"]} if self.told else self.account) | self.claims
        keys = {"RS256": RSA_KEY, "ES256": EC_KEY, "HS256": SECRET.encode().ljust(32), "none": None}
        said = {name: value for name, value in claims.items() if value is not None}
        return self.changed(jwt.encode(said, keys[self.algorithm], self.algorithm, {"kid": self.algorithm}))
