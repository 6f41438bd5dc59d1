"""A halt takes back what waits at the venue, and says what becomes of positions."""

import threading
from pathlib import Path

from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import VenueOrder
from adapters.simulator.faults import Fault, Faults
from adapters.simulator.package import SimulatedPackage
from core.contracts.operations import RiskState
from core.sections import TerminalSettings
from core.topics import RISK
from core.trading_control import ControlCommand, write
from tests.unit.execution.desk import Desk, flat, story


class Slow(Desk):
    """A desk at a broker that fills bit by bit."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, rows=flat(seconds=300))
        self.faults = Faults()
        package = SimulatedPackage(
            self.terminal._inner, lambda: self.clock.now_us() // 1000, lambda _: None, self.faults
        )
        settings = TerminalSettings(kind="real", source="oanda", symbols=("EURUSD",))
        real = RealTerminal(settings, package)
        real.initialize()
        self.venue = Venue(real, 60.0)
        self.reconciler._venue = self.venue
        self.engine.working._venue = self.venue
        self.funds._venue = self.engine._venue = self.engine._pre_trade_risk._venue = self.venue
        self.engine.contexts._venue = self.engine._wanted._venue = self.venue


def test_a_halt_takes_back_the_rest_of_an_order_and_keeps_what_was_filled(tmp_path: Path) -> None:
    desk = Slow(tmp_path)
    desk.faults.sends.append(Fault("staggered", delay_ms=60_000, share=0.4))
    assert story_kinds(desk.trade(1.0)) == ["received", "submitted", "accepted", "partially_filled"]
    watched = desk.watched()
    desk.at(3)
    before = len(desk.events())
    watched.working.cancel()
    watched.reconciler.again()
    seen = desk.events()[before:]
    assert story(seen) == ["entry cancelling", "entry cancelled"]
    assert seen[-1].volume == 0.06
    assert [p.volume for p in desk.venue.positions()] == [0.04]
    assert not desk.book.unsettled
    desk.close()


def test_parts_of_a_fill_are_journalled_as_they_come(tmp_path: Path) -> None:
    desk = Slow(tmp_path)
    desk.faults.sends.append(Fault("staggered", delay_ms=3000, share=0.4))
    desk.trade(1.0)
    assert [p.volume for p in desk.book.positions.values()] == [0.04]
    desk.at(5)
    desk.reconciler.again()
    assert [p.volume for p in desk.book.positions.values()] == [0.07]
    desk.at(9)
    desk.reconciler.again()
    assert [p.volume for p in desk.book.positions.values()] == [0.1]
    assert desk.events()[-1].kind == "filled"
    desk.close()


def test_orders_of_others_are_left_alone(tmp_path: Path) -> None:
    desk = Slow(tmp_path)
    desk.faults.sends.append(Fault("staggered", delay_ms=60_000, share=0.4))
    desk.venue.send(VenueOrder(
        order_id="f" * 30, source="oanda", symbol="EURUSD", side="buy", volume=0.1, price=1.1001,
        stop_price=1.09, tolerance=0.01,
    ))  # fmt: skip
    desk.watched().working.cancel()
    assert [o.volume for o in desk.venue.working()] == [0.06]
    desk.close()


def test_a_halt_says_what_becomes_of_positions(tmp_path: Path) -> None:
    desk = Desk(tmp_path, control=tmp_path / "control.json")
    driver = desk.live(threading.Event())
    for positions in ("keep", "flatten"):
        order = ControlCommand("halted", "ann", "news", len(positions), positions)  # type: ignore[arg-type]
        write(tmp_path / "control.json", order)
        desk.trading.poll()
        driver._announce()
    states = [m for m in desk.bus.messages(RISK) if isinstance(m, RiskState)]
    assert [s.reason for s in states] == [
        "news (positions keep their stops)", "news (positions are closed)",
    ]  # fmt: skip
    desk.close()


def story_kinds(story: list[str]) -> list[str]:
    return [line.split()[1] for line in story]
