"""Equations and totals of a replay ask the warehouse the same, of millions of rows."""

from collections.abc import Mapping

from quality.reconcile import AskedOnce


class Counting:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def query(self, sql: str, parameters: Mapping[str, object]) -> int:
        self.times += 1
        return self.times


def test_a_statement_is_asked_once_and_again_for_other_parameters() -> None:
    once = AskedOnce(Counting())
    first = once.query("SELECT count() FROM tick", {"symbol": "EURUSD", "since": 1})
    assert once.query("SELECT count() FROM tick", {"since": 1, "symbol": "EURUSD"}) == first
    assert once.query("SELECT count() FROM tick", {"symbol": "XAUUSD", "since": 1}) != first
    assert once.query("SELECT count() FROM bar", {"symbol": "EURUSD", "since": 1}) != first
