"""Highest equity and the day's opening, as they survive a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.broker import operations
from execution.risk.day_clock import LASTS_S
from execution.risk.equity import EquityWatch
from tests.unit.execution.desk import RUN, Desk, HandTimer

FIVE_PM_S = 10 * 3600  # 17:00 New York, after TUESDAY's 12:00 UTC


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.close()


def observe(desk: Desk, watch: EquityWatch, seconds: float, equity: float) -> None:
    desk.clock.advance(desk.clock.now_us() + round(seconds * 1e6))
    watch.observe(replace(desk.venue.account(), equity=equity))


def restarted(desk: Desk, home: Path) -> Desk:
    desk.close()
    return Desk(home)


def test_a_high_survives_a_restart_and_so_does_the_drawdown(desk: Desk, tmp_path: Path) -> None:
    watch = EquityWatch(RUN, desk.clock, desk.timer, desk.ledger, desk.outbox)
    for equity in (1000.0, 1200.0, 1100.0):
        observe(desk, watch, 1, equity)
    again = restarted(desk, tmp_path)
    assert again.ledger.activity.drawdown(1100.0) == 100.0
    again.close()


def test_the_days_opening_is_what_was_seen_last_before_five_in_new_york(
    desk: Desk, tmp_path: Path
) -> None:
    watch = EquityWatch(RUN, desk.clock, desk.timer, desk.ledger, desk.outbox)
    observe(desk, watch, 1, 1000.0)
    observe(desk, watch, FIVE_PM_S - 60, 950.0)
    observe(desk, watch, 1, 940.0)
    observe(desk, watch, 120, 930.0)
    now = desk.clock.now_us()
    assert desk.ledger.activity.daily_loss(900.0, now) == 40.0
    again = restarted(desk, tmp_path)
    assert again.ledger.activity.daily_loss(900.0, now) == 40.0
    assert again.ledger.activity.equity == desk.ledger.activity.equity
    again.close()


@pytest.mark.parametrize("jump_s", [86_400, -86_400])
def test_a_clock_that_is_off_for_a_moment_takes_no_loss_of_the_day_away(
    desk: Desk, tmp_path: Path, jump_s: int
) -> None:
    timer = HandTimer()
    watch = EquityWatch(RUN, desk.clock, timer, desk.ledger, desk.outbox)
    account = desk.venue.account()
    watch.observe(replace(account, equity=1000.0))
    for off_s in (jump_s, -jump_s):
        desk.clock._now_us += off_s * 1_000_000
        for equity in (950.0, 940.0):
            watch.observe(replace(account, equity=equity))
            timer.sleep(1.0)
            desk.clock._now_us += 1_000_000
    now = desk.clock.now_us()
    assert desk.ledger.activity.daily_loss(940.0, now) == 60.0
    again = restarted(desk, tmp_path)
    assert again.ledger.activity.daily_loss(940.0, now) == 60.0
    again.close()


def test_a_day_that_began_while_the_machine_slept_counts_from_what_was_seen_last(
    desk: Desk,
) -> None:
    timer = HandTimer()
    watch = EquityWatch(RUN, desk.clock, timer, desk.ledger, desk.outbox)
    account = desk.venue.account()
    for equity in (1000.0, 950.0):
        watch.observe(replace(account, equity=equity))
    desk.clock._now_us += 86_400_000_000
    for _ in range(round(LASTS_S) + 2):
        watch.observe(replace(account, equity=940.0))
        timer.sleep(1.0)
        desk.clock._now_us += 1_000_000
    assert desk.ledger.activity.daily_loss(930.0, desk.clock.now_us()) == 10.0


def test_what_nobody_needs_after_a_restart_only_goes_out(desk: Desk) -> None:
    watch = EquityWatch(RUN, desk.clock, desk.timer, desk.ledger, desk.outbox)
    observe(desk, watch, 1, 1000.0)
    size = desk.journal._at
    for _ in range(10):
        observe(desk, watch, 1, 999.0)
    assert desk.journal._at == size
    watch.keep()
    assert desk.journal._at > size


def test_money_paid_in_or_out_is_no_gain_and_no_loss(desk: Desk) -> None:
    watched = desk.watched()
    watched.events.poll()
    observe(desk, watched.equity, 1, 100_000.0)
    desk.terminal.act(operations.money(mt5.DEAL_TYPE_BALANCE, -40_000.0))
    watched.events.poll()
    assert desk.ledger.activity.drawdown(60_000.0) == 0.0
    assert desk.ledger.activity.daily_loss(60_000.0, desk.clock.now_us()) == 0.0
