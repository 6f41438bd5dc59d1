"""The statement of a plan: one SELECT on public tables and marts, and nothing that changes any."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from questions.catalog import Measure, Rows, measures
from questions.plan import Bound, Plan, Span

_MOST = 1000  # rows of an answer
_TIMES = {
    "hour": "toHour({time}, 'UTC')",
    "day": "toDate({time}, 'UTC')",
    "weekday": "toDayOfWeek({time}, 0, 'UTC')",
    "week": "toStartOfWeek({time}, 1, 'UTC')",
    "month": "toStartOfMonth({time}, 'UTC')",
}
_DAYS = {
    "day": "{time}",
    "weekday": "toDayOfWeek({time})",
    "week": "toStartOfWeek({time}, 1)",
    "month": "toStartOfMonth({time})",
}
_BP = "(toFloat64(ask - bid) / toFloat64(ask + bid) * 2e4)"
# As mart dim_symbol has it, and there before the mart is.
_OF_SYMBOL = (
    "transform(symbol, (SELECT groupArray(name) FROM (SELECT symbol AS name FROM {db}.instrument"
    " GROUP BY symbol ORDER BY symbol)), (SELECT groupArray(newest) FROM (SELECT symbol,"
    " argMax({column}, valid_from) AS newest"
    " FROM (SELECT *, pow(10, -toInt16(digits)) AS point FROM {db}.instrument FINAL)"
    " GROUP BY symbol ORDER BY symbol)), nan)"
)
_VAR = {"measure": "filtered", "confidence": "0.99", "horizon": "1d"}


class Place(NamedTuple):
    """Where rows stand: databases and mode."""

    db: str
    marts: str
    mode: str


def statement(plan: Plan, place: Place) -> str:
    """The SQL of a plan. Its words are ours: values are quoted, names come from the catalog."""
    names = plan.measure.split("+")
    rows, first = measures()[names[0]]
    chosen = [measures()[name][1] for name in names]
    if plan.is_none:
        return _none(plan, place, rows, chosen)
    if plan.moment and plan.dimensions:
        return _ends_of_each(plan, place, rows, first)
    if plan.lists or plan.moment:
        return _single(plan, place, rows, first)
    keys = [dimension for dimension in plan.dimensions if dimension in rows.row]
    if keys:
        return _of_rows(plan, place, rows, first, keys)
    value = _value(plan, first)
    if value.startswith("LIST"):
        where = _where(plan, place, rows, first)
        return _filled(
            f"SELECT {value.removeprefix('LIST')} FROM {rows.source}{where} ORDER BY ALL"
            f" LIMIT {_MOST}",
            plan,
            place,
            rows,
        )
    if plan.aggregate == "share" and not plan.dimensions and "share" not in first.values:
        return _share(plan, place, rows, first)
    if plan.aggregate == "groups":
        return f"SELECT count() AS Groups FROM ({_grouped(plan, place, rows, chosen)})"
    if plan.aggregate == "per_group":  # "the average number of trades per day"
        groups = _grouped(plan._replace(aggregate=""), place, rows, chosen)
        return f"SELECT avg({_titled(first)}) AS Mean FROM ({groups})"
    return _grouped(plan, place, rows, chosen)


def _none(plan: Plan, place: Place, rows: Rows, chosen: Sequence[Measure]) -> str:
    """Of all there are, those that are not among those that have some."""
    some = Bound(plan.measure, above=True, inclusive=False, amount=0, of_groups=True)
    having = _grouped(
        plan._replace(aggregate="", bounds=(some,), is_none=False), place, rows, chosen
    )
    columns = ", ".join(_dimension(name, rows) for name in plan.dimensions)
    names = ", ".join(_named(name) for name in plan.dimensions)
    kept = [f for f in plan.filters if f.column in plan.dimensions]
    every = _where(plan._replace(span=Span(), filters=tuple(kept)), place, rows, _ANY)
    shown = [f"{_dimension(name, rows)} AS {_named(name)}" for name in plan.dimensions]
    text = f"SELECT DISTINCT {', '.join(shown)} FROM {rows.source}{every}"
    text += f" AND ({columns}) NOT IN (SELECT {names} FROM ({having})) ORDER BY {names}"
    text = _filled(text, plan, place, rows)
    return f"SELECT count() AS Groups FROM ({text})" if plan.aggregate == "groups" else text


_ANY = Measure(name="any", words=(), values={})


def _ends_of_each(plan: Plan, place: Place, rows: Rows, measure: Measure) -> str:
    """When the newest or the oldest row of each was."""
    end = "max" if plan.order == "newest" else "min"
    keys = ", ".join(_named(name) for name in plan.dimensions)
    columns = [f"{_dimension(name, rows)} AS {_named(name)}" for name in plan.dimensions]
    where = _where(plan, place, rows, measure)
    text = f"SELECT {', '.join(columns)}, {end}({rows.time}) AS At FROM {rows.source}{where}"
    return _filled(f"{text} GROUP BY {keys} ORDER BY {keys} LIMIT {_MOST}", plan, place, rows)


def _single(plan: Plan, place: Place, rows: Rows, measure: Measure) -> str:
    """Rows as they are, or when they were; by time, or by the value."""
    columns = rows.time if plan.moment else rows.shown
    if plan.moment and plan.order in ("most", "least"):
        columns += f", {measure.values['row']} AS {_titled(measure)}"
    where = _where(plan, place, rows, measure)
    where += f" AND ({measure.row_where})" if measure.row_where != "1" else ""
    order = {
        "newest": f"{rows.time} DESC",
        "oldest": rows.time,
        "most": f"{measure.values.get('row')} DESC, {rows.time}",
        "least": f"{measure.values.get('row')}, {rows.time}",
    }.get(plan.order, "ALL")
    text = (
        f"SELECT {columns} FROM {rows.source}{where} ORDER BY {order} LIMIT {plan.limit or _MOST}"
    )
    return _filled(text, plan, place, rows)


def _grouped(plan: Plan, place: Place, rows: Rows, chosen: Sequence[Measure]) -> str:
    dimensions = [f"{_dimension(name, rows)} AS {_named(name)}" for name in plan.dimensions]
    values = _values(plan, chosen)
    if (
        "symbol" in plan.dimensions
        and chosen[0].pooled
        and plan.aggregate in chosen[0].pooled
        and not plan.order
    ):
        values.append(
            f"{chosen[0].pooled[plan.aggregate]} AS In_bp"
        )  # prices of symbols are no match
    text = f"SELECT {', '.join((*dimensions, *values))} FROM {rows.source}"
    text += _where(plan, place, rows, chosen[0])
    if dimensions:
        text += f" GROUP BY {', '.join(_named(name) for name in plan.dimensions)}"
        groups = [_bounded(b, _title(plan, chosen[0])) for b in plan.bounds if b.of_groups]
        text += f" HAVING {' AND '.join(groups)}" if groups else ""
    value = _title(plan, chosen[0])
    if plan.aggregate == "share" and plan.order and "share" not in chosen[0].values:
        value = f"({_value(plan, chosen[0])})"  # of a loss the largest share is not the best day's
    text += _order(plan, f"abs({value})" if chosen[0].signed else value)
    return _filled(text, plan, place, rows)


def _values(plan: Plan, chosen: Sequence[Measure]) -> list[str]:
    """Each figure; of one, each of several aggregates."""
    kinds = plan.aggregate.split("+")
    if len(kinds) == 1:
        return [f"{_shared(plan, measure)} AS {_title(plan, measure)}" for measure in chosen]
    first = chosen[0]
    return [
        f"{_value(plan._replace(aggregate=kind), first)} AS {_titled(first)}_{kind}"
        for kind in kinds
    ]


def _bounded(bound: Bound, value: str) -> str:
    sign = (">" if bound.above else "<") + ("=" if bound.inclusive else "")
    return f"{value} {sign} {bound.amount:.12g}"


def _row_bounds(plan: Plan) -> list[str]:
    return [
        _bounded(bound, f"({measures()[bound.measure][1].values['row']})")
        for bound in plan.bounds
        if not bound.of_groups
    ]


def _of_rows(plan: Plan, place: Place, rows: Rows, measure: Measure, keys: Sequence[str]) -> str:
    """Single trades or orders, each with its value."""
    columns = ", ".join(rows.row[key] for key in keys)
    shown = [
        _dimension(name, rows) + f" AS {_named(name)}"
        for name in plan.dimensions
        if name not in keys
    ]
    text = f"SELECT {', '.join((columns, *shown))}, {measure.values['row']} AS {_titled(measure)}"
    text += f" FROM {rows.source}"
    text += _where(plan, place, rows, measure)
    text += f" AND ({measure.row_where})" if measure.row_where != "1" else ""
    order = f" ORDER BY {_titled(measure)}{' DESC' if plan.order == 'most' else ''}, {columns}"
    return _filled(f"{text}{order} LIMIT {plan.limit or _MOST}", plan, place, rows)


def _share(plan: Plan, place: Place, rows: Rows, measure: Measure) -> str:
    """What part the chosen rows have of all."""
    whole, every = plan._replace(filters=()), measure
    if not plan.filters:
        every = msgspec.structs.replace(measure, where="1")  # of all, those that it counts
    value = measure.values[""]
    part = f"(SELECT {value} FROM {rows.source}{_where(plan, place, rows, measure)})"
    total = f"(SELECT {value} FROM {rows.source}{_where(whole, place, rows, every)})"
    return _filled(f"SELECT 100 * {part} / {total} AS share", plan, place, rows)


def _order(plan: Plan, value: str) -> str:
    keys = [_named(name) for name in plan.dimensions]
    if plan.order:
        keys = [f"{value} DESC" if plan.order == "most" else value, *keys]
    return (f" ORDER BY {', '.join(keys)}" if keys else "") + f" LIMIT {plan.limit or _MOST}"


def _title(plan: Plan, measure: Measure) -> str:
    """A figure's column: "Commission_per_traded_lots" where it is divided."""
    per = f"_per_{plan.over}" if plan.over and not plan.in_percent else ""
    return _titled(measure) + per


def _titled(measure: Measure) -> str:
    """No column's name: an alias would take its place in conditions."""
    return measure.name.capitalize()


def _named(dimension: str) -> str:
    return f"by_{dimension}"


def _dimension(name: str, rows: Rows) -> str:
    if name in rows.columns:
        return rows.columns[name]
    if name == "trading_day":
        return rows.time  # of rows that are kept by it
    return (_DAYS if rows.daily else _TIMES)[name].replace("{time}", rows.time)


def _value(plan: Plan, measure: Measure) -> str:
    """Of several symbols in one figure, or ranked by it, only what can be compared."""
    if plan.aggregate == "groups":
        return measure.values[""]
    if plan.aggregate == "change":
        row, time = measure.values["row"], measures()[measure.name][0].time
        return f"argMax({row}, {time}) - argMin({row}, {time})"
    if plan.aggregate == "rows":
        return "count()"
    if plan.aggregate == "rows_share":
        return f"100 * countIf({' AND '.join(_row_bounds(plan))}) / count()"
    one = any(
        f.column == "symbol" and len(f.values) == 1 and not f.leaves_out for f in plan.filters
    )
    ranks = plan.dimensions == ("symbol",) and bool(plan.order)
    pooled = measure.pooled and ((not one and "symbol" not in plan.dimensions) or ranks)
    values = measure.pooled if pooled else measure.values
    return values.get(
        "" if plan.aggregate == "share" and "share" not in values else plan.aggregate, values[""]
    )


def _shared(plan: Plan, measure: Measure) -> str:
    value = _value(plan, measure)
    if plan.over:
        over = f"nullIf({measures()[plan.over][1].values['sum']}, 0)"  # of nothing: no figure
        return f"{'100 * ' if plan.in_percent else ''}({value}) / {over}"
    if plan.aggregate != "share" or "share" in measure.values:
        return value
    return f"100 * {value} / sum({value}) OVER ()"


def _where(plan: Plan, place: Place, rows: Rows, measure: Measure) -> str:
    conditions = [
        part for part in (rows.where, measure.where, _window(plan.span, rows)) if part != "1"
    ]
    for filter_ in plan.filters:
        column = _dimension(filter_.column, rows)
        is_in = "NOT IN" if filter_.leaves_out else "IN"
        conditions.append(
            f"{column} {is_in} ({', '.join(_quoted(value) for value in filter_.values)})"
        )
    conditions += _row_bounds(plan) if plan.aggregate != "rows_share" else []
    return " WHERE " + (" AND ".join(f"({part})" for part in conditions) or "1")


def _window(span: Span, rows: Rows) -> str:
    if not rows.time:
        return "1"
    if span.parts:
        return " OR ".join(f"({_window(part, rows)})" for part in span.parts)
    parts = []
    if span.begin:
        parts.append(f"{rows.time} >= {_moment(span.begin, rows)}")
    if span.end:
        end = span.end
        if rows.daily and (end.hour or end.minute or end.second):
            end = end + timedelta(days=1)
        parts.append(f"{rows.time} {'<=' if span.is_moment else '<'} {_moment(end, rows)}")
    if span.hours:
        hour = f"toHour({rows.time}, 'UTC') + toMinute({rows.time}, 'UTC') / 60"
        parts.append(f"{hour} >= {span.hours[0]} AND {hour} < {span.hours[1]}")
    return " AND ".join(parts) or "1"


def _moment(moment: datetime, rows: Rows) -> str:
    if rows.daily:
        return f"toDate('{moment:%Y-%m-%d}')"
    return _instant(moment)


def _instant(moment: datetime) -> str:
    return f"toDateTime64('{moment:%Y-%m-%d %H:%M:%S}', 6, 'UTC')"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _filled(text: str, plan: Plan, place: Place, rows: Rows) -> str:
    """Places, and what a window function must not look beyond."""
    inside = _window(plan.span, rows) if rows.inside else "1"
    fixed = _VAR | dict(plan.fixed)
    if plan.now:
        text = text.replace("{now}", _instant(plan.now))
    for name, value in {
        "window": inside,
        "fixed": _conditions_of(plan.fixed),
        "bp": _BP,
        "contract": _OF_SYMBOL.replace("{column}", "contract_size"),
        "point": _OF_SYMBOL.replace("{column}", "point"),
        **fixed,
        **place._asdict(),
    }.items():
        text = text.replace("{" + name + "}", value)
    return text


def _conditions_of(fixed: Sequence[tuple[str, str]]) -> str:
    """Method, confidence and horizon, as far as they are said."""
    texts = [f"{c} = {v if c == 'confidence' else _quoted(v)}" for c, v in fixed]
    return " AND ".join(texts) or "1"
