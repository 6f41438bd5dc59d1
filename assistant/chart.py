"""Candles of a symbol as a picture, for an assistant that can look at one."""

from importlib.util import find_spec

from adapters.clickhouse.bounded import Bounded
from core.errors import InputError

MOST_CANDLES = 300


def drawn(given: Bounded, symbol: str, span: str) -> tuple[str, bytes]:
    """What it shows, in words, and the picture as PNG.

    Raises:
        InputError: there is nothing of it, or no package that draws.
    """
    if find_spec("matplotlib") is None:
        raise InputError("chart", "drawing needs matplotlib: pip install 'tickhouse[charts]'")
    if not given.rows:
        raise InputError("symbol", f"there are no bars of {symbol}: schema, query tick")
    from charts.phone_chart import PhoneCandle, PhoneChart

    source = str(given.rows[0][0])
    candles = [PhoneCandle(*row[1:]) for row in reversed(given.rows)]
    title = f"{symbol} of {source}: {len(candles)} candles of {span}, the last at"
    title += f" {candles[-1].close:g}"
    return title, PhoneChart(title, candles, [], 0.0, 0.0).png()
