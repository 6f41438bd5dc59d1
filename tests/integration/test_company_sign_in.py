"""Signing in at a real OpenID Connect provider, npm's `oidc-provider`: by page, and by token."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from core import identity
from core.clock import SystemClock
from core.sections import OidcSettings
from core.settings import Settings
from dashboards.entrance.answers import COOKIE, Entrance
from dashboards.entrance.company import BACK, BEGIN, Company
from dashboards.entrance.provider import Provider, ProviderError
from dashboards.entrance.sign_in import SignIn
from tests.support.oidc_provider import CLIENT, SECRET, parameters, provider, walk

HERE = "http://127.0.0.1:8050"
AUDIENCE = "https://tickhouse.example/api"
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="security")]


class World(NamedTuple):
    page: TestClient
    issuer: str
    home: Path


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("provider")
    with provider(folder, [HERE + BACK, "http://127.0.0.1:9/program"]) as address:
        yield address


def settings_of(issuer: str, claim: str = "email", home: str = "") -> Settings:
    oidc = OidcSettings(issuer, CLIENT, SECRET, claim, AUDIENCE)
    return Settings(home=home, oidc=oidc)


@pytest.fixture
def world(tmp_path: Path, issuer: str) -> Iterator[World]:
    ann = identity.new_user("ann@example.com", "compliance", "long enough")
    unverified = identity.new_user("unverified@example.com", "admin", "long enough")
    identity.save(identity.path_in(tmp_path), {user.name: user for user in (ann, unverified)})
    people = SignIn(tmp_path, SystemClock())
    company = Company(settings_of(issuer, home=str(tmp_path)), people, SystemClock())
    entrance = Entrance(people)
    routes = [
        Route(BEGIN, company.begin), Route(BACK, company.back),
        Route("/api/session", entrance.session),
    ]  # fmt: skip
    with TestClient(Starlette(routes=routes), HERE, follow_redirects=False) as page:
        yield World(page, issuer, tmp_path)


def gone(world: World, login: str) -> str:
    """Where the provider sends a browser back that began at the page and signed in there."""
    away = world.page.get(f"{BEGIN}?to=/compliance")
    assert away.status_code == 303, away.text
    with httpx.Client(trust_env=False) as browser:
        return walk(browser, away.headers["location"], login, HERE)


def come_back(world: World, address: str) -> httpx.Response:
    answer: httpx.Response = world.page.get(address.removeprefix(HERE))  # type: ignore[assignment]
    return answer


def test_who_is_a_user_here_comes_in_with_the_rights_they_have_here(world: World) -> None:
    back = gone(world, "ann@example.com")
    answer = come_back(world, back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compliance"), answer.text
    said = world.page.get("/api/session").json()
    assert (said["name"], said["role"]) == ("ann@example.com", "compliance")
    world.page.cookies.delete(COOKIE)
    assert "not begun here" in come_back(world, back).text, "a way back is gone once"
    assert world.page.get("/api/session").json() == {"name": ""}


@pytest.mark.parametrize(
    ("login", "why"),
    [
        ("mallory@example.com", "no user of this home"), ("root", "no user of this home"),
        ("unverified@example.com", "has not verified"),
    ],
)  # fmt: skip
def test_nobody_gets_rights_from_the_provider(world: World, login: str, why: str) -> None:
    users = identity.path_in(world.home).read_bytes()
    answer = come_back(world, gone(world, login))
    assert answer.status_code == 403
    assert why in answer.text
    assert world.page.get("/api/session").json() == {"name": ""}
    assert identity.path_in(world.home).read_bytes() == users


def test_the_way_back_is_of_the_browser_and_the_code_that_began(world: World) -> None:
    again = gone(world, "ann@example.com")
    spoiled = again.replace(f"code={parameters(again)['code']}", "code=guessed")
    assert "gave no token" in come_back(world, spoiled).text
    foreign = f"{gone(world, 'ann@example.com').partition('&iss')[0]}&iss=https://evil.example"
    assert "another provider" in come_back(world, foreign).text
    one, other = gone(world, "ann@example.com"), gone(world, "ann@example.com")
    swapped = other.replace(parameters(other)["code"], parameters(one)["code"])
    assert "gave no token" in come_back(world, swapped).text, "a code is of its verifier (PKCE)"
    back = gone(world, "ann@example.com")
    world.page.cookies.clear()
    assert "another browser" in come_back(world, back).text


def test_an_access_token_is_believed_by_its_audience(issuer: str) -> None:
    known = Provider(settings_of(issuer, "preferred_username").oidc, SystemClock())
    claims = known.claims_of_token(token_for(issuer, AUDIENCE)["access_token"])
    assert known.name_in(claims) == "ann@example.com"
    with pytest.raises(ProviderError, match="InvalidClaimError"):
        known.claims_of_token(token_for(issuer, "https://another.example/api")["access_token"])
    with pytest.raises(ProviderError, match="InvalidClaimError"):
        known.claims_of_token(token_for(issuer, AUDIENCE)["id_token"])


def token_for(issuer: str, audience: str) -> dict[str, str]:
    """What a program gets for a person, for an audience of its choice."""
    verifier, redirect = 50 * "v", "http://127.0.0.1:9/program"
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    query = httpx.QueryParams(
        client_id=CLIENT, response_type="code", scope="openid email", redirect_uri=redirect,
        resource=audience, code_challenge=challenge, code_challenge_method="S256", state="s",
    )  # fmt: skip
    with httpx.Client(trust_env=False) as browser:
        back = walk(browser, f"{issuer}/auth?{query}", "ann@example.com", redirect)
        form = {
            "grant_type": "authorization_code", "code": parameters(back)["code"],
            "redirect_uri": redirect, "code_verifier": verifier, "resource": audience,
        }  # fmt: skip
        answer = browser.post(f"{issuer}/token", data=form, auth=(CLIENT, SECRET))
    assert answer.status_code == 200, answer.text
    got: dict[str, str] = answer.json()
    return got
