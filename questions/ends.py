"""Which end is asked for, how many there, and which aggregate: "top 5", "minimum and maximum"."""

from collections.abc import Sequence
from itertools import pairwise

from questions.catalog import measures
from questions.dimensions import earns
from questions.nouns import ROWS
from questions.plan import UnansweredError
from questions.reading import Item
from questions.vocabulary import Meaning


def ranked_by(items: Sequence[Item]) -> tuple[str, int]:
    """The end that is asked for, and how many there."""
    rank, number = _ranked(items)
    kinds = {item.meaning.kind for item in items}
    words = [i.meaning.value for i in items if i.meaning.kind == "comparative"]
    asks = {"which", "dimension"} <= kinds or _names_the_one(items)
    if words and not (rank or number) and asks:
        rank = words[0]  # "on which side did we make more"
        rank = _OF_LOSSES.get(rank, rank) if earns(items) == "lost" else rank
    return rank, number


def _names_the_one(items: Sequence[Item]) -> bool:
    """ "Are buys or sells the more profitable side": one of those that are named."""
    said = [item for item in items if item.meaning.kind not in ("measure", "stop")]
    return any(
        one.meaning.kind == "comparative" and two.meaning.kind == "dimension"
        for one, two in pairwise(said)
    )


#: To lose more is to earn less.
_OF_LOSSES = {"most": "worst", "least": "best"}


_KINDS = {"most": "max", "least": "min", "best": "best", "worst": "worst"}


def several_aggregates(items: Sequence[Item]) -> str:
    """ "Minimum, average and maximum": in the order in which they are said; empty for one."""
    named = [
        _KINDS.get(i.meaning.value, i.meaning.value)
        for i in items
        if i.meaning.kind in ("aggregate", "rank")
    ]
    kinds = [i.meaning.kind for i in items]
    if len(set(named)) < 2 or not set(named) <= _FIGURES or _names_rows(items):
        return ""
    last = max(n for n, kind in enumerate(kinds) if kind in ("aggregate", "rank"))
    joined = last and items[last - 1].meaning == Meaning("compare", "and")
    return "+".join(dict.fromkeys(named)) if joined or len(set(named)) > 2 else ""


def _names_rows(items: Sequence[Item]) -> bool:
    """ "Which hour", "top 5"; "what are the median and the maximum" names none."""
    return any(
        i.meaning.kind == "number" or (i.meaning.kind == "which" and i.meaning.value != "what")
        for i in items
    ) or any(
        one.meaning.kind == "which" and two.meaning.kind == "dimension"
        for one, two in pairwise(items)
    )


_FIGURES = {"best", "worst", "min", "mean", "median", "max", "sum", "p90", "p95", "p99"}


def _ranked(items: Sequence[Item]) -> tuple[str, int]:
    """Which end is wanted and how many: "top 5", "three worst"."""
    is_sorted = any(item.meaning.kind == "sorted" for item in items)
    ranks = [
        (n, item.meaning.value)
        for n, item in enumerate(items)
        if item.meaning.kind == "rank" and not (is_sorted and item.meaning.column == "ranking")
    ]
    named = [(n, value) for n, value in ranks if items[n].meaning.column != "ranking"]
    ranks = named or ranks  # "the worst three, ranked by profit"
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
    if items[at + 1 : at + 2] and items[at + 1].meaning in _PERCENT:
        raise UnansweredError(f"the outermost {number} percent are not told apart")
    is_told = noun is not None and (noun.meaning.kind == "dimension" or _is_row(noun.meaning))
    if len(numbers) > 1 or not ranks or not (is_told or any(abs(at - n) == 1 for n, _ in ranks)):
        raise UnansweredError(f"what the number {number} stands for is not understood")
    return ranks[-1][1], numbers[0][1]


_PERCENT = (Meaning("unit", "percent"), Meaning("aggregate", "share"))


def _is_row(meaning: Meaning) -> bool:
    if meaning.kind != "measure":
        return False
    measure = measures()[meaning.value][1]
    return meaning.value in ROWS or bool(measure.counts or measure.each)


def aggregate_of(said: Sequence[str]) -> str:
    """The one that is meant, of all that were said.

    Raises:
        UnansweredError: two are meant.
    """
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
