"""What is kept, by name: each list's records, where they lie, and how it is gone through.

A statement is written from this table alone; what a caller gives is bound, never written.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import msgspec

from api import queries, rows
from api.queries import Page
from api.scopes import Scope

_SELECT = """SELECT {shown} FROM (
    SELECT {columns} FROM {place}
    WHERE {conditions}
    ORDER BY {order}
    LIMIT {{most:UInt32}}
)"""
_BEGIN = "{time} >= fromUnixTimestamp64Micro({{begin:Int64}}, 'UTC')"
_END = "{time} < fromUnixTimestamp64Micro({{end:Int64}}, 'UTC')"


class Resource(NamedTuple):
    """One list. `order`: columns that name a row among what the required filters leave.

    filters: columns by the parameter that each must equal; those of `always` also when empty.
    """

    scope: Scope
    says: str
    record: type[msgspec.Struct]
    query: type[Page]
    place: str
    tables: tuple[str, ...]  # whose change changes the answer
    order: tuple[str, ...]
    filters: Mapping[str, str] = {}
    time: str = "ts_event"


_FEED = {"source": "source", "symbol": "symbol"}
_RUN = {"run": "run_id", "account": "account"}
_BARS = ("tick", "bar_1m", "bar_5m", "bar_1h")

RESOURCES: Mapping[str, Resource] = {
    "ticks": Resource(
        scope="market", says="Ticks of a feed as they came", record=rows.Tick, query=queries.Feed,
        place="tick FINAL", tables=("tick",), order=("ts_event", "seq"), filters=_FEED,
    ),
    "bars": Resource(
        scope="market", says="Bars of a feed", record=rows.Bar, query=queries.Bars, place="bar",
        tables=_BARS, order=("ts_open",), filters=_FEED | {"interval": "interval"}, time="ts_open",
    ),
    "features": Resource(
        scope="market", says="Feature vectors of a feed", record=rows.Feature,
        query=queries.RunFeed, place="feature FINAL", tables=("feature",),
        order=("ts_event", "seq"), filters={"run": "run_id"} | _FEED,
    ),
    "predictions": Resource(
        scope="market", says="What the model said of each sampled tick", record=rows.Prediction,
        query=queries.RunFeed, place="prediction FINAL", tables=("prediction",),
        order=("ts_event", "seq"), filters={"run": "run_id"} | _FEED,
    ),
    "signals": Resource(
        scope="desk", says="Target positions that strategies asked for", record=rows.Signal,
        query=queries.RunSignals, place="signal FINAL", tables=("signal",),
        order=("ts_event", "signal_id"),
        filters=_RUN | {"symbol": "symbol", "strategy": "strategy"},
    ),
    "orders": Resource(
        scope="desk", says="Every step of every order, denials with the rule that denied",
        record=rows.OrderEvent, query=queries.RunOrders, place="order_event FINAL",
        tables=("order_event",), order=("seq", "event_id"),
        filters=_RUN | {"order_id": "order_id", "signal_id": "signal_id", "symbol": "symbol",
                        "kind": "kind"},
    ),
    "positions": Resource(
        scope="desk", says="Net positions after each change", record=rows.Position,
        query=queries.RunSignals, place="position FINAL", tables=("position",),
        order=("ts_event", "seq"), filters=_RUN | {"symbol": "symbol", "strategy": "strategy"},
    ),
    "accounts": Resource(
        scope="desk", says="Balance, equity and margin as the terminal reported them",
        record=rows.Account, query=queries.Run, place="account_state FINAL",
        tables=("account_state",), order=("ts_event", "seq"), filters=_RUN,
    ),
    "risk": Resource(
        scope="desk", says="What could be lost, minute by minute", record=rows.Risk,
        query=queries.RunStrategies, place="portfolio_risk FINAL", tables=("portfolio_risk",),
        order=("ts_event", "strategy"), filters=_RUN | {"strategy": "strategy"},
    ),
    "models": Resource(
        scope="desk", says="Registered models", record=rows.Model, query=queries.Models,
        place="model FINAL", tables=("model",), order=("ts_init", "model"),
        filters={"name": "name"}, time="ts_init",
    ),
}  # fmt: skip

#: Types that cursors and filters of columns are bound as.
_TYPES = {"seq": "UInt64"}


def statement(resource: Resource, given: set[str], *, as_json: bool) -> str:
    """The SELECT of a page.

    Args:
        given: parameters that are bound; `after` among them: it goes on from a cursor.
        as_json: with times as text; else as the warehouse has them.
    """
    fields = msgspec.structs.fields(resource.record)
    columns = ", ".join(f"`{field.name}`" for field in fields)
    shown = ", ".join(map(_shown, fields)) if as_json else columns
    return _SELECT.format(
        shown=shown, columns=columns, place=resource.place,
        conditions=" AND ".join(_conditions(resource, given)) or "1",
        order=", ".join(f"`{name}`" for name in resource.order),
    )  # fmt: skip


def _conditions(resource: Resource, given: set[str]) -> list[str]:
    conditions = [
        f"`{column}` = {{{name}:String}}" for name, column in resource.filters.items()
        if name in given
    ]  # fmt: skip
    if "begin" in given:
        conditions.append(_BEGIN.format(time=resource.time))
    if "end" in given:
        conditions.append(_END.format(time=resource.time))
    if "after" in given:
        conditions += _after(resource)
    return conditions


def _after(resource: Resource) -> list[str]:
    columns = ", ".join(f"`{name}`" for name in resource.order)
    values = ", ".join(_bound(resource, at) for at in range(len(resource.order)))
    # The first alone serves the primary key, the tuple cuts exactly.
    return [f"`{resource.order[0]}` >= {_bound(resource, 0)}", f"({columns}) > ({values})"]


def _bound(resource: Resource, at: int) -> str:
    name = resource.order[at]
    if name.startswith("ts_"):
        return f"fromUnixTimestamp64Micro({{after{at}:Int64}}, 'UTC')"
    return f"{{after{at}:{_TYPES.get(name, 'String')}}}"


def _shown(field: Any) -> str:
    name, how = f"`{field.name}`", column_of(field.type)
    if how == "time":
        return f"formatDateTime({name}, '%FT%T.%fZ', 'UTC') AS {name}"
    return f"toString({name}) AS {name}" if how == "text" else name


def column_of(kind: Any) -> str:
    """How a field is read: time, text (of an integer), or as it is."""
    for meta in get_args(kind)[1:]:
        if isinstance(meta, msgspec.Meta) and meta.extra:
            return str(meta.extra["column"])
    return ""
