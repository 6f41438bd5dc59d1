"""The settings a user's statement runs with: those asked for, within the user's bounds."""

import re
from collections.abc import Mapping

from core.identity import ANYBODY, Role, User

#: With data that nobody parsed: VALUES may otherwise hold any expression, file() among them.
LITERALS_ONLY = {
    "input_format_values_interpret_expressions": "0",
    "input_format_values_deduce_templates_of_expressions": "0",
}
_LIMITS: dict[Role, tuple[float, int]] = {  # seconds, MiB; 0 is none
    "admin": (0, 0),
    "writer": (0, 0),
    "recorder": (0, 0),
    "analyst": (60, 2048),
    "risk": (60, 2048),  # of the warehouse no more than an analyst
    "grafana": (30, 1024),
}
# Of whoever did not sign in: bytes of a statement, and how long he may take over it.
_LARGEST_OF_ANYBODY, _PATIENCE_WITH_ANYBODY_S = 1 << 20, 30.0
_READERS: tuple[Role, ...] = ("analyst", "risk", "grafana")
_LEAST_SECONDS = 0.001  # less is 0 to the engine, which is no limit
_NUMBER = re.compile(r"\d{1,18}(\.\d{1,9})?")
# Set here, whatever is asked. Readers may ask for the others and nothing comes of it.
_GOVERNED = frozenset({"readonly", "log_comment", *LITERALS_ONLY})
_GOVERNED_OF_READERS = _GOVERNED | {
    "use_query_cache",
    "allow_introspection_functions",
    "additional_table_filters",
    "additional_result_filter",
    "timeout_overflow_mode",
    "use_query_condition_cache",
}


def only_reads(user: User) -> bool:
    """Whether he shares what readers have together."""
    return user.role in _READERS


def patience(user: User, largest: int, stalled_s: float) -> tuple[int, float]:
    """The bytes a statement of this user may have, and the seconds its sender may be silent."""
    if user is ANYBODY:
        return min(largest, _LARGEST_OF_ANYBODY), min(stalled_s, _PATIENCE_WITH_ANYBODY_S)
    return largest, stalled_s


def asked_freely(user: User, asked: Mapping[str, str]) -> set[str]:
    """The settings that are not decided here, so that the lists must name them."""
    return set(asked) - (_GOVERNED_OF_READERS if user.role in _READERS else _GOVERNED)


def bound(user: User, asked: dict[str, str]) -> dict[str, str]:
    """The settings a statement of this user runs with.

    Limits may be tightened by the asker and never loosened. Caches of results are off for who
    has row filters: the engine has one user and would share them.
    """
    role_seconds, role_mib = _LIMITS[user.role]
    settings = dict(asked)
    _cap_seconds(settings, user.max_seconds or role_seconds)
    _cap_bytes(settings, (user.max_memory_mib or role_mib) * 2**20)
    if user.role in _READERS:
        settings |= {"readonly": "1", "use_query_cache": "0", "allow_introspection_functions": "0"}
        settings.pop("additional_table_filters", None)
        settings.pop("additional_result_filter", None)
        settings.pop("timeout_overflow_mode", None)  # `break` would pass off a part as the whole
    if user.row_filters:
        settings["additional_table_filters"] = _map(user.row_filters)
        settings["use_query_condition_cache"] = "0"
    if user is not ANYBODY:
        settings["log_comment"] = " ".join(
            filter(None, (f"user={user.name}", asked.get("log_comment")))
        )
    return settings


def _cap_seconds(settings: dict[str, str], limit: float) -> None:
    # The engine reads 100e-9, 1G or 0x1 in its own ways: what is no plain number is the limit.
    if limit:
        asked = _number(settings.get("max_execution_time", ""))
        within = _LEAST_SECONDS <= asked <= limit
        settings["max_execution_time"] = f"{asked if within else limit:.3f}".rstrip("0").rstrip(".")


def _cap_bytes(settings: dict[str, str], limit: int) -> None:
    if limit:
        asked = int(_number(settings.get("max_memory_usage", "")))
        settings["max_memory_usage"] = str(asked if 0 < asked <= limit else limit)


def _number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else 0.0


def _map(values: dict[str, str]) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    return "{" + ", ".join(f"{quoted(k)}: {quoted(v)}" for k, v in values.items()) + "}"
