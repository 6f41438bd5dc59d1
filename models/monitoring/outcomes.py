"""Predictions beside what came of them, and what deciding on them would have earned.

The answer is the label the model was trained on. The money is that of the decision engine's own
rule (threshold, agreement, veto, edge against spread and slippage; one position at a time per
feed, held to its horizon) on mid prices less a spread and slippage, in bp of the price: what a
comparison of two models needs, not what an account made.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.sections import ModelSettings, SignalSettings
from features.catalog import NAMES
from models.serving.card import CLASSES, Span
from models.serving.manifest import ModelManifest
from models.training.barriers import ANSWERS
from models.training.dataset import read_quotes
from models.training.labels import (
    UNLABELLED,
    LabelRule,
    MidSeries,
    feeds_apart,
    moves_by_feed,
)
from strategies.edge import Costs, edge_bp, target_share
from strategies.protocol import NOTHING_HELD, entries

_SQL = Path(__file__).with_name("outcomes.sql").read_text()
_TABLES = {
    "champion": "prediction", "challenger": "shadow_prediction", "named": "named_prediction",
}  # fmt: skip
_VOLATILITY, _SPREAD = NAMES.index("volatility_60s"), NAMES.index("spread_bp")

Floats = npt.NDArray[np.float64]


class Outcomes(NamedTuple):
    """Rows of several feeds, feed by feed in time order. All arrays have n rows.

    Attributes:
        feed: int32. time_us: int64.
        probabilities: float32 (n, 3). members: calibrated, float32 (n, M, 3), NaN when absent.
        veto: bool.
        label: 0 down, 1 flat, 2 up, -1 when the answer is not known (yet).
        net_bp: what the position opened at this row brought, NaN where none was opened.
    """

    feed: npt.NDArray[np.int32]
    time_us: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    members: npt.NDArray[np.float32]
    veto: npt.NDArray[np.bool_]
    label: npt.NDArray[np.int8]
    net_bp: Floats

    def answered(self) -> npt.NDArray[np.bool_]:
        """Rows whose answer is known."""
        known: npt.NDArray[np.bool_] = self.label != UNLABELLED
        return known


def read_outcomes(
    client: Client,
    run_id: str,
    model: str,
    role: str,
    span: Span,
    manifest: ModelManifest,
    signals: SignalSettings,
    learnt: ModelSettings,
) -> Outcomes:
    """The predictions of a run's model in a role, with their answers.

    Args:
        learnt: the settings it was trained with, whose label is its answer.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    query = _SQL.replace("predictions_of_role", _TABLES[role])
    given = {"run_id": run_id, "model": model, "start_us": span.start_us, "end_us": span.end_us}
    with errors_translated():
        columns = client.query(query, given, column_oriented=True).result_columns
    if not columns or not len(columns[0]):
        return _empty(len(manifest.members))
    source, symbol, time_us, down, flat, up, agreement, veto, members, mid, spread, *rest = columns
    names, feed = np.unique(np.array([f"{a}.{b}" for a, b in zip(source, symbol, strict=True)]),
                            return_inverse=True)  # fmt: skip
    count = len(feed)
    rows = np.full((count, len(NAMES)), np.nan, np.float32)
    rows[:, _VOLATILITY], rows[:, _SPREAD] = rest[0], rest[1]
    probabilities = np.column_stack([down, flat, up]).astype(np.float32)
    times, mids, spreads = np.array(time_us), np.array(mid), np.array(spread)
    rule = LabelRule(round(manifest.horizon_s * 1e6), learnt.label_spreads)
    feeds = feed.astype(np.int32)
    # A barrier needs the quote after its horizon, which shows that the market did not close.
    beyond_us = rule.gap_us if learnt.labels == "barrier" else rule.tolerance_us
    quotes = _quotes(client, names.tolist(), times, rule, beyond_us, span)
    sure = ~np.array(veto, bool) & (np.array(agreement) >= signals.min_agreement)
    direction = _directions(rows, probabilities, sure, manifest, signals)
    outputs = np.array(members, np.float32).reshape(count, -1, len(CLASSES))
    return Outcomes(
        feeds, times, probabilities, outputs, np.array(veto, bool),
        ANSWERS[learnt.labels](feeds, times, mids, spreads, rule, quotes).label,
        _net_bp(
            feed=feeds, time_us=times, mid=mids, rows=rows, direction=direction, rule=rule,
            signals=signals, quotes=quotes,
        ),
    )  # fmt: skip


def _quotes(
    client: Client,
    feeds: Sequence[str],
    time_us: npt.NDArray[np.int64],
    rule: LabelRule,
    beyond_us: int,
    span: Span,
) -> tuple[MidSeries, ...]:
    """Ticks as far as the predictions' answers reach, and none after the span."""
    end_us = min(int(time_us.max()) + rule.horizon_us + beyond_us, span.end_us)
    reach = Span(int(time_us.min()), end_us)
    named = [feed.partition(".") for feed in feeds]
    quotes_by_feed = tuple(
        read_quotes(client, source, symbol, reach) for source, _, symbol in named
    )
    return quotes_by_feed if all(len(quotes.time_us) for quotes in quotes_by_feed) else ()


def _empty(members: int) -> Outcomes:
    return Outcomes(
        np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros((0, 3), np.float32),
        np.zeros((0, members, 3), np.float32), np.zeros(0, bool), np.zeros(0, np.int8), np.zeros(0),
    )  # fmt: skip


def _directions(
    rows: npt.NDArray[np.float32],
    probabilities: npt.NDArray[np.float32],
    sure: npt.NDArray[np.bool_],
    manifest: ModelManifest,
    signals: SignalSettings,
) -> npt.NDArray[np.int8]:
    down, up = probabilities[:, 0], probabilities[:, 2]
    direction = np.where(up > down, 1, -1) * (np.maximum(down, up) >= signals.threshold)
    edge = edge_bp(rows, probabilities, manifest.gains, manifest.horizon_s)
    share = target_share(rows, edge, Costs(signals.slippage_bp))
    return np.where(sure & (np.sign(share) == direction), direction, 0).astype(np.int8)


def _net_bp(
    feed: npt.NDArray[np.int32],
    time_us: npt.NDArray[np.int64],
    mid: Floats,
    rows: npt.NDArray[np.float32],
    direction: npt.NDArray[np.int8],
    rule: LabelRule,
    signals: SignalSettings,
    quotes: Sequence[MidSeries],
) -> Floats:
    net = np.full(len(feed), np.nan)
    move_bp = moves_by_feed(feed, time_us, mid, rule, quotes) / mid * 1e4
    for own, _ in feeds_apart(feed):
        _, chosen = entries(
            NOTHING_HELD, time_us[own] // 1000, direction[own], rule.horizon_us // 1000
        )
        for row in (own.start + at for at in chosen):
            cost = abs(float(rows[row, _SPREAD])) + signals.slippage_bp
            net[row] = move_bp[row] * direction[row] - cost  # NaN while the answer is not known
    return net
