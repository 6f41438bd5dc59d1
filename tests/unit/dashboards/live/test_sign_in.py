"""Signing in: against the identity file, slower with each wrong guess."""

from pathlib import Path

import pytest

from core import identity
from core.clock import ManualClock
from dashboards.live.sign_in import SESSION_US, RefusedError, SignIn


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    users = [
        identity.new_user("ann", "admin", "correct horse"),
        identity.new_user("eve", "analyst", "battery staple"),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in users})
    return home


def test_a_session_needs_cookie_and_proof_and_ends(home: Path) -> None:
    clock = ManualClock(1)
    people = SignIn(home, clock)
    session = people.sign_in("ann", "correct horse")
    assert people.session(session.token, session.proof) == session
    assert people.session(session.token, "") is None
    assert people.session("", session.proof) is None
    clock.advance(SESSION_US + 2)
    assert people.session(session.token, session.proof) is None


def test_signing_out_ends_a_session(home: Path) -> None:
    people = SignIn(home, ManualClock(1))
    session = people.sign_in("ann", "correct horse")
    people.sign_out(session.token)
    assert people.session(session.token, session.proof) is None


def test_an_analyst_may_not_resume(home: Path) -> None:
    with pytest.raises(RefusedError, match="role analyst may not do this"):
        SignIn(home, ManualClock(1)).sign_in("eve", "battery staple")


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_wrong_guesses_wait_longer_and_longer_even_with_the_right_password(
    home: Path, name: str
) -> None:
    clock, waits = ManualClock(1), []
    people = SignIn(home, clock)
    for _ in range(6):
        with pytest.raises(RefusedError, match="no such user, or another password") as refused:
            people.sign_in(name, "wrong")
        waits.append(refused.value.wait_s)
        clock.advance(clock.now_us() + refused.value.wait_s * 1_000_000)
    assert waits == [0, 1, 1, 2, 4, 8]
    with pytest.raises(RefusedError):
        people.sign_in(name, "wrong")
    with pytest.raises(RefusedError, match="wait 16 s") as too_soon:
        people.sign_in(name, "correct horse")
    assert too_soon.value.wait_s == 16


def test_the_right_password_forgives(home: Path) -> None:
    people = SignIn(home, ManualClock(1))
    with pytest.raises(RefusedError):
        people.sign_in("ann", "wrong")
    people.sign_in("ann", "correct horse")
    with pytest.raises(RefusedError) as refused:
        people.sign_in("ann", "wrong")
    assert refused.value.wait_s == 0


def test_without_users_nobody_resumes_and_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="tickhouse users add"):
        SignIn(tmp_path, ManualClock(1)).sign_in("ann", "")


def test_a_damaged_identity_file_refuses(tmp_path: Path) -> None:
    path = identity.path_in(tmp_path)
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(RefusedError, match=r"identity\.json"):
        SignIn(tmp_path, ManualClock(1)).sign_in("ann", "x")
