"""From a question to a plan, or the reason why there is none.

Every word is either understood or carries nothing by a stated list; one that is neither ends the
attempt. So a question that means more than the grammar knows is refused and never answered in part.
"""

from datetime import datetime

from questions.catalog import Measure, Rows, measures
from questions.checks import check
from questions.clock import with_hours
from questions.dates import DAY
from questions.lexicon import Lexicon
from questions.measured import ENDS_OF_TIME, measured
from questions.nouns import NOUNS, TIMES, WEAK
from questions.parts import Parts, parts_of
from questions.plan import NOW, Bound, Plan, Span, UnansweredError
from questions.reading import items_of
from questions.renamed import renamed
from questions.wording import fixes

_LOST = {"most": "worst", "least": "best"}
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
    items = with_hours(items_of(text, lexicon, now))
    return _plan(parts_of(items, now))._replace(now=now)


def _plan(said: Parts) -> Plan:
    said, rows, chosen = measured(said)
    said = _whole_day(_signed(renamed(said, rows, chosen[0]), chosen[0]), rows)
    first = _of_last_row(said, rows, chosen[0])
    said = said._replace(when=said.when and not first.dated)
    if said.who and said.rank in ("most", "least") and len(said.dimensions) > 1:
        raise UnansweredError("who did most of which is not understood")
    if said.is_none:
        return _none(said, rows, first)
    said = _end_of_each(said, rows)
    if _newest_of_each(said, rows, first):
        return _ends_of_each(said, rows, first)
    if said.when and (said.who or said.why) and not said.rank and rows.shown and first.counts:
        return _list(said, rows, first)  # "who stopped trading today, when, and why"
    if said.when or said.rank in ENDS_OF_TIME:
        if not (
            said.rank in ENDS_OF_TIME and not said.when and first.values[""].startswith("argMax")
        ):
            return _rows_of_time(said, rows, first)
        said = said._replace(rank="")
    if _lists(said, rows, first):
        return _list(said, rows, first)
    said, dimensions = _told_apart(said, rows, first)
    of_rows = bool(set(dimensions) & set(rows.row))
    if of_rows and said.rank and (len(chosen) > 1 or _are_several(said)):
        raise UnansweredError("the end of each of several is not understood: ask for one")
    if said.whichever and said.rank and not dimensions:
        raise UnansweredError("which one of them is not understood")
    if said.bounds and said.aggregate == "change":
        raise UnansweredError(f"whether {first.name} was so at a time is not understood")
    if first.row_where != "1" and first.counts and "status" in dimensions and not said.bounds:
        said = said._replace(bounds=(_some(first.name),))  # those in which there is none
    aggregate, order, limit = _ordered(said, rows, first, dimensions)
    check(said, rows, chosen, dimensions, aggregate)
    if said.span.text in NOW and "now" in first.values and not aggregate:
        aggregate = "now"
    return Plan(
        measure="+".join(m.name for m in chosen),
        aggregate=aggregate,
        dimensions=dimensions,
        filters=said.filters,
        span=said.span,
        order=order,
        limit=limit,
        bounds=said.bounds,
        fixed=said.fixed,
        over=said.over,
        in_percent=said.is_share,
    )


def _told_apart(said: Parts, rows: Rows, first: Measure) -> tuple[Parts, tuple[str, ...]]:
    """The columns of the answer beside the figure: what was said, and what the figure needs."""
    dimensions = said.dimensions
    if first.values[""].startswith("LIST") and not said.aggregate:
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
    if said.rank and said.whichever and dimensions == (first.lists,) and first.counts:
        said = said._replace(asks_which=True, one=not said.number)
    if "row" not in first.values:
        dimensions = tuple(name for name in dimensions if name not in rows.row)
    if first.each and first.each not in dimensions and not fixes(said.filters, first.each):
        if said.rank and not dimensions and "max" not in first.values:
            said = said._replace(asks_which=True, one=said.one or not said.number)
        dimensions = (*dimensions, first.each)
    return said, dimensions


def _of_last_row(said: Parts, rows: Rows, first: Measure) -> Measure:
    """ "How big was my last trade": the row itself, which shows its figure."""
    is_last = said.rank in ENDS_OF_TIME and not (said.when or said.dimensions or said.number)
    shown = first.values.get("row") in rows.shown.split(", ")
    one = is_last and shown and "trades" in said.names and rows.name == "trades"
    return measures()["trades"][1] if one and not said.aggregate else first


def _end_of_each(said: Parts, rows: Rows) -> Parts:
    """ "The worst trade of each symbol": an end of the figure, by symbol."""
    others = tuple(name for name in said.dimensions if name not in rows.row)
    if said.rank and said.apart and said.asks_which and len(others) > 1:
        raise UnansweredError(f"the {others[0]} of each {others[1]} is not understood")
    if not (said.rank and said.apart and others) or len(others) == len(said.dimensions):
        return said
    if said.number or not said.one:
        raise UnansweredError(f"so many of each {others[0]} is not understood")
    return said._replace(dimensions=others, asks_which=False, one=False, single="")


def _whole_day(said: Parts, rows: Rows) -> Parts:
    """The calendar knows what is still to come today."""
    span = said.span
    if rows.name != "calendar" or span.text != "today" or not span.begin:
        return said
    return said._replace(span=Span(span.begin, span.begin + DAY, span.text))


def _none(said: Parts, rows: Rows, first: Measure) -> Plan:
    """ "Which feeds had no tick": of all there are, those that have none."""
    named = [name for name in said.dimensions if name in rows.columns]
    if not named or len(named) < len(said.dimensions) or not first.counts:
        raise UnansweredError(f"which have no {first.name} is not understood")
    if said.rank or said.sorting or said.bounds or said.aggregate not in ("", "count"):
        raise UnansweredError(f"more of those without {first.name} is asked than is understood")
    check(said, rows, (first,), said.dimensions, "")
    aggregate = "groups" if said.aggregate == "count" else ""
    return Plan(
        measure=first.name,
        aggregate=aggregate,
        dimensions=said.dimensions,
        filters=said.filters,
        span=said.span,
        order="",
        limit=0,
        is_none=True,
    )


def _newest_of_each(said: Parts, rows: Rows, first: Measure) -> bool:
    """ "When did the last tick of each symbol arrive"."""
    is_end = said.rank in ENDS_OF_TIME and first.counts and not said.number
    of_rows = set(said.dimensions) & {*rows.row, *TIMES}
    return (
        is_end
        and (said.when or not rows.shown)  # "the last heartbeat per process"
        and bool(said.dimensions)
        and not (of_rows or said.asks_which or said.who)
    )


def _ends_of_each(said: Parts, rows: Rows, first: Measure) -> Plan:
    if said.aggregate or said.sorting:
        raise UnansweredError("the newest of each is not understood")
    check(said, rows, (first,), said.dimensions, "")
    return Plan(
        measure=first.name,
        aggregate="",
        dimensions=said.dimensions,
        filters=said.filters,
        span=said.span,
        order=said.rank,
        limit=0,
        moment=True,
        bounds=said.bounds,
    )


def _signed(said: Parts, first: Measure) -> Parts:
    """ "Which hours lost money": those whose profit is below nothing."""
    if first.name == "profit" and said.earns == "lost" and said.rank in _LOST:
        said = said._replace(rank=_LOST[said.rank])  # "my biggest lose trade"
    counts = said.aggregate == "count" and bool(said.dimensions)
    if counts and said.counted and said.apart and len(said.dimensions) > 1:
        raise UnansweredError("so many of each are not understood")
    if counts and said.counted and "rule" in said.dimensions and not first.reasons:
        raise UnansweredError(f"{first.name} is not told apart by rule")
    asks_some = first.name == "profit" and said.earns in ("lost", "money")
    asks_some = asks_some and (said.asks_which or counts)
    if said.counted and counts and first.counts and not (said.bounds or said.earns):
        return said._replace(bounds=(_some(first.name),), aggregate="groups", asks_which=False)
    of_rows = set(said.dimensions) & set(NOUNS.values())
    if not asks_some or of_rows or said.bounds or said.rank or said.number or said.sorting:
        return said
    bound = Bound("profit", said.earns == "money", inclusive=False, amount=0, of_groups=True)
    aggregate = "groups" if counts else said.aggregate
    return said._replace(bounds=(bound,), one=False, aggregate=aggregate, asks_which=not counts)


def _some(name: str) -> Bound:
    """A group that has any of it: "on how many days did we trade"."""
    return Bound(name, above=True, inclusive=False, amount=0, of_groups=True)


def _are_several(said: Parts) -> bool:
    """ "The biggest winner on gold and on euro"."""
    return any(len(f.values) > 1 and f.column in said.dimensions for f in said.filters)


def _lists(said: Parts, rows: Rows, first: Measure) -> bool:
    """Whether single rows are asked for: "which orders were rejected", "open incidents"."""
    counted = said.aggregate and not (said.whichever and said.aggregate == "count")
    if said.dimensions or said.rank or counted or first.values[""].startswith("LIST"):
        return False
    is_listed = (first.counts or said.bounds) and rows.shown
    if said.whichever and not first.lists and not is_listed:
        raise UnansweredError(f"{first.name} cannot be listed here")
    if said.shows and first.values.get("row") and rows.row and _shows_rows(said):
        raise UnansweredError(f"single {said.names[0]}, or {first.name} of all? ask for one")
    shown = said.shows and first.counts and bool(rows.shown) and not first.lists
    return (said.whichever and not first.lists) or first.listed or shown


def _shows_rows(said: Parts) -> bool:
    """ "Show me all gold trades with profit": the rows first, and a figure of each."""
    return len(said.names) > 1 and said.names[0] in WEAK and not said.joints


def _list(said: Parts, rows: Rows, first: Measure) -> Plan:
    check(said, rows, (first,), (), "")
    return Plan(
        measure=first.name,
        aggregate="",
        dimensions=(),
        filters=said.filters,
        span=said.span,
        order="oldest" if rows.time else "",
        limit=0,
        bounds=said.bounds,
        lists=True,
    )


def _rows_of_time(said: Parts, rows: Rows, first: Measure) -> Plan:
    """ "The last 5 trades", "when was the spread widest"."""
    order = said.rank or first.end
    if not rows.time or not order or (said.when and rows.daily):
        raise UnansweredError(f"when, of {first.name}, is not understood")
    if order not in ENDS_OF_TIME:
        if "row" not in first.values:
            raise UnansweredError(f"when {first.name} was so is not kept")
        if first.name == "profit" and not {*said.names, said.single} & {"trades", "trade"}:
            raise UnansweredError("when a single trade was, or in which hour, is not said")
        order = _end(order, first, first.better)
        if first.row_better:  # the largest loss is the least profit
            order = "least" if said.rank in ("most", "worst") else "most"
    elif not first.counts:
        raise UnansweredError(f"{first.name} has no {order} row")
    if not said.when and not rows.shown:
        raise UnansweredError(f"{first.name} cannot be listed here")
    shown = set(rows.shown.split(", "))
    others = {name for name in said.dimensions if name not in rows.row}
    if (
        said.aggregate
        or (others and not (said.asks_which or said.who or said.why))
        or any(rows.columns.get(name, "-") not in shown for name in others)
    ):
        raise UnansweredError("the newest of each is not understood")
    if others:  # "the last denied order: when, and by which rule"
        said = said._replace(when=False)
    check(said, rows, (first,), (), "")
    return Plan(
        measure=first.name,
        aggregate="",
        dimensions=(),
        filters=said.filters,
        span=said.span,
        order=order,
        limit=said.number or 1,
        bounds=said.bounds,
        lists=not said.when,
        moment=said.when,
    )


def _ordered(
    said: Parts, rows: Rows, measure: Measure, dimensions: tuple[str, ...]
) -> tuple[str, str, int]:
    """Aggregate, order, limit: "the highest spread" is a maximum, "which hour has" an order."""
    is_rate = "percent" in measure.units or measure.values[""].startswith("100 *")
    if said.aggregate == "share" and is_rate:
        said = said._replace(aggregate="")
    if said.unit == "percent" and "percent" not in measure.units:
        said = said._replace(aggregate="share")
    if said.aggregate == "share" and (dimensions or _is_of_some(said)) and _is_part(measure):
        raise UnansweredError(f"{measure.name} of which, or of all, is not said")
    rank, aggregate = said.rank, "" if said.aggregate == "often" else said.aggregate
    if aggregate == "sum" and measure.counts and "sum" not in measure.values:
        aggregate = ""  # "total fills"
    if aggregate == "mean" and measure.counts and "mean" not in measure.values and dimensions:
        aggregate = "per_group" if set(dimensions) <= set(TIMES) else aggregate
    if said.moves and said.asks_which and not rank:
        raise UnansweredError(f"which of {measure.name} are above nothing is not told apart")
    if said.moves == "down" and rank in ("most", "least"):
        rank = "least" if rank == "most" else "most"  # what fell most has the least change
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
        some = measure.counts and measure.where != "1"
        apart = dimensions or one or some
        if aggregate == "share" and "share" not in measure.values and not apart:
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


def _is_part(measure: Measure) -> bool:
    """Some of the rows: a share of these by symbol, or of those among the rows of each symbol."""
    return measure.counts and measure.where != "1" and "share" not in measure.values


def _is_of_some(said: Parts) -> bool:
    """ "What share of gold signals became trades" is not gold's share of those that did."""
    return any(one.column in _OF_ALL_ROWS for one in said.filters)


_OF_ALL_ROWS = {"symbol", "strategy", "side", "source"}


def _end(rank: str, measure: Measure, better: str) -> str:
    if rank in ("most", "least"):
        return rank
    if (rank, better) not in _GOOD:
        raise UnansweredError(f"whether more or less of {measure.name} is {rank} is not known")
    return _GOOD[rank, better]
