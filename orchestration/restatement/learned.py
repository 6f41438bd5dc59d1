"""Features, labels and models that saw a tick which was corrected later: counted and marked.

What was decided stays as it was decided, so nothing of it is rewritten. Trainings compute marked
rows again from the corrected ticks (models.training.corrected); a model that learnt from them
before is named.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from models.serving.registry import Registry
from orchestration.restatement import rows, work
from orchestration.restatement.rows import MARKED, Change, Restatement
from orchestration.restatement.work import Desk
from quality.trading_day import bounds

_TICKS = """
SELECT count(), toUnixTimestamp64Milli(min(ts_event)), toUnixTimestamp64Milli(max(ts_event)),
    toUnixTimestamp64Micro(max(ts_known))
FROM tick_version FINAL
WHERE correction_id = {correction:String} AND source = {source:String} AND symbol = {symbol:String}
    AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
"""
_ROWS = Path(__file__).with_name("rows_in_reach.sql").read_text()
_TOLERANCE_MSC = 30_000  # as models.training.labels: how old a later quote may be


class Reach(NamedTuple):
    """Milliseconds between which rows may have seen the ticks; of other symbols up to `peers`."""

    first: int
    last: int
    peers: int
    known_us: int  # when the correction became known, microseconds


def restate(desk: Desk) -> list[Restatement]:
    """Count, mark, close.

    Raises:
        ModelError: a model's card is damaged.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    closed = []
    for what in ("feature", "label"):
        for one in rows.due(desk.client, what):
            reach = _reach(desk, one)
            changes = _marked(desk.client, one, reach) if reach else {}
            if what == "feature" and reach:
                _mark_models(desk, one, reach)
            closed.append(work.finish(desk, one, changes, MARKED))
    return closed


def _reach(desk: Desk, one: Restatement) -> Reach | None:
    start, end = bounds(one.trading_day)
    given = {
        "correction": one.correction_id, "source": one.source, "symbol": one.symbol,
        "start": start, "end": end,
    }  # fmt: skip
    with errors_translated():
        count, first, last, known_us = desk.client.query(_TICKS, parameters=given).result_rows[0]
    if not count:
        return None
    if one.what == "label":
        horizon = round(desk.settings.models.horizon_s * 1000)
        since = first - horizon - _TOLERANCE_MSC
        return Reach(since, last, since - 1, known_us)  # none of the other symbols
    # Late: they stand beside kernels, whose compiler takes a second in each of Dagster's processes.
    from features.peers import MEMORY_MSC
    from models.training.corrected import FORGOTTEN_MSC

    return Reach(first, last + FORGOTTEN_MSC, last + MEMORY_MSC, known_us)


def _marked(client: Client, one: Restatement, reach: Reach) -> dict[str, Change]:
    given: Mapping[str, Any] = {"source": one.source, "symbol": one.symbol, **reach._asdict()}
    with errors_translated():
        answer = client.query(_ROWS, parameters=dict(given)).result_rows
    span = {"from": _time(reach.first)}
    return {
        f"{run_id} {symbol}": Change(
            int(count),
            span | {"to": _time(reach.last if symbol == one.symbol else reach.peers)},
            "kept as decided; trainings compute them again from the corrected ticks",
        )
        for run_id, symbol, count in answer
    }


def _mark_models(desk: Desk, one: Restatement, reach: Reach) -> None:
    """Models whose rows lie within reach, and that read before the correction was known."""
    feed = f"{one.source}.{one.symbol}"
    marked = [
        Restatement(
            one.correction_id, "model", card.sha256, one.trading_day, one.source, one.symbol,
            MARKED, rows=card.train.rows + card.held_back.rows,
            before=rows.text({"dataset": card.dataset, "data_hash": card.data_hash}),
            after=rows.text("learnt from ticks that were corrected since; train again"),
        )
        for card in Registry(desk.settings.home_path / "models").cards()
        if feed in card.feeds
        and card.train.start_us <= reach.last * 1000
        and card.held_back.end_us >= reach.first * 1000
        and (card.data is None or card.data.known_us < reach.known_us)
    ]  # fmt: skip
    rows.write(desk.client, marked, desk.clock.now_us())


def _time(msc: int) -> str:
    return datetime.fromtimestamp(msc / 1000, UTC).isoformat()
