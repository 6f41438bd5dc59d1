"""Other terms for an order that waits: in place, checked, journalled, and settled by looking."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from core.contracts.order import OrderEvent
from core.contracts.signal import OrderSignal
from core.trading_control import ControlCommand
from execution.broker.order_changes import DOUBT
from execution.live import _newest
from tests.unit.execution.desk import KEY, Desk
from tests.unit.execution.order_path.test_waiting import ROWS, kinds, polled, taken

_NUMBERS = itertools.count()


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    """With a limit order that waits at 1.095, which the market does not reach."""
    one = Desk(tmp_path, rows=ROWS)
    one.engine.on_signal(one.order(1.0, 1.095))
    one.at(5)
    yield one
    one.close()


def to(desk: Desk, price: float = 1.099, **more: Any) -> OrderSignal:
    """A signal for other terms, made now."""
    given = {"stop_price": 1.0912, "take_profit": 1.1019, "action": "modify"} | more
    signal = desk.order(1.0, price, signal_id=f"m{next(_NUMBERS)}", **given)
    return replace(signal, stop_price=given["stop_price"])


def followed(desk: Desk, seconds: float, price: float) -> list[OrderEvent]:
    """The events of the live driver's look at the broker."""
    before = len(desk.events())
    desk.at(seconds, price)
    watched = desk.watched()
    watched.reconciler.again()
    watched.engine.poll()
    watched.engine.changes.follow()
    watched.engine.changing.withdraw()
    watched.reconciler.again()
    return desk.events()[before:]


def test_price_exits_and_end_change_in_place(desk: Desk) -> None:
    signal = to(desk)
    events = taken(desk, signal)
    assert kinds(events) == ["received", "modifying", "modified"]
    assert events[0].reason == "changes dip"
    assert len({event.order_id for event in events[1:]}) == 1
    assert [(e.price, e.stop_price) for e in events[1:]] == [(1.099, 1.0912)] * 2
    (shown,) = desk.terminal.orders_get()
    assert (shown.price_open, shown.sl, shown.tp) == (1.099, 1.0912, 1.1019)
    assert shown.time_expiration == signal.expires_us // 1_000_000
    assert desk.terminal.sent[-1]["action"] == mt5.TRADE_ACTION_MODIFY
    (filled,) = polled(desk, 20, 1.098)
    assert (filled.kind, filled.price, filled.order_id) == ("filled", 1.099, events[1].order_id)
    (held,) = desk.book.of(KEY)
    assert (held.stop_price, held.take_profit) == (1.0912, 1.1019)
    assert held.horizon_us == signal.horizon_us
    (there,) = desk.terminal.positions_get()
    assert (there.sl, there.tp) == (1.0912, 1.1019)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 1.1005}, "order_price"),
        ({"entry": "stop", "price": 1.105}, "unfit_order"),
        ({"expires_us": 1}, "unfit_order"),
        ({"stop_price": 1.1}, "off_price"),
        ({"take_profit": 1.0}, "off_price"),
        ({"price": float("nan")}, "unfit_order"),
        ({"price": 0.5}, "off_price"),
    ],
)
def test_what_it_may_not_become_is_denied_and_the_old_terms_hold(
    desk: Desk, change: dict[str, Any], reason: str
) -> None:
    sent = len(desk.terminal.sent)
    events = taken(desk, to(desk, **change))
    assert kinds(events) == ["received", "denied"]
    if reason != "off_price" or change.get("price") != 0.5:
        assert events[1].reason == reason
    assert len(desk.terminal.sent) == sent
    (working,) = desk.book.working.values()
    assert working.signal.entry_price == 1.095


def test_its_side_stays(desk: Desk) -> None:
    signal = replace(to(desk), target=-1.0)
    assert kinds(taken(desk, signal)) == ["received", "modifying", "modified"]
    (shown,) = desk.terminal.orders_get()
    assert shown.type == mt5.ORDER_TYPE_BUY_LIMIT


def test_a_change_of_nothing_that_works_does_nothing(desk: Desk) -> None:
    sent = len(desk.terminal.sent)
    (event,) = taken(desk, replace(to(desk), name="top"))
    assert (event.kind, event.reason) == ("received", "no order 'top' works")
    desk.engine.on_signal(to(desk))
    desk.at(6)
    (event,) = taken(desk, replace(to(desk), expires_us=desk.clock.now_us() + 59_000_000,
                                   horizon_us=desk.clock.now_us() + 119_000_000))  # fmt: skip
    assert event.reason == "order 'dip' has these terms"
    desk.engine.on_signal(desk.order(0.0, 1.0, action="cancel", signal_id="c"))
    desk.at(7)
    (event,) = taken(desk, to(desk, 1.098))
    assert event.reason in ("order 'dip' is being taken back", "no order 'dip' works")
    assert len(desk.terminal.sent) == sent + 2


def test_what_the_broker_refuses_leaves_the_old_terms(desk: Desk) -> None:
    desk.at(30, 1.1)  # we have no newer quote, and the broker's market has fallen below
    events = taken(desk, to(desk, 1.099))
    assert kinds(events) == ["received", "modifying", "unmodified"]
    assert "10015" in events[2].reason
    assert (events[2].price, events[2].stop_price) == (1.095, 1.09)
    (working,) = desk.book.working.values()
    assert (working.signal.entry_price, working.modifying) == (1.095, None)


def test_a_lost_answer_is_settled_by_looking(desk: Desk) -> None:
    desk.terminal.lose = ["answer"]
    assert kinds(taken(desk, to(desk))) == ["received", "modifying"]
    (event,) = taken(desk, replace(to(desk, 1.0985), signal_id="again"))
    assert event.reason == "order 'dip' is being changed"
    assert kinds(followed(desk, 6, 1.1)) == ["modified"]
    (filled,) = polled(desk, 20, 1.098)
    assert (filled.price, filled.stop_price) == (1.099, 1.0912)


def test_one_whose_change_stays_in_doubt_is_taken_back(desk: Desk) -> None:
    desk.terminal.lose = ["request"]
    assert kinds(taken(desk, to(desk))) == ["received", "modifying"]
    assert followed(desk, 10, 1.1) == []
    events = followed(desk, 16, 1.1)
    assert kinds(events) == ["cancelling", "cancelled"]
    assert events[0].reason == DOUBT
    assert not desk.book.working
    assert not desk.terminal.orders_get()


def test_one_filled_before_its_terms_were_known_has_the_stop_that_the_broker_shows(
    desk: Desk,
) -> None:
    desk.terminal.lose = ["answer"]
    desk.engine.on_signal(to(desk))
    assert kinds(polled(desk, 20, 1.098)) == ["filled"]
    (held,) = desk.book.of(KEY)
    assert (held.stop_price, held.moving) == (1.09, 1.0912)
    watched = desk.watched()
    watched.stops.follow()
    assert desk.events()[-1].kind == "stop_moved"
    (held,) = desk.book.of(KEY)
    assert (held.stop_price, held.moving) == (1.0912, 0.0)


@pytest.mark.parametrize(("fate", "after"), [("answer", "modified"), ("request", "")])
def test_after_a_restart_a_change_is_settled_and_never_sent_twice(
    tmp_path: Path, fate: str, after: str
) -> None:
    first = Desk(tmp_path, rows=ROWS)
    first.engine.on_signal(first.order(1.0, 1.095))
    first.at(5)
    first.terminal.lose = [fate]
    first.engine.on_signal(to(first))
    first.close()
    again = Desk(tmp_path, rows=ROWS)
    again.at(6)
    again.reconciler.at_start()
    (working,) = again.book.working.values()
    assert working.modifying is not None
    assert kinds(followed(again, 7, 1.1)) == ([after] if after else [])
    assert again.terminal.sent == []
    if fate == "request":
        assert kinds(followed(again, 17, 1.1)) == ["cancelling", "cancelled"]
    again.close()


def test_a_halt_between_journal_and_broker_holds_it_back(desk: Desk) -> None:
    sent = len(desk.terminal.sent)
    signal, sync = to(desk), desk.ledger.sync

    def halts() -> None:
        desk.trading.trip(ControlCommand("halted", "a rule", "sim", desk.clock.now_us()))
        sync()

    desk.ledger.sync = halts  # type: ignore[method-assign]
    events = taken(desk, signal)
    assert kinds(events) == ["received", "modifying", "unmodified"]
    assert len(desk.terminal.sent) == sent


def test_other_terms_replace_earlier_ones_and_not_the_order_itself(desk: Desk) -> None:
    place, first, second = desk.order(1.0, 1.09, name="b"), to(desk), to(desk)
    first, second = (replace(s, name="b", signal_id=n) for s, n in ((first, "1"), (second, "2")))
    assert _newest([place, first, second]) - {""} == {place.signal_id, "2"}
    cancel = desk.order(0.0, 1.0, name="b", action="cancel", signal_id="c")
    assert _newest([place, first, cancel]) - {""} == {"c"}
