"""What was verified is a row that a board can show."""

from quality.trail import trail_result


def test_a_break_fails_and_is_named() -> None:
    result = trail_result(7, ["people, event 3: journal: its hash is another"], 9)
    assert (result.status, result.rows_checked, result.rows_failed) == ("failed", 7, 1)
    assert "event 3" in result.detail


def test_a_whole_trail_passes() -> None:
    assert trail_result(7, [], 9).status == "passed"
