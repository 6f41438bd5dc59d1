"""Whether everything that was said has its place in the rows; nothing is left out in silence."""

from collections.abc import Sequence

from questions.catalog import Measure, Rows, measures
from questions.nouns import NOUNS, TIMES
from questions.parts import Parts
from questions.plan import NOW, Bound, Filter, Span, UnansweredError


def check(
    said: Parts, rows: Rows, chosen: Sequence[Measure], dimensions: Sequence[str], aggregate: str
) -> None:
    """Everything said must find its place in the rows; nothing is left out in silence."""
    for filter_ in said.filters:
        if filter_.column not in rows.columns and not (filter_.column == "weekday" and rows.time):
            raise UnansweredError(f"{chosen[0].name} is not told apart by {filter_.column}")
    for dimension in dimensions:
        timed = dimension in TIMES and rows.time and not (rows.daily and dimension == "hour")
        timed = timed or (dimension == "trading_day" and rows.daily)
        if not (dimension in rows.columns or dimension in rows.row or timed):
            raise UnansweredError(f"{chosen[0].name} is not told apart by {dimension}")
    if chosen[0].name in _RATES and "rule" in {*dimensions, *(f.column for f in said.filters)}:
        raise UnansweredError("a share of all orders, or of the denied ones, is not said")
    span = said.span
    is_level = all(m.values[""].startswith("argMax") and not aggregate for m in chosen)
    if span.is_moment and not (is_level and rows.time):
        raise UnansweredError(f"{chosen[0].name} is of a time, not of a moment")
    if not rows.time and (span.begin or span.hours or (span.end and span.begin)):
        raise UnansweredError(f"of {chosen[0].name} only the newest is kept here")
    if said.by_trading_day and not rows.daily:
        raise UnansweredError(f"{chosen[0].name} is not kept by trading day")
    if rows.daily and (span.hours or _within_a_day(span)):
        raise UnansweredError(f"{chosen[0].name} is kept by day")
    if aggregate == "mean" and "sum" in chosen[0].values and set(dimensions) & set(TIMES):
        raise UnansweredError(
            "an average over single trades, or over the sums of days? ask for one"
        )
    adds = chosen[0].values.get("sum") == chosen[0].values[""]
    ends = rows.name == "trades" and said.rank and aggregate in ("max", "min") and adds
    of_rows = set(said.names) & {*NOUNS, "fills"} and said.earns != "lost"
    if ends and set(dimensions) & set(TIMES) and not of_rows:
        raise UnansweredError("the end of single ones, or of the sums of days? ask for one")
    is_now = any(_is_newest(measure) or measure.standing for measure in chosen)
    if span.text in NOW and rows.time and not is_now:
        raise UnansweredError(f"{chosen[0].name} is of a time, not of a moment: say since when")
    if aggregate == "per_group" and (len(chosen) > 1 or len(dimensions) != 1):
        raise UnansweredError("an average of what, over what, is not understood")
    kinds = aggregate.split("+")
    if aggregate == "share" and len(chosen) > 1:
        raise UnansweredError("a share of several things at once: ask for one")
    if len(kinds) > 1 and (len(chosen) > 1 or is_row(rows, dimensions)):
        raise UnansweredError(f"{' and '.join(kinds)} of several things at once: ask for one")
    for measure in chosen:
        if aggregate == "change" and _changes(measure):
            continue
        missing = [k for k in kinds if k not in ("share", *ROWS) and k not in measure.values]
        if missing and not is_row(rows, dimensions):
            raise UnansweredError(f"{measure.name} has no {missing[0]}")
    _check_bounds(said.bounds, rows, said.filters)
    if said.fixed and rows.name not in ("var", "var_measures", "var_backtests", "var_verdicts"):
        raise UnansweredError("a confidence or method belongs to value at risk")


#: Of all orders, where a rule is told of the denied ones alone.
_RATES = {"denial_rate", "reject_rate"}


def _changes(measure: Measure) -> bool:
    """Whether it is a level, of which "how much has it changed" can be asked."""
    return measure.values[""].startswith("argMax") and "row" in measure.values


#: Rows that hold a bound: how many, and what share of all; groups that do.
ROWS = ("rows", "rows_share", "groups", "per_group")


def _check_bounds(bounds: Sequence[Bound], rows: Rows, filters: Sequence[Filter]) -> None:
    """Prices of different symbols have no bound in common."""
    one = any(f.column == "symbol" and len(f.values) == 1 and not f.leaves_out for f in filters)
    for bound in bounds:
        measure = measures()[bound.measure][1]
        if measure.pooled and not one and "symbol" in rows.columns:
            raise UnansweredError(f"{bound.measure} of which symbol is not said")
        if not bound.of_groups and "row" not in measure.values:
            raise UnansweredError(f"{bound.measure} of single rows is not kept")


def _is_newest(measure: Measure) -> bool:
    return "now" in measure.values or measure.values[""].startswith("argMax")


def is_row(rows: Rows, dimensions: Sequence[str]) -> bool:
    """Whether single rows are told apart."""
    return any(dimension in rows.row for dimension in dimensions)


def _within_a_day(span: Span) -> bool:
    end = None if span.is_until_now else span.end
    moments = [moment for moment in (span.begin, end) if moment]
    return any(moment.hour or moment.minute or moment.second for moment in moments)
