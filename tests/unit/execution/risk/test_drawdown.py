"""The ladder of drawdown: half size, no entries, halted; and how a person goes on from there."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.contracts.order import EventKind as Kind
from core.trading_control import ControlCommand, write
from execution.broker.poller import PollerParts
from execution.risk import drawdown
from execution.risk.limits import Breakers
from execution.risk.trading_state import TradingState
from tests.unit.execution.desk import KEY, Desk

AS_SHIPPED = Breakers()


@pytest.mark.parametrize(
    ("share", "wanted", "factor"),
    [
        (0.0, "none", 1.0),
        (0.0499, "none", 1.0),
        (0.05, "none", 0.5),
        (0.0799, "none", 0.5),
        (0.08, "reducing", 0.5),
        (0.10, "halted", 0.5),
        (1.2, "halted", 0.5),
    ],
)
def test_each_rung_begins_at_its_share(share: float, wanted: str, factor: float) -> None:
    assert drawdown.action(share, AS_SHIPPED) == wanted
    assert drawdown.size_factor(share, AS_SHIPPED) == factor


def test_a_rung_at_inf_is_none() -> None:
    none = Breakers(
        half_at_drawdown=float("inf"),
        reducing_at_drawdown=float("inf"),
        halted_at_drawdown=float("inf"),
    )
    assert drawdown.action(0.99, none) == "none"
    assert drawdown.size_factor(0.99, none) == 1.0


@pytest.fixture
def control(tmp_path: Path) -> Path:
    return tmp_path / "control.json"


@pytest.fixture
def desk(tmp_path: Path, control: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path, control=control)
    yield opened
    opened.close()


@pytest.fixture
def falls_to(desk: Desk) -> Callable[[float], PollerParts]:
    """The account is seen at its deposit, then at a share of it."""
    watched = desk.watched()
    watched.equity.observe(desk.venue.account())

    def fall(share: float) -> PollerParts:
        desk.clock.advance(desk.clock.now_us() + 1_000_000)
        watched.equity.observe(replace(desk.venue.account(), equity=100_000.0 * share))
        watched.ladder.check()
        return watched

    return fall


def test_at_five_percent_new_entries_have_half_their_size_and_what_is_held_stays(
    desk: Desk, falls_to: Callable[[float], PollerParts]
) -> None:
    desk.trade(1.0)
    assert desk.book.net(KEY) == 0.1
    falls_to(0.94)
    assert desk.trading.state == "active"
    desk.at(5)
    assert desk.trade(1.0) == ["entry received"]  # no closing of the half
    assert desk.book.net(KEY) == 0.1
    desk.at(7)
    desk.trade(-1.0)
    assert desk.book.net(KEY) == -0.05


def test_at_eight_percent_exits_pass_and_nothing_enters(
    desk: Desk, falls_to: Callable[[float], PollerParts]
) -> None:
    desk.trade(1.0)
    falls_to(0.92)
    assert desk.trading.current.state == "reducing"
    assert "8.00% below its highest, limit 8.00%" in desk.trading.current.reason
    desk.at(5)
    assert desk.trade(-1.0)[-1] == "entry denied"
    assert desk.events()[-1].reason == "reducing"
    assert desk.book.net(KEY) == 0


def test_at_ten_percent_trading_is_halted_also_after_a_restart(
    desk: Desk, falls_to: Callable[[float], PollerParts], tmp_path: Path, control: Path
) -> None:
    desk.trading = TradingState(control, tmp_path / "breakers.json")
    watched = desk.watched()
    watched.equity.observe(desk.venue.account())
    for share in (0.91, 0.90):
        watched.equity.observe(replace(desk.venue.account(), equity=100_000.0 * share))
        watched.ladder.check()
    assert desk.trading.current.state == "halted"
    assert TradingState(control, tmp_path / "breakers.json").current.by == drawdown.NAME


def test_who_resumes_accepts_the_drawdown_which_then_counts_anew_also_after_a_restart(
    desk: Desk, falls_to: Callable[[float], PollerParts], tmp_path: Path, control: Path
) -> None:
    falls_to(0.91)
    assert desk.trading.state == "reducing"
    desk.clock.advance(desk.clock.now_us() + 1_000_000)
    write(control, ControlCommand("active", "ann", "the cause is mended", desk.clock.now_us()))
    desk.trading.poll()
    falls_to(0.905)  # far below the first high
    assert desk.trading.state == "active"
    (accepted,) = [e for e in desk.events() if e.purpose == "drawdown_accepted"]
    assert (accepted.kind, accepted.profit) == (Kind.BOOKED, 0.0)
    assert accepted.reason == "accepted by ann: the cause is mended"
    desk.close()
    again = Desk(tmp_path, control=control)
    watched = again.watched()
    with contextlib.closing(again):
        for share, state in ((0.90, "active"), (0.905 * 0.91, "reducing"), (0.905 * 0.9, "halted")):
            watched.equity.observe(replace(again.venue.account(), equity=100_000.0 * share))
            watched.ladder.check()
            assert again.trading.state == state
