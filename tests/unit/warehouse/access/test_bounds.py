"""The settings of a user's statement stay within the user's bounds."""

import pytest

from core.identity import ANYBODY, User
from warehouse.access.bounds import asked_freely, bound

HASH = "scrypt$1$1$1$00$00"
ANALYST, WRITER, ADMIN = (
    User("ann", "analyst", HASH),
    User("w", "writer", HASH),
    User("a", "admin", HASH),
)
RECORDER = User("r", "recorder", HASH)


def test_limits_are_tightened_and_never_loosened() -> None:
    assert bound(ANALYST, {})["max_execution_time"] == "60"
    assert bound(ANALYST, {"max_execution_time": "5"})["max_execution_time"] == "5"
    assert bound(ANALYST, {"max_execution_time": "0"})["max_execution_time"] == "60"
    assert bound(ANALYST, {"max_memory_usage": str(2**40)})["max_memory_usage"] == str(2**31)
    own = User("ann", "analyst", HASH, {}, 2.5, 64)
    assert bound(own, {})["max_execution_time"] == "2.5"
    assert bound(own, {})["max_memory_usage"] == str(64 * 2**20)
    assert "max_execution_time" not in bound(ADMIN, {})


def test_a_readers_bounds_cannot_be_set_away() -> None:
    user = User("ann", "analyst", HASH, {"tickhouse.tick": "symbol = 'EURUSD'"})
    wanted = {"readonly": "0", "additional_table_filters": "{}", "use_query_cache": "1"}
    settings = bound(user, wanted)
    assert settings["readonly"] == "1"
    assert settings["use_query_cache"] == "0"
    assert settings["additional_table_filters"] == r"{'tickhouse.tick': 'symbol = \'EURUSD\''}"


def test_the_log_comment_names_the_user_in_front_of_the_clients_own() -> None:
    assert bound(WRITER, {"log_comment": "dbt"})["log_comment"] == "user=w dbt"
    assert "log_comment" not in bound(ANYBODY, {})
    assert bound(User("root", "admin", ""), {}) == {"log_comment": "user=root"}


@pytest.mark.parametrize(
    ("seconds", "memory"),
    [
        ("1e-7", "100G"),
        ("0.0001", "1e12"),
        ("inf", "0x10"),
        ("-1", "-1"),
        ("", ""),
        ("6e1", "9" * 30),
    ],
)
def test_what_the_engine_might_read_otherwise_is_the_limit(seconds: str, memory: str) -> None:
    settings = bound(ANALYST, {"max_execution_time": seconds, "max_memory_usage": memory})
    assert (settings["max_execution_time"], settings["max_memory_usage"]) == ("60", str(2**31))


def test_a_recorder_is_not_read_only() -> None:
    assert "readonly" not in bound(RECORDER, {})


def test_filters_are_an_expression_that_a_writer_may_not_ask_for() -> None:
    wanted = {"additional_table_filters": "{}", "readonly": "2"}
    assert asked_freely(ANALYST, wanted) == set()
    assert asked_freely(WRITER, wanted) == {"additional_table_filters"}
