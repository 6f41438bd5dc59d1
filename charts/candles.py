"""Candles with the entries and exits of trades, as inline SVG."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from charts.inline_svg import ACCENT, BAD, BALANCE, GOOD, INK, Axes, dates, svg, utc

_MOST_TRADES = 300


class Bars(Protocol):
    """Candles: times in epoch microseconds, prices; arrays (n,)."""

    @property
    def step_us(self) -> int: ...  # noqa: D102
    @property
    def time_us(self) -> Any: ...  # noqa: D102
    @property
    def open(self) -> Any: ...  # noqa: D102
    @property
    def high(self) -> Any: ...  # noqa: D102
    @property
    def low(self) -> Any: ...  # noqa: D102
    @property
    def close(self) -> Any: ...  # noqa: D102


class Trade(Protocol):
    """Where a position was opened and closed."""

    @property
    def side(self) -> str: ...  # noqa: D102
    @property
    def opened_us(self) -> int: ...  # noqa: D102
    @property
    def closed_us(self) -> int: ...  # noqa: D102
    @property
    def price(self) -> float: ...  # noqa: D102
    @property
    def exit_price(self) -> float: ...  # noqa: D102
    @property
    def net(self) -> float: ...  # noqa: D102


def candles(bars: Bars, trades: Sequence[Trade], title: str) -> str:
    """Candles, and of at most three hundred trades entry, exit and what lies between."""
    shown = evenly(trades)

    def draw(axes: Axes) -> None:
        days = bars.step_us / 86_400e6
        middle = [utc(int(t)) for t in bars.time_us + bars.step_us // 2]
        rose = bars.close >= bars.open
        for mask, colour in ((rose, GOOD), (~rose, BAD)):
            if not mask.any():
                continue
            times = [time for time, keep in zip(middle, mask, strict=True) if keep]
            axes.vlines(times, bars.low[mask], bars.high[mask], color=colour, lw=0.6, alpha=0.55)
            body = np.abs(bars.close - bars.open)[mask]
            bottom = np.minimum(bars.open, bars.close)[mask]
            axes.bar(times, body, days * 0.7, bottom, color=colour, alpha=0.55, linewidth=0)
        _trades(axes, shown)
        axes.margins(y=0.06)
        dates(axes)

    return svg(draw, title, (9.6, 3.4))


def evenly(trades: Sequence[Trade]) -> Sequence[Trade]:
    """At most three hundred, evenly over all of them: more would hide the prices."""
    if len(trades) <= _MOST_TRADES:
        return trades
    places = np.unique(np.linspace(0, len(trades) - 1, _MOST_TRADES).round().astype(int))
    return [trades[place] for place in places.tolist()]


def _trades(axes: Axes, trades: Sequence[Trade]) -> None:
    for won, colour in ((True, ACCENT), (False, BALANCE)):
        for trade in trades:
            if (trade.net > 0) == won:
                times = [utc(trade.opened_us), utc(trade.closed_us)]
                axes.plot(times, [trade.price, trade.exit_price], color=colour, lw=0.9, alpha=0.8)
    for side, marker in (("buy", "^"), ("sell", "v")):
        own = [trade for trade in trades if trade.side == side]
        entries = [utc(trade.opened_us) for trade in own]
        axes.scatter(entries, [t.price for t in own], s=17, marker=marker, color=INK, linewidths=0,
                     zorder=3)  # fmt: skip
    exits = [utc(trade.closed_us) for trade in trades]
    axes.scatter(exits, [t.exit_price for t in trades], s=11, marker="x", color=INK, linewidths=0.8,
                 zorder=3)  # fmt: skip
