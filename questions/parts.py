"""From what each phrase says to the parts of a question: figures, conditions, an end."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from questions import bounds, spans, turns
from questions.catalog import measures, narrowed
from questions.conditions import bounds_of, compares, filters_of, of_currency, times_apart
from questions.nouns import COSTS, NOUNS, RESULTS, ROWS, STRICT, WEAK
from questions.plan import Bound, Filter, Span, UnansweredError
from questions.reading import Item
from questions.vocabulary import Meaning
from questions.words import stem


class Parts(NamedTuple):
    """What was said, sorted."""

    names: tuple[str, ...]
    aggregate: str
    rank: str
    rank_word: str
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
    who: bool
    much: bool
    would: bool  # "what would the denied orders have made"
    unit: str
    bounds: tuple[Bound, ...]
    shows: bool  # "show me": the rows themselves
    single: str  # a row's noun in the singular: "the trade that we held longest"
    earns: str  # "lost" of what is a profit, "money" of what made some, else empty
    over: str  # the figure that the one is divided by
    is_share: bool  # that in percent
    is_none: bool  # those of which there is none
    counted: bool  # how many days, not how many trades
    by_trading_day: bool  # "today's trading day", which begins and ends with the market's
    bounded: tuple[str, ...]  # the figures that bounds are of, as they were named


def parts_of(items: Sequence[Item], now: datetime) -> Parts:
    """What was said, sorted.

    Raises:
        UnansweredError: the parts do not go together.
    """
    items = [of_currency(item, items) for item in items]
    missing = [item.meaning.value for item in items if item.meaning.kind == "missing"]
    if missing:
        raise UnansweredError(f"nothing is stored of {', '.join(missing)}")
    turn = turns.taken(items)
    items = turn.items
    kinds = [item.meaning.kind for item in items]
    several = _several_aggregates(items)
    if several:
        items = [i for i in items if i.meaning.kind not in ("aggregate", "rank")]
    rank, number = _ranked_by(items)
    _joined(items)
    names = _names(items)
    dimensions, one, which = _dimensions(items, names, ranked=bool(rank))
    filters, dimensions, span = _conditions(items, dimensions, now)
    bounded, targets = bounds_of(items)
    said = [item.meaning.value for item in items if item.meaning.kind == "aggregate"]
    said += ["mean"] if _is_per_row(items) else []
    return Parts(
        names=names,
        aggregate=several or _aggregate(said),
        rank=rank,
        number=number,
        rank_word=next((i.last for i in items if i.meaning.kind == "rank"), ""),
        dimensions=dimensions,
        one=one and not _of_each(items),
        filters=filters,
        span=span,
        asks_which=which,
        whichever=_whichever(items),
        why="why" in kinds,
        when="when" in kinds,
        sorting=next((i.meaning.value for i in items if i.meaning.kind == "sorted"), ""),
        joints=_joints(items),
        would="would" in kinds,
        who="who" in kinds,
        much="much" in kinds,
        unit=_unit(items),
        bounds=bounded,
        bounded=targets,
        over=turn.over,
        is_share=turn.is_share,
        is_none=turn.is_none,
        by_trading_day=turn.by_trading_day,
        counted=any(
            i.meaning.kind == "dimension" and _is_counted(items, n) for n, i in enumerate(items)
        ),
        earns=_earns(items),
        single=_single(items),
        shows=any(i.meaning.kind == "stop" and i.last in _SHOWS for i in items),
        fixed=tuple((i.meaning.column, i.meaning.value) for i in items if i.meaning.kind == "var"),
    )


def _ranked_by(items: Sequence[Item]) -> tuple[str, int]:
    """The end that is asked for, and how many there."""
    rank, number = _ranked(items)
    kinds = {item.meaning.kind for item in items}
    words = [i.meaning.value for i in items if i.meaning.kind == "comparative"]
    if words and not (rank or number) and {"which", "dimension"} <= kinds:
        rank = words[0]  # "on which side did we make more"
        rank = _OF_LOSSES.get(rank, rank) if _earns(items) == "lost" else rank
    return rank, number


def _conditions(
    items: Sequence[Item], dimensions: tuple[str, ...], now: datetime
) -> tuple[tuple[Filter, ...], tuple[str, ...], Span]:
    """Which rows are asked for, and what tells them apart when some are compared."""
    filters, compared = filters_of(items)
    if compared and compared not in dimensions:
        dimensions = (compared, *dimensions)
    timed = [item.meaning for item in items if item.meaning.kind in ("time", "hours")]
    times = [meaning.span for meaning in timed if meaning.span]
    apart = times_apart(times) if compares(items) else ""
    if apart and apart not in dimensions:
        dimensions = (*dimensions, apart)
    if any(i.meaning == Meaning("adverb", "side") for i in items):
        filters = (*filters, Filter("side", ("buy", "sell")))
    span = spans.either(times, now) if apart else spans.together(times, now)
    return filters, dimensions, span


#: To lose more is to earn less.
_OF_LOSSES = {"most": "worst", "least": "best"}
_KINDS = {"most": "max", "least": "min", "best": "best", "worst": "worst"}


def _several_aggregates(items: Sequence[Item]) -> str:
    """ "Minimum, average and maximum": in the order in which they are said; empty for one."""
    named = [
        _KINDS.get(i.meaning.value, i.meaning.value)
        for i in items
        if i.meaning.kind in ("aggregate", "rank")
    ]
    kinds = [i.meaning.kind for i in items]
    if len(set(named)) < 2 or not set(named) <= _FIGURES or {"number", "which"} & set(kinds):
        return ""
    last = max(n for n, kind in enumerate(kinds) if kind in ("aggregate", "rank"))
    joined = last and items[last - 1].meaning == Meaning("compare", "and")
    return "+".join(dict.fromkeys(named)) if joined or len(set(named)) > 2 else ""


_FIGURES = {"best", "worst", "min", "mean", "median", "max", "sum", "p90", "p95", "p99"}


_SINGULAR = {"trade", "traded", "position", "deal", "order", "fill"}
_SHOWS = {"show", "display", "print"}


def _single(items: Sequence[Item]) -> str:
    for n, item in enumerate(items):
        value = item.meaning.value
        if item.meaning.kind == "measure" and value in ("trades", "orders", "fills"):
            ends = [at for at, i in enumerate(items) if i.meaning.kind == "rank"]
            leads = ends and n < ends[0]  # "orders with the largest slippage"
            if (item.last in _SINGULAR or leads) and _before(items, n) != "group":
                return NOUNS.get(value, "order")
    return ""


_PASSIVE = {"made", "make", "generated", "generate"}
_GAINS = {"profit", "gain", "money", "win"}
_PROFITABLE = {"profitable", "green", "plus", "black", "positive"}


def _earns(items: Sequence[Item]) -> str:
    """What the word for a profit says: "lost", "money", "made" of what was no profit."""
    counted = any(
        _is_counted(items, n) for n, i in enumerate(items) if i.meaning.kind == "dimension"
    )
    for n, item in enumerate(items):
        if item.meaning == Meaning("measure", "losers") and item.last in ("loss", "losses"):
            return "lost"
        if item.meaning != Meaning("measure", "profit"):
            continue
        after = items[n + 1].last if n + 1 < len(items) else ""
        if item.last in bounds.LOSSES:
            return "lost"
        if counted and item.last in _GAINS:
            return "money"
        if (item.last in _PASSIVE and after == "money") or item.last in _PROFITABLE:
            return "money"
        if item.last in _PASSIVE or item.last == "most":
            return "made"
    return ""


def _ranked(items: Sequence[Item]) -> tuple[str, int]:
    """Which end is wanted and how many: "top 5", "three worst"."""
    is_sorted = any(item.meaning.kind == "sorted" for item in items)
    ranks = [
        (n, item.meaning.value)
        for n, item in enumerate(items)
        if item.meaning.kind == "rank" and not (is_sorted and item.meaning.column == "ranking")
    ]
    numbers = [(n, item.number) for n, item in enumerate(items) if item.meaning.kind == "number"]
    if len({value for _, value in ranks}) > 1:
        said = {value for _, value in ranks}
        if not (
            said <= {"most", "best"} or said <= {"least", "worst"} or said <= {"most", "worst"}
        ):
            raise UnansweredError("both ends are asked for: ask for one")
    if not numbers:
        return (ranks[-1][1] if ranks else ""), 0
    at, number = numbers[0]
    noun = next(
        (i for i in items[at + 1 :] if i.meaning.kind not in ("stop", "rank", "filter")), None
    )
    is_told = noun is not None and (noun.meaning.kind == "dimension" or _is_row(noun.meaning))
    if len(numbers) > 1 or not ranks or not (is_told or any(abs(at - n) == 1 for n, _ in ranks)):
        raise UnansweredError(f"what the number {number} stands for is not understood")
    return ranks[-1][1], numbers[0][1]


def _is_row(meaning: Meaning) -> bool:
    if meaning.kind != "measure":
        return False
    measure = measures()[meaning.value][1]
    return meaning.value in ROWS or bool(measure.counts or measure.each)


def _joined(items: Sequence[Item]) -> None:
    """Two figures at once need an "and"; who counts does not ask for an amount, too."""
    bounded = set(bounds_of(items)[1])
    amounts = {i.meaning.value for i in items if i.meaning.kind == "measure"} - WEAK - {"closed"}
    amounts -= bounded
    if len(amounts) > 1:
        amounts -= STRICT
    if not _joints(items):
        amounts &= set(narrowed(sorted(amounts)))
    if {i.meaning.kind for i in items} >= {"would"} and amounts == {"denied", "profit"}:
        return  # "what would the denied orders have made"
    if amounts == RESULTS or any(
        measures()[name][0].name == "trades" for name in amounts - RESULTS
    ):
        amounts -= RESULTS  # "holding time of losing trades"
    if "costs" in amounts and amounts & {*COSTS, "slippage_bp"}:
        amounts -= {"costs"}
    if len(amounts) > 1 + _joints(items):
        raise UnansweredError(
            f"several things at once: {', '.join(sorted(amounts))}; ask for one at a time"
        )


def _unit(items: Sequence[Item]) -> str:
    units = {item.meaning.value for item in items if item.meaning.kind == "unit"}
    if len(units) > 1:
        raise UnansweredError("two units at once")
    return next(iter(units), "")


def _joints(items: Sequence[Item]) -> int:
    kinds = [
        item.meaning.kind
        for item in items
        if item.meaning.kind not in ("stop", "aggregate", "rank")
    ]
    joined = [
        item.meaning for item in items if item.meaning.kind not in ("stop", "aggregate", "rank")
    ]
    return sum(
        1
        for n in range(1, len(joined) - 1)
        if kinds[n] == "compare" and kinds[n - 1] == kinds[n + 1] == "measure"
    )


def _is_per_row(items: Sequence[Item]) -> bool:
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


def _whichever(items: Sequence[Item]) -> bool:
    if items and items[-1].meaning == Meaning("which", "which"):
        return True  # "how many, and which"
    return any(
        item.meaning.kind == "measure"
        and n
        and items[n - 1].meaning in (Meaning("which", "which"), Meaning("which", "list"))
        and not _is_relative(items, n - 1)
        for n, item in enumerate(items)
    )


def _is_relative(items: Sequence[Item], at: int) -> bool:
    """ "Trades which closed today", "hours in which we lost": no list is asked for."""
    passed = [
        i.meaning.kind for i in items[:at] if i.meaning.kind not in ("filter", "stop", "time")
    ]
    return bool(passed) and passed[-1] in ("measure", "dimension")


def _names(items: Sequence[Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i.meaning.value for i in items if i.meaning.kind == "measure"))


def _dimensions(
    items: Sequence[Item], names: tuple[str, ...], *, ranked: bool
) -> tuple[tuple[str, ...], bool, bool]:
    """What rows are joined apart by; whether one of them is asked for; whether by "which"."""
    dimensions, one, which = dict[str, None](), False, False
    for n, item in enumerate(items):
        kind, value = item.meaning.kind, item.meaning.value
        if kind == "adverb":
            dimensions[value] = None
        is_noun = kind == "dimension" or (kind == "measure" and value in NOUNS)
        is_noun = is_noun and not (value in STRICT and stem(item.last) != NOUNS[value])
        if not is_noun:
            continue
        value = NOUNS.get(value, value) if kind == "measure" else value
        before = _before(items, n)
        if before in ("group", "which", "rank", "number") or (before == "and" and dimensions):
            if kind == "measure" and before == "group" and value in ("trade", "order"):
                continue
            if kind == "measure" and before == "which" and not ranked:
                continue
            if kind == "measure" and before == "rank" and which and _is_count(item, items[:n]):
                continue  # "on which day did we do the most trades"
            dimensions[value] = None
            if before != "group":
                which = True
                single = any(i.meaning == Meaning("which", "single") for i in items[:n])
                one = one or single or stem(item.last) == item.last
        elif value in ("source", "account", "feed") or (
            value == "status" and (_is_listed(names) or "orders" in names)
        ):
            continue  # "the broker", "my account", "models and their status"
        elif kind == "dimension" and ranked and not dimensions:
            dimensions[value] = None
            which, one = True, stem(item.last) == item.last
        elif value == "rule" and kind == "dimension" and names:
            dimensions[value] = None  # "reasons for halts"
        elif (
            kind == "dimension"
            and names == ("profit",)
            and before == "measure"
            and stem(item.last) != item.last
        ):
            dimensions[value] = None  # "how did the strategies do"
        elif kind == "dimension" and items[n + 1 : n + 2] and items[n + 1].last == "counted":
            dimensions[value] = None  # "actions counted"
        elif kind == "dimension" and _is_counted(items, n):
            dimensions[value] = None
            which = True  # "on how many days did we trade"
        elif kind == "dimension" and (set(dimensions) & _OF_ROWS or _is_compared(items, n)):
            dimensions[value] = None  # "the worst trades with their symbol"
        elif kind == "dimension" and (_lost(items) or any(i.bound for i in items)):
            dimensions[value] = None
            which = True  # "symbols with a loss today", "hours with more than 20 trades"
        elif kind == "dimension":
            raise UnansweredError(f"what of the {value} is meant is not understood")
    return tuple(dimensions), one, which


_OF_ROWS = {"trade", "order", "incident"}


def _is_compared(items: Sequence[Item], n: int) -> bool:
    """ "Compare the strategies": each with the others."""
    before = [i.meaning for i in items[:n] if i.meaning.kind not in ("stop", "measure")]
    plural = stem(items[n].last) != items[n].last
    return (
        plural and before[-1:] != [] and before[-1].kind == "compare" and before[-1].value != "or"
    )


def _is_counted(items: Sequence[Item], n: int) -> bool:
    before = [i.meaning for i in items[:n] if i.meaning.kind != "stop"]
    return before[-1:] == [Meaning("aggregate", "count")]


def _of_each(items: Sequence[Item]) -> bool:
    """ "Which symbol slips most? Give the average of each": all are asked for."""
    for n, item in enumerate(items):
        after = [i.meaning.kind for i in items[n + 1 :] if i.meaning.kind != "stop"]
        if item.meaning == Meaning("group", "each") and after[:1] not in (
            ["dimension"],
            ["measure"],
        ):
            return True
    return False


def _is_count(noun: Item, before: Sequence[Item]) -> bool:
    ends = [item.meaning.value for item in before if item.meaning.kind == "rank"]
    return ends[-1:] in (["most"], ["least"]) and noun.meaning.value in ("trades", "orders")


def _lost(items: Sequence[Item]) -> bool:
    named = [item for item in items if item.meaning.kind == "measure"]
    values = [i.meaning.value for i in named]
    if values not in (["losers"], ["profit"], ["profitable_trades"]):
        return False
    return named[0].last in bounds.LOSSES or _earns(items) == "money"


def _is_listed(names: Sequence[str]) -> bool:
    return any(measures()[name][1].values[""].startswith("LIST") for name in names)


def _before(items: Sequence[Item], n: int) -> str:
    """What stands before a noun that says how it is meant; words that carry nothing are passed."""
    for at in range(n - 1, -1, -1):
        item = items[at]
        kind = item.meaning.kind
        if kind == "measure" and at and items[at - 1].last == item.last:
            continue  # carried by a rank: "most profitable trades"
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


def _aggregate(said: Sequence[str]) -> str:
    kinds = set(said)
    if "often" in kinds:
        kinds -= {"count", "share"}
    if kinds == {"count", "share"}:
        kinds = {"share"}  # "out of every hundred trades, how many were winners"
    if len(kinds) > 1:
        kinds -= {"sum"} if kinds & {"count", "share"} else set()  # "what percentage of total"
    if len(kinds) > 1:
        kinds -= {"usual"}  # "how long do we usually hold, the median"
    kinds = {"mean"} if kinds == {"usual"} else kinds
    if len(kinds) > 1:
        raise UnansweredError(f"{' and '.join(sorted(kinds))} at once: ask for one")
    return next(iter(kinds), "")
