"""From a question to a plan, or the reason why there is none.

Every word is either understood or carries nothing by a stated list; one that is neither ends the
attempt. So a question that means more than the grammar knows is refused and never answered in part.
"""

from collections.abc import Sequence
from datetime import datetime

from questions.catalog import Measure, Rows, measures
from questions.lexicon import Lexicon
from questions.parts import COSTS, NOUNS, WEAK, Parts, parts_of
from questions.plan import Filter, Plan, Span, UnansweredError
from questions.reading import items_of

_TIMES = ("hour", "day", "weekday", "week", "month")


_GOOD = {
    ("best", "more"): "most",
    ("best", "less"): "least",
    ("worst", "more"): "least",
    ("worst", "less"): "most",
}


def plan(text: str, lexicon: Lexicon, now: datetime) -> Plan:
    """What a question asks for.

    Raises:
        UnansweredError: a word is not known, the parts do not go together, or nothing is asked.
    """
    items = items_of(text, lexicon, now)
    return _plan(parts_of(items, now))


def _plan(said: Parts) -> Plan:
    said, rows, chosen = _measured(said)
    said = _renamed(said, rows, chosen[0])
    first = chosen[0]
    if said.when or said.rank in _ENDS_OF_TIME:
        if not (
            said.rank in _ENDS_OF_TIME and not said.when and first.values[""].startswith("argMax")
        ):
            return _rows_of_time(said, rows, first)
        said = said._replace(rank="")
    if _lists(said, rows, first):
        return _list(said, rows, first)
    dimensions = said.dimensions
    if first.values[""].startswith("LIST"):
        dimensions = tuple(
            name for name in dimensions if rows.columns.get(name, "-") not in first.values[""]
        )
    if said.sorting and not dimensions and rows.row and "row" in first.values:
        dimensions = tuple(rows.row)[:1]
    if (
        said.whichever
        and first.lists
        and not dimensions
        and not first.values[""].startswith("LIST")
    ):
        dimensions = (first.lists,)
    if "row" not in first.values:
        dimensions = tuple(name for name in dimensions if name not in rows.row)
    if first.each and first.each not in dimensions and not _fixes(said.filters, first.each):
        if said.rank and not dimensions and "max" not in first.values:
            said = said._replace(asks_which=True, one=said.one or not said.number)
        dimensions = (*dimensions, first.each)
    aggregate, order, limit = _ordered(said, rows, first, dimensions)
    _check(said, rows, chosen, dimensions, aggregate)
    if said.span.text in _NOW and "now" in first.values and not aggregate:
        aggregate = "now"
    return Plan(
        measure="+".join(m.name for m in chosen),
        aggregate=aggregate,
        dimensions=dimensions,
        filters=said.filters,
        span=said.span,
        order=order,
        limit=limit,
        fixed=said.fixed,
    )


_LARGE = {"biggest", "largest", "best", "worst", "smallest", "highest", "greatest"}


_ENDS_OF_TIME = ("newest", "oldest")


def _fixes(filters: Sequence[Filter], column: str) -> bool:
    return any(one.column == column for one in filters)


def _renamed(said: Parts, rows: Rows, first: Measure) -> Parts:
    """What people call a type or a reason, as these rows call it; why is one of these, too."""
    dimensions = said.dimensions
    if "type" in dimensions and "type" not in rows.columns and "control" in rows.columns:
        dimensions = tuple("control" if name == "type" else name for name in dimensions)
    if "rule" in dimensions and "rule" not in rows.columns and first.reasons:
        dimensions = tuple(first.reasons if name == "rule" else name for name in dimensions)
    if said.who:
        person = next((name for name in ("author", "by", "analyst") if name in rows.columns), "")
        if not person:
            raise UnansweredError(f"who, of {first.name}, is not stored")
        dimensions = (*dimensions, person)
    if said.why and not (said.whichever and rows.shown):
        if not first.reasons:
            raise UnansweredError(f"why, of {first.name}, is not stored")
        dimensions = (*dimensions, first.reasons)
    return said._replace(dimensions=dimensions)


def _lists(said: Parts, rows: Rows, first: Measure) -> bool:
    """Whether single rows are asked for: "which orders were rejected", "open incidents"."""
    counted = said.aggregate and not (said.whichever and said.aggregate == "count")
    if said.dimensions or said.rank or counted or first.values[""].startswith("LIST"):
        return False
    if said.whichever and not first.lists and not (first.counts and rows.shown):
        raise UnansweredError(f"{first.name} cannot be listed here")
    return (said.whichever and not first.lists) or first.listed


def _list(said: Parts, rows: Rows, first: Measure) -> Plan:
    _check(said, rows, (first,), (), "")
    return Plan(
        measure=first.name,
        aggregate="",
        dimensions=(),
        filters=said.filters,
        span=said.span,
        order="oldest" if rows.time else "",
        limit=0,
        lists=True,
    )


def _rows_of_time(said: Parts, rows: Rows, first: Measure) -> Plan:
    """ "The last 5 trades", "when was the spread widest"."""
    order = said.rank or first.end
    if not rows.time or not order or (said.when and rows.daily):
        raise UnansweredError(f"when, of {first.name}, is not understood")
    if order not in _ENDS_OF_TIME:
        if "row" not in first.values:
            raise UnansweredError(f"when {first.name} was so is not kept")
        order = _end(order, first, first.better)
    elif not first.counts:
        raise UnansweredError(f"{first.name} has no {order} row")
    if not said.when and not rows.shown:
        raise UnansweredError(f"{first.name} cannot be listed here")
    if set(said.dimensions) - set(rows.row) or said.aggregate or said.whichever:
        raise UnansweredError("the newest of each is not understood")
    _check(said, rows, (first,), (), "")
    return Plan(
        measure=first.name,
        aggregate="",
        dimensions=(),
        filters=said.filters,
        span=said.span,
        order=order,
        limit=said.number or 1,
        lists=not said.when,
        moment=said.when,
    )


def _measured(said: Parts) -> tuple[Parts, Rows, tuple[Measure, ...]]:
    """What is asked for, step by step: words, nouns, what goes without saying, ends, units."""
    said, names = _worded(said, list(said.names))
    names = _unsaid(said, _without_nouns(said, names))
    said, names = _ended(said, names)
    names = _in_unit(said, _strong(said, names))
    every = measures()
    belongs = {every[name][0].name for name in names}
    if len(belongs) > 1 or len(names) > 3:
        raise UnansweredError(f"several things at once: {', '.join(names)}; ask for one at a time")
    return said, every[names[0]][0], tuple(every[name][1] for name in names)


def _worded(said: Parts, names: list[str]) -> tuple[Parts, list[str]]:
    """Words that mean another figure beside some other word."""
    if "costs" in names and COSTS & set(names):
        names.remove("costs")
    if set(names) == {"costs", "slippage_bp"}:  # "which hours cost us most in slippage"
        names = ["slippage_cost"]
    if names == ["trading_state"] and said.aggregate == "count":
        names = ["halts"]
    if said.much and names in (["winners"], ["losers"]):
        names = ["profit"]
    if "closed" in names:  # trades are closed, and their figures are
        names = [name for name in names if name != "closed"] or ["trades"]
        if any(measures()[name][0].name != "trades" for name in names):
            raise UnansweredError("closed is said of trades alone")
    if said.aggregate == "share" and ("orders" in names or not said.dimensions):
        rated = [_OFTEN[name] for name in names if name in ("denied", "rejected", "filled_orders")]
        names, said = rated or names, said._replace(aggregate="" if rated else said.aggregate)
    if said.aggregate == "count" and names and names[-1].endswith("_lots"):
        said = said._replace(aggregate="")
    if said.aggregate == "often":
        names = [_OFTEN.get(name, name) for name in names]
    if "models" in names and len(names) > 1:
        names.remove("models")
    return said, names


def _without_nouns(said: Parts, names: list[str]) -> list[str]:
    """A noun that tells rows apart, as "trades" in "worst trades", is no figure."""
    nouns = [name for name in names if NOUNS.get(name) in said.dimensions]
    if len(names) > len(nouns) and any("row" in measures()[name][1].values for name in names):
        names = [name for name in names if name not in nouns or name in ("winners", "losers")]
    return names


def _unsaid(said: Parts, names: list[str]) -> list[str]:
    """What is meant where no figure is named: "the best day" is that of profit."""
    if said.would or {"costs", "denied"} == set(names):
        if "denied" not in names:
            raise UnansweredError("what would have been is not stored")
        names = ["denied_would_have_made"]
    if not names and _fixes(said.filters, "stage"):
        names = ["latency_ms"]
    if not names and said.rank:
        names = [_OF[name] for name in said.dimensions if name in _OF][:1]
    if not names and said.rank in ("best", "worst") and said.dimensions:
        names = ["profit"]
    if not names:
        raise UnansweredError("what is to be measured is not understood")
    return names


def _ended(said: Parts, names: list[str]) -> tuple[Parts, list[str]]:
    """The biggest winning day is the day of the largest profit; the worst trade, too."""
    if (
        said.rank_word in _LARGE
        and set(said.dimensions) - {"trade"}
        and names in (["winners"], ["losers"])
    ):
        best = (names == ["winners"]) == (said.rank in ("most", "best"))
        said = said._replace(rank="best" if best else "worst")
        names = ["profit"]
    if names == ["trades"] and "trade" in said.dimensions and said.rank not in _ENDS_OF_TIME:
        names = ["profit"]
    return said, names


def _strong(said: Parts, names: list[str]) -> list[str]:
    """ "The profit of our trades" asks for the profit."""
    every = measures()
    strong = [name for name in names if name not in WEAK]
    if strong and len(strong) < len(names) and not said.joints:
        if said.aggregate == "count" and not all(every[name][1].counts for name in strong):
            raise UnansweredError("how many of what is not understood")
        names = strong
    return names


def _in_unit(said: Parts, names: list[str]) -> list[str]:
    """The same figures in the unit that is asked for."""
    every = measures()
    if said.aggregate == "share" and all("percent" in every[n][1].units for n in names):
        names = [every[name][1].units["percent"] for name in names]
    if said.unit == "percent" and said.dimensions and "percent" not in every[names[0]][1].units:
        pass  # the share of each
    elif said.unit:
        if any(said.unit not in every[name][1].units for name in names):
            raise UnansweredError(f"{names[0]} in {said.unit} is not kept")
        names = [every[name][1].units[said.unit] for name in names]
    return names


#: What is ranked when nothing is named: "which stage is slowest".
_OF = {"stage": "latency_ms", "scenario": "stress_result"}


_OFTEN = {
    "denied": "denial_rate",
    "rejected": "reject_rate",
    "winners": "win_rate",
    "losers": "loss_rate",
    "filled_orders": "fill_rate",
    "profit": "win_rate",
}


def _ordered(
    said: Parts, rows: Rows, measure: Measure, dimensions: tuple[str, ...]
) -> tuple[str, str, int]:
    """Aggregate, order, limit: "the highest spread" is a maximum, "which hour has" an order."""
    if said.aggregate == "share" and "percent" in measure.units:
        said = said._replace(aggregate="")
    if said.unit == "percent" and "percent" not in measure.units:
        said = said._replace(aggregate="share")
    rank, aggregate = said.rank, "" if said.aggregate == "often" else said.aggregate
    if said.sorting and not rank:
        if not dimensions:
            raise UnansweredError("what is to be sorted is not understood")
        if measure.row_better and any(dimension in rows.row for dimension in dimensions):
            return aggregate, "least" if said.sorting in ("most", "worst") else "most", 0
        return aggregate, _end(said.sorting, measure, measure.better), 0
    if aggregate == "count" and not measure.counts:
        raise UnansweredError(f"{measure.name} is not counted")
    if not rank:
        one = len(said.filters) == 1 and len(said.filters[0].values) == 1
        one = one and (measure.counts or "sum" in measure.values)
        if aggregate == "share" and "share" not in measure.values and not (dimensions or one):
            raise UnansweredError("a share of what is not understood")
        return aggregate, ("most" if said.asks_which and not said.one and dimensions else ""), 0
    is_row = any(dimension in rows.row for dimension in dimensions)
    if dimensions and (said.asks_which or said.number or is_row):
        better = measure.row_better or measure.better if is_row else measure.better
        end = _end(rank, measure, better)
        if is_row and measure.row_better:  # the largest loss is the least profit
            end = "least" if rank in ("most", "worst") else "most"
        limit = said.number or (1 if said.one else 0)
        return aggregate, end, limit
    if aggregate:
        raise UnansweredError(f"{aggregate} and {rank} at once: ask for one")
    end = _end(rank, measure, measure.better)
    return ("max" if end == "most" else "min"), "", 0


def _end(rank: str, measure: Measure, better: str) -> str:
    if rank in ("most", "least"):
        return rank
    if (rank, better) not in _GOOD:
        raise UnansweredError(f"whether more or less of {measure.name} is {rank} is not known")
    return _GOOD[rank, better]


def _check(
    said: Parts, rows: Rows, chosen: Sequence[Measure], dimensions: Sequence[str], aggregate: str
) -> None:
    """Everything said must find its place in the rows; nothing is left out in silence."""
    for filter_ in said.filters:
        if filter_.column not in rows.columns and not (filter_.column == "weekday" and rows.time):
            raise UnansweredError(f"{chosen[0].name} is not told apart by {filter_.column}")
    for dimension in dimensions:
        timed = dimension in _TIMES and rows.time and not (rows.daily and dimension == "hour")
        if not (dimension in rows.columns or dimension in rows.row or timed):
            raise UnansweredError(f"{chosen[0].name} is not told apart by {dimension}")
    span = said.span
    if not rows.time and (span.begin or span.hours or (span.end and span.begin)):
        raise UnansweredError(f"of {chosen[0].name} only the newest is kept here")
    if rows.daily and (span.hours or _within_a_day(span)):
        raise UnansweredError(f"{chosen[0].name} is kept by day")
    if aggregate == "mean" and "sum" in chosen[0].values and set(dimensions) & set(_TIMES):
        raise UnansweredError(
            "an average over single trades, or over the sums of days? ask for one"
        )
    if span.text in _NOW and rows.time and not any(_is_newest(measure) for measure in chosen):
        raise UnansweredError(f"{chosen[0].name} is of a time, not of a moment: say since when")
    for measure in chosen:
        if (
            aggregate not in ("share",)
            and aggregate not in measure.values
            and not _is_row(rows, dimensions)
        ):
            raise UnansweredError(f"{measure.name} has no {aggregate}")
    if said.fixed and rows.name != "var":
        raise UnansweredError("a confidence or method belongs to value at risk")


_NOW = {"now", "right now", "currently", "current", "at the moment"}


def _is_newest(measure: Measure) -> bool:
    return "now" in measure.values or measure.values[""].startswith("argMax")


def _is_row(rows: Rows, dimensions: Sequence[str]) -> bool:
    return any(dimension in rows.row for dimension in dimensions)


def _within_a_day(span: Span) -> bool:
    end = None if span.is_until_now else span.end
    moments = [moment for moment in (span.begin, end) if moment]
    return any(moment.hour or moment.minute or moment.second for moment in moments)
