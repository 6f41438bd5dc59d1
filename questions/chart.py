"""An answer as a Vega-Lite chart, for any viewer of that format: bars, or a line over time."""

from collections.abc import Sequence
from typing import Any

from questions.answer import Answer

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_OVER_TIME = {"day", "week", "month", "hour"}


def chart(answer: Answer) -> dict[str, Any]:
    """The specification, with the rows in it; of one figure, a single bar."""
    plan = answer.plan
    over_time = plan is not None and is_over_time(plan.dimensions, plan.order)
    return chart_of(answer.rows, answer.says, over_time=over_time)


def is_over_time(dimensions: Sequence[str], order: str) -> bool:
    """Whether an answer's first column is time, and in its order."""
    return bool(dimensions) and dimensions[0] in _OVER_TIME and not order


def chart_of(given: Sequence[dict[str, Any]], title: str, *, over_time: bool) -> dict[str, Any]:
    """The specification of rows by column: the last number of each, by its first column."""
    rows = [{name: _plain(value) for name, value in row.items()} for row in given]
    columns = list(rows[0]) if rows else []
    values = [name for name in columns if any(isinstance(row[name], int | float) for row in rows)]
    value = values[-1] if values else ""
    keys = [name for name in columns if name != value]
    encoding: dict[str, Any] = {"y": {"field": value, "type": "quantitative"}}
    if keys:
        encoding["x"] = {"field": keys[0], "type": "ordinal", "sort": None}
    if len(keys) > 1:
        encoding["color"] = {"field": keys[1], "type": "nominal"}
    return {
        "$schema": _SCHEMA, "title": title, "data": {"values": rows},
        "mark": {"type": "line" if over_time else "bar", "tooltip": True}, "encoding": encoding,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
