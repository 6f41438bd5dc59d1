"""Orders that wait for their price: placed, checked, filled, taken back, and found again."""

import math
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker.operations import money
from core.contracts import codec
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal
from core.desk import parse
from core.trading_control import ControlCommand
from execution.broker import manual_resolutions
from execution.broker.manual_resolutions import ManualResolution
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from tests.support.markets import TUESDAY, Rows
from tests.unit.execution.desk import KEY, Desk

#: Falls from 1.1 to 1.098 at second 20, and rises to 1.102 at second 40.
ROWS: Rows = [
    (TUESDAY + 1000 * n, bid, round(bid + 1e-4, 5))
    for n in range(300)
    for bid in [1.1 if n < 20 else 1.098 if n < 40 else 1.102]
]


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    one = Desk(tmp_path, rows=ROWS)
    yield one
    one.close()


UNBOUNDED = tuple(f"max_{of}_equity = inf" for of in ("order", "position", "gross"))


def under(home: Path, *limits: str, **settings: Any) -> Desk:
    """A desk under a limits file."""
    desk, home = Desk(home, rows=ROWS, **settings), home / "limits"
    home.mkdir()
    lines = ('version = "t"', "[limits]", f"lots = {desk.settings.execution.lots}", *limits)
    (home / "limits.toml").write_text("\n".join(lines))
    desk.use(LimitsFile("simulated", of_settings(desk.settings.execution), home))
    return desk


def kinds(events: list[OrderEvent]) -> list[str]:
    return [event.kind.value for event in events]


def taken(desk: Desk, signal: OrderSignal) -> list[OrderEvent]:
    """The events that a signal gives."""
    before = len(desk.events())
    desk.engine.on_signal(signal)
    return desk.events()[before:]


def polled(desk: Desk, seconds: float, price: float) -> list[OrderEvent]:
    """The events that the live driver's look at the broker gives at a time."""
    before = len(desk.events())
    desk.at(seconds, price)
    watched = desk.watched()
    watched.reconciler.again()
    watched.engine.poll()
    watched.engine.changing.withdraw()
    watched.reconciler.again()
    return desk.events()[before:]


def test_it_is_placed_as_mt5_wants_it_and_holds_nothing_back(desk: Desk) -> None:
    signal = desk.order(1.0, 1.099, take_profit=1.1012)
    assert kinds(taken(desk, signal)) == ["received", "submitted", "accepted"]
    (request,) = desk.terminal.sent
    assert request == {
        "action": mt5.TRADE_ACTION_PENDING, "symbol": "EURUSD", "volume": 0.1,
        "type": mt5.ORDER_TYPE_BUY_LIMIT, "price": 1.099, "sl": 1.09, "tp": 1.1012,
        "type_filling": mt5.ORDER_FILLING_RETURN, "type_time": mt5.ORDER_TIME_SPECIFIED,
        "expiration": signal.expires_us // 1_000_000, "magic": request["magic"],
        "comment": request["comment"],
    }  # fmt: skip
    assert not desk.book.is_blocked("oanda", "EURUSD")
    assert not desk.book.positions
    assert polled(desk, 2, 1.1) == []


@pytest.mark.parametrize(
    ("target", "entry", "price", "second", "filled"),
    [
        (1.0, "limit", 1.099, 20, 1.099),
        (-1.0, "limit", 1.101, 40, 1.101),
        (1.0, "stop", 1.101, 40, 1.1021),
        (-1.0, "stop", 1.099, 20, 1.098),
    ],
)
def test_it_opens_a_position_with_its_exits_when_its_price_comes(
    desk: Desk, target: float, entry: str, price: float, second: int, filled: float
) -> None:
    desk.engine.on_signal(desk.order(target, price, entry=entry))
    assert polled(desk, second - 1, ROWS[second - 1][1]) == []
    (event,) = polled(desk, second, ROWS[second][1])
    assert (event.kind, event.price, event.volume) == ("filled", filled, 0.1)
    assert event.ts_event_us == (TUESDAY + 1000 * second) * 1000
    (held,) = desk.book.of(KEY)
    assert (held.volume, held.stop_price) == (0.1 * target, 1.09 if target > 0 else 1.11)
    assert held.horizon_us == (TUESDAY + 121_000) * 1000
    assert not desk.book.working
    assert not desk.book.unsettled


def test_the_exit_of_what_it_opened_is_an_order_at_the_market(desk: Desk) -> None:
    """It follows from the same signal, the last that was read."""
    desk.engine.on_signal(desk.order(1.0, 1.099))
    polled(desk, 20, 1.098)
    (held,) = desk.book.of(KEY)
    desk.terminal.lose = ["answer"]
    desk.engine.exit(held, "horizon")
    assert not desk.book.working
    assert desk.book.is_blocked("oanda", "EURUSD")
    assert desk.terminal.sent[-1]["action"] == mt5.TRADE_ACTION_DEAL


def test_it_expires_at_the_broker(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(1.0, 1.0975))
    assert polled(desk, 60, 1.102) == []
    assert kinds(polled(desk, 62, 1.102)) == ["expired"]
    assert not desk.book.working


def test_without_an_expiry_at_the_broker_it_is_taken_back_in_time(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(1.0, 1.095, expiry="gtc"))
    assert polled(desk, 60, 1.102) == []
    seen = polled(desk, 62, 1.102)
    assert kinds(seen) == ["cancelling", "cancelled"]
    assert seen[0].reason == "its time is over"
    assert desk.venue.working() == ()


def test_the_strategy_takes_it_back_by_its_name(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(1.0, 1.099))
    desk.at(2)
    other = desk.order(0.0, 0.0, action="cancel", name="another", signal_id="s2")
    (event,) = taken(desk, other)
    assert (event.kind, event.reason) == ("received", "no order 'another' works")
    back = desk.order(0.0, 0.0, action="cancel", signal_id="s3")
    assert kinds(taken(desk, back)) == ["received", "cancelling"]
    assert kinds(polled(desk, 3, 1.1)) == ["cancelled"]
    assert not desk.book.working
    assert polled(desk, 20, 1.098) == []
    desk.engine.on_signal(back)
    assert desk.events()[-1].reason == "duplicate"


@pytest.mark.parametrize("state", ["halted", "reducing"])
def test_nothing_waits_while_nothing_may_open(desk: Desk, state: Any) -> None:
    desk.engine.on_signal(desk.order(1.0, 1.099))
    desk.trading.trip(ControlCommand(state, "ann", "why", 1))
    seen = polled(desk, 3, 1.1)
    assert kinds(seen) == ["cancelling", "cancelled"]
    assert seen[0].reason == f"trading is {state}"
    assert desk.venue.working() == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"entry_price": 1.1002}, "order_price"),  # a limit above the market
        ({"entry_price": 1.1001}, "order_price"),
        ({"entry_price": 1.0999, "entry": "stop"}, "order_price"),
        ({"entry_price": 0.0}, "unfit_order"),
        ({"entry_price": math.nan}, "unfit_order"),
        ({"entry_price": math.inf, "entry": "stop"}, "unfit_order"),
        ({"entry": "market"}, "unfit_order"),
        ({"entry": ""}, "unfit_order"),
        ({"filling": "boc"}, "unfit_order"),
        ({"expiry": "soon"}, "unfit_order"),
        ({"one_of": "a/b"}, "unfit_order"),
        ({"action": "swap"}, "unfit_order"),
        ({"name": ""}, "unfit_order"),
        ({"name": "a b"}, "unfit_order"),
        ({"expires_us": TUESDAY * 1000 + 2_900_000}, "unfit_order"),
        ({"horizon_us": TUESDAY * 1000 + 60_000_000}, "unfit_order"),
        ({"target": 0.0}, "oversized"),
        ({"target": 1.5}, "oversized"),
        ({"target": math.nan}, "oversized"),
        ({"target": 0.001}, "below_minimum"),
        ({"stop_price": 0.0}, "off_price"),
        ({"stop_price": 1.0995}, "off_price"),  # above where it would be filled
        ({"take_profit": 1.098}, "off_price"),
        ({"entry_price": 1.05, "stop_price": 1.04}, "off_price"),  # beyond the collar
        ({"symbol": "GBPUSD"}, "unknown_symbol"),
    ],
)
def test_what_is_unfit_is_denied_and_never_sent(
    desk: Desk, changes: dict[str, Any], reason: str
) -> None:
    signal = replace(desk.order(1.0, 1.099), **changes)
    *_, denied = taken(desk, signal)
    assert (denied.kind, denied.reason) == ("denied", reason)
    assert desk.terminal.sent == []
    assert not desk.book.working


def test_one_of_a_name_works_at_a_time_and_all_share_the_full_position(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(0.6, 1.099))
    assert taken(desk, desk.order(0.2, 1.0985, signal_id="s2"))[-1].reason == "order_works"
    second = taken(desk, desk.order(1.0, 1.0985, name="deeper", signal_id="s3"))
    assert second[-1].volume == 0.04  # what is left of 0.1
    third = taken(desk, desk.order(1.0, 1.0982, name="deepest", signal_id="s4"))
    assert third[-1].reason == "position_limit"
    assert {w.volume for w in desk.venue.working()} == {0.06, 0.04}


def test_a_target_does_not_open_beside_one_that_waits(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(0.5, 1.099))
    assert desk.trade(1.0, "s2") == ["entry received", "entry denied"]
    assert desk.events()[-1].reason == "order_works"


def test_what_waits_counts_as_if_it_were_filled(tmp_path: Path) -> None:
    desk = under(tmp_path, "max_position_lots = 0.15")
    desk.engine.on_signal(desk.order(1.0, 1.099))
    other = replace(desk.order(1.0, 1.0985, signal_id="s2"), strategy="other")
    denied = taken(desk, other)[-1]
    assert (denied.reason, denied.observed) == ("position_limit", 0.2)
    opposite = replace(desk.order(-1.0, 1.1015, signal_id="s3"), strategy="other")
    assert taken(desk, opposite)[-1].kind == "accepted"
    desk.close()


def test_its_margin_is_spoken_for(tmp_path: Path) -> None:
    desk = under(tmp_path, "max_lots = 100", *UNBOUNDED, lots=16.0)
    first = taken(desk, desk.order(1.0, 1.099))[-1]
    assert (first.kind, first.reason) == ("accepted", "")
    desk.at(5)
    other = replace(desk.order(-1.0, 1.1015, signal_id="s2"), strategy="other")
    assert taken(desk, other)[-1].reason == "no_margin"
    desk.close()


def test_on_a_netting_account_one_waits_at_a_time_while_nothing_is_held(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, rows=ROWS, netting=True)
    desk.engine.on_signal(desk.order(0.5, 1.099))
    for target, price in ((-0.5, 1.1015), (0.3, 1.0985)):
        more = taken(desk, desk.order(target, price, name="more", signal_id=f"s{price}"))
        assert more[-1].reason == "symbol_taken"
    other = replace(desk.order(0.5, 1.0985, signal_id="s3"), strategy="other")
    assert taken(desk, other)[-1].reason == "symbol_taken"
    polled(desk, 20, 1.098)
    assert len(desk.book.positions) == 1
    beside = desk.order(0.3, 1.0975, name="more", signal_id="s4")
    assert taken(desk, beside)[-1].reason == "symbol_taken"
    desk.close()


@pytest.mark.parametrize("fate", ["", "answer", "request"])
def test_after_a_restart_it_is_known_and_never_sent_twice(tmp_path: Path, fate: str) -> None:
    first = Desk(tmp_path, rows=ROWS)
    first.terminal.lose = [fate]
    first.engine.on_signal(first.order(1.0, 1.099))
    first.events()
    first.close()
    again = Desk(tmp_path, rows=ROWS)
    again.reconciler.at_start()
    again.at(20, 1.098)
    again.reconciler.again()
    again.engine.poll()
    assert again.terminal.sent == []
    held = [position.volume for position in again.book.of(KEY)]
    assert held == ([] if fate == "request" else [0.1])
    if fate == "request":  # nobody knows that it never arrived: a person says so
        assert again.book.is_blocked("oanda", "EURUSD")
    else:
        assert not again.book.unsettled
        assert again.events()[-1].kind == "filled"
    again.close()


def test_a_lost_answer_is_taken_up_as_waiting(desk: Desk) -> None:
    desk.terminal.lose = ["answer"]
    assert kinds(taken(desk, desk.order(1.0, 1.099)))[-1] == "unknown"
    assert desk.book.is_blocked("oanda", "EURUSD")
    assert kinds(polled(desk, 2, 1.1)) == ["reconciled", "accepted"]
    assert not desk.book.is_blocked("oanda", "EURUSD")
    assert len(desk.venue.working()) == 1


def test_a_person_cannot_call_absent_what_the_broker_still_holds(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rows=ROWS)
    desk.reconciler._persons = tmp_path / "persons"
    desk.engine.on_signal(desk.order(1.0, 1.099))
    (name,) = desk.book.working
    said = ManualResolution(name, "absent", "ann", "I see none", 1)
    manual_resolutions.write(tmp_path / "persons", said)
    assert polled(desk, 3, 1.1) == []
    assert desk.book.rests(name)
    assert list(manual_resolutions.waiting(tmp_path / "persons")) == []
    desk.close()


def test_a_removal_that_the_broker_refuses_is_asked_for_again(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(1.0, 1.099))
    desk.trading.trip(ControlCommand("halted", "ann", "why", 1))
    desk.terminal.lose = ["request"]
    assert kinds(polled(desk, 2, 1.1)) == ["cancelling"]
    assert polled(desk, 3, 1.1) == []
    assert kinds(polled(desk, 4.5, 1.1)) == ["cancelling", "cancelled"]


def test_who_halts_does_not_wait_for_what_was_refused_before(desk: Desk) -> None:
    desk.engine.on_signal(desk.order(1.0, 1.099))
    desk.trading.trip(ControlCommand("reducing", "ann", "why", 1))
    for seconds in (2, 4.5, 9):
        desk.terminal.lose = ["request"]
        assert kinds(polled(desk, seconds, 1.1)) == ["cancelling"]
    assert polled(desk, 13, 1.1) == []  # after three refusals eight seconds pass
    desk.trading.trip(ControlCommand("halted", "ann", "now", desk.clock.now_us()))
    assert kinds(polled(desk, 13.5, 1.1)) == ["cancelling", "cancelled"]


def test_losses_take_it_back(tmp_path: Path) -> None:
    desk = under(tmp_path, "max_daily_loss = 50")
    desk.ledger.activity.account(100_000.0, desk.clock.now_us())
    desk.engine.on_signal(desk.order(1.0, 1.099))
    assert polled(desk, 3, 1.1) == []
    desk.terminal._inner.act(money(mt5.DEAL_TYPE_CHARGE, -60.0, "a fee"))
    seen = polled(desk, 6, 1.1)
    assert kinds(seen) == ["cancelling", "cancelled"]
    assert seen[0].reason == "daily_loss"
    desk.close()


def test_it_goes_when_its_strategy_sends_nothing_any_more(tmp_path: Path) -> None:
    def on(mode: str) -> Desk:
        strategies = parse(
            f'[strategies.scripted]\nshare = 1.0\nmode = "{mode}"\n'.encode(), "desk"
        )
        return Desk(tmp_path, rows=ROWS, strategies=strategies)

    first = on("live")
    assert taken(first, first.order(1.0, 1.099))[-1].kind == "accepted"
    first.close()
    again = on("shadow")
    again.reconciler.at_start()
    assert kinds(polled(again, 5, 1.1)) == ["cancelling", "cancelled"]
    again.close()


def test_its_bytes_are_its_own_and_those_of_a_target_stay(desk: Desk) -> None:
    order = desk.order(1.0, 1.099)
    assert codec.decode("signals", codec.encode(order)) == order
    named = replace(order, session_id="abc")
    assert codec.decode("signals", codec.encode(named)) == named
    target = desk.signal(1.0)
    assert codec.decode("signals", codec.encode(target)) == target
    assert b"OrderSignal" not in codec.encode(target)


def straddle(desk: Desk, **changes: Any) -> tuple[OrderSignal, OrderSignal]:
    """A stop above and one below, of which one shall open."""
    above = desk.order(
        0.5, 1.101, entry="stop", name="above", one_of="break", signal_id="a", **changes
    )
    below = desk.order(
        -0.5, 1.099, entry="stop", name="below", one_of="break", signal_id="b", **changes
    )
    return above, below


def test_the_first_of_a_group_that_is_filled_has_the_others_taken_back(desk: Desk) -> None:
    above, below = straddle(desk)
    alone = desk.order(1.0, 1.0975, name="alone", signal_id="c")
    for signal in (above, below, alone):
        desk.engine.on_signal(signal)
    seen = polled(desk, 20, 1.098)
    assert kinds(seen) == ["filled", "cancelling", "cancelled"]
    assert [e.signal_id for e in seen] == ["b", "a", "a"]
    assert seen[1].reason == "another of break was filled"
    assert [p.volume for p in desk.book.positions.values()] == [-0.05]
    assert [w.signal.name for w in desk.book.working.values()] == ["alone"]


def test_one_of_a_group_that_comes_after_the_fill_waits_only_if_it_was_made_after_it(
    desk: Desk,
) -> None:
    above, below = straddle(desk)
    desk.engine.on_signal(below)
    polled(desk, 20, 1.098)
    assert taken(desk, above)[-1].reason == "order_works"
    desk.at(21, 1.098)
    again = replace(straddle(desk)[0], signal_id="d", entry_price=1.0995)
    assert kinds(taken(desk, again))[-1] == "accepted"
    assert polled(desk, 22, 1.098) == []


def test_a_group_ends_alike_after_a_restart_between_fill_and_removal(tmp_path: Path) -> None:
    first = Desk(tmp_path, rows=ROWS)
    for signal in straddle(first):
        first.engine.on_signal(signal)
    first.at(20, 1.098)
    first.reconciler.again()
    assert kinds(first.events())[-1] == "filled"
    first.close()
    second = Desk(tmp_path, rows=ROWS)
    assert kinds(polled(second, 21, 1.098)) == ["cancelling", "cancelled"]
    assert not second.book.working
    second.close()


def test_where_both_prices_came_first_both_are_positions_with_their_stops(tmp_path: Path) -> None:
    both = Desk(tmp_path, rows=ROWS)
    for signal in straddle(both):
        both.engine.on_signal(signal)
    assert kinds(polled(both, 40, 1.102)) == ["filled", "filled"]
    assert sorted(p.volume for p in both.book.positions.values()) == [-0.05, 0.05]
    assert all(p.stop_price for p in both.book.positions.values())
    both.close()
