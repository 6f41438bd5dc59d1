"""From what each phrase says to the parts of a question: figures, conditions, an end."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from questions import spans, turns
from questions.catalog import measures, narrowed
from questions.conditions import bounds_of, compares, filters_of, of_currency, times_apart
from questions.dimensions import before, dimensions_of, earns, is_counted, of_each
from questions.ends import aggregate_of, ranked_by, several_aggregates
from questions.nouns import COSTS, NOUNS, RESULTS, STRICT, WEAK
from questions.overlooked import check_said, how_of
from questions.plan import Bound, Filter, Span, UnansweredError
from questions.reading import Item
from questions.vocabulary import Meaning


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
    how: str  # "long" of "how long", which asks for a figure of that kind
    moves: str  # "down" or "up" of a change that is said with its sign: "which symbol fell most"
    costing: bool  # "cost us", which is said of losses, too
    stands: bool  # "are long on gold"
    apart: bool  # "by symbol": what is asked for is told of each


def parts_of(items: Sequence[Item], now: datetime) -> Parts:
    """What was said, sorted.

    Raises:
        UnansweredError: the parts do not go together.
    """
    items = [of_currency(item, items) for item in items]
    missing = [item.meaning.value for item in items if item.meaning.kind == "missing"]
    if missing:
        raise UnansweredError(f"nothing is stored of {', '.join(missing)}")
    check_said(items)
    turn = turns.taken(items)
    items = turn.items
    kinds = [item.meaning.kind for item in items]
    several = several_aggregates(items)
    if several:
        items = [i for i in items if i.meaning.kind not in ("aggregate", "rank")]
    rank, number = ranked_by(items)
    _joined(items)
    names = _names(items)
    dimensions, one, which = dimensions_of(items, names, ranked=bool(rank))
    filters, dimensions, span = _conditions(items, dimensions, now)
    bounded, targets = bounds_of(items)
    said = [item.meaning.value for item in items if item.meaning.kind == "aggregate"]
    said += ["mean"] if _is_per_row(items) else []
    return Parts(
        names=names,
        aggregate=several or aggregate_of(said),
        rank=rank,
        number=number,
        rank_word=next((i.last for i in items if i.meaning.kind == "rank"), ""),
        dimensions=dimensions,
        one=one and not of_each(items) and not _is_ranking(items),
        filters=filters,
        span=span,
        asks_which=which,
        whichever=_whichever(items),
        why="why" in kinds,
        when=_asks_when(items),
        sorting=next((i.meaning.value for i in items if i.meaning.kind == "sorted"), ""),
        joints=_joints(items),
        would="would" in kinds,
        who="who" in kinds,
        much="much" in kinds,
        unit=_unit(items),
        bounds=bounded,
        bounded=targets,
        how=how_of(items),
        moves=_moves(items),
        costing=any(i.said == ("cost",) for i in items),
        stands=_stands(items),
        apart=_is_apart(items),
        over=turn.over,
        is_share=turn.is_share,
        is_none=turn.is_none,
        by_trading_day=turn.by_trading_day,
        counted=_is_counted(items),
        earns=earns(items),
        single=_single(items),
        shows=any(i.meaning.kind == "stop" and i.last in _SHOWS for i in items),
        fixed=tuple((i.meaning.column, i.meaning.value) for i in items if i.meaning.kind == "var"),
    )


def _stands(items: Sequence[Item]) -> bool:
    """ "How many lots are long": how it is, and nothing that was done."""
    sides = [i for i in items if i.meaning.kind == "filter" and i.meaning.column == "side"]
    timed = any(i.meaning.kind in ("time", "hours") for i in items)
    return not timed and any({"am", "is", "are"} & set(i.led) for i in sides)


def _moves(items: Sequence[Item]) -> str:
    """Whether a change of prices is said to be one up or down."""
    said = {word for i in items if i.meaning.value == "price_change" for word in i.said}
    return "down" if said & _FALLS else "up" if said & _RISES else ""


_FALLS = {"fell", "fall", "fallen", "falling", "drop", "dropped", "declined", "decline", "down"}
_RISES = {"rose", "rise", "risen", "rising", "gained", "climbed", "climb", "up"}


def _asks_when(items: Sequence[Item]) -> bool:
    """ "Its time in ms" is how long, and not when."""
    lasts = any(i.meaning.kind == "unit" and i.meaning.value in _DURATIONS for i in items)
    said = [i.said for i in items if i.meaning.kind == "when"]
    return bool(said) and not (lasts and all(words == ("time",) for words in said))


_DURATIONS = {"us", "ms", "s", "min", "h"}


def _is_ranking(items: Sequence[Item]) -> bool:
    """ "Trades sorted by profit": all of them."""
    ranks = [i.meaning.column for i in items if i.meaning.kind == "rank"]
    return bool(ranks) and set(ranks) == {"ranking"}


def _is_apart(items: Sequence[Item]) -> bool:
    """ "Daily", "by symbol"."""
    return any(
        i.meaning.kind == "adverb"
        or (i.meaning.kind == "dimension" and before(items, n) == "group")
        for n, i in enumerate(items)
    )


def _is_counted(items: Sequence[Item]) -> bool:
    """ "How many symbols"."""
    return any(i.meaning.kind == "dimension" and is_counted(items, n) for n, i in enumerate(items))


def _conditions(
    items: Sequence[Item], dimensions: tuple[str, ...], now: datetime
) -> tuple[tuple[Filter, ...], tuple[str, ...], Span]:
    """Which rows are asked for, and what tells them apart when some are compared."""
    filters, compared = filters_of(items)
    together = any(i.said[-1:] in _TOGETHER for i in items)
    if compared and compared not in dimensions and not together:
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


#: "Gold and bitcoin combined" have one figure.
_TOGETHER = {("combined",), ("together",), ("altogether",)}
_SINGULAR = {"trade", "traded", "position", "deal", "order", "fill"}
_SHOWS = {"show", "display", "print"}


def _single(items: Sequence[Item]) -> str:
    kinds = [item.meaning.kind for item in items]
    named = ["which", "dimension"] in [kinds[n : n + 2] for n in range(len(kinds))]
    for n, item in enumerate(items):
        value = item.meaning.value
        if item.meaning.kind == "measure" and value in ("trades", "orders", "fills"):
            ends = [at for at, i in enumerate(items) if i.meaning.kind == "rank"]
            leads = ends and n < ends[0] and not named  # "orders with the largest slippage"
            if (item.last in _SINGULAR or leads) and before(items, n) != "group":
                return NOUNS.get(value, "order")
    return ""


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
