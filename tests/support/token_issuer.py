"""A provider's description and keys by HTTP, and tokens that it signs, or somebody else."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

KEY, STRANGER = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})


class Issuer:
    """One that answers at `url`; its answers may be replaced by path."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: list[str] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.describe()

    def describe(self, **more: Any) -> None:
        """Say of itself what a provider says, and what is given here instead."""
        said = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
        }  # fmt: skip
        self.answers["/.well-known/openid-configuration"] = 200, json.dumps(said | more).encode()
        self.publish(KEY)

    def publish(self, key: RSAKey) -> None:
        """Its keys from now on."""
        keys = KeySet([key]).as_dict(private=False)
        self.answers["/jwks"] = 200, json.dumps(keys).encode()

    def token(self, now_s: int, key: Any = KEY, alg: str = "RS256", **claims: Any) -> str:
        """An access token of Ann's for the API; None as a claim leaves it out."""
        usual = {
            "iss": self.url, "sub": "1", "aud": "the API", "exp": now_s + 300, "iat": now_s,
            "email": "ann@example.com", "email_verified": True,
        }  # fmt: skip
        said = {name: one for name, one in (usual | claims).items() if one is not None}
        return jwt.encode({"alg": alg, "kid": "k"}, said, key, algorithms=[alg])


@contextmanager
def issuer() -> Iterator[Issuer]:
    """One on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.paths.append(self.path)
            status, body = known.answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", body.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def spoiled(now_s: int, one: Issuer) -> Mapping[str, str]:
    """Tokens that nobody may believe, by what is wrong with each."""
    good = one.token(now_s)
    head, body, _ = good.split(".")
    none, shared = _b64(b'{"alg":"none"}'), _b64(b'{"alg":"HS256","kid":"k"}')
    public = KEY.as_pem(private=False)
    mark = _b64(hmac.digest(public, f"{shared}.{body}".encode(), "sha256"))
    return {
        "another audience": one.token(now_s, aud="another API"),
        "no audience": one.token(now_s, aud=None),
        "another issuer": one.token(now_s, iss="https://evil.example"),
        "expired": one.token(now_s, exp=now_s - 61),
        "without an end": one.token(now_s, exp=None),
        "not yet": one.token(now_s, nbf=now_s + 120),
        "from the future": one.token(now_s, iat=now_s + 120),
        "algorithm none": f"{none}.{body}.",
        "no signature": f"{head}.{body}.",
        "of a stranger": one.token(now_s, STRANGER),
        "signed with the public key": f"{shared}.{body}.{mark}",
        "changed": f"{head}.{body[:-2]}AA.{good.split('.')[2]}",
        "nothing": "", "a word": "token", "dots": "..", "huge": 3 * ("." + 100_000 * "A"),
    }  # fmt: skip


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
