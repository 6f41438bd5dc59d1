"""The picture is a fold over messages; old news never overwrites newer."""

import msgspec
import numpy as np
import pytest

from adapters.bus.base import Message
from core.clock import ManualClock
from core.contracts import codec
from core.contracts.firm import FirmRuleState
from core.contracts.operations import Control, Heartbeat, RiskState
from core.contracts.order import AccountState, EventKind, OrderEvent, PositionState
from core.contracts.prediction import Prediction
from core.contracts.signal import OrderSignal, Signal, SignalBatch
from core.contracts.tick import TICK, QuarantineBatch, QuarantinedTick, TickBatch
from core.topics import (
    CONTROL,
    HEARTBEATS,
    ORDER_EVENTS,
    PREDICTIONS,
    RISK,
    SIGNALS,
    TICKS,
    Topic,
)
from dashboards.live.items import Items
from dashboards.live.live_state import DENIALS, MINUTES, LiveState

FEED = "sim/EURUSD"


@pytest.fixture
def world() -> LiveState:
    return LiveState(Items(), ManualClock(77))


def give(world: LiveState, topic: Topic, message: object) -> None:
    world.take(Message(topic.name, "", 1, codec.encode(message), 0))  # type: ignore[arg-type]


def batch(*rows: tuple[int, float, float], symbol: str = "EURUSD") -> TickBatch:
    ticks = np.zeros(len(rows), TICK)
    for at, (time_msc, bid, ask) in enumerate(rows):
        ticks[at]["time_msc"], ticks[at]["bid"], ticks[at]["ask"] = time_msc, bid, ask
    return TickBatch("live", "demo", "sim", symbol, 0, 0, ticks.tobytes())


def event(kind: EventKind, count: int = 1, order: str = "o1", **more: object) -> OrderEvent:
    fields = {"side": "buy", "purpose": "entry", "volume": 0.1, "price": 1.1, "arrival_mid": 1.1}
    return OrderEvent(
        seq=count, event_id=f"{order}.{count}", kind=kind, run_id="live", mode="demo",
        account="acc", strategy="model", order_id=order, signal_id="s1", source="sim",
        symbol="EURUSD", ts_event_us=1_000_000, ts_init_us=1_000_000, **fields | more,
    )  # fmt: skip


def position(seq: int, volume: float) -> PositionState:
    return PositionState(
        run_id="live", mode="demo", account="acc", strategy="model", source="sim", symbol="EURUSD",
        ts_event_us=1, ts_init_us=1, seq=seq, volume=volume, price=1.1, stop_price=1.0,
        profit_realised=3.5,
    )  # fmt: skip


def kinds(world: LiveState) -> list[str]:
    return [world.items.get(key)["kind"] for key in world.items.keys("event|")]


def test_ticks_make_a_quote_and_candles(world: LiveState) -> None:
    give(world, TICKS, batch((60_000, 1.1, 1.2), (120_000, 1.3, 1.4)))
    quote = world.items.get(f"quote|{FEED}")
    assert (quote["bid"], quote["ask"], quote["time"]) == (1.3, 1.4, 120_000_000)
    assert world.items.get(f"bar|{FEED}|60") == [60, 1.1, 1.1, 1.1, 1.1]
    give(world, TICKS, batch((90_000, 9.0, 9.1)))  # late: history, no quote
    assert world.items.get(f"quote|{FEED}")["bid"] == 1.3
    assert world.items.get(f"bar|{FEED}|60") == [60, 1.1, 9.0, 1.1, 9.0]


def test_a_quote_carries_what_profit_needs(world: LiveState) -> None:
    give(world, TICKS, batch((1_795_000_000_000, 1.1, 1.2)))
    quote = world.items.get(f"quote|{FEED}")
    assert (quote["digits"], quote["contract"], quote["quote"]) == (5, 100_000.0, "USD")


def test_an_unknown_symbol_is_shown_with_what_is_known(world: LiveState) -> None:
    give(world, TICKS, batch((60_000, 1.0, 2.0), symbol="<img src=x>"))
    assert "digits" not in world.items.get("quote|sim/<img src=x>")


def test_a_feed_keeps_its_newest_candles(world: LiveState) -> None:
    give(world, TICKS, batch(*((m * 60_000, 1.0, 1.1) for m in range(1, MINUTES + 4))))
    bars = world.items.keys(f"bar|{FEED}|")
    assert len(bars) == MINUTES
    assert f"bar|{FEED}|60" not in bars


def test_an_order_is_out_until_it_ends(world: LiveState) -> None:
    give(world, ORDER_EVENTS, event(EventKind.RECEIVED))
    assert "order|o1" not in world.items
    for count, kind in enumerate((EventKind.SUBMITTED, EventKind.ACCEPTED, EventKind.UNKNOWN), 2):
        give(world, ORDER_EVENTS, event(kind, count))
        assert world.items.get("order|o1")["kind"] == kind
    give(world, ORDER_EVENTS, event(EventKind.FILLED, 5, commission=-0.7, profit=2.0))
    assert "order|o1" not in world.items
    assert world.items.get("fill|o1.5")["profit"] == pytest.approx(1.3)
    assert kinds(world) == ["submitted", "accepted", "unknown", "filled"]


def test_moved_stops_and_a_cancel_under_way_end_no_order(world: LiveState) -> None:
    give(world, ORDER_EVENTS, event(EventKind.UNKNOWN))
    others = (EventKind.CANCELLING, EventKind.STOP_MOVING, EventKind.STOP_MOVED, EventKind.BOOKED)
    for count, kind in enumerate(others, 2):
        give(world, ORDER_EVENTS, event(kind, count))
        assert "order|o1" in world.items, kind
    give(world, ORDER_EVENTS, event(EventKind.CANCELLED, 9))
    assert "order|o1" not in world.items


def test_denials_are_counted_once_and_bounded(world: LiveState) -> None:
    for count in range(DENIALS + 5):
        one = event(EventKind.DENIED, 1, f"o{count}", reason="wide_spread", limit=5.0, observed=9.0)
        give(world, ORDER_EVENTS, one)
    give(world, ORDER_EVENTS, one)  # again, after a restart of execution
    assert world.items.get("denied|wide_spread") == DENIALS + 5
    assert len(world.items.keys("denial|")) == DENIALS
    assert world.items.get(f"denial|o{count}.1")["observed"] == 9.0


def test_an_older_position_never_comes_back(world: LiveState) -> None:
    give(world, ORDER_EVENTS, position(7, 0.2))
    give(world, ORDER_EVENTS, position(6, 0.1))
    assert world.items.get(f"position|acc|{FEED}")["volume"] == 0.2
    give(world, ORDER_EVENTS, position(8, 0.0))
    assert world.items.get(f"position|acc|{FEED}")["volume"] == 0.0


def test_risk_state_account_and_processes(world: LiveState) -> None:
    give(world, RISK, RiskState(
        run_id="live", mode="demo", account="acc", ts_event_us=5, ts_init_us=5, state="halted",
        by="ann", reason="news",
    ))  # fmt: skip
    give(world, RISK, RiskState(
        run_id="live", mode="demo", account="acc", ts_event_us=5, ts_init_us=5, state="halted",
        by="ann", reason="news",
    ))  # fmt: skip
    assert world.items.get("risk|acc")["state"] == "halted"
    assert kinds(world) == ["halted"]  # said twice, told once
    give(world, ORDER_EVENTS, AccountState(
        run_id="live", mode="demo", account="acc", ts_event_us=9, ts_init_us=9, seq=1,
        currency="USD", balance=10.0, equity=11.0, margin=0.0,
    ))  # fmt: skip
    assert world.items.get("account|acc")["equity"] == 11.0
    give(world, HEARTBEATS, Heartbeat(
        run_id="live", mode="demo", process="execution", incarnation_us=1, seq=1, ts_event_us=9,
        status="ready", detail="", stages={}, max_ns={},
    ))  # fmt: skip
    assert world.items.get("process|execution")["status"] == "ready"


def test_signals_controls_and_refused_ticks_are_told(world: LiveState) -> None:
    signal = Signal(
        signal_id="s1", run_id="live", mode="demo", account="acc", strategy="model", source="sim",
        symbol="EURUSD", ts_event_us=60_000_000, ts_init_us=1, time_msc=60_000, seq=0, target=-1.0,
        reference_price=1.1, stop_price=1.2, horizon_us=2, expires_us=3, confidence=0.6, model="m",
        prediction_id="",
    )  # fmt: skip
    give(world, SIGNALS, signal)
    assert world.items.get("signal|s1")["side"] == "short"
    waits = OrderSignal(
        *msgspec.structs.astuple(signal), name="dip", entry="limit", entry_price=1.2
    )
    gone = msgspec.structs.replace(waits, signal_id="s3", target=0.0, action="cancel")
    give(world, SIGNALS, SignalBatch("live", 1, 60_000_000, [waits, gone]))
    lines = [world.items.get(f"event|{n}")["text"] for n in (2, 3)]
    assert lines == ["EURUSD order dip: sell limit at 1.2", "EURUSD takes back order dip"]
    give(world, CONTROL, Control("halt", "live", 5, "ann", "news"))
    refused = QuarantinedTick(1, 60_000, "no_price", "raw")
    give(world, TICKS, QuarantineBatch("live", "demo", "sim", "EURUSD", "terminal", [refused]))
    assert kinds(world) == ["signal", "signal", "signal", "control", "warning"]


def test_a_damaged_message_is_told_and_left_out(world: LiveState) -> None:
    world.take(Message("ticks", "", 1, b"\x00nonsense", 0))
    assert kinds(world) == ["error"]


def test_a_link_says_since_when(world: LiveState) -> None:
    world.link("bus", True, 1)
    assert kinds(world) == []
    world.link("bus", False, 5, "gone")
    world.link("bus", False, 9, "gone")
    assert world.items.get("link|bus") == {"up": False, "since": 5, "problem": "gone"}
    world.link("bus", True, 12)
    assert kinds(world) == ["error", "info"]


def test_a_repeated_older_prediction_never_replaces_a_newer_one(world: LiveState) -> None:
    for time_us, up in ((2_000, 0.5), (1_000, 0.9)):
        text = Prediction(
            run_id="live", mode="demo", account="acc", source="sim", symbol="EURUSD",
            ts_event_us=time_us, seq=0, ts_init_us=9, model="m1", p_down=0.2, p_flat=0.8 - up,
            p_up=up, confidence=up, agreement=1.0, veto=False, edge_bp=0.5,
        )  # fmt: skip
        give(world, PREDICTIONS, text)
    shown = world.items.get(f"prediction|{FEED}")
    assert (shown["time"], shown["p_up"], shown["edge"]) == (2_000, 0.5, 0.5)


def test_a_simulated_market_is_marked_and_a_real_one_is_not(world: LiveState) -> None:
    world.market("agent")
    assert world.items.get("market") is None
    world.market("simulated")
    assert world.items.get("market") == "simulated market, planted edge"


def test_a_deposit_is_told_as_money_and_not_as_lots(world: LiveState) -> None:
    paid = {"side": "", "purpose": "opening", "volume": 0.0, "price": 0.0, "profit": 100_000.0}
    give(world, ORDER_EVENTS, event(EventKind.BOOKED, **paid))
    (line,) = (world.items.get(key)["text"] for key in world.items.keys("event|"))
    assert line == "opening 100,000.00"


def rule(ts_us: int, **more: object) -> FirmRuleState:
    fields = {"limit": 500.0, "observed": 100.0, "headroom": 400.0} | more
    return FirmRuleState(
        run_id="live", mode="demo", account="acc", firm="f", rule="daily_loss", ts_event_us=ts_us,
        ts_init_us=ts_us, seq=1, **fields,
    )  # fmt: skip


def test_a_firms_rule_shows_what_is_left_and_a_breach_is_a_line_of_the_log(
    world: LiveState,
) -> None:
    give(world, ORDER_EVENTS, rule(2))
    give(world, ORDER_EVENTS, rule(1, headroom=9.0))  # an older word
    shown = world.items.get("firm|acc|daily_loss")
    assert (shown["left"], shown["limit"], shown["broken"]) == (400.0, 500.0, 0)
    give(world, ORDER_EVENTS, rule(3, observed=500.0, headroom=0.0, broken_us=3))
    assert world.items.get("firm|acc|daily_loss")["broken"] == 3
    [line] = [world.items.get(k) for k in world.items.keys("event|")]
    assert (line["kind"], line["text"]) == ("broken", "f: daily loss, 500.00 of 500.00")
