"""Costs: rollovers over a week and a change of clocks, frictions from the request alone."""

from datetime import UTC, datetime, timedelta

from adapters.mt5.protocol.results import TradeRequest
from adapters.simulator.broker.costs import Frictions, draw, money, nights, quote_profit


def msc(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


def test_a_week_has_seven_nights_in_five_rollovers() -> None:
    result = nights(msc(2024, 1, 7, 23), msc(2024, 1, 14, 23))  # Sunday to Sunday
    assert [count for _, count in result] == [1, 1, 3, 1, 1]
    assert result[0][0] == msc(2024, 1, 8, 22)


def test_rollover_follows_new_yorks_summer_time() -> None:
    assert nights(msc(2024, 7, 9, 0), msc(2024, 7, 10, 0)) == [(msc(2024, 7, 9, 21), 1)]


def test_rollovers_of_parts_are_those_of_the_whole() -> None:
    start, complete = msc(2024, 3, 1, 0), []
    for hours in range(24 * 20):
        begin = start + hours * 3_600_000
        complete += nights(begin, begin + 3_600_000)
    assert complete == nights(start, start + 24 * 20 * 3_600_000)


def test_profit_is_lots_times_contract_times_move() -> None:
    assert round(quote_profit(True, 0.5, 100_000, 1.1, 1.2), 6) == 5000
    assert round(quote_profit(False, 0.5, 100_000, 1.1, 1.2), 6) == -5000
    assert str(money(-0.001)) == "0.0"


def test_friction_depends_on_feed_side_leg_time_and_seed_alone() -> None:
    frictions, form = Frictions(), TradeRequest(symbol="EURUSD", volume=0.1, comment="a", magic=1)
    first = draw(frictions, form, "x", 1000, 7)
    same = form._replace(sl=1.0, price=2.0, comment="of another run", magic=2)
    assert first == draw(frictions, same, "x", 1000, 7)
    for change in ({"symbol": "GBPUSD"}, {"type": 1}, {"position": 9}):
        assert first != draw(frictions, form._replace(**change), "x", 1000, 7)
    assert first != draw(frictions, form, "y", 1000, 7)
    others = [draw(frictions, form, "x", 1000 + i, 7) for i in range(500)]
    others += [draw(frictions, form, "x", 1000 + i, 8) for i in range(500)]
    assert {d.latency_ms for d in others} >= set(range(30, 110))
    assert all(20 <= d.latency_ms <= 120 and 0 <= d.slip_spreads < 0.2 for d in others)
    share = sum(d.slip_spreads > 0 for d in others) / len(others)
    assert 0.25 < share < 0.35
    assert timedelta(milliseconds=first.latency_ms) < timedelta(seconds=1)
