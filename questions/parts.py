"""From what each phrase says to the parts of a question: figures, conditions, an end."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from questions import spans
from questions.catalog import measures
from questions.lexicon import Meaning
from questions.plan import Filter, Span, UnansweredError
from questions.reading import Item
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


def parts_of(items: Sequence[Item], now: datetime) -> Parts:
    """What was said, sorted.

    Raises:
        UnansweredError: the parts do not go together.
    """
    missing = [item.meaning.value for item in items if item.meaning.kind == "missing"]
    if missing:
        raise UnansweredError(f"nothing is stored of {', '.join(missing)}")
    kinds = [item.meaning.kind for item in items]
    rank, number = _ranked(items)
    words = [i.meaning.value for i in items if i.meaning.kind == "comparative"]
    asks = {"which", "dimension"} <= set(kinds)
    if words and asks and not rank and not number:
        rank = words[0]  # "on which side did we make more"
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
    return Parts(
        names=names,
        aggregate=_aggregate(said),
        rank=rank,
        number=number,
        rank_word=next((i.last for i in items if i.meaning.kind == "rank"), ""),
        dimensions=dimensions,
        one=one,
        filters=filters,
        span=spans.together(times, now),
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
        fixed=tuple((i.meaning.column, i.meaning.value) for i in items if i.meaning.kind == "var"),
    )


def _ranked(items: Sequence[Item]) -> tuple[str, int]:
    """Which end is wanted and how many: "top 5", "three worst"."""
    ranks = [(n, item.meaning.value) for n, item in enumerate(items) if item.meaning.kind == "rank"]
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
    is_told = noun is not None and (noun.meaning.kind == "dimension" or noun.meaning.value in _ROWS)
    if len(numbers) > 1 or not ranks or not (is_told or any(abs(at - n) == 1 for n, _ in ranks)):
        raise UnansweredError(f"what the number {number} stands for is not understood")
    return ranks[-1][1], numbers[0][1]


def _joined(items: Sequence[Item]) -> None:
    """Two figures at once need an "and"; who counts does not ask for an amount, too."""
    amounts = {i.meaning.value for i in items if i.meaning.kind == "measure"} - WEAK - {"closed"}
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


COSTS = {"commission", "swap", "slippage_cost"}


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
        if joined[n] == Meaning("compare", "and") and kinds[n - 1] == kinds[n + 1] == "measure"
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
        item.meaning.kind == "measure" and n and items[n - 1].meaning == Meaning("which", "which")
        for n, item in enumerate(items)
    )


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
        if not is_noun:
            continue
        value = NOUNS.get(value, value) if kind == "measure" else value
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
        elif value in ("source", "account") or (
            value == "status" and (_is_listed(names) or "orders" in names)
        ):
            continue  # "the broker", "my account", "models and their status"
        elif kind == "dimension" and ranked and not dimensions:
            dimensions[value] = None
            which, one = True, stem(item.last) == item.last
        elif kind == "dimension":
            raise UnansweredError(f"what of the {value} is meant is not understood")
    return tuple(dimensions), one, which


def _is_listed(names: Sequence[str]) -> bool:
    return any(measures()[name][1].values[""].startswith("LIST") for name in names)


_ROWS = {
    "trades",
    "orders",
    "fills",
    "signals",
    "alerts",
    "incidents",
    "winners",
    "losers",
    "denied",
    "rejected",
    "ticks",
    "corrections",
    "halts",
}


NOUNS = {
    "trades": "trade",
    "orders": "order",
    "winners": "trade",
    "losers": "trade",
    "incidents": "incident",
}


def _before(items: Sequence[Item], n: int) -> str:
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


def _filters(items: Sequence[Item]) -> tuple[tuple[Filter, ...], str]:
    """Conditions by column, and the column that is compared, if any."""
    chosen: dict[str, dict[str, None]] = {}
    for item in items:
        if item.meaning.kind == "filter":
            chosen.setdefault(item.meaning.column, {})[item.meaning.value] = None
    several = [column for column, values in chosen.items() if len(values) > 1]
    compares = {item.meaning.value for item in items if item.meaning.kind == "compare"}
    if several and not compares:
        raise UnansweredError(
            'several are named, and not what to do with them: say "versus" or ask for one'
        )
    if len(several) > 1:
        raise UnansweredError("more than one thing is compared")
    if not several and any(item.meaning.kind == "comparative" for item in items):
        raise UnansweredError("more or less than what is not understood")
    by_side = any(item.meaning.kind == "adverb" for item in items)
    if compares - {"and"} and not (several or by_side):
        raise UnansweredError("what is to be compared is not understood")
    filters = tuple(Filter(column, tuple(values)) for column, values in chosen.items())
    return filters, several[0] if several else ""


def _aggregate(said: Sequence[str]) -> str:
    kinds = set(said)
    if "often" in kinds:
        kinds -= {"count", "share"}
    if len(kinds) > 1:
        kinds -= {"sum"} if kinds & {"count"} else set()
    if len(kinds) > 1:
        raise UnansweredError(f"{' and '.join(sorted(kinds))} at once: ask for one")
    return next(iter(kinds), "")


#: Nouns that other figures are taken of: "the average profit of our trades" asks for the profit.
WEAK = frozenset(
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
