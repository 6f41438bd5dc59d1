"""By what rows are told apart, and whether one of these is asked for: "which hour"."""

from collections.abc import Sequence
from itertools import pairwise

from questions import bounds
from questions.catalog import measures
from questions.nouns import NOUNS, STRICT
from questions.plan import UnansweredError
from questions.reading import Item
from questions.vocabulary import Meaning
from questions.words import stem

_DOES = {"do", "does", "did"}
_PASSIVE = {"made", "make", "generated", "generate"}


_GAINS = {"profit", "gain", "money", "win"}


_PROFITABLE = {"profitable", "green", "plus", "black", "positive"}


def earns(items: Sequence[Item]) -> str:
    """What the word for a profit says: "lost", "money", "made" of what was no profit."""
    counted = any(
        is_counted(items, n) for n, i in enumerate(items) if i.meaning.kind == "dimension"
    )
    for n, item in enumerate(items):
        if item.meaning == Meaning("measure", "losers") and item.last in ("loss", "losses"):
            return "lost"
        if item.meaning != Meaning("measure", "profit") or _is_carried(items, n):
            continue
        after = items[n + 1].last if n + 1 < len(items) else ""
        if item.last in bounds.LOSSES:
            return "lost"
        with_one = n > 0 and items[n - 1].said == ("with",) and "a" in item.led
        if (counted or with_one) and item.last in _GAINS:
            return "money"
        if (item.last in _PASSIVE and after == "money") or item.last in _PROFITABLE:
            return "money"
        if item.last in _PASSIVE or item.last == "most":
            return "made"
    return ""


def _is_carried(items: Sequence[Item], n: int) -> bool:
    """ "The more profitable side": said by the comparative."""
    return (
        n > 0 and items[n - 1].meaning.kind == "comparative" and items[n - 1].said == items[n].said
    )


def dimensions_of(
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
        is_noun = is_noun and item.last != "traded"  # "the least traded hour"
        if not is_noun:
            continue
        value = NOUNS.get(value, value) if kind == "measure" else value
        if _does(items, n):
            raise UnansweredError(f"what the {value} does is not understood")
        said = before(items, n)
        if said in ("group", "which", "rank", "number") or (said == "and" and dimensions):
            if kind == "measure" and said == "group" and value in ("trade", "order"):
                continue
            if kind == "measure" and said == "and" and item.last in ("loss", "win"):
                continue  # "and its loss"
            if kind == "measure" and said == "which" and not ranked:
                continue
            if kind == "measure" and said == "rank" and dimensions and _is_had(items, n):
                continue
            if kind == "measure" and said == "rank" and which and _is_count(item, items[:n]):
                continue  # "on which day did we do the most trades"
            dimensions[value] = None
            if said != "group":
                which = True
                single = any(i.meaning == Meaning("which", "single") for i in items[:n])
                one = one or single or stem(item.last) == item.last
        elif (_is_ours(items, n, names) and not (ranked and value == "feed" and not item.led)) or (
            value == "status" and (_is_listed(names) or "orders" in names)
        ):
            continue  # "models and their status"
        elif kind == "dimension" and ranked and not dimensions:
            dimensions[value] = None
            which, one = True, stem(item.last) == item.last
        elif value == "rule" and kind == "dimension" and names:
            dimensions[value] = None  # "reasons for halts"
        elif (
            kind == "dimension"
            and names == ("profit",)
            and n > 0
            and items[n - 1].meaning.kind == "measure"
            and stem(item.last) != item.last
        ):
            dimensions[value] = None  # "how did the strategies do"
        elif kind == "dimension" and items[n + 1 : n + 2] and items[n + 1].last == "counted":
            dimensions[value] = None  # "actions counted"
        elif kind == "dimension" and is_counted(items, n):
            dimensions[value] = None
            which = True  # "on how many days did we trade"
        elif kind == "dimension" and (set(dimensions) & _OF_ROWS or _is_compared(items, n)):
            dimensions[value] = None  # "the worst trades with their symbol"
        elif kind == "dimension" and (_lost(items) or any(i.bound for i in items)):
            dimensions[value] = None
            which = True  # "symbols with a loss today", "hours with more than 20 trades"
        elif kind == "dimension":
            raise UnansweredError(f"what of the {value} is meant is not understood")
    if dimensions and _asks_one(items):
        return tuple(dimensions), True, True
    return tuple(dimensions), one, which


def _is_had(items: Sequence[Item], n: int) -> bool:
    """ "The hour with the biggest loss", "with the fewest losing trades": no single one of them."""
    amount = items[n].last in ("loss", "losses", "win", "gain", "profit")
    number = items[n - 1].last in ("most", "fewest", "least")
    return (amount or number) and n > 1 and items[n - 2].said == ("with",)


def _asks_one(items: Sequence[Item]) -> bool:
    """ "Compare the stages: which is slowest"."""
    return any(
        one.meaning == Meaning("which", "which")
        and (
            (two.meaning.kind in ("rank", "comparative") and bool({"is", "was"} & set(two.led)))
            or two.said == ("one",)
        )
        for one, two in pairwise(items)
    )


_OF_ROWS = {"trade", "order", "incident"}


def _does(items: Sequence[Item], n: int) -> bool:
    """ "What does the broker …": not which broker, but what it does."""
    asks = n > 0 and items[n - 1].meaning.kind == "which" and len(items[n].said) == 1
    return asks and items[n].meaning.kind == "dimension" and bool(_DOES & set(items[n].led))


def _is_ours(items: Sequence[Item], n: int, names: Sequence[str]) -> bool:
    """ "On my account", "with the broker": there is one, and of all that is told."""
    item = items[n]
    if item.meaning.value not in ("source", "account", "feed") or stem(item.last) != item.last:
        return False
    at = n > 0 and items[n - 1].meaning.kind == "stop" and items[n - 1].last in _WITH
    is_its = item.meaning.value == "feed" or (
        item.meaning.value == "source" and bool(_OF_BROKERS & set(names))
    )
    return at or is_its or bool(_WITH & set(item.led))


#: What a broker does, so that it is no other who "charged us".
_OF_BROKERS = {"costs", "commission", "swap", "over_twin_bp", "rejected", "fill_ms"}
_WITH = {"of", "our", "my", "ours", "with", "at", "from", "to", "by", "in", "on", "for"}


def _is_compared(items: Sequence[Item], n: int) -> bool:
    """ "Compare the strategies": each with the others."""
    before = [i.meaning for i in items[:n] if i.meaning.kind not in ("stop", "measure")]
    plural = stem(items[n].last) != items[n].last
    return (
        plural and before[-1:] != [] and before[-1].kind == "compare" and before[-1].value != "or"
    )


def is_counted(items: Sequence[Item], n: int) -> bool:
    """ "On how many days": the days are counted."""
    said = [i.meaning for i in items[:n] if i.meaning.kind != "stop"]
    return said[-1:] == [Meaning("aggregate", "count")]


def of_each(items: Sequence[Item]) -> bool:
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
    return named[0].last in bounds.LOSSES or earns(items) == "money"


def _is_listed(names: Sequence[str]) -> bool:
    return any(measures()[name][1].values[""].startswith("LIST") for name in names)


def before(items: Sequence[Item], n: int) -> str:
    """What stands before a noun that says how it is meant; words that carry nothing are passed."""
    for at in range(n - 1, -1, -1):
        item = items[at]
        kind = item.meaning.kind
        if kind == "measure" and at and items[at - 1].last == item.last:
            continue  # carried by a rank: "most profitable trades"
        if kind in ("aggregate", "filter") or (kind == "compare" and item.meaning.value != "and"):
            continue
        if kind == "time" and at and items[at - 1].meaning.kind == "which":
            continue  # "list yesterday's hours with a profit"
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
