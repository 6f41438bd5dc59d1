"""From a question to a plan, or the reason why there is none.

Every word is either understood or carries nothing by a stated list; one that is neither ends the
attempt. So a question that means more than the grammar knows is refused and never answered in part.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from questions import spans
from questions.catalog import Measure, Rows, measures
from questions.lexicon import Lexicon, Meaning, light
from questions.plan import CannotAnswer, Filter, Plan, Span
from questions.words import spelled, stem, words

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "dozen": 12, "twenty": 20,
}  # fmt: skip
_TIMES = ("hour", "day", "weekday", "week", "month")
_GOOD = {
    ("best", "more"): "most",
    ("best", "less"): "least",
    ("worst", "more"): "least",
    ("worst", "less"): "most",
}
_LONGEST = 8  # words of a phrase


class _Item(NamedTuple):
    """A part of a question: what it says, and the word it ended with, as typed."""

    meaning: Meaning
    last: str = ""
    number: int = 0


class _Parts(NamedTuple):
    """What was said, sorted."""

    names: tuple[str, ...]
    aggregate: str
    rank: str
    number: int
    dimensions: tuple[str, ...]
    one: bool  # "which hour", not "which hours"
    filters: tuple[Filter, ...]
    span: Span
    asks_which: bool
    fixed: tuple[tuple[str, str], ...]
    whichever: bool  # "which checks failed": the rows themselves
    why: bool
    when: bool
    sorting: str
    joints: int  # how many "and" between figures
    would: bool  # "what would the denied orders have made"
    unit: str


def plan(text: str, lexicon: Lexicon, now: datetime) -> Plan:
    """What a question asks for.

    Raises:
        CannotAnswer: a word is not known, the parts do not go together, or nothing is asked.
    """
    items = _items(text, lexicon, now)
    return _plan(_sorted(items, now))


def _items(text: str, lexicon: Lexicon, now: datetime) -> list[_Item]:
    typed = words(text)
    if not typed or len(typed) > 80:
        raise CannotAnswer("ask one question in a sentence")
    kept = [word for word in typed if word not in light()]
    known = {word for phrase in lexicon for word in phrase} | _SPELLED
    said = [spelled(stem(word), known) for word in kept]
    items, unknown, at = list[_Item](), list[str](), 0
    while at < len(kept):
        items_here, size = _longest(kept, said, at, lexicon, now)
        if not size:
            unknown.append(kept[at])
            size = 1
        items.extend(items_here)
        at += size
    if unknown:
        raise CannotAnswer(f"not understood: {', '.join(dict.fromkeys(unknown))}")
    return items


_SPELLED = {
    "today", "yesterday", "tomorrow", "january", "february", "march", "april", "june", "july",
    "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday", "since", "last", "previou", "week", "month", "hour",
    "minute", "between", "until", "before", "after", "morning", "afternoon", "evening", "night", "overall",
}  # fmt: skip


def _longest(
    kept: Sequence[str], said: Sequence[str], at: int, lexicon: Lexicon, now: datetime
) -> tuple[list[_Item], int]:
    """The longest phrase or time that begins here, and how many words it has; 0 for none."""
    near = [
        one if two in light() else _unstemmed(one, two) for one, two in zip(kept, said, strict=True)
    ]
    time = spans.read(near[at : at + 14], now)
    size = next(
        (
            n
            for n in range(min(_LONGEST, len(said) - at), 0, -1)
            if tuple(said[at : at + n]) in lexicon
        ),
        0,
    )
    if (
        time
        and time.words >= size
        and not (time.words == size == 1 and said[at] in ("hour", "day", "may"))
    ):
        return [_Item(Meaning("time", span=time.span))], time.words
    if size:
        meanings = lexicon[tuple(said[at : at + size])]
        return [_Item(meaning, kept[at + size - 1]) for meaning in meanings], size
    number = _NUMBERS.get(
        said[at], int(said[at]) if said[at].isdigit() and len(said[at]) < 5 else 0
    )
    return ([_Item(Meaning("number"), number=number)], 1) if number else ([], 0)


def _unstemmed(typed: str, said: str) -> str:
    """For times: the typed word, unless its spelling was mended."""
    return typed if stem(typed) == said else {"previou": "previous"}.get(said, said)


def _sorted(items: Sequence[_Item], now: datetime) -> _Parts:
    missing = [item.meaning.value for item in items if item.meaning.kind == "missing"]
    if missing:
        raise CannotAnswer(f"nothing is stored of {', '.join(missing)}")
    kinds = [item.meaning.kind for item in items]
    rank, number, ranked_at = _ranked(items)
    _joined(items)
    names = _names(items)
    dimensions, one, which = _dimensions(items, names, ranked=bool(rank))
    filters, compared = _filters(items)
    if compared and compared not in dimensions:
        dimensions = (compared, *dimensions)
    times = [
        item.meaning.span
        for item in items
        if item.meaning.kind in ("time", "hours") and item.meaning.span
    ]
    said = [item.meaning.value for item in items if item.meaning.kind == "aggregate"]
    said += ["mean"] if _is_per_row(items) else []
    return _Parts(
        names=names, aggregate=_aggregate(said), rank=rank, number=number, dimensions=dimensions,
        one=one, filters=filters, span=spans.together(times, now), asks_which=which,
        whichever=_whichever(items), why="why" in kinds, when="when" in kinds,
        sorting=next((i.meaning.value for i in items if i.meaning.kind == "sorted"), ""),
        joints=_joints(items), would="would" in kinds, unit=_unit(items),
        fixed=tuple((i.meaning.column, i.meaning.value) for i in items if i.meaning.kind == "var"),
    )  # fmt: skip


def _ranked(items: Sequence[_Item]) -> tuple[str, int, int]:
    """Which end is wanted and how many: "top 5", "three worst"."""
    ranks = [(n, item.meaning.value) for n, item in enumerate(items) if item.meaning.kind == "rank"]
    numbers = [(n, item.number) for n, item in enumerate(items) if item.meaning.kind == "number"]
    if len({value for _, value in ranks}) > 1:
        said = {value for _, value in ranks}
        if not (
            said <= {"most", "best"} or said <= {"least", "worst"} or said <= {"most", "worst"}
        ):
            raise CannotAnswer("both ends are asked for: ask for one")
    if not numbers:
        return (ranks[-1][1] if ranks else ""), 0, (ranks[0][0] if ranks else -1)
    at, number = numbers[0]
    noun = next((i for i in items[at + 1 :] if i.meaning.kind not in ("stop", "rank", "filter")), None)
    is_told = noun is not None and (noun.meaning.kind == "dimension" or noun.meaning.value in _ROWS)
    if len(numbers) > 1 or not ranks or not (is_told or any(abs(at - n) == 1 for n, _ in ranks)):
        raise CannotAnswer(f"what the number {number} stands for is not understood")
    return ranks[-1][1], numbers[0][1], ranks[0][0]


def _joined(items: Sequence[_Item]) -> None:
    """Two figures at once need an "and"; who counts does not ask for an amount, too."""
    amounts = {i.meaning.value for i in items if i.meaning.kind == "measure"} - _WEAK
    if "costs" in amounts and amounts & {*_COSTS, "slippage_bp"}:
        amounts -= {"costs"}
    if len(amounts) > 1 + _joints(items):
        raise CannotAnswer(
            f"several things at once: {', '.join(sorted(amounts))}; ask for one at a time"
        )


def _unit(items: Sequence[_Item]) -> str:
    units = {item.meaning.value for item in items if item.meaning.kind == "unit"}
    if len(units) > 1:
        raise CannotAnswer("two units at once")
    return next(iter(units), "")


_COSTS = {"commission", "swap", "slippage_cost"}


def _joints(items: Sequence[_Item]) -> int:
    kinds = [item.meaning.kind for item in items if item.meaning.kind not in ("stop", "aggregate", "rank")]
    told = [item.meaning for item in items if item.meaning.kind not in ("stop", "aggregate", "rank")]
    return sum(
        1
        for n in range(1, len(told) - 1)
        if told[n] == Meaning("compare", "and") and kinds[n - 1] == kinds[n + 1] == "measure"
    )


def _is_per_row(items: Sequence[_Item]) -> bool:
    """ "Commission per trade" is a mean over trades."""
    for n, item in enumerate(items):
        if item.meaning.kind == "measure" and item.meaning.value in ("trades", "orders", "fills"):
            group = items[n - 1].meaning if n else Meaning("")
            if group.kind == "group" and group.value in (
                "per",
                "each",
                "every",
                "for each",
                "for every",
                "in each",
                "on each",
            ):
                return True
    return False


def _whichever(items: Sequence[_Item]) -> bool:
    return any(
        item.meaning.kind == "measure" and n and items[n - 1].meaning == Meaning("which", "which")
        for n, item in enumerate(items)
    )


def _names(items: Sequence[_Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i.meaning.value for i in items if i.meaning.kind == "measure"))


def _dimensions(
    items: Sequence[_Item], names: tuple[str, ...], *, ranked: bool
) -> tuple[tuple[str, ...], bool, bool]:
    """What rows are told apart by; whether one of them is asked for; whether by "which"."""
    dimensions, one, which = dict[str, None](), False, False
    for n, item in enumerate(items):
        kind, value = item.meaning.kind, item.meaning.value
        if kind == "adverb":
            dimensions[value] = None
        is_noun = kind == "dimension" or (kind == "measure" and value in _NOUNS)
        if not is_noun:
            continue
        value = _NOUNS.get(value, value) if kind == "measure" else value
        before = _before(items, n)
        if before in ("group", "which", "rank", "number") or (before == "and" and dimensions):
            if kind == "measure" and before == "group" and value in ("trade", "order"):
                continue
            if kind == "measure" and before == "which" and not ranked:
                continue
            dimensions[value] = None
            if before != "group":
                which = True
                one = one or stem(item.last) == item.last
        elif value == "source":
            continue  # "the broker", whoever it is
        elif kind == "dimension" and ranked and not dimensions:
            dimensions[value] = None
            which, one = True, stem(item.last) == item.last
        elif kind == "dimension":
            raise CannotAnswer(f"what of the {value} is meant is not understood")
    return tuple(dimensions), one, which


_ROWS = {"trades", "orders", "fills", "signals", "alerts", "incidents", "winners", "losers", "denied", "rejected", "ticks", "corrections", "halts"}
_NOUNS = {
    "trades": "trade",
    "orders": "order",
    "winners": "trade",
    "losers": "trade",
    "incidents": "incident",
}


def _before(items: Sequence[_Item], n: int) -> str:
    """What stands before a noun that says how it is meant; words that carry nothing are passed."""
    for item in reversed(items[:n]):
        kind = item.meaning.kind
        if kind in ("aggregate", "filter") or (kind == "compare" and item.meaning.value != "and"):
            continue
        if kind == "compare":
            return "and"
        if kind == "stop" and item.last in (
            "in",
            "on",
            "at",
            "during",
            "for",
            "single",
            "individual",
            "trading",
        ):
            continue
        return kind
    return ""


def _filters(items: Sequence[_Item]) -> tuple[tuple[Filter, ...], str]:
    """Conditions by column, and the column that is compared, if any."""
    chosen: dict[str, dict[str, None]] = {}
    for item in items:
        if item.meaning.kind == "filter":
            chosen.setdefault(item.meaning.column, {})[item.meaning.value] = None
    several = [column for column, values in chosen.items() if len(values) > 1]
    compares = {item.meaning.value for item in items if item.meaning.kind == "compare"}
    if several and not compares:
        raise CannotAnswer(
            'several are named, and not what to do with them: say "versus" or ask for one'
        )
    if len(several) > 1:
        raise CannotAnswer("more than one thing is compared")
    by_side = any(item.meaning.kind == "adverb" for item in items)
    if compares - {"and"} and not (several or by_side):
        raise CannotAnswer("what is to be compared is not understood")
    filters = tuple(Filter(column, tuple(values)) for column, values in chosen.items())
    return filters, several[0] if several else ""


def _aggregate(said: Sequence[str]) -> str:
    kinds = set(said)
    if "often" in kinds:
        kinds -= {"count", "share"}
    if len(kinds) > 1:
        kinds -= {"sum"} if kinds & {"count"} else set()
    if len(kinds) > 1:
        raise CannotAnswer(f"{' and '.join(sorted(kinds))} at once: ask for one")
    return next(iter(kinds), "")


def _plan(said: _Parts) -> Plan:
    rows, chosen = _measured(said)
    said = _renamed(said, rows, chosen[0])
    first = chosen[0]
    if said.when or said.rank in _ENDS_OF_TIME:
        if not (said.rank in _ENDS_OF_TIME and not said.when and first.values[""].startswith("argMax")):
            return _rows_of_time(said, rows, first)
        said = said._replace(rank="")
    if _lists(said, rows, first):
        return _list(said, rows, first)
    dimensions = said.dimensions
    if first.values[""].startswith("LIST"):
        dimensions = tuple(name for name in dimensions if rows.columns.get(name, "-") not in first.values[""])
    if said.sorting and not dimensions and rows.row and "row" in first.values:
        dimensions = tuple(rows.row)[:1]
    if said.whichever and first.lists and not dimensions and not first.values[""].startswith("LIST"):
        dimensions = (first.lists,)
    if "row" not in first.values:
        dimensions = tuple(name for name in dimensions if name not in rows.row)
    if first.each and first.each not in dimensions and not _fixes(said.filters, first.each):
        if said.rank and not dimensions:
            said = said._replace(asks_which=True, one=said.one or not said.number)
        dimensions = (*dimensions, first.each)
    aggregate, order, limit = _ordered(said, rows, first, dimensions)
    _check(said, rows, chosen, dimensions, aggregate)
    if said.span.text in _NOW and "now" in first.values and not aggregate:
        aggregate = "now"
    return Plan(
        measure="+".join(m.name for m in chosen), aggregate=aggregate, dimensions=dimensions,
        filters=said.filters, span=said.span, order=order, limit=limit, fixed=said.fixed,
    )  # fmt: skip


_ENDS_OF_TIME = ("newest", "oldest")


def _fixes(filters: Sequence[Filter], column: str) -> bool:
    return any(one.column == column for one in filters)


def _renamed(said: _Parts, rows: Rows, first: Measure) -> _Parts:
    """What people call a type or a reason, as these rows call it; and why, as what tells them apart."""
    dimensions = said.dimensions
    if "type" in dimensions and "type" not in rows.columns and "control" in rows.columns:
        dimensions = tuple("control" if name == "type" else name for name in dimensions)
    if "rule" in dimensions and "rule" not in rows.columns and first.reasons:
        dimensions = tuple(first.reasons if name == "rule" else name for name in dimensions)
    if said.why and not (said.whichever and rows.shown):
        if not first.reasons:
            raise CannotAnswer(f"why, of {first.name}, is not stored")
        dimensions = (*dimensions, first.reasons)
    return said._replace(dimensions=dimensions)


def _lists(said: _Parts, rows: Rows, first: Measure) -> bool:
    """Whether single rows are asked for: "which orders were rejected", "open incidents"."""
    if said.dimensions or said.rank or said.aggregate or first.values[""].startswith("LIST"):
        return False
    if said.whichever and not first.lists and not (first.counts and rows.shown):
        raise CannotAnswer(f"{first.name} cannot be listed here")
    return (said.whichever and not first.lists) or first.listed


def _list(said: _Parts, rows: Rows, first: Measure) -> Plan:
    _check(said, rows, (first,), (), "")
    return Plan(
        measure=first.name, aggregate="", dimensions=(), filters=said.filters, span=said.span,
        order="oldest" if rows.time else "", limit=0, lists=True,
    )  # fmt: skip


def _rows_of_time(said: _Parts, rows: Rows, first: Measure) -> Plan:
    """ "The last 5 trades", "when was the spread widest"."""
    order = said.rank or first.end
    if not rows.time or not order or (said.when and rows.daily):
        raise CannotAnswer(f"when, of {first.name}, is not understood")
    if order not in _ENDS_OF_TIME:
        if "row" not in first.values:
            raise CannotAnswer(f"when {first.name} was so is not kept")
        order = _end(order, first, first.better)
    elif not first.counts:
        raise CannotAnswer(f"{first.name} has no {order} row")
    if not said.when and not rows.shown:
        raise CannotAnswer(f"{first.name} cannot be listed here")
    if set(said.dimensions) - set(rows.row) or said.aggregate or said.whichever:
        raise CannotAnswer("the newest of each is not understood")
    _check(said, rows, (first,), (), "")
    return Plan(
        measure=first.name, aggregate="", dimensions=(), filters=said.filters, span=said.span,
        order=order, limit=said.number or 1, lists=not said.when, moment=said.when,
    )  # fmt: skip


def _measured(said: _Parts) -> tuple[Rows, tuple[Measure, ...]]:
    """What is asked for. A noun that tells rows apart, as "trades" in "worst trades", is none."""
    names = list(said.names)
    if "costs" in names and _COSTS & set(names):
        names.remove("costs")
    if set(names) == {"costs", "slippage_bp"}:  # "which hours cost us most in slippage"
        names = ["slippage_cost"]
    if names == ["trading_state"] and said.aggregate == "count":
        names = ["halts"]
    if said.aggregate == "often":
        names = [_OFTEN.get(name, name) for name in names]
    if "models" in names and len(names) > 1:
        names.remove("models")
    nouns = [name for name in names if _NOUNS.get(name) in said.dimensions]
    if len(names) > len(nouns) and any("row" in measures()[name][1].values for name in names):
        names = [name for name in names if name not in nouns or name in ("winners", "losers")]
    if said.would or {"costs", "denied"} == set(names):
        if "denied" not in names:
            raise CannotAnswer("what would have been is not stored")
        names = ["denied_would_have_made"]
    if not names and _fixes(said.filters, "stage"):
        names = ["latency_ms"]
    if not names and said.rank:
        names = [_OF[name] for name in said.dimensions if name in _OF][:1]
    if not names and said.rank in ("best", "worst") and said.dimensions:
        names = ["profit"]
    if not names:
        raise CannotAnswer("what is to be measured is not understood")
    if names == ["trades"] and "trade" in said.dimensions and said.rank not in _ENDS_OF_TIME:
        names = ["profit"]
    every = measures()
    strong = [name for name in names if name not in _WEAK]
    if strong and len(strong) < len(names) and not said.joints:
        if said.aggregate == "count" and not all(every[name][1].counts for name in strong):
            raise CannotAnswer("how many of what is not understood")
        names = strong
    if said.unit == "percent" and said.dimensions and "percent" not in every[names[0]][1].units:
        pass  # the share of each
    elif said.unit:
        if any(said.unit not in every[name][1].units for name in names):
            raise CannotAnswer(f"{names[0]} in {said.unit} is not kept")
        names = [every[name][1].units[said.unit] for name in names]
    belongs = {every[name][0].name for name in names}
    if len(belongs) > 1 or len(names) > 3:
        raise CannotAnswer(f"several things at once: {', '.join(names)}; ask for one at a time")
    return every[names[0]][0], tuple(every[name][1] for name in names)


#: What is ranked when nothing is named: "which stage is slowest".
_OF = {"stage": "latency_ms", "scenario": "stress_result"}
_OFTEN = {"denied": "denial_rate", "rejected": "reject_rate", "winners": "win_rate", "losers": "loss_rate", "filled_orders": "fill_rate", "profit": "win_rate"}
#: Nouns that other figures are taken of: "the average profit of our trades" asks for the profit.
_WEAK = frozenset(
    {
        "trades",
        "orders",
        "fills",
        "ticks",
        "signals",
        "predictions",
        "open_positions",
        "bars",
        "models",
    }
)


def _ordered(
    said: _Parts, rows: Rows, measure: Measure, dimensions: tuple[str, ...]
) -> tuple[str, str, int]:
    """Aggregate, order, and how many: "the highest spread" is a maximum, "which hour has" an order."""
    if said.unit == "percent" and "percent" not in measure.units:
        said = said._replace(aggregate="share")
    rank, aggregate = said.rank, "" if said.aggregate == "often" else said.aggregate
    if said.sorting and not rank:
        if not dimensions:
            raise CannotAnswer("what is to be sorted is not understood")
        return aggregate, _end(said.sorting, measure, measure.better), 0
    if aggregate == "count" and not measure.counts:
        raise CannotAnswer(f"{measure.name} is not counted")
    if not rank:
        one = len(said.filters) == 1 and len(said.filters[0].values) == 1
        if aggregate == "share" and "share" not in measure.values and not (dimensions or one):
            raise CannotAnswer("a share of what is not understood")
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
        raise CannotAnswer(f"{aggregate} and {rank} at once: ask for one")
    end = _end(rank, measure, measure.better)
    return ("max" if end == "most" else "min"), "", 0


def _end(rank: str, measure: Measure, better: str) -> str:
    if rank in ("most", "least"):
        return rank
    if (rank, better) not in _GOOD:
        raise CannotAnswer(f"whether more or less of {measure.name} is {rank} is not known")
    return _GOOD[rank, better]


def _check(
    said: _Parts, rows: Rows, chosen: Sequence[Measure], dimensions: Sequence[str], aggregate: str
) -> None:
    """Everything said must find its place in the rows; nothing is left out in silence."""
    for filter_ in said.filters:
        if filter_.column not in rows.columns:
            raise CannotAnswer(f"{chosen[0].name} is not told apart by {filter_.column}")
    for dimension in dimensions:
        timed = dimension in _TIMES and rows.time and not (rows.daily and dimension == "hour")
        if not (dimension in rows.columns or dimension in rows.row or timed):
            raise CannotAnswer(f"{chosen[0].name} is not told apart by {dimension}")
    span = said.span
    if not rows.time and (span.begin or span.hours or (span.end and span.begin)):
        raise CannotAnswer(f"of {chosen[0].name} only the newest is kept here")
    if rows.daily and (span.hours or _within_a_day(span)):
        raise CannotAnswer(f"{chosen[0].name} is kept by day")
    if aggregate == "mean" and "sum" in chosen[0].values and set(dimensions) & set(_TIMES):
        raise CannotAnswer("an average over single trades, or over the sums of days? ask for one")
    if span.text in _NOW and rows.time and not any(_is_newest(measure) for measure in chosen):
        raise CannotAnswer(f"{chosen[0].name} is of a time, not of a moment: say since when")
    for measure in chosen:
        if (
            aggregate not in ("share",)
            and aggregate not in measure.values
            and not _is_row(rows, dimensions)
        ):
            raise CannotAnswer(f"{measure.name} has no {aggregate}")
    if said.fixed and rows.name != "var":
        raise CannotAnswer("a confidence or method belongs to value at risk")


_NOW = {"now", "right now", "currently", "at the moment"}


def _is_newest(measure: Measure) -> bool:
    return "now" in measure.values or measure.values[""].startswith("argMax")


def _is_row(rows: Rows, dimensions: Sequence[str]) -> bool:
    return any(dimension in rows.row for dimension in dimensions)


def _within_a_day(span: Span) -> bool:
    end = None if span.is_until_now else span.end
    moments = [moment for moment in (span.begin, end) if moment]
    return any(moment.hour or moment.minute or moment.second for moment in moments)
