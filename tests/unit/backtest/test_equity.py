import numpy as np
import pytest
from msgspec.structs import replace

from backtest.equity import Drawdowns, EquityCurve
from core.contracts.order import EventKind, OrderEvent
from core.contracts.tick import TICK
from execution.replay_slices import Slice

START_US = 1_704_801_600_000_000
FEED = ("oanda", "EURUSD")


def naive_fall(values, deposit):
    """Drawdowns by the definition, value after value."""
    peak, low, maximal, relative = deposit, deposit, (0.0, 0.0), (0.0, 0.0)
    for value in values:
        peak, low = max(peak, value), min(low, value)
        money = peak - value
        maximal, relative = (
            max(maximal, (money, money / peak)),
            max(relative, (money / peak, money)),
        )
    return (max(deposit - low, 0.0), *maximal, *relative)


def test_drawdowns_equal_the_definition_however_the_series_is_cut():
    random = np.random.default_rng(7)
    values = 10_000 + np.cumsum(random.normal(0, 30, 2_000))
    for cuts in ([], [1, 2, 500], sorted(random.integers(0, 2_000, 40))):
        falls = Drawdowns(10_000)
        for piece in np.split(values, cuts):
            falls.add(piece)
        fall = falls.drawdown
        result = (fall.absolute, fall.maximal, fall.maximal_share, fall.relative,
                 fall.relative_money)  # fmt: skip
        assert result == pytest.approx(naive_fall(values, 10_000))


def ticks(first_s, bids):
    """One quote a second, 2 points wide."""
    built = np.zeros(len(bids), TICK)
    built["time_msc"] = START_US // 1000 + (first_s + np.arange(len(bids))) * 1000
    built["bid"], built["ask"] = bids, np.array(bids) + 0.0002
    return built


def fill(second, side, price, purpose="entry", **more):
    given = {"commission": -0.35, "arrival_mid": price - 0.0001, **more}
    return OrderEvent(
        seq=0, event_id="", kind=EventKind.FILLED, run_id="r", mode="backtest", account="a",
        strategy="s", order_id="o", signal_id="signal", source=FEED[0], symbol=FEED[1],
        ts_event_us=START_US + second * 1_000_000, ts_init_us=0, side=side, purpose=purpose,
        volume=0.1, price=price, venue_position=7, **given,
    )  # fmt: skip


def watched(slices, deposit=1_000.0):
    """A watch over (ticks, events until then)."""
    watch = EquityCurve(deposit, 1_000_000, lambda *_: 1.0, dict)
    events = []
    for number, (array, more) in enumerate(slices, 1):
        events += more
        end_us = int(array["time_msc"][-1]) * 1000
        watch.add(Slice(number, end_us, {FEED: [array]}, []), events)
    return watch


def test_one_long_trade_over_two_slices_worked_by_hand():
    """0.1 lots are 1 USD a pip: bought at 1.1002, it sees +3, -4 and ends at +1 pip."""
    watch = watched(
        [
            (ticks(0, [1.1, 1.1, 1.1005]), [fill(1, "buy", 1.1002)]),
            (
                ticks(3, [1.0998, 1.1003, 1.1]),
                [fill(4, "sell", 1.1003, "horizon", profit=1.0, arrival_mid=1.1004)],
            ),
        ]
    )
    curve = watch.finish()
    (trade,) = watch.trades
    assert (trade.net, trade.commission) == pytest.approx((0.3, -0.7))
    assert (trade.mfe, trade.mae) == pytest.approx((3.0, -4.0))
    assert trade.cost == pytest.approx(2.0)  # one pip against the mid, on both sides
    assert curve.equity == pytest.approx([1000, 997.65, 1002.65, 995.65, 1000.3, 1000.3])
    assert curve.balance == pytest.approx([1000, 999.65, 999.65, 999.65, 1000.3, 1000.3])
    assert watch.equity.drawdown.maximal == pytest.approx(7.0)
    assert watch.settled.drawdown.maximal == pytest.approx(0.35)


def test_what_is_open_at_the_end_is_valued_at_the_side_that_closes_it():
    watch = watched([(ticks(0, [1.1, 1.1, 1.0990]), [fill(1, "sell", 1.1)])])
    watch.finish()
    (trade,) = watch.trades
    assert (trade.cause, trade.exit_price) == ("end", pytest.approx(1.0992))
    assert trade.net == pytest.approx(8.0 - 0.35)


def test_a_fill_after_the_slice_it_was_sent_in_counts_from_its_own_time():
    slices = [(ticks(0, [1.1, 1.1]), [fill(3, "buy", 1.1002)]), (ticks(2, [1.0, 1.2]), [])]
    watch = watched(slices)
    watch.finish()
    assert watch.trades[0].mae == 0.0
    assert watch.equity.drawdown.maximal == 0.0


def test_a_position_closed_in_parts_gives_a_trade_per_part():
    closing = [
        replace(fill(2, "sell", 1.1003, "opposite", profit=0.5), volume=0.04),
        replace(fill(3, "sell", 1.1, "horizon", profit=-1.2), volume=0.06),
    ]
    watch = watched([(ticks(0, [1.1] * 5), [fill(1, "buy", 1.1002), *closing])])
    watch.finish()
    assert [(t.volume, t.cause) for t in watch.trades] == [(0.04, "opposite"), (0.06, "horizon")]
    assert sum(t.commission for t in watch.trades) == pytest.approx(-3 * 0.35)
