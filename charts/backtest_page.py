"""Plots of a backtest's page, as inline SVG."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from charts.inline_svg import ACCENT, BAD, BALANCE, GOOD, RULE, Axes, dates, svg, utc

_MOST_POINTS = 2_000

Values = Any  # an array of float64, or of int64 where they are times


class Curve(Protocol):
    """Equity and balance at times (epoch µs), in account currency."""

    @property
    def time_us(self) -> Values: ...  # noqa: D102
    @property
    def equity(self) -> Values: ...  # noqa: D102
    @property
    def balance(self) -> Values: ...  # noqa: D102


class Trade(Protocol):
    """A closed position: when it was opened, and its best, worst and final profit."""

    @property
    def opened_us(self) -> int: ...  # noqa: D102
    @property
    def mfe(self) -> float: ...  # noqa: D102
    @property
    def mae(self) -> float: ...  # noqa: D102
    @property
    def net(self) -> float: ...  # noqa: D102


def equity(curve: Curve, deposit: float, span_us: tuple[int, int]) -> str:
    """Balance and equity over time."""

    def draw(axes: Axes) -> None:
        values = (curve.equity, curve.balance)
        times, (equity_, balance) = _thin(curve.time_us, values, deposit, span_us)
        axes.step(times, balance, where="post", color=BALANCE, linewidth=1.6)
        axes.plot(times, equity_, color=ACCENT, linewidth=0.9)
        axes.axhline(deposit, color=RULE, linewidth=1.0)
        dates(axes)

    return svg(draw, "Balance and equity over time", (9.6, 3.1))


def drawdown(curve: Curve, deposit: float, span_us: tuple[int, int]) -> str:
    """Fall of equity below its peak, percent."""

    def draw(axes: Axes) -> None:
        peak = np.maximum(np.maximum.accumulate(curve.equity), deposit) if len(curve.equity) else 0
        fallen = (curve.equity / peak - 1.0) * 100.0
        times, (drops,) = _thin(curve.time_us, (fallen,), 0.0, span_us, lowest=True)
        axes.fill_between(times, drops, 0.0, color=BAD, alpha=0.28, linewidth=0)
        axes.plot(times, drops, color=BAD, linewidth=0.8)
        axes.set_ylabel("%")
        dates(axes)

    return svg(draw, "Drawdown of equity, percent of its peak", (9.6, 1.7))


def excursions(trades: Sequence[Trade]) -> str:
    """Best and worst floating profit of every trade against what it ended with."""

    def draw(axes: Axes) -> None:
        nets = [trade.net for trade in trades]
        size = max(6.0, min(22.0, 6000.0 / max(len(trades), 1)))
        for values, colour in (([t.mfe for t in trades], GOOD), ([t.mae for t in trades], BAD)):
            axes.scatter(values, nets, s=size, color=colour, alpha=0.5, linewidths=0)
        axes.axhline(0.0, color=RULE, linewidth=1.0)
        axes.axvline(0.0, color=RULE, linewidth=1.0)
        axes.set_xlabel("floating profit while open")
        axes.set_ylabel("net result")

    return svg(draw, "Excursions of every trade", (4.7, 3.0))


def by_hour(trades: Sequence[Trade]) -> str:
    """Net profit by the hour a trade was opened, UTC."""
    sums = np.zeros(24)
    for trade in trades:
        sums[utc(trade.opened_us).hour] += trade.net
    return _bars(sums, [f"{h:02d}" if h % 3 == 0 else "" for h in range(24)], "hour of entry, UTC")


def by_weekday(trades: Sequence[Trade]) -> str:
    """Net profit by the weekday a trade was opened, UTC."""
    sums = np.zeros(7)
    for trade in trades:
        sums[utc(trade.opened_us).weekday()] += trade.net
    return _bars(sums, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "day of entry, UTC")


def _bars(values: Any, labels: list[str], about: str) -> str:
    def draw(axes: Axes) -> None:
        colours = [GOOD if value >= 0 else BAD for value in values]
        axes.bar(range(len(values)), values, color=colours, width=0.72)
        axes.axhline(0.0, color=RULE, linewidth=1.0)
        axes.set_xticks(range(len(values)), labels)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(about)

    return svg(draw, f"Net profit by {about}", (4.7, 2.4))


def _thin(
    time_us: Values,
    drawn: Sequence[Values],
    before: float,
    span_us: tuple[int, int],
    *,
    lowest: bool = False,
) -> tuple[list[datetime], list[Values]]:
    """At most so many points, each the last of its stretch (or the lowest), from start to end."""
    times = np.concatenate([[span_us[0]], time_us, [span_us[1]]])
    cuts = np.unique(np.linspace(0, len(times) - 1, _MOST_POINTS).astype(int))
    whole = (
        np.concatenate([[before], values, values[-1:] if len(values) else [before]])
        for values in drawn
    )
    shown = [np.minimum.reduceat(v, cuts) if lowest else v[cuts] for v in whole]
    return [utc(int(t)) for t in times[cuts]], shown
