"""The simulated package answers as MetaTrader5 does, and the real adapter runs on it unchanged."""

from typing import Any

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Outcome, VenueOrder
from adapters.simulator.broker.operations import by_hand
from adapters.simulator.faults import Fault, Faults
from adapters.simulator.package import SimulatedPackage
from core.sections import TerminalSettings
from tests.support.markets import TUESDAY, terminal

ID = "ab12" * 7 + "cd"
ROWS = [(TUESDAY + 100 * n, 1.1, 1.1001) for n in range(600)]


class Place:
    """A package with a time of its own, and the real adapter on it."""

    def __init__(self, *, netting: bool = False, **faults: Any) -> None:
        self.now = TUESDAY + 1000
        self.faults = Faults(**faults)
        self.inner = terminal({"EURUSD_sim": ROWS}, netting=netting)
        self.package = SimulatedPackage(self.inner, lambda: self.now, self.sleep, self.faults)
        settings = TerminalSettings(kind="real", source="sim", symbols=("EURUSD",))
        self.real = RealTerminal(settings, self.package)
        assert self.real.initialize()
        self.venue = Venue(self.real, 60.0)

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    def order(self, **changes: Any) -> VenueOrder:
        given = {"order_id": ID, "source": "sim", "symbol": "EURUSD", "side": "buy", "volume": 0.1,
                 "price": 1.1001, "stop_price": 1.09, "tolerance": 0.01}  # fmt: skip
        return VenueOrder(**{**given, **changes})

    def sent(self, *faults: Fault, **changes: Any) -> Outcome:
        self.faults.sends.extend(faults)
        return self.venue.send(self.order(**changes))

    def outcome(self) -> Outcome:
        return self.venue.find(self.order(), (TUESDAY + 1000) * 1000)


def test_it_offers_the_packages_constants_and_refuses_other_names() -> None:
    package = Place().package
    assert (package.TRADE_RETCODE_DONE, package.ORDER_FILLING_BOC) == (10009, 3)
    with pytest.raises(AttributeError, match="order_sent"):
        _ = package.order_sent


def test_an_order_is_filled_and_found_through_the_real_adapter() -> None:
    place = Place()
    assert place.sent().kind == "working"
    result = place.outcome()
    assert (result.kind, result.fills[0].volume) == ("filled", 0.1)
    assert [p.stop_price for p in place.venue.positions()] == [1.09]


@pytest.mark.parametrize("retcode", [10004, 10018, 10019, 10024])
def test_a_refusal_does_nothing(retcode: int) -> None:
    place = Place()
    assert place.sent(Fault("refuse", retcode)).reason.startswith(str(retcode))
    assert place.outcome().kind == "absent"


@pytest.mark.parametrize("retcode", [0, 10012, 10031])
@pytest.mark.parametrize(("kind", "later"), [("lost_answer", "filled"), ("lost_request", "absent")])
def test_a_lost_answer_is_unknown_and_asking_tells(retcode: int, kind: str, later: str) -> None:
    place = Place()
    assert place.sent(Fault(kind, retcode)).kind == "unknown"  # type: ignore[arg-type]
    assert place.outcome().kind == later


def test_a_late_order_is_absent_until_it_arrives() -> None:
    place = Place()
    assert place.sent(Fault("late", 0, 3000)).kind == "unknown"
    assert place.outcome().kind == "absent"
    place.sleep(3)
    assert place.outcome().kind == "filled"


def test_a_partial_fill_is_done_when_the_history_says_so() -> None:
    place = Place(filling_modes=mt5.SYMBOL_FILLING_IOC)
    place.sent(Fault("partial", share=0.4))
    result = place.outcome()
    assert (result.kind, [fill.volume for fill in result.fills]) == ("filled", [0.04])
    [order] = place.package.history_orders_get()
    assert (order.volume_initial, order.volume_current) == (0.1, 0.06)


def test_a_staggered_order_works_until_its_last_part_has_come() -> None:
    place = Place()
    place.sent(Fault("staggered", delay_ms=3000, share=0.4))
    volumes, working = [], []
    for _ in range(3):
        result = place.outcome()
        volumes.append([fill.volume for fill in result.fills])
        working.append([o.volume for o in place.venue.working()])
        place.sleep(3.1)
    assert volumes == [[0.04], [0.04, 0.03], [0.04, 0.03, 0.03]]
    assert working == [[0.06], [0.03], []]
    assert place.outcome().kind == "filled"
    assert {f.order for f in place.outcome().fills} == {1}
    assert [p.volume for p in place.venue.positions()] == [0.1]


def test_what_is_left_of_an_order_can_be_taken_back() -> None:
    place = Place()
    place.sent(Fault("staggered", delay_ms=3000, share=0.4))
    [order] = place.venue.working()
    assert place.outcome().kind == "working"
    assert place.venue.cancel(order).kind == "done"
    assert place.venue.working() == ()
    result = place.outcome()
    assert (result.kind, [fill.volume for fill in result.fills]) == ("filled", [0.04])
    assert place.venue.cancel(order).kind == "rejected"


def test_an_order_done_twice_is_ambiguous() -> None:
    place = Place()
    place.sent(Fault("twice", delay_ms=1000))
    assert place.outcome().kind == "filled"
    place.sleep(2)
    assert (place.outcome().kind, place.faults.done_twice) == ("ambiguous", [ID])


def test_parts_that_met_what_a_person_holds_are_not_the_orders_fills_once_it_is_done() -> None:
    place = Place(netting=True)
    place.sent(Fault("staggered", delay_ms=3000, share=0.4))
    place.inner.act(by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.1))  # turns the account over
    kinds = []
    for _ in range(3):
        kinds.append(place.outcome().kind)
        place.sleep(3.1)
    assert kinds == ["working", "ambiguous", "met"]
    result = place.outcome()
    assert (result.order, [fill.volume for fill in result.fills]) == (1, [0.04])
    assert place.venue.positions() == ()


def test_an_order_done_twice_into_what_a_person_holds_stays_ambiguous() -> None:
    place = Place(netting=True)
    place.inner.act(by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.3))
    place.sent(Fault("twice", delay_ms=1000))
    assert place.outcome().kind == "met"
    place.sleep(2)
    assert (place.outcome().kind, place.faults.done_twice) == ("ambiguous", [ID])


def test_an_answer_may_come_late() -> None:
    place = Place()
    assert place.sent(Fault("slow", delay_ms=5000)).kind == "working"
    assert place.now >= TUESDAY + 6000


def test_stops_are_refused_within_stops_and_freeze_level() -> None:
    place = Place()
    place.sent()
    [held] = place.venue.positions()
    place.faults.stops_level = 100
    assert place.venue.move_stop(held, 1.0995).reason.startswith("10016")
    assert place.venue.move_stop(held, 1.0985).kind == "done"
    assert place.venue.move_stop(held, 1.0985).kind == "done"  # no changes: it is there
    place.faults.stops_level, place.faults.freeze_level = 0, 200
    assert place.venue.move_stop(held, 1.095).reason.startswith("10029")


def test_a_check_says_what_the_account_would_be_and_does_nothing() -> None:
    package = Place().package
    request = {"action": 1, "symbol": "EURUSD", "volume": 1.0, "type": 0, "type_filling": 1}
    checked = package.order_check(request)
    assert checked is not None
    assert (checked.retcode, checked.comment) == (0, "Done")
    assert checked.margin > 0
    assert package.positions_get() == ()
    refused = package.order_check({**request, "volume": 99.0})
    assert refused is not None
    assert refused.retcode == 10019


def test_a_deal_that_is_still_to_come_keeps_the_order_working() -> None:
    place = Place(filling_modes=mt5.SYMBOL_FILLING_IOC)
    place.sent(Fault("partial", share=0.4))
    history = place.package.history_orders_get
    place.package.history_orders_get = lambda *a, **k: tuple(  # type: ignore[method-assign]
        o._replace(volume_current=0.0) for o in history(*a, **k)
    )
    assert place.outcome().kind == "working"


@pytest.mark.parametrize("rewriting", ["cut", "empty", "broker"])
def test_an_order_is_found_whatever_became_of_its_comment(rewriting: Any) -> None:
    place = Place(comments=rewriting)
    place.sent()
    assert place.outcome().kind == "filled"
    assert place.package.positions_get()[0].comment != ID


def test_a_history_that_lists_a_deal_twice_shows_one_fill() -> None:
    place = Place(doubled=True)
    place.sent()
    assert len(place.package.history_deals_get()) == 4  # the deposit, and the entry
    assert len(place.outcome().fills) == 1


def test_deals_that_lag_behind_positions_keep_the_order_working() -> None:
    place = Place()
    place.sent()
    place.faults.history_lag_ms = 2000
    assert place.outcome().kind == "working"
    place.sleep(3)
    assert place.outcome().kind == "filled"


def test_while_disconnected_every_call_fails_with_a_reason() -> None:
    place = Place()
    place.faults.connected = False
    assert place.package.positions_get() is None
    assert place.package.order_send({}) is None
    assert place.real.last_error() == (mt5.RES_E_INTERNAL_FAIL_CONNECT, "No IPC connection")
    assert place.outcome().kind == "unknown"
    assert place.package.terminal_info().connected is False


def test_autotrading_filling_mode_and_stops_level_are_checked() -> None:
    place = Place(autotrading=False)
    assert place.sent().reason.startswith("10027")
    place = Place(stops_level=2000)
    assert place.sent().reason.startswith("10016")
    place = Place(filling_modes=mt5.SYMBOL_FILLING_FOK)
    request = {
        "action": 1,
        "symbol": "EURUSD",
        "type_filling": mt5.ORDER_FILLING_IOC,
        "volume": 0.1,
    }
    answer = place.package.order_send(request)
    assert answer is not None
    assert answer.retcode == mt5.TRADE_RETCODE_INVALID_FILL


def test_filters_are_the_packages() -> None:
    place = Place()
    place.sent()
    [held] = place.package.positions_get(symbol="EURUSD")
    assert place.package.positions_get(ticket=held.ticket + 1) == ()
    assert place.package.positions_get(group="*,!EUR*") == ()
    assert len(place.package.history_deals_get(position=held.ticket)) == 1
    assert place.package.positions_total() == len(place.package.symbols_get("EUR*")) == 1
