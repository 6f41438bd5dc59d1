from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.clickhouse.bounded import plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), None), (float("-inf"), None), (1.5, 1.5), (True, True), (None, None),
        (2**53, 2**53), (-(2**53) - 1, "-9007199254740993"), (Decimal("1.10"), "1.10"),
        (datetime(2026, 3, 2, 10, tzinfo=UTC), "2026-03-02T10:00:00+00:00"),
        (date(2026, 3, 2), "2026-03-02"), (b"\x00\xff", "00ff"), ((1, b"a"), [1, "61"]),
        ({"a": [float("inf")]}, {"a": [None]}), ("text", "text"),
    ],
)  # fmt: skip
def test_values_leave_as_json_has_them(value: Any, shown: Any) -> None:
    assert plain(value) == shown
