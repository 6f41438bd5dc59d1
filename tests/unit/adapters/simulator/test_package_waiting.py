"""Orders that wait, through the real adapter on the simulated package, while things go wrong."""

from typing import Any

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.venue import Outcome, VenueOrder
from adapters.simulator.faults import Fault
from tests.support.markets import TUESDAY
from tests.unit.adapters.simulator.test_package import ID, Place

SINCE_US = (TUESDAY + 1000) * 1000


def order(**changes: Any) -> VenueOrder:
    given: dict[str, Any] = {
        "order_id": ID, "source": "sim", "symbol": "EURUSD", "side": "buy", "volume": 0.1,
        "price": 1.0995, "stop_price": 1.09, "entry": "limit", "filling": "return",
        "expiry": "specified", "expires_us": (TUESDAY + 31_000) * 1000,
    }  # fmt: skip
    return VenueOrder(**given | changes)


def outcome(place: Place) -> Outcome:
    return place.venue.find(order(), SINCE_US)


def test_it_is_found_waiting_and_then_expired() -> None:
    place = Place()
    answer = place.venue.send(order())
    (waits,) = place.venue.working()
    assert (answer.kind, answer.order) == ("working", waits.ticket)
    assert outcome(place).kind == "working"
    place.sleep(40)
    assert (outcome(place).kind, place.venue.working()) == ("expired", ())


def test_it_is_found_cancelled() -> None:
    place = Place()
    place.venue.send(order())
    (waits,) = place.venue.working()
    assert place.venue.cancel(waits).kind == "done"
    assert place.venue.cancel(waits).kind == "rejected"
    assert outcome(place).kind == "rejected"
    (done,) = place.package.history_orders_get()
    assert (done.state, done.volume_current) == (mt5.ORDER_STATE_CANCELED, 0.1)


@pytest.mark.parametrize("comments", ["cut", "empty", "broker"])
def test_its_fill_is_known_whatever_the_broker_makes_of_comments(comments: Any) -> None:
    place = Place(comments=comments)
    place.venue.send(order(side="sell", entry="limit", price=1.1002, stop_price=1.11))
    sold = order(side="sell", price=1.1002)
    assert place.venue.find(sold, SINCE_US).kind == "working"
    place.venue.send(order(order_id="cd" * 15, entry="stop", price=1.1003))
    assert len(place.venue.working()) == 2
    assert place.venue.find(sold, SINCE_US).kind == "working"


@pytest.mark.parametrize(
    ("kind", "later"),
    [("lost_answer", "working"), ("lost_request", "absent"), ("refuse", "absent")],
)
def test_without_an_answer_asking_tells(kind: Any, later: str) -> None:
    place = Place()
    place.faults.sends.append(Fault(kind, 10006 if kind == "refuse" else 0))
    assert place.venue.send(order()).kind == ("rejected" if kind == "refuse" else "unknown")
    assert outcome(place).kind == later


def test_a_late_one_is_absent_until_it_arrives() -> None:
    place = Place()
    place.faults.sends.append(Fault("late", 0, 3000))
    place.venue.send(order())
    assert outcome(place).kind == "absent"
    place.sleep(3)
    assert outcome(place).kind == "working"


@pytest.mark.parametrize(
    ("changes", "retcode"),
    [
        ({"price": 1.1000}, mt5.TRADE_RETCODE_INVALID_STOPS),  # nearer than the broker allows
        ({"stop_price": 1.0994}, mt5.TRADE_RETCODE_INVALID_STOPS),
        ({"price": 1.1005}, mt5.TRADE_RETCODE_INVALID_PRICE),
        ({"expires_us": SINCE_US}, mt5.TRADE_RETCODE_INVALID_EXPIRATION),
    ],
)
def test_what_the_broker_refuses_is_rejected_with_its_code(
    changes: dict[str, Any], retcode: int
) -> None:
    place = Place(stops_level=20)
    answer = place.venue.send(order(**changes))
    assert (answer.kind, answer.reason.split()[0]) == ("rejected", str(retcode))
    assert place.venue.working() == ()
