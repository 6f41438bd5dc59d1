"""Three strategies share the one position that a netting account has of a symbol."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import operations
from core import trading_control
from core.contracts.order import EventKind as Kind
from core.desk import NETTING, parse
from core.trading_control import ControlCommand
from execution.broker.account_history import AccountHistory
from execution.broker.poller import PollerParts
from execution.journal import virtual
from execution.journal.position import Key
from execution.journal.virtual import RESIDUE
from execution.risk.trading_state import TradingState
from tests.support.markets import TUESDAY, Rows
from tests.unit.execution.desk import Desk

THREE = parse(
    b"[strategies.a]\nshare = 0.5\n[strategies.b]\nshare = 0.3\n[strategies.c]\nshare = 0.2\n",
    "desk.toml",
)
FEED = "oanda", "EURUSD"


def rows_at(*steps: tuple[int, float]) -> Rows:
    """A quote a second; the price changes at some seconds."""
    price, rows = 1.1, []
    for second in range(120):
        price = dict(steps).get(second, price)
        rows.append((TUESDAY + 1000 * second, price, round(price + 1e-4, 5)))
    return rows


class Shared(Desk):
    """A desk on a netting account, with what live execution looks after beside signals."""

    def __init__(self, home: Path, **more: Any) -> None:
        given = {"strategies": THREE, "netting": True, "lots": 1.0, "max_lots": 2.0, **more}
        super().__init__(home, **given)
        self.control = home / "control.json"
        self.trading = TradingState(self.control, home / "breakers.json")
        self.parts: PollerParts = self.watched()
        self.history: AccountHistory = self.parts.events
        self.history.poll()
        self.signals = len(self.events())

    def trade(self, target: float, name: str = "", **changes: Any) -> list[str]:
        self.signals += 1
        return super().trade(target, name or f"{self.signals:032x}", **changes)

    def lots(self) -> dict[str, float]:
        """What each strategy holds."""
        return {p.key.strategy: p.volume for p in self.book.of_feed(*FEED)}

    def account(self) -> float:
        """What the account holds."""
        return sum(p.volume for p in self.venue.positions())

    def poll(self, second: float, price: float = 1.1) -> None:
        """As the poller does."""
        self.at(second, price)
        self.reconciler.again()
        self.engine.poll()
        self.parts.stops.follow()
        self.history.poll()

    def close_due(self) -> list[str]:
        """Send closings that are due by stop or take-profit; why each was."""
        due = self.parts.stops.due()
        for coming in due:
            self.engine.exit(coming.position, coming.purpose)
        return [f"{c.position.key.strategy} {c.purpose}" for c in due]

    def by_hand(self, kind: int, lots: float) -> None:
        answer, _ = self.terminal.act(operations.by_hand("EURUSD", kind, lots))
        assert answer.retcode == mt5.TRADE_RETCODE_DONE

    def profit(self, strategy: str) -> float:
        """Without commission."""
        costs = sum(e.commission + e.swap for e in self.events() if e.strategy == strategy)
        return round(self.book.realised(Key(strategy, *FEED)) - costs, 2)


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Shared]]:
    """The next on the same home is a restart of the one before."""
    opened: list[Shared] = []

    def begin(**more: Any) -> Shared:
        for before in opened:
            before.close()
        opened.append(Shared(tmp_path, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def test_strategies_hold_lots_of_their_own_that_sum_to_the_accounts(open_desk) -> None:
    desk = open_desk()
    assert desk.trade(1.0, strategy="a")[-1] == "entry filled"
    assert "entry filled" in desk.trade(-1.0, strategy="b")
    desk.at(3)
    assert "entry filled" in desk.trade(1.0, strategy="c")
    assert desk.lots() == {"a": 0.5, "b": -0.3, "c": 0.2}
    assert desk.account() == pytest.approx(0.4)
    again = open_desk()
    assert again.lots() == {"a": 0.5, "b": -0.3, "c": 0.2}


def test_profit_is_by_each_ones_own_average_and_the_rest_is_nobodys_until_flat(open_desk) -> None:
    desk = open_desk(rows=rows_at((10, 1.102), (20, 1.104)))
    desk.trade(1.0, strategy="a")
    desk.at(12, 1.102)
    desk.trade(-1.0, strategy="b")  # to the broker this closes a part of what `a` holds
    residue = [e for e in desk.events() if e.purpose == RESIDUE]
    assert [(e.strategy, e.kind, e.profit) for e in residue] == [
        ("b", Kind.BOOKED, -57.0), (NETTING, Kind.BOOKED, 57.0),
    ]  # fmt: skip
    assert (desk.profit("b"), desk.book.residue[FEED]) == (0.0, 57.0)
    desk.at(22, 1.104)
    desk.trade(0.0, strategy="a")
    desk.at(24, 1.104)
    desk.trade(0.0, strategy="b")
    assert desk.lots() == {}
    assert desk.profit("a") == pytest.approx(0.5 * 1e5 * (1.104 - 1.1001))
    assert desk.profit("b") == pytest.approx(0.3 * 1e5 * (1.102 - 1.1041))
    assert desk.book.residue[FEED] == 0.0
    desk.poll(26, 1.104)
    assert desk.history.problem == ""
    assert desk.book.broker.balance == desk.venue.account().balance


def test_the_farthest_stop_stands_at_the_broker_and_the_nearer_is_kept_here(open_desk) -> None:
    desk = open_desk(rows=rows_at((10, 1.094), (30, 1.088)))
    desk.trade(1.0, strategy="a", stop_price=1.09)
    desk.trade(1.0, strategy="c", stop_price=1.095)
    assert [p.stop_price for p in desk.venue.positions()] == [1.09]
    desk.poll(12, 1.094)
    assert desk.close_due() == ["c stop"]
    assert desk.events()[-3].purpose == "stop"
    assert desk.lots() == {"a": 0.5}
    desk.poll(32, 1.088)  # the broker's own
    assert (desk.close_due(), desk.lots()) == ([], {})
    closed = [e for e in desk.events() if e.kind is Kind.CLOSED]
    assert [(e.strategy, e.purpose, e.volume) for e in closed] == [("a", "stop", 0.5)]


def test_where_the_brokers_stop_closes_the_whole_what_is_left_against_it_goes_by_its_own(
    open_desk,
) -> None:
    desk = open_desk(rows=rows_at((10, 1.088)))
    desk.trade(1.0, strategy="a", stop_price=1.09)
    desk.trade(-1.0, strategy="b", stop_price=1.12)
    assert [p.stop_price for p in desk.venue.positions()] == [1.09]
    desk.poll(12, 1.088)
    assert desk.lots() == {"a": 0.3, "b": -0.3}
    assert desk.account() == 0.0
    assert desk.close_due() == ["a stop"]
    assert desk.lots() == {"b": -0.3}
    assert [(p.volume, p.stop_price) for p in desk.venue.positions()] == [(-0.3, 1.12)]


def test_the_brokers_stop_follows_who_is_left(open_desk) -> None:
    desk = open_desk()
    desk.trade(1.0, strategy="a", stop_price=1.095)
    desk.trade(1.0, strategy="c", stop_price=1.09)
    desk.at(3)
    desk.trade(0.0, strategy="c")
    desk.poll(5)
    assert [p.stop_price for p in desk.venue.positions()] == [1.095]


def test_a_closing_by_hand_is_shared_out_in_proportion(open_desk) -> None:
    desk = open_desk()
    for strategy in "abc":
        desk.trade(1.0, strategy=strategy)
    desk.at(3)
    desk.by_hand(mt5.ORDER_TYPE_SELL, 0.5)
    desk.poll(5)
    assert desk.lots() == {"a": 0.25, "b": 0.15, "c": 0.1}
    closed = [e for e in desk.events() if e.kind is Kind.CLOSED]
    assert len({e.venue_deal for e in closed}) == 1
    [deal] = [d for d in desk.venue.deals(0) if d.fill.deal == closed[0].venue_deal]
    assert sum(e.profit for e in closed) == pytest.approx(deal.fill.profit)
    desk.poll(6)
    desk.poll(12)
    assert desk.history.problem == ""
    again = open_desk()
    assert again.lots() == {"a": 0.25, "b": 0.15, "c": 0.1}


def test_a_person_who_turns_the_account_over_suspends_the_symbol(open_desk) -> None:
    desk = open_desk()
    desk.trade(1.0, strategy="a")
    desk.by_hand(mt5.ORDER_TYPE_SELL, 0.7)
    desk.poll(3)
    assert (desk.lots(), round(desk.account(), 8)) == ({}, -0.2)
    assert desk.trade(1.0, strategy="b")[-1] == "entry denied"
    desk.by_hand(mt5.ORDER_TYPE_BUY, 0.2)
    desk.poll(5)
    assert not desk.book.broker.foreign
    assert desk.trade(1.0, strategy="b")[-1] == "entry filled"


def test_nothing_is_sent_while_account_and_books_differ(open_desk) -> None:
    desk = open_desk()
    desk.trade(1.0, strategy="a")
    desk.by_hand(mt5.ORDER_TYPE_SELL, 0.1)
    before = len(desk.terminal.sent)
    assert desk.trade(-1.0, strategy="b")[-1] == "entry rejected"
    assert "the account holds 0.4 lots, the books 0.5" in desk.events()[-1].reason
    assert len(desk.terminal.sent) == before


def test_lots_that_nobody_explains_halt_until_a_person_takes_them_as_others(open_desk) -> None:
    desk = open_desk()
    desk.trade(1.0, strategy="a")
    desk.at(3)
    assert desk.parts.lots is not None
    desk.terminal.hides_history = True
    desk.by_hand(mt5.ORDER_TYPE_SELL, 0.1)
    for second in (4, 7, 11):
        desk.at(second)
        desk.parts.lots.poll()
    assert (desk.trading.state, desk.trading.current.by) == ("halted", "positions")
    assert "EURUSD -0.1 lots" in desk.parts.lots.problem
    resumed = ControlCommand("active", "ann", "it is mine", desk.clock.now_us() + 1)
    trading_control.write(desk.control, resumed)
    desk.trading.poll()
    desk.at(12)
    desk.parts.lots.poll()
    assert desk.book.account_lots(*FEED) == pytest.approx(0.4)
    assert desk.book.broker.is_suspended(*FEED)
    assert (desk.lots(), desk.trading.state) == ({"a": 0.5}, "active")


def test_an_order_that_is_lost_shares_out_nothing_until_it_is_found(open_desk) -> None:
    desk = open_desk()
    desk.trade(1.0, strategy="a")
    desk.terminal.lose = ["answer"]
    assert desk.trade(-1.0, strategy="b")[-1] == "entry unknown"
    assert desk.lots() == {"a": 0.5}
    desk.poll(3)
    assert desk.lots() == {"a": 0.5, "b": -0.3}


def test_one_strategy_alone_goes_on_with_what_several_left(open_desk) -> None:
    desk = open_desk()
    desk.trade(1.0, strategy="a")
    desk.trade(-1.0, strategy="b")
    alone = open_desk(strategies=None)
    assert alone.venue.shared
    assert alone.lots() == {"a": 0.5, "b": -0.3}


LOTS = st.lists(st.integers(0, 500), min_size=1, max_size=8)


@given(held=LOTS, part=st.floats(0, 1), amount=st.integers(-10_000_000, 10_000_000))
def test_shares_sum_to_the_lot_step_and_to_the_cent(
    held: list[int], part: float, amount: int
) -> None:
    total = int(sum(held) * part)
    given_ = virtual.shares(total, held)
    assert sum(given_) == (total if sum(held) else 0)
    assert all(0 <= mine <= most for mine, most in zip(given_, held, strict=True))
    exact = [total * one / (sum(held) or 1) for one in held]
    assert all(abs(mine - one) < 1 for mine, one in zip(given_, exact, strict=True))
    lots = [one / 100 for one in held]
    money = virtual.cents_shared(amount / 100, lots)
    assert round(sum(money) * 100) == (amount if sum(lots) else round(sum(money) * 100))
    assert all(round(one * 100, 6) == round(one * 100) for one in money)


@given(held=LOTS, part=st.floats(0, 1))
def test_who_holds_more_never_gets_less(held: list[int], part: float) -> None:
    given_ = virtual.shares(int(sum(held) * part), held)
    pairs = sorted(zip(held, given_, strict=True))
    gaps = [b[1] - a[1] for a, b in pairwise(pairs) if a[0] < b[0]]
    assert all(gap >= -1 for gap in gaps)
