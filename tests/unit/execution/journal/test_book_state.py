from core.contracts.order import EventKind as Kind
from tests.unit.execution.journal.folded import a_signal, event, fold


def test_a_submitted_order_blocks_its_feed_until_settled() -> None:
    book = fold(a_signal("s1"), event(Kind.SUBMITTED))
    assert book.is_blocked("oanda", "EURUSD")
    assert not book.is_blocked("fxcm", "EURUSD")
    book.apply(event(Kind.REJECTED))
    assert not book.is_blocked("oanda", "EURUSD")


def test_entries_are_counted_for_a_minute_and_per_feed() -> None:
    book = fold(a_signal("s1"), event(Kind.SUBMITTED))
    assert book.entries_within_minute("oanda", "EURUSD", 60_000_009) == 1
    assert book.entries_within_minute("fxcm", "EURUSD", 60_000_009) == 0
    assert book.entries_within_minute("oanda", "EURUSD", 60_000_010) == 0
