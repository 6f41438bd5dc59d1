"""Small hand-written markets for tests of the simulated terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.terminal import SimulatedTerminal

TUESDAY = 1_704_801_600_000  # 2024-01-09 12:00 UTC
NO_FRICTION = Frictions(latency_ms=(0, 0), slip_probability=0.0, slip_spreads=0.0)

Rows = Sequence[tuple[int, float, float]]  # time_msc, bid, ask


def ticks(rows: Rows) -> npt.NDArray[Any]:
    """Rows as an array of MT5_TICK."""
    array = np.zeros(len(rows), MT5_TICK)
    for name, column in zip(("time_msc", "bid", "ask"), zip(*rows, strict=True), strict=False):
        array[name] = column
    array["time"] = array["time_msc"] // 1000
    return array


class ArrayTicks:
    """A tick file in memory, in chunks of any length."""

    def __init__(self, source: str, symbol: str, array: npt.NDArray[Any], chunk: int = 3) -> None:
        self.source, self.symbol, self.path = source, symbol, f"{symbol}_{source}"
        self._array, self._chunk = array, chunk

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        for start in range(0, len(self._array), self._chunk):
            yield self._array[start : start + self._chunk]


def market(feeds: dict[str, Rows], chunk: int = 3, **options: int) -> RecordedMarket:
    """`feeds`: rows by `SYMBOL_source`."""
    files = [
        ArrayTicks(name.split("_")[1], name.split("_")[0], ticks(rows), chunk)
        for name, rows in feeds.items()
    ]
    return RecordedMarket(files, **options)


def terminal(
    feeds: dict[str, Rows], frictions: Frictions = NO_FRICTION, log: Path | None = None, **kw: Any
) -> SimulatedTerminal:
    """A simulated terminal on a hand-written market, by default without friction."""
    return SimulatedTerminal(market(feeds), frictions=frictions, log=log, **kw)


def order(symbol: str, side: str, volume: float = 0.1, **more: Any) -> dict[str, Any]:
    """A market order."""
    kind = mt5.ORDER_TYPE_BUY if side == "buy" else mt5.ORDER_TYPE_SELL
    return {
        "action": mt5.TRADE_ACTION_DEAL, "symbol": symbol, "volume": volume, "type": kind,
        "magic": 7, "comment": "t", "type_filling": mt5.ORDER_FILLING_IOC, **more,
    }  # fmt: skip


def send_at(term: SimulatedTerminal, time_msc: int, request: dict[str, Any]) -> Any:
    """Send a request at a market time (milliseconds)."""
    term.at(time_msc)
    return term.order_send(request)
