"""People at the API: by the home's one sign-in, and by tokens of their company's provider."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core import identity, totp, trading_control
from core.clock import ManualClock
from core.sections import OidcSettings
from core.sign_ins import SignIns
from dashboards.entrance.answers import COOKIE
from dashboards.entrance.sign_in import SignIn
from tests.support import token_issuer
from tests.support.api_desk import ApiDesk, problem_of
from tests.support.token_issuer import Issuer, spoiled
from tests.unit.api.test_now import QUOTE

NOW_S = 1_770_000_000
ANN = {"name": "ann", "password": "correct horse"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with token_issuer.issuer() as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path, issuer: Issuer) -> Iterator[ApiDesk]:
    home = tmp_path / "home"
    people = [
        identity.new_user("ann", "analyst", "correct horse"),
        identity.new_user("ann@example.com", "compliance", "long enough"),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in people})
    oidc = OidcSettings(issuer.url, "page", "", "email", "the API")
    desk = ApiDesk(home, clock=ManualClock(NOW_S * 1_000_000), oidc=oidc)
    desk.items.put("quote|sim/XAUUSD", QUOTE)
    yield desk
    desk.close()


def signed_in(desk: ApiDesk) -> str:
    answer = desk.post("/v1/sign-in", ANN, text="")
    assert answer.status_code == 200, answer.text
    assert answer.json()["scopes"] == ["market", "desk", "halt"]
    return str(answer.json()["token"])


def test_who_signs_in_may_what_their_role_may_until_they_sign_out(desk: ApiDesk) -> None:
    token = signed_in(desk)
    assert desk.get("/v1/now/quotes", token).status_code == 200
    assert problem_of(desk.get("/v1/reports", token)) == "scope"
    assert problem_of(desk.post("/v1/resume", {"reason": "go"}, token)) == "scope"
    assert desk.post("/v1/halt", {"reason": "stop"}, token).json()["by"] == "ann"
    assert problem_of(desk.get("/v1/now/quotes", token + "x")) == "session-unknown"
    assert desk.post("/v1/sign-out", {}, token).status_code == 200
    assert problem_of(desk.get("/v1/now/quotes", token)) == "session-unknown"
    desk.key("halt")
    assert problem_of(desk.post("/v1/sign-out", {})) == "session"


def test_one_sign_in_for_the_pages_and_here(desk: ApiDesk) -> None:
    """A page's cookie reads here, and never acts: any page of this host could have it sent."""
    page = SignIn(desk.home, desk.clock)
    session = page.sign_in("ann", "correct horse", ("analyst",))
    cookie = {"cookie": f"other=1; {COOKIE}={session.token}"}
    assert desk.get("/v1/now/quotes", "", **cookie).status_code == 200
    refused = desk.post("/v1/halt", {"reason": "stop"}, "", **cookie)
    assert (refused.status_code, problem_of(refused)) == (401, "key-missing")
    assert trading_control.current(desk.home) is None
    assert desk.get("/v1/now/quotes", f"ts_{session.token}").status_code == 200
    page.sign_out(session.token)
    assert desk.get("/v1/now/quotes", "", **cookie).status_code == 401
    for odd in (f'{COOKIE}="', f"{COOKIE}=", "=;;=", "\x00", COOKIE):
        assert desk.client.get("/v1/now/quotes", headers={"cookie": odd}).status_code == 401


def test_guesses_are_slowed_down_and_codes_asked_for(desk: ApiDesk) -> None:
    totp.secret_of(desk.home, "ann")
    assert "authenticator" in desk.post("/v1/sign-in", ANN, text="").json()["detail"]
    wrong = ANN | {"password": "guess"}
    codes = [desk.post("/v1/sign-in", wrong, text="").status_code for _ in range(3)]
    assert codes == [401, 429, 429]
    refused = desk.post("/v1/sign-in", ANN | {"code": "1"}, text="")
    assert (problem_of(refused), refused.headers["retry-after"]) == ("guesses", "1")
    assert SignIns(desk.home, desk.clock).wait_s("ann") == 1, "at the pages, too"
    for body in ({}, {"name": "ann"}, ANN | {"role": "admin"}, [], "x"):
        assert problem_of(desk.post("/v1/sign-in", body, text="")) == "body"


def test_a_providers_token_names_a_user_of_the_home(desk: ApiDesk, issuer: Issuer) -> None:
    token = issuer.token(NOW_S)
    for _ in range(3):
        assert desk.get("/v1/now/quotes", token).status_code == 200
    assert problem_of(desk.get("/v1/reports", token)) == "warehouse"  # compliance may ask
    stranger = issuer.token(NOW_S, email="mallory@example.com")
    assert problem_of(desk.get("/v1/now/quotes", stranger)) == "token-unknown"
    users = identity.load(identity.path_in(desk.home))
    analyst = msgspec.structs.replace(users["ann@example.com"], role="analyst")
    identity.save(identity.path_in(desk.home), {analyst.name: analyst})
    assert problem_of(desk.get("/v1/reports", token)) == "scope", "rights are the home's, and now"
    assert isinstance(desk.clock, ManualClock)
    desk.clock.advance((NOW_S + 361) * 1_000_000)
    assert problem_of(desk.get("/v1/now/quotes", token)) == "token-unknown"


def test_tokens_of_others_for_others_and_of_none_get_nothing(desk: ApiDesk, issuer: Issuer) -> None:
    assert desk.get("/v1/now/quotes", issuer.token(NOW_S)).status_code == 200
    for wrong, token in spoiled(NOW_S, issuer).items():
        answer = desk.get("/v1/now/quotes", token)
        assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer"), (
            wrong
        )


def test_a_provider_that_is_away_lets_nobody_in_and_keys_go_on(
    desk: ApiDesk, issuer: Issuer
) -> None:
    issuer.answers.clear()
    assert problem_of(desk.get("/v1/now/quotes", issuer.token(NOW_S))) == "token-unknown"
    assert desk.get("/v1/now/quotes", desk.key("market")).status_code == 200
