"""What a provider says of itself and of people, and what of it is not believed."""

from collections.abc import Iterator

import pytest

from core.clock import ManualClock
from core.errors import SettingsError
from core.sections import OidcSettings
from dashboards.entrance.provider import Provider, ProviderError
from tests.support import token_issuer
from tests.support.token_issuer import STRANGER, Issuer, spoiled

NOW_S = 1_770_000_000


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with token_issuer.issuer() as one:
        yield one


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_S * 1_000_000)


def provider_of(issuer: Issuer, clock: ManualClock, claim: str = "email") -> Provider:
    return Provider(OidcSettings(issuer.url, "page", "secret", claim, "the API"), clock)


def test_a_token_names_its_person(issuer: Issuer, clock: ManualClock) -> None:
    provider = provider_of(issuer, clock)
    claims = provider.claims_of_token(issuer.token(NOW_S, aud=["other", "the API"]))
    assert provider.name_in(claims) == "ann@example.com"
    provider.claims_of_token(issuer.token(NOW_S, exp=NOW_S - 30))  # two clocks differ
    assert issuer.paths == ["/.well-known/openid-configuration", "/jwks"], "asked once"


def test_tokens_that_nobody_may_believe(issuer: Issuer, clock: ManualClock) -> None:
    provider = provider_of(issuer, clock)
    for token in spoiled(NOW_S, issuer).values():
        with pytest.raises(ProviderError) as refused:
            provider.claims_of_token(token)
        assert len(str(refused.value)) < 500


def test_keys_are_asked_for_again_when_they_change_and_not_by_each_forgery(
    issuer: Issuer, clock: ManualClock
) -> None:
    provider = provider_of(issuer, clock)
    for _ in range(3):
        with pytest.raises(ProviderError):
            provider.claims_of_token(issuer.token(NOW_S, STRANGER))
    assert issuer.paths.count("/jwks") == 1
    issuer.publish(STRANGER)
    clock.advance((NOW_S + 61) * 1_000_000)
    provider.claims_of_token(issuer.token(NOW_S, STRANGER))
    assert issuer.paths.count("/jwks") == 2


@pytest.mark.parametrize(
    "claims",
    [
        {"email": None}, {"email": ""}, {"email": ["ann@example.com"]}, {"email": 1},
        {"email_verified": None}, {"email_verified": False}, {"email_verified": "true"},
    ],
)  # fmt: skip
def test_a_name_is_said_and_an_address_is_verified(
    issuer: Issuer, clock: ManualClock, claims: dict[str, object]
) -> None:
    provider = provider_of(issuer, clock)
    with pytest.raises(ProviderError, match="provider"):
        provider.name_in(provider.claims_of_token(issuer.token(NOW_S, **claims)))


def test_a_provider_that_describes_another_leads_nobody_there(
    issuer: Issuer, clock: ManualClock
) -> None:
    for more in (
        {"issuer": "https://evil.example"}, {"jwks_uri": "http://169.254.169.254/keys"},
        {"token_endpoint": "http://example.com/token"}, {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 1}, {"authorization_endpoint": None},
    ):  # fmt: skip
        issuer.describe(**more)
        with pytest.raises(ProviderError):
            provider_of(issuer, clock).beginning("http://127.0.0.1/", "s", "n", 50 * "v")
    issuer.answers["/.well-known/openid-configuration"] = 302, f"{issuer.url}/other".encode()
    issuer.answers["/other"] = 200, b"{}"
    with pytest.raises(ProviderError, match="302"):
        provider_of(issuer, clock).beginning("http://127.0.0.1/", "s", "n", 50 * "v")
    assert "/other" not in issuer.paths
    issuer.answers["/.well-known/openid-configuration"] = 200, b" " * (2**20 + 1)
    with pytest.raises(ProviderError, match="too large"):
        provider_of(issuer, clock).beginning("http://127.0.0.1/", "s", "n", 50 * "v")


def test_the_way_there_says_who_asks_and_proves_it(issuer: Issuer, clock: ManualClock) -> None:
    address = provider_of(issuer, clock).beginning("http://127.0.0.1/b", "st", "no", 50 * "v")
    assert address.startswith(f"{issuer.url}/auth?response_type=code&client_id=page")
    assert "code_challenge_method=S256" in address
    assert "state=st" in address
    assert "nonce=no" in address
    assert "vvv" not in address


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (OidcSettings("http://example.com", "c"), "issuer"),
        (OidcSettings("https://me:secret@example.com", "c"), "issuer"),
        (OidcSettings("ftp://127.0.0.1", "c"), "issuer"),
        (OidcSettings("https://example.com", ""), "client_id"),
        (OidcSettings("https://example.com", "c", audience="c"), "audience"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: OidcSettings, names: str) -> None:
    with pytest.raises(SettingsError, match=f"oidc.{names}"):
        Provider(settings, ManualClock(1))


def test_its_secret_is_shown_nowhere() -> None:
    assert "xyzzy" not in repr(OidcSettings("https://example.com", "c", "xyzzy"))
