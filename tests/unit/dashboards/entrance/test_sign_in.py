"""Signing in: against the identity file, slower with each wrong guess."""

from pathlib import Path

import msgspec
import pytest

from core import identity, totp
from core.clock import ManualClock
from core.sign_ins import SESSION_US
from dashboards.entrance.sign_in import RefusedError, SignIn


@pytest.fixture(scope="module")
def people() -> dict[str, identity.User]:
    return {
        "ann": identity.new_user("ann", "admin", "correct horse"),
        "eve": identity.new_user("eve", "analyst", "battery staple"),
    }


@pytest.fixture
def home(tmp_path: Path, people: dict[str, identity.User]) -> Path:
    identity.save(identity.path_in(tmp_path), people)
    return tmp_path


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


def code_of(home: Path, name: str, clock: ManualClock, later: int = 0) -> str:
    return totp.code(totp.secret_of(home, name), totp.step_of(clock.now_us()) + later)


@pytest.fixture
def enrolled(home: Path) -> Path:
    """Ann has enrolled for codes."""
    totp.secret_of(home, "ann")
    return home


def test_who_enrolled_gives_a_code_which_counts_once_at_any_door(enrolled: Path) -> None:
    clock = ManualClock(1_770_000_000_000_000)
    page, api = SignIn(enrolled, clock), SignIn(enrolled, clock)
    with pytest.raises(RefusedError, match="authenticator") as refused:
        page.sign_in("ann", "correct horse")
    assert refused.value.needs_code
    assert refused.value.wait_s == 0, "nobody guessed"
    code = code_of(enrolled, "ann", clock)
    session = page.sign_in("ann", "correct horse", code=code)
    with pytest.raises(RefusedError, match="was used"):
        api.sign_in("ann", "correct horse", code=code)
    assert api.session(session.token, session.proof) == session, "one sign-in for both"
    with pytest.raises(RefusedError, match="no such user"):
        page.sign_in("ann", "wrong", code=code_of(enrolled, "ann", clock, later=1))


def test_guesses_of_codes_wait_too_and_at_every_door(enrolled: Path) -> None:
    clock = ManualClock(1_770_000_000_000_000)
    for _ in range(3):
        with pytest.raises(RefusedError, match="that code is wrong") as refused:
            SignIn(enrolled, clock).sign_in("ann", "correct horse", code="000000")
        clock.advance(clock.now_us() + refused.value.wait_s * 1_000_000)
    with pytest.raises(RefusedError):
        SignIn(enrolled, clock).sign_in("ann", "correct horse", code="000000")
    code = code_of(enrolled, "ann", clock)
    with pytest.raises(RefusedError, match="too many"):
        SignIn(enrolled, clock).sign_in("ann", "correct horse", code=code)


def test_a_session_ends_with_its_person_and_with_their_password(enrolled: Path) -> None:
    path, people = identity.path_in(enrolled), SignIn(enrolled, ManualClock(1))
    users = identity.load(path)
    token = people.sign_in_known("ann", ("admin",)).token
    identity.save(path, users | {"ann": msgspec.structs.replace(users["ann"], role="analyst")})
    changed = people.anybody(token)
    assert changed is not None
    assert changed.role == "analyst"
    identity.save(path, users | {"ann": identity.new_user("ann", "admin", "another horse")})
    assert people.anybody(token) is None
    identity.save(path, users)
    assert people.anybody(token) is not None
    path.unlink()
    assert people.anybody(token) is None


def test_a_provider_vouches_only_for_who_is_a_user_here(home: Path) -> None:
    people = SignIn(home, ManualClock(1))
    with pytest.raises(RefusedError, match="no user of this home"):
        people.sign_in_known("mallory", ("admin",))
    with pytest.raises(RefusedError, match="role analyst"):
        people.sign_in_known("eve", ("admin",))
