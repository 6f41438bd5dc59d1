"""Locks, expiry and cap of sessions, against a clock of our own and the real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import WarehouseError
from warehouse.engine.connection import Context
from warehouse.engine.engine import Chdb
from warehouse.engine.sessions import Sessions, timeout_of
from warehouse.protocol.statement import Statement


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def sessions(tmp_path: Path, now: list[float]) -> Iterator[Sessions]:
    engine = Chdb(tmp_path)
    held = Sessions(lambda: engine.connect(kept=True), cap=2, clock=lambda: now[0])
    yield held
    held.close()
    engine.close()


def code(sessions: Sessions, name: str, check: bool = False) -> int:
    with pytest.raises(WarehouseError) as caught:
        sessions.acquire(("u", name), check=check)
    return caught.value.code


def test_a_session_keeps_its_state_and_is_one_users_own(sessions: Sessions) -> None:
    connection = sessions.acquire(("u", "a"))
    connection.run(Statement("CREATE TEMPORARY TABLE t (a Int8)"), Context())
    sessions.release(("u", "a"))
    again = sessions.acquire(("u", "a"), check=True)
    assert again.run(Statement("SELECT count() FROM t"), Context()).body == b"0\n"
    other = sessions.acquire(("v", "a"))
    with pytest.raises(WarehouseError):
        other.run(Statement("SELECT count() FROM t"), Context())


def test_a_session_in_use_is_refused_and_a_missing_one_too(sessions: Sessions) -> None:
    sessions.acquire(("u", "a"))
    assert code(sessions, "a") == 373
    assert code(sessions, "b", check=True) == 372


def test_an_idle_session_expires_and_one_in_use_does_not(
    sessions: Sessions, now: list[float]
) -> None:
    sessions.acquire(("u", "idle"), timeout_s=10)
    sessions.release(("u", "idle"))
    sessions.acquire(("u", "used"), timeout_s=10)
    now[0] = 11.0
    sessions.expire()
    assert len(sessions) == 1
    assert code(sessions, "used") == 373


def test_beyond_the_cap_the_one_idle_longest_goes(sessions: Sessions, now: list[float]) -> None:
    for name in ("a", "b"):
        sessions.acquire(("u", name))
        sessions.release(("u", name))
        now[0] += 1.0
    sessions.acquire(("u", "c"))
    assert code(sessions, "a", check=True) == 372
    sessions.acquire(("u", "b"), check=True)
    assert code(sessions, "d") == 202


@pytest.mark.parametrize("text", ["x", "-1", "3601"])
def test_a_timeout_that_is_none_is_refused(text: str) -> None:
    assert timeout_of("") == 60
    with pytest.raises(WarehouseError) as caught:
        timeout_of(text)
    assert caught.value.code == 374
