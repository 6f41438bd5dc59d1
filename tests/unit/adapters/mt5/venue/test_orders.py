from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.recognition import magic_of
from adapters.mt5.venue.venue import Outcome, VenueOrder
from adapters.simulator.terminal import SimulatedTerminal
from core.errors import UnavailableError
from tests.support.markets import TUESDAY, terminal

ROWS = [(TUESDAY + 1000 * n, 1.1, 1.1001) for n in range(60)]
NOW = TUESDAY * 1000
BUY = VenueOrder(
    order_id="ab" * 15, source="oanda", symbol="EURUSD", side="buy", volume=0.1, price=1.1001,
    stop_price=1.09, tolerance=0.005,
)  # fmt: skip


class Rewriting:
    """A terminal between whose account and its caller answers change, as brokers do."""

    def __init__(self, inner: SimulatedTerminal) -> None:
        self._inner = inner
        self.comment: str | None = None
        self.answers: list[Any] = []
        self.silent: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return (lambda *_: None) if name in self.silent else getattr(self._inner, name)

    def order_send(self, request: Mapping[str, Any]) -> Any:
        answer = self._inner.order_send(request)
        return answer._replace(**self.answers.pop(0)) if self.answers else answer

    def history_deals_get(self, date_from: float, date_to: float) -> Any:
        deals = self._inner.history_deals_get(date_from, date_to)
        return deals if self.comment is None else tuple(
            d._replace(comment=self.comment) for d in deals
        )  # fmt: skip


@pytest.fixture
def broker() -> Rewriting:
    return Rewriting(terminal({"EURUSD_oanda": ROWS, "EURUSD_fxcm": ROWS, "ZZZ_fxcm": ROWS}))


@pytest.fixture
def venue(broker: Rewriting) -> Iterator[Venue]:
    built = Venue(broker)
    built.at(NOW)
    yield built
    broker.shutdown()


def test_two_sources_of_a_symbol_are_two_feeds(venue: Venue) -> None:
    assert venue.knows("oanda", "EURUSD")
    assert venue.knows("fxcm", "EURUSD")
    assert not venue.knows("oanda", "XAUUSD")
    venue.send(BUY)
    [held] = venue.positions()
    assert (held.source, held.symbol, held.volume, held.stop_price) == (
        "oanda",
        "EURUSD",
        0.1,
        1.09,
    )


def test_a_feed_without_reference_data_has_no_specification(venue: Venue) -> None:
    assert venue.specification("fxcm", "ZZZ") is None
    rules = venue.specification("oanda", "EURUSD")
    assert rules is not None
    assert (rules.digits, rules.volume_min, rules.volume_step) == (5, 0.01, 0.01)


def test_a_sent_order_is_found_with_its_fill(venue: Venue) -> None:
    assert venue.find(BUY, NOW) == Outcome("absent")
    answer = venue.send(BUY)
    assert answer.kind == "working"
    result = venue.find(BUY, NOW)
    assert (result.kind, result.order) == ("filled", answer.order)
    [fill] = result.fills
    assert (fill.price, fill.volume, fill.time_us, fill.commission) == (1.1001, 0.1, NOW, -0.35)


@pytest.mark.parametrize("comment", ["", "ab" * 8, "FX Broker 7", "[by dealer]"])
def test_an_order_is_found_whatever_the_broker_made_of_its_comment(
    venue: Venue, broker: Rewriting, comment: str
) -> None:
    venue.send(BUY)
    broker.comment = comment
    assert venue.find(BUY, NOW).kind == "filled"


def test_a_fill_whose_comment_names_another_order_of_ours_is_not_it(
    venue: Venue, broker: Rewriting
) -> None:
    venue.send(BUY)
    broker.comment = "cd" * 15
    assert venue.find(BUY, NOW).kind != "filled"


def test_a_position_without_a_fill_in_the_history_is_still_working(
    venue: Venue, broker: Rewriting
) -> None:
    venue.send(BUY)
    broker.history_deals_get = lambda *_: ()  # type: ignore[method-assign]
    assert venue.find(BUY, NOW).kind == "working"


@pytest.mark.parametrize("silent", ["history_deals_get", "orders_get", "positions_get"])
def test_a_venue_that_does_not_answer_leaves_an_order_unknown(
    venue: Venue, broker: Rewriting, silent: str
) -> None:
    if silent == "history_deals_get":
        broker.history_deals_get = lambda *_: None  # type: ignore[method-assign]
    broker.silent = {silent}
    assert venue.find(BUY, NOW).kind == "unknown"


@pytest.mark.parametrize("retcode", [mt5.TRADE_RETCODE_TIMEOUT, mt5.TRADE_RETCODE_CONNECTION])
def test_timeout_and_lost_connection_leave_an_order_unknown(
    venue: Venue, broker: Rewriting, retcode: int
) -> None:
    broker.answers = [{"retcode": retcode, "comment": "late"}]
    assert venue.send(BUY) == Outcome("unknown", f"{retcode} late")


def test_a_refused_order_has_the_brokers_code_and_text(venue: Venue) -> None:
    refused = venue.send(VenueOrder("cd" * 15, "oanda", "EURUSD", "buy", 0.1, 1.1001, 1.2))
    assert refused.kind == "rejected"
    assert refused.reason.startswith("10016 Invalid stops")


def test_a_closing_names_its_cause(venue: Venue) -> None:
    venue.send(BUY)
    [held] = venue.positions()
    order = VenueOrder("cd" * 15, "oanda", "EURUSD", "sell", 0.04, 1.1, position=held.ticket)
    venue.at(NOW + 5_000_000)
    venue.send(order)
    [fill] = venue.closings(held.ticket, NOW)
    assert (fill.volume, fill.side, fill.cause) == (0.04, "sell", "manual")
    assert venue.find(order, NOW).fills == (fill,)
    assert [p.volume for p in venue.positions()] == [0.06]


def test_a_silent_terminal_is_unavailable(venue: Venue, broker: Rewriting) -> None:
    broker.silent = {"positions_get", "account_info"}
    with pytest.raises(UnavailableError):
        venue.positions()
    with pytest.raises(UnavailableError):
        venue.account()
    broker.history_deals_get = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        venue.closings(1, NOW)


def test_magic_is_never_zero() -> None:
    assert magic_of("0" * 30) == 1
    assert magic_of("f" * 30) == 2**31 - 1
