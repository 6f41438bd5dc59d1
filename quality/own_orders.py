"""How unusual our own orders are: rules that a person can read, and an isolation forest.

Every entry is set beside those before it, never beside later ones: its size, its hour, its
slippage and how often its like came in the last minute. The forest (Liu, Ting and Zhou 2008)
learns the same four figures from orders of before the span that is scored. A score is a word to
people; nothing is ever blocked by it.
"""

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated

VERSION = "1"
ALERT = 0.8
RULES = ("size", "hour", "slippage", "repeats")
_LEAST = 30  # orders before one of them says anything about the next
_LEAST_TRAINED = 200
_MINUTE_US = 60_000_000
_TREES, _SEED = 200, 7
Floats = npt.NDArray[np.float64]


class OwnOrder(NamedTuple):
    """One entry. Volumes in lots, prices in quote currency; `filled` 0: it was not."""

    run_id: str
    mode: str
    account: str
    strategy: str
    source: str
    symbol: str
    order_id: str
    ts_event_us: int
    side: str
    volume: float
    mid: float  # at the decision
    traded: float  # price times lots of its fills
    filled: float


class Score(NamedTuple):
    """What is unusual about one order; the columns of table `order_score`."""

    order: OwnOrder
    size_ratio: float
    hour_share: float
    slippage_z: float
    repeats: float
    rule_score: float
    forest_score: float  # -1 where it learned from too few
    score: float
    reason: str
    trained_on: int


def scored(orders: Sequence[OwnOrder], since_us: int) -> list[Score]:
    """Scores of the orders from a time on; those before it are what the forest learns from.

    Args:
        orders: of one run, in order of time.
    """
    if not orders:
        return []
    figures = _figures(orders)
    words = _words(figures)
    trained = sum(order.ts_event_us < since_us for order in orders)
    forest = _forest(figures[:trained], figures[trained:])
    return [
        _score(order, figures[at], words[at], float(forest[at - trained]), trained)
        for at, order in enumerate(orders)
        if at >= trained
    ]


def read(client: Client, run_id: str, from_us: int, until_us: int) -> list[OwnOrder]:
    """The entries of a run in a span of market time.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    statement = resources.files("quality").joinpath("sql/own_orders.sql").read_text()
    parameters = {"run_id": run_id, "from_us": from_us, "until_us": until_us}
    with errors_translated():
        rows = client.query(statement, parameters=parameters).result_rows
    return [OwnOrder(*row) for row in rows]


def store(client: Client, scores: Iterable[Score]) -> int:
    """Keep scores, one row per order; how many.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    rows = [_row(score) for score in scores]
    if rows:
        with errors_translated():
            client.insert("order_score", rows, column_names=_COLUMNS)
    return len(rows)


def _figures(orders: Sequence[OwnOrder]) -> Floats:
    """Size ratio, hour's share, slippage and repeats of each, by those before it; shape (n, 4)."""
    sizes: dict[tuple[str, ...], list[float]] = defaultdict(list)
    slips: dict[tuple[str, ...], list[float]] = defaultdict(list)
    hours: dict[str, npt.NDArray[np.int64]] = defaultdict(lambda: np.zeros(24, np.int64))
    recent: dict[tuple[str, ...], deque[int]] = defaultdict(deque)
    figures = np.zeros((len(orders), len(RULES)))
    for at, order in enumerate(orders):
        feed = order.strategy, order.source, order.symbol
        hour, slip = _hour(order), _slippage_bp(order)
        figures[at, 0] = order.volume / _median(sizes[feed]) if len(sizes[feed]) else 1.0
        figures[at, 1] = _share(hours[order.strategy], hour)
        figures[at, 2] = 0.0 if slip is None else _deviations(slips[feed], slip)
        figures[at, 3] = _repeats(recent[*feed, order.side], order.ts_event_us)
        insort(sizes[feed], order.volume)
        hours[order.strategy][hour] += 1
        if slip is not None:
            insort(slips[feed], slip)
    return figures


def _words(figures: Floats) -> Floats:
    """What each rule says, 0 to 1; above 0.8 is worth a look. Shape (n, 4).

    Size: 8 times the median is 1, the median 0, by powers of two. Hour: 1 where none of a hundred
    came in it, 0 from one in fifty on. Slippage: 1 at ten robust deviations, 0 at three. Repeats:
    1 at ten in a minute, 0 at two.
    """
    size, hour, slippage, repeats = figures.T
    said = (
        np.log2(np.maximum(size, 1.0)) / 3.0,
        (0.02 - hour) / 0.02,
        (slippage - 3.0) / 7.0,
        (repeats - 2.0) / 8.0,
    )
    return np.asarray(np.clip(np.stack(said, axis=1), 0.0, 1.0))


def _forest(before: Floats, fresh: Floats) -> Floats:
    """0 for the median of the orders before, 0.8 for the oddest of them; -1 for too few of them."""
    if len(before) < _LEAST_TRAINED or not len(fresh):
        return np.full(len(fresh), -1.0)
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=_TREES, random_state=_SEED, n_jobs=1).fit(_shaped(before))
    known = -forest.score_samples(_shaped(before))
    usual, oddest = float(np.median(known)), float(known.max())
    unusual = -forest.score_samples(_shaped(fresh))
    scale = max(oddest - usual, 1e-9) / ALERT
    return np.asarray(np.clip((unusual - usual) / scale, 0.0, 1.0))


def _shaped(figures: Floats) -> Floats:
    """Sizes by their logarithm: twice as much is as unusual as half as much."""
    shaped = figures.copy()
    shaped[:, 0] = np.log2(np.maximum(shaped[:, 0], 1e-6))
    return shaped


def _score(
    order: OwnOrder, figures: Floats, words: Floats, forest: float, trained: int
) -> Score:  # fmt: skip
    strongest = int(np.argmax(words))
    rule = float(words[strongest])
    reason = "forest" if forest > rule else RULES[strongest] if rule > 0 else ""
    size, hour, slippage, repeats = map(float, figures)
    total = max(rule, forest, 0.0)
    return Score(
        order=order,
        size_ratio=size,
        hour_share=hour,
        slippage_z=slippage,
        repeats=repeats,
        rule_score=rule,
        forest_score=forest,
        score=total,
        reason=reason,
        trained_on=trained,
    )


def _hour(order: OwnOrder) -> int:
    return datetime.fromtimestamp(order.ts_event_us / 1e6, UTC).hour


def _slippage_bp(order: OwnOrder) -> float | None:
    """How much worse than the mid it filled, basis points; None for one that did not."""
    if not order.filled or not order.mid:
        return None
    worse = order.traded / order.filled / order.mid - 1.0
    return (worse if order.side == "buy" else -worse) * 1e4


def _share(counts: npt.NDArray[np.int64], hour: int) -> float:
    total = int(counts.sum())
    return float(counts[hour]) / total if total >= 100 else 1.0


def _repeats(times: deque[int], now_us: int) -> float:
    """Orders in the minute before; and remember this one."""
    while times and times[0] <= now_us - _MINUTE_US:
        times.popleft()
    times.append(now_us)
    return float(len(times) - 1)


def _deviations(known: list[float], value: float) -> float:
    """Distance from the median in robust deviations (1.4826 times the median one); 0 for few."""
    if len(known) < _LEAST:
        return 0.0
    middle = _median(known)
    spread = 1.4826 * float(np.median(np.abs(np.array(known) - middle)))
    return (value - middle) / max(spread, 1e-3)


def _median(known: list[float]) -> float:
    """Of a sorted list that is not empty."""
    half = len(known) // 2
    return known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2


_COLUMNS = (
    "run_id", "mode", "account", "strategy", "source", "symbol", "order_id", "ts_event",
    "size_ratio", "hour_share", "slippage_z", "repeats", "rule_score", "forest_score", "score",
    "reason", "trained_on", "version",
)  # fmt: skip


def _row(score: Score) -> tuple[Any, ...]:
    order = score.order
    time = datetime.fromtimestamp(order.ts_event_us / 1e6, UTC)
    return (*order[:7], time, *score[1:], VERSION)
