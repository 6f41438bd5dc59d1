"""An answer is right when it holds the reference's columns, row by row."""

import math
from decimal import Decimal

import pytest

from questions.evaluate import matches


@pytest.mark.parametrize(
    ("given", "wanted", "ordered", "same"),
    [
        ([("a", 1.0), ("b", 2.0)], [("b", 2), ("a", 1)], False, True),
        ([("a", 1.0), ("b", 2.0)], [("b", 2), ("a", 1)], True, False),
        ([("x", "a", 1.0)], [("a", 1.0000001)], False, True),
        ([("a", Decimal("1.5"))], [("a", 1.5)], False, True),
        ([(math.nan,)], [(math.nan,)], False, True),
        ([("a", 1.0)], [("a", 1.1)], False, False),
        ([("a",)], [("a", 1.0)], False, False),
        ([("a", 1.0), ("b", 1.0)], [("a", 1.0)], False, False),
        ([], [], False, True),
    ],
)
def test_rows_are_compared_by_value(
    given: list[tuple[object, ...]], wanted: list[tuple[object, ...]], ordered: bool, same: bool
) -> None:
    assert matches(given, wanted, ordered=ordered) is same
