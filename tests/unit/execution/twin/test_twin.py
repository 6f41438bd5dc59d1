"""A second simulated terminal with other costs, given every order that the first one got."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import operations
from adapters.simulator.broker.matching import QUIET_MSC
from core.contracts.tick import TICK
from core.contracts.twin import TwinComparison
from core.sections import TerminalSettings, TwinSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS
from execution.twin.twin import Twin, is_wanted
from streams.flows.executions import to_rows
from tests.unit.execution.desk import Desk, flat

COSTS = TwinSettings("on", 400, 400, 1.0, 0.5)


class Paired(Desk):
    """A desk with a twin beside it."""

    def __init__(self, home: Path, settings: TwinSettings = COSTS) -> None:
        super().__init__(home)
        account = self.venue.account()
        self.twin = Twin(settings, self.bus, self.clock, self.book, self.venue, account)
        self.ledger.watchers.append(self.twin.observe)

    def tick(self, until_s: int, since_s: int = 0) -> None:
        """The twin gets the quiet market's ticks of some seconds."""
        rows = np.zeros(until_s - since_s, TICK)
        for n, (time_msc, bid, ask) in enumerate(flat()[since_s:until_s]):
            rows["time_msc"][n], rows["bid"][n], rows["ask"][n] = time_msc, bid, ask
        self.twin.ticks("oanda", "EURUSD", rows)

    def compared(self) -> list[TwinComparison]:
        self.twin.step()
        return [m for m in self.bus.messages(ORDER_EVENTS) if isinstance(m, TwinComparison)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Paired]:
    pair = Paired(tmp_path)
    yield pair
    pair.close()


def test_both_fills_of_an_order_stand_side_by_side(desk: Paired) -> None:
    desk.trade(1.0)
    desk.tick(60)
    [fills] = desk.compared()
    assert (fills.real_outcome, fills.twin_outcome) == ("filled", "filled")
    assert fills.real_price == 1.1001
    assert 1.1001 < fills.twin_price <= 1.10015  # it slips by up to half a spread
    assert (fills.real_latency_ms, fills.twin_latency_ms) == (0.0, 1000.0)
    assert fills.real_commission == fills.twin_commission == -0.35
    assert (fills.purpose, fills.volume, fills.price) == ("entry", 0.1, 1.1001)


def test_it_waits_for_the_ticks_that_its_fill_depends_on(desk: Paired) -> None:
    desk.trade(1.0)
    desk.tick(2)
    assert desk.compared() == []
    desk.tick(60, 2)
    assert len(desk.compared()) == 1


def test_a_closing_closes_the_twins_own_position(desk: Paired) -> None:
    desk.tick(200)
    desk.trade(1.0)
    desk.twin.step()
    desk.at(10)
    desk.trade(0.0)
    opened, closed = desk.compared()
    assert (opened.purpose, closed.purpose) == ("entry", "opposite")
    assert (closed.real_outcome, closed.twin_outcome) == ("filled", "filled")
    assert desk.twin._terminal.positions_get() == ()


def test_what_the_broker_rejects_the_twin_does_not_keep(desk: Paired) -> None:
    desk.tick(200)
    account = desk.terminal._inner._account
    decide = account.decide
    account.decide = lambda request, at: decide({**request, "price": 1.0, "deviation": 0}, at)  # type: ignore[method-assign]
    desk.trade(1.0)
    [fills] = desk.compared()
    assert (fills.real_outcome, fills.real_reason[:5]) == ("rejected", "10004")
    assert fills.twin_outcome == "filled"
    assert desk.twin._terminal.positions_get() == ()


def test_a_position_the_broker_closed_is_closed_at_the_twin_too(desk: Paired) -> None:
    desk.tick(200)
    desk.trade(1.0)
    desk.twin.step()
    desk.at(20)
    desk.terminal.act(operations.by_hand("EURUSD", mt5.ORDER_TYPE_SELL, 0.1, 1))
    desk.engine.poll()
    desk.twin.step()
    assert desk.twin._terminal.positions_get() == ()


def test_a_position_from_before_a_restart_is_taken_up_when_it_closes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(1.0)
    desk.close()
    again = Paired(tmp_path)
    again.tick(200)
    again.at(30)
    again.trade(0.0)
    [fills] = again.compared()
    assert (fills.purpose, fills.twin_outcome) == ("opposite", "filled")
    again.close()


def test_in_a_quiet_market_the_twin_takes_the_standing_quote(desk: Paired) -> None:
    desk.tick(2)
    desk.trade(1.0)
    desk.at(20)
    [fills] = desk.compared()
    assert (fills.twin_outcome, fills.twin_reason) == ("filled", "")
    assert fills.twin_latency_ms == 400.0 + QUIET_MSC


def test_a_comparison_becomes_a_row_of_its_table(desk: Paired) -> None:
    desk.trade(1.0)
    desk.tick(60)
    desk.twin.step()
    rows = [row for message in desk.bus.topics["order_events"] for row in to_rows(message)]
    assert [row.size for row in rows if row.table == "twin_comparison"] == [1]


def test_it_runs_beside_a_real_terminal_unless_told_otherwise() -> None:
    real = TerminalSettings(kind="real")
    assert is_wanted(Settings(terminal=real))
    assert not is_wanted(Settings())
    assert is_wanted(Settings(twin=TwinSettings("on")))
    assert not is_wanted(Settings(terminal=real, twin=TwinSettings("off")))
