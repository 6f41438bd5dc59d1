from datetime import UTC, datetime

from core.contracts.order import EventKind as Kind
from core.contracts.order import OrderEvent
from execution.risk.activity import Activity

KEY = "s", "oanda", "EURUSD"
S = 1_000_000


def event(kind: Kind, at_us: int, purpose: str = "entry", reason: str = "") -> OrderEvent:
    return OrderEvent(
        seq=1, event_id="o.1", kind=kind, run_id="live", mode="live", account="simulated",
        strategy=KEY[0], order_id="o", signal_id="g", source=KEY[1], symbol=KEY[2],
        ts_event_us=at_us, ts_init_us=at_us, purpose=purpose, reason=reason,
    )  # fmt: skip


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def test_messages_are_all_orders_of_a_second_and_repeats_are_entries_only() -> None:
    seen = Activity()
    for at_us, purpose in ((1 * S, "entry"), (2 * S, "horizon"), (2 * S + 1, "entry")):
        seen.fold(event(Kind.SUBMITTED, at_us, purpose))
    assert seen.messages(2 * S + 1) == 2
    assert seen.messages(3 * S) == 1  # exactly a second old is out
    assert seen.repeats(KEY, 0) == 2
    assert seen.repeats(KEY, 1 * S) == 1
    assert seen.repeats(("t", *KEY[1:]), 0) == 0


def test_a_throttle_closes_with_its_first_journalled_denial() -> None:
    seen = Activity()
    seen.fold(event(Kind.DENIED, 5, reason="stale_quote"))
    assert seen.throttled_us(KEY) == 0
    seen.fold(event(Kind.DENIED, 7, reason="throttled"))
    assert seen.throttled_us(KEY) == 7


def test_answers_are_counted_with_the_rejected_among_them() -> None:
    seen = Activity()
    for at_us, kind in ((1, Kind.REJECTED), (2, Kind.ACCEPTED), (3, Kind.REJECTED)):
        seen.fold(event(kind, at_us))
    assert seen.answers(0) == (3, 2)
    assert seen.answers(1) == (2, 1)


def test_a_day_of_loss_begins_at_seventeen_new_york() -> None:
    seen = Activity()
    assert (seen.daily_loss(1.0, 0), seen.drawdown(1.0)) == (0.0, 0.0)
    seen.account(100.0, at("2024-01-09T20:00"))
    seen.account(90.0, at("2024-01-09T21:59:59"))
    assert seen.daily_loss(80.0, at("2024-01-09T21:59:59")) == 20.0
    assert seen.daily_loss(80.0, at("2024-01-09T22:00")) == 10.0  # not looked at yet that day
    seen.account(85.0, at("2024-01-09T22:00:01"))
    assert seen.daily_loss(80.0, at("2024-01-09T22:00:02")) == 10.0
    assert seen.drawdown(80.0) == 20.0
    assert seen.drawdown(120.0) == 0.0
