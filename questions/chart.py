"""An answer as a Vega-Lite chart, for any viewer of that format: bars, or a line over time."""

from typing import Any

from questions.answer import Answer

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_OVER_TIME = {"day", "week", "month", "hour"}


def chart(answer: Answer) -> dict[str, Any]:
    """The specification, with the rows in it; of one figure, a single bar."""
    rows = [{name: _plain(value) for name, value in row.items()} for row in answer.rows]
    columns = list(rows[0]) if rows else []
    values = [name for name in columns if any(isinstance(row[name], int | float) for row in rows)]
    value = values[-1] if values else ""
    keys = [name for name in columns if name != value]
    over_time = (
        bool(answer.plan.dimensions)
        and answer.plan.dimensions[0] in _OVER_TIME
        and not answer.plan.order
    )
    encoding: dict[str, Any] = {"y": {"field": value, "type": "quantitative"}}
    if keys:
        encoding["x"] = {"field": keys[0], "type": "ordinal", "sort": None}
    if len(keys) > 1:
        encoding["color"] = {"field": keys[1], "type": "nominal"}
    return {
        "$schema": _SCHEMA, "title": answer.says, "data": {"values": rows},
        "mark": {"type": "line" if over_time else "bar", "tooltip": True}, "encoding": encoding,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
