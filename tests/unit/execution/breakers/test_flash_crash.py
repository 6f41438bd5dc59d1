"""Crashes against real ticks: true ones trip at once, payrolls are a choice, nothing else."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from execution.breakers.flash_crash import FlashCrash, FlashCrashWatch
from execution.order_path.quotes import tape
from execution.risk.limits import Breakers
from tests.support.reference_ticks import DATA, reference_ticks

Quotes = list[tuple[int, float]]
TIGHT = Breakers(crash_move_1s=0.0007, crash_move_10s=0.001, crash_move_60s=0.0015)
PAYROLLS = int(datetime(2014, 5, 2, 12, 30, tzinfo=UTC).timestamp() * 1e6)


@pytest.fixture(scope="module")
def euro(reference_data: Path) -> Quotes:
    quotes = tape(reference_ticks("EURUSD_oanda"))
    return list(zip(quotes.time_us.tolist(), ((quotes.bid + quotes.ask) / 2).tolist(), strict=True))


def crashes(quotes: Quotes, limits: Breakers) -> list[FlashCrash]:
    watch = FlashCrashWatch(limits)
    return [crash for quote in quotes if (crash := watch.observe(*quote))]


def test_thirteen_days_of_euro_give_no_alarm(euro: Quotes) -> None:
    assert len(euro) > 400_000
    assert crashes(euro, Breakers()) == []


def test_payrolls_are_a_choice_of_thresholds(euro: Quotes) -> None:
    hours = 3_600_000_000
    around = [q for q in euro if PAYROLLS - 2 * hours < q[0] < PAYROLLS + hours]
    first = crashes(around, TIGHT)[0]
    assert 0 <= first.time_us - PAYROLLS < 10_000_000
    assert crashes(around, Breakers()) == []


@pytest.mark.parametrize(
    ("name", "hour", "seconds"),
    [
        ("USDCHF", datetime(2015, 1, 15, 9, tzinfo=UTC), 600),
        ("GBPUSD", datetime(2016, 10, 6, 23, tzinfo=UTC), 120),
        ("AUDJPY", datetime(2019, 1, 2, 22, tzinfo=UTC), 240),
    ],
)
@pytest.mark.usefixtures("reference_data")
def test_a_true_crash_of_that_size_trips_early(name: str, hour: datetime, seconds: int) -> None:
    high, low = bar(name, hour)
    begin, quotes = 600, list(path(high, low, 600, seconds))
    first = crashes(quotes, Breakers())[0]
    lost = (high - next(mid for at, mid in quotes if at == first.time_us)) / (high - low)
    assert first.time_us >= begin * 1_000_000
    assert lost < 0.5


def bar(name: str, hour: datetime) -> tuple[float, float]:
    """Open and low of the hour with the crash."""
    table = pq.read_table(DATA / "bars" / f"{name}_h1_ejtrader.parquet")
    index = table["time_msc"].to_pylist().index(int(hour.timestamp() * 1000))
    return table["open"][index].as_py(), table["low"][index].as_py()


def path(high: float, low: float, quiet_s: int, crash_s: int) -> Iterator[tuple[int, float]]:
    """Four quotes a second: quiet around the open, then down to the low in even steps."""
    chance, mid = random.Random(7), high
    for number in range(4 * quiet_s):
        mid = high * math.exp(chance.gauss(0, 2e-5))
        yield number * 250_000, mid
    for number in range(4 * crash_s):
        share = (number + 1) / (4 * crash_s)
        yield (4 * quiet_s + number) * 250_000, high + (low - high) * share


def test_a_single_odd_quote_is_no_crash() -> None:
    quotes = list(path(1.1, 1.1, 300, 0))
    quotes += [(300_000_000, 0.9), (300_100_000, 1.1), (300_200_000, 1.1)]
    assert crashes(quotes, Breakers()) == []


def test_the_second_quote_of_a_jump_shows_it() -> None:
    quotes = [*path(1.1, 1.1, 300, 0), (300_000_000, 1.0), (300_100_000, 1.0)]
    [crash] = crashes(quotes, Breakers())
    assert (crash.time_us, crash.window_s) == (300_100_000, 1)
    assert crash.move == pytest.approx(0.0909, abs=1e-3)


def test_a_gap_over_a_weekend_is_no_crash_and_too_few_quotes_say_nothing() -> None:
    quiet = list(path(1.1, 1.1, 300, 0))
    later = [(quiet[-1][0] + 172_800_000_000 + at, 0.9 * mid) for at, mid in quiet]
    assert crashes(quiet + later, Breakers()) == []
    assert crashes([(0, 1.1), (250_000, 0.9), (500_000, 0.9)], Breakers()) == []


def test_the_same_move_is_no_crash_where_such_moves_are_usual() -> None:
    chance, mid, quotes = random.Random(7), 100.0, []
    for second in range(900):
        mid *= math.exp(chance.gauss(0, 2e-3))
        quotes.append((second * 1_000_000, mid))
    jump = [(900_000_000, mid * 0.985), (900_100_000, mid * 0.985)]
    assert crashes(quotes + jump, Breakers()) == []


def test_quotes_that_come_late_teach_nothing() -> None:
    quiet = [(second * 1_000_000, 1.1 + 1e-5 * (second % 3)) for second in range(300)]
    late = [(299_200_000, 1.0), (250_000_000, 1.0), (310_000_000, 1.0)]
    assert crashes([*quiet, *late], Breakers()) != []
