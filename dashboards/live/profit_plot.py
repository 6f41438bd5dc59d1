"""Profit of each strategy, half hour by half hour, stacked: gains upwards, losses downwards."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

_WIDTH, _HEIGHT, _STEP_S = 720, 160, 1800
_SHOWN_S = 86_400
#: Told apart by most kinds of colour blindness (Okabe and Ito 2008); more strategies begin anew.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")


class Earned(NamedTuple):
    """What a strategy realised in the half hour from `at_s`, account currency."""

    strategy: str
    at_s: int
    profit: float


def plot(rows: Sequence[dict[str, Any]], currency: str) -> str:
    """SVG and its key with each strategy's sum; a sentence where nothing was closed."""
    earned = [Earned(row["strategy"], int(row["at_s"]), float(row["profit"])) for row in rows]
    if not earned:
        return "<p>Nothing was closed within a day.</p>"
    names = sorted({one.strategy for one in earned})
    colours = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}
    high, low = _reach(earned)
    scale = _HEIGHT / ((high - low) or 1.0)
    bars = "".join(_stack(earned, colours, high, scale))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img"'
        f' aria-label="profit by strategy, each half hour">{bars}'
        f'<line x1="0" x2="{_WIDTH}" y1="{high * scale:.1f}" y2="{high * scale:.1f}"'
        f' stroke="currentColor" opacity=".4"/></svg>{_key(earned, colours, currency)}'
    )


def _reach(earned: Sequence[Earned]) -> tuple[float, float]:
    """The highest and the lowest stack; 0 is always between them."""
    gains: dict[int, float] = {}
    losses: dict[int, float] = {}
    for one in earned:
        side = gains if one.profit > 0 else losses
        side[one.at_s] = side.get(one.at_s, 0.0) + one.profit
    return max(gains.values(), default=0.0), min(losses.values(), default=0.0)


def _stack(
    earned: Sequence[Earned], colours: dict[str, str], high: float, scale: float
) -> list[str]:
    end_s = max(one.at_s for one in earned) + _STEP_S
    width = _WIDTH * _STEP_S / _SHOWN_S
    tops: dict[tuple[int, bool], float] = {}
    bars = []
    for one in sorted(earned):
        below = tops.get((one.at_s, one.profit > 0), 0.0)
        tops[one.at_s, one.profit > 0] = below + one.profit
        x = _WIDTH * (1 - (end_s - one.at_s) / _SHOWN_S)
        y = (high - max(below, below + one.profit)) * scale
        bars.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}"'
            f' height="{abs(one.profit) * scale:.1f}" fill="{colours[one.strategy]}">'
            f"<title>{escape(one.strategy)} {one.profit:,.2f}</title></rect>"
        )
    return bars


def _key(earned: Sequence[Earned], colours: dict[str, str], currency: str) -> str:
    rows = "".join(
        f'<tr><td><i style="display:inline-block;width:.7em;height:.7em;background:{colour}"></i>'
        f" {escape(name)}"
        f'<td class="number">{sum(e.profit for e in earned if e.strategy == name):,.2f}</tr>'
        for name, colour in colours.items()
    )
    return (
        f'<table><thead><tr><th>strategy<th class="number">{escape(currency)}, a day'
        f"</thead><tbody>{rows}</tbody></table>"
    )
