"""The market of the simulated worlds: a few random walks, made once per process."""

from functools import lru_cache
from random import Random

from adapters.simulator.markets.recorded import RecordedMarket
from tests.support.markets import TUESDAY, ArrayTicks, Rows, ticks

SOURCE = "sim"
SYMBOLS = {"EURUSD": (1.1, 1e-5, 5), "XAUUSD": (2000.0, 0.01, 2)}
MINUTES = 40
VARIANTS = 4


@lru_cache(maxsize=VARIANTS)
def market(variant: int) -> RecordedMarket:
    """Two symbols, a quote about every 0.7 s."""
    files = [
        ArrayTicks(SOURCE, symbol, ticks(_rows(f"{variant}{symbol}", *shape)), chunk=5000)
        for symbol, shape in SYMBOLS.items()
    ]
    return RecordedMarket(files)


def _rows(name: str, price: float, step: float, digits: int) -> Rows:
    rng = Random(name)
    rows, time = [], TUESDAY
    while time < TUESDAY + MINUTES * 60_000:
        time += rng.choice((200, 400, 700, 1100, 1300))
        price += rng.choice((-9, -4, -1, 0, 1, 4, 9)) * step
        spread = step * rng.randint(5, 12)
        rows.append((time, round(price, digits), round(price + spread, digits)))
    return rows
