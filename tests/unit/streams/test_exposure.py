"""Exposure and message rate: sums over symbols and strategies, repeats that count once."""

from core.contracts.order import EventKind, OrderEvent, PositionState
from streams import exposure

_NOW = 1_700_000_000_000_000


def _event(seq: int, kind: EventKind, at_us: int) -> OrderEvent:
    return OrderEvent(
        seq=seq, event_id=f"o.{seq}", kind=kind, run_id="r", mode="demo", account="a",
        strategy="s", order_id="o", signal_id="g", source="oanda", symbol="EURUSD",
        ts_event_us=at_us, ts_init_us=at_us,
    )  # fmt: skip


def _held(seq: int, strategy: str, lots: float) -> PositionState:
    return PositionState(
        run_id="r", mode="demo", account="a", strategy=strategy, source="oanda", symbol="EURUSD",
        ts_event_us=_NOW, ts_init_us=_NOW, seq=seq, volume=lots, price=1.25, stop_price=0.0,
        profit_realised=0.0,
    )  # fmt: skip


def test_strategies_net_in_a_symbol_and_add_up_in_the_account() -> None:
    state = exposure.initial("r")
    exposure.update(state, _held(1, "long", 0.3))
    (reported,) = exposure.update(state, _held(2, "short", -0.1))
    assert (round(reported.net_lots, 9), round(reported.gross_lots, 9)) == (0.2, 0.4)
    assert round(reported.net_notional) == 25_000
    (closed,) = exposure.update(state, _held(3, "long", 0.0))
    assert (closed.net_lots, closed.gross_lots) == (-0.1, 0.1)


def test_what_is_sent_counts_for_a_second_and_a_minute() -> None:
    state = exposure.initial("r")
    for seq, at_us in enumerate((0, 500_000, 59_000_000), 1):
        (reported,) = exposure.update(state, _event(seq, EventKind.SUBMITTED, at_us))
    assert (reported.messages_1s, reported.messages_60s) == (1, 3)
    (reported,) = exposure.update(state, _event(4, EventKind.CANCELLING, 60_000_000))
    assert (reported.messages_1s, reported.messages_60s) == (1, 3)  # the first is a minute old
    assert exposure.update(state, _event(5, EventKind.FILLED, 60_000_001)) == []


def test_a_repeat_changes_and_tells_nothing() -> None:
    state = exposure.initial("r")
    exposure.update(state, _event(1, EventKind.SUBMITTED, 1))
    exposure.update(state, _held(2, "s", 0.3))
    before = repr(state)
    assert exposure.update(state, _event(1, EventKind.SUBMITTED, 1)) == []
    assert exposure.update(state, _held(2, "s", 0.3)) == []
    assert repr(state) == before
