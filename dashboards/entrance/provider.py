"""A company's OpenID Connect provider: where it answers, its keys, and what its tokens say.

What it says is believed when a key of its own signed it with an algorithm of the list (so never
with `none`, nor with a secret that we hold too), for us, and not too long ago. Keys are fetched
again when a token names one that is not known, once a minute at most. Nothing follows a redirect,
and nothing but a provider on this machine is asked without TLS.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.claims import JWTClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from core.clock import Clock
from core.errors import SettingsError
from core.sections import OidcSettings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
_WITHIN_S, _LARGEST = 10, 2**20
_SLACK_S = 60  # that two machines' clocks may differ
_DAY_US, _MINUTE_US = 86_400_000_000, 60_000_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ProviderError(Exception):
    """The provider does not answer, or what it says is not believed."""


class Addresses(msgspec.Struct, frozen=True):
    """What of the provider's own description is used (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Described(NamedTuple):
    addresses: Addresses
    keys: KeySet
    as_of_us: int


class Provider:
    """One provider, asked when it is first needed. Blocking; used from any thread.

    Raises:
        SettingsError: an issuer, client or audience that cannot be.
    """

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        _check(settings)
        self.settings, self._clock = settings, clock
        self._one = threading.Lock()
        self._described: _Described | None = None

    def beginning(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where a person signs in (authorisation code with PKCE, RFC 7636).

        Raises:
            ProviderError: it does not answer.
        """
        where = self._known().addresses.authorization_endpoint
        with self._session(redirect) as session:
            address, _ = session.create_authorization_url(
                where, state=state, code_verifier=verifier, nonce=nonce
            )
        return str(address)

    def claims_of_code(
        self, redirect: str, code: str, nonce: str, verifier: str
    ) -> Mapping[str, Any]:
        """What the provider says of a person who came back with a code.

        Raises:
            ProviderError: it does not answer, or its identity token is not believed.
        """
        where = self._known().addresses.token_endpoint
        try:
            with self._session(redirect) as session:
                token = session.fetch_token(
                    where, code=code, grant_type="authorization_code", code_verifier=verifier,
                    allow_redirects=False, timeout=_WITHIN_S,
                )  # fmt: skip
        except (OAuthError, RequestException, ValueError) as error:
            raise ProviderError(f"the provider gave no token: {type(error).__name__}") from error
        known = {"nonce": nonce, "client_id": self.settings.client_id}
        known["access_token"] = str(token.get("access_token", ""))
        return self._claims(
            str(token.get("id_token", "")), self.settings.client_id,
            lambda said, header, options: CodeIDToken(said, header, options, known),
        )  # fmt: skip

    def claims_of_token(self, token: str) -> Mapping[str, Any]:
        """What an access token says that a program shows at the API (RFC 9068).

        Raises:
            ProviderError: it is not believed, or no audience is set.
        """
        if not self.settings.audience:
            raise ProviderError("this home takes no tokens of a provider: oidc.audience is not set")
        return self._claims(token, self.settings.audience, JWTClaims)

    def name_in(self, claims: Mapping[str, Any]) -> str:
        """The name that the configured claim holds.

        Raises:
            ProviderError: it holds none, or an address that the provider has not verified.
        """
        name = claims.get(self.settings.claim)
        if not isinstance(name, str) or not name:
            raise ProviderError(f"the provider says no {self.settings.claim} (oidc.claim)")
        if self.settings.claim == "email" and claims.get("email_verified") is not True:
            raise ProviderError("the provider has not verified this e-mail address")
        return name

    def _claims(
        self, token: str, audience: str, kind: Callable[[Any, Any, Any], JWTClaims]
    ) -> Mapping[str, Any]:
        options = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": audience},
            "exp": {"essential": True}, "sub": {"essential": True},
        }  # fmt: skip
        try:
            signed = self._verified(token)
            claims = kind(signed.claims, signed.header, options)
            claims.validate(now=self._clock.now_us() // 1_000_000, leeway=_SLACK_S)
        except (JoseError, ValueError, TypeError) as error:
            text = f"the token is not believed: {type(error).__name__} {error}"
            raise ProviderError(text) from error
        return dict(claims)

    def _verified(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._known().keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            again = self._known(_MINUTE_US)  # its keys may be others by now
            return jwt.decode(token, again.keys, algorithms=ALGORITHMS)

    def _known(self, within_us: int = _DAY_US) -> _Described:
        with self._one:
            now_us, known = self._clock.now_us(), self._described
            if known is None or not 0 <= now_us - known.as_of_us < within_us:
                self._described = known = self._describe(now_us)
            return known

    def _describe(self, now_us: int) -> _Described:
        issuer = self.settings.issuer
        try:
            text = self._got(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            addresses = msgspec.json.decode(text, type=Addresses)
            if addresses.issuer != issuer:
                raise ProviderError(f"it calls itself {addresses.issuer!r}, not {issuer!r}")
            for field in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _check_address(getattr(addresses, field), issuer)
            keys = KeySet.import_key_set(msgspec.json.decode(self._got(addresses.jwks_uri)))
        except (msgspec.DecodeError, JoseError, ValueError, KeyError, SettingsError) as error:
            raise ProviderError(f"the provider describes itself badly: {error}") from error
        return _Described(addresses, keys, now_us)

    def _got(self, address: str) -> bytes:
        try:
            with (
                self._session("") as session,
                session.request(
                    "GET", address, withhold_token=True, stream=True, allow_redirects=False,
                    timeout=_WITHIN_S,
                ) as answer,
            ):  # fmt: skip
                if answer.status_code != 200:
                    raise ProviderError(f"the provider answers {answer.status_code} at {address}")
                content: bytes = answer.raw.read(_LARGEST + 1, decode_content=True)
        except (RequestException, OSError) as error:
            raise ProviderError(f"the provider does not answer at {address}") from error
        if len(content) > _LARGEST:
            raise ProviderError(f"the provider's answer at {address} is too large")
        return content

    def _session(self, redirect: str) -> OAuth2Session:
        known = self._described
        methods = known.addresses.token_endpoint_auth_methods_supported if known else ()
        by_post = "client_secret_post" in methods and "client_secret_basic" not in methods
        method = "client_secret_post" if by_post else "client_secret_basic"
        session = OAuth2Session(
            self.settings.client_id, self.settings.client_secret or None, redirect_uri=redirect,
            scope="openid email profile", code_challenge_method="S256",
            token_endpoint_auth_method=method if self.settings.client_secret else "none",
        )  # fmt: skip
        session.trust_env = urlsplit(self.settings.issuer).hostname not in _LOOPBACK
        return session


def _check(settings: OidcSettings) -> None:
    _check_address(settings.issuer, settings.issuer)
    if not settings.client_id:
        raise SettingsError("oidc.client_id: say which client this home is at the provider")
    if settings.audience == settings.client_id:
        raise SettingsError(
            "oidc.audience is oidc.client_id: then whoever signs in to a page has a token for the"
            " API; let the provider give tokens for the API an audience of their own"
        )


def _check_address(address: str, issuer: str) -> None:
    """By TLS; a provider on this machine may do without."""
    where = urlsplit(address)
    if where.scheme == "https" and where.hostname and not where.username:
        return
    if where.scheme == "http" and {where.hostname, urlsplit(issuer).hostname} <= set(_LOOPBACK):
        return
    raise SettingsError(f"oidc.issuer: {address!r}: a provider is asked at https://host")
