"""Words that would be overlooked though they say something; a question with one has no answer.

What carries nothing in one place says something in another: "by" at the end says who, "of" after
"most" says how many, and of the largest trade no figure is the largest.
"""

from collections.abc import Sequence
from itertools import pairwise

from questions.catalog import measures
from questions.nouns import NOUNS, WEAK
from questions.plan import NOW, UnansweredError
from questions.reading import Item

_SIZES = {"biggest", "largest", "smallest", "highest", "lowest", "heaviest", "greatest"}
_LEADS = {"of", "the", "our", "my"}
_ENDED = {"cancelled", "expired", "working", "filled_orders"}


def check_said(items: Sequence[Item]) -> None:
    """Refuse what the parts of a question would leave out.

    Raises:
        UnansweredError: something was said that has no place.
    """
    said = [item for item in items if item.meaning.kind != "stop"]
    if said and said[-1].meaning.kind == "group" and said[-1].last in ("by", "per", "every"):
        raise UnansweredError(f"{said[-1].last} whom or what is not understood")
    if [i.meaning.kind for i in said[-2:]] == ["group", "which"]:
        raise UnansweredError("by what is not understood")
    if any(_is_group_of_times(one, two) for one, two in pairwise(items)):
        raise UnansweredError("by which times is not understood")
    if any(_may_be_loss(items, n) for n in range(len(items))):
        raise UnansweredError("whether a cost or a loss is meant is not said")
    if any(_is_another(said, n) for n in range(1, len(said))):
        raise UnansweredError("another figure, at another time, is asked for: ask for one")
    kinds = {item.meaning.kind for item in items}
    if "rank" in kinds and any(i.last == "loss" and "its" in i.led for i in said):
        raise UnansweredError("which loss, of what, is not said")
    paid = any(i.meaning.kind == "stop" and i.said in (("paid",), ("pay",)) for i in items)
    if paid and any(i.meaning.value == "last_price" for i in said):
        raise UnansweredError("what was paid, or what the price was, is not said")
    figures = [n for n, i in enumerate(said) if i.meaning.kind == "measure" and n]
    if "rank" in kinds and sum(said[n - 1].meaning.kind == "group" for n in figures) > 1:
        raise UnansweredError("by which of two figures is not said")
    if any(item.said == ("vary",) for item in items) and not kinds & {"group", "dimension"}:
        raise UnansweredError("by what it varies, or how much, is not understood")
    for n, item in enumerate(items):
        if n + 1 < len(items) and item.last == "most" and "of" in items[n + 1].led:
            raise UnansweredError("most of them is no figure")
        if _is_agent(items, n):
            raise UnansweredError(f"who {items[n - 1].last} them is not stored")
        if _is_in_profit(items, n):
            raise UnansweredError("how much, or how many, is not said")
    if _is_one_of_nothing(items):
        raise UnansweredError("which one, of what, is not said")
    _check_sizes(said)
    _check_lists(items)


def _is_group_of_times(group: Item, after: Item) -> bool:
    """ "For each of the past 12 hours" is told apart by the hour, which the time does not say."""
    if group.meaning.kind != "group" or after.meaning.kind not in ("time", "hours"):
        return False
    return ("of" in after.led and group.meaning.value != "across") or group.meaning.value not in (
        "by",
        "each",
        "across",
    )


def _is_another(said: Sequence[Item], n: int) -> bool:
    """ "Today's opening price and the current one"."""
    before = [item.meaning.kind for item in said[:n]]
    span = said[n].meaning.span
    return (
        span is not None and span.text in NOW and before[-1:] == ["compare"] and "measure" in before
    )


def _may_be_loss(items: Sequence[Item], n: int) -> bool:
    """ "Hours that cost us over 300": what they lost, or what was charged in them."""
    said = [item for item in items[: n + 2] if item.meaning.kind != "stop"]
    bounded = n + 1 < len(items) and items[n + 1].bound is not None
    apart = any(item.meaning.kind == "dimension" for item in said)
    return bounded and apart and items[n].said == ("cost",) and items[n].last == "cost"


def how_of(items: Sequence[Item]) -> str:
    """ "How long", "how big": what the figure must have; empty where nothing is said."""
    hows = [i.said for i in items if i.meaning.kind == "stop" and i.said[:1] == ("how",)]
    return next((said[1] for said in hows if len(said) == 2), "")


def _is_one_of_nothing(said: Sequence[Item]) -> bool:
    """ "And which one lost the most": of what was spoken of before, which is not known here."""
    kinds = [item.meaning.kind for item in said]
    asks = any(
        said[n].meaning.kind == "which" and said[n + 1].said == ("one",)
        for n in range(len(said) - 1)
    )
    rows = {item.meaning.value for item in said} & set(NOUNS)
    return asks and not ({"dimension", "filter"} & set(kinds) or rows)


def _is_agent(items: Sequence[Item], n: int) -> bool:
    """ "Cancelled by the broker": by whom it was done is not told."""
    by_broker = items[n].meaning.kind == "stop" and items[n].said == ("by", "broker")
    return by_broker and n > 0 and items[n - 1].meaning.value in _ENDED


def _is_in_profit(items: Sequence[Item], n: int) -> bool:
    """ "Stop exits in profit": not their profit, but which of them had one."""
    said = [item.said for item in items[max(n - 1, 0) : n + 1]]
    return n > 1 and said == [("in",), ("profit",)] and items[n - 2].meaning.column == "exit"


def _check_lists(items: Sequence[Item]) -> None:
    """ "List the trades with their strategy": rows with a column, and no number of each."""
    kinds = {item.meaning.kind for item in items}
    if items and items[0].said in (("every",), ("each",)) and not any(item.bound for item in items):
        raise UnansweredError("every one is not listed here")
    if {"rank", "sorted", "group"} & kinds:
        return
    names = [i.meaning.value for i in items if i.meaning.kind == "measure"]
    plain = not kinds & {"aggregate", "bound", "which", "much", "who", "unit", "compare"}
    if plain and len(names) == 2 and names[0] in WEAK and _have(items):
        raise UnansweredError(f"rows with their {names[1]} are not listed here")
    for n, item in enumerate(items[1:], 1):
        column = item.meaning.kind == "dimension" and items[n - 1].said == ("with",)
        if column and _are_counted(items[:n]):
            raise UnansweredError(f"rows with their {item.meaning.value} are not listed here")


def _have(items: Sequence[Item]) -> bool:
    """ "Signals with confidence": of each, and not of all."""
    return any(
        one.said == ("with",) and two.meaning.kind == "measure" and not two.led
        for one, two in pairwise(items)
    )


def _are_counted(items: Sequence[Item]) -> bool:
    named = [measures()[i.meaning.value][1] for i in items if i.meaning.kind == "measure"]
    listed = any(one.values[""].startswith("LIST") for one in named)
    return bool(named) and not listed and all(one.counts for one in named)


def _check_sizes(said: Sequence[Item]) -> None:
    """ "The profit of the largest trade": by which other figure it is that is not said."""
    for n, item in enumerate(said[1:-1], 1):
        sized = item.meaning.kind == "rank" and item.last in _SIZES
        noun = said[n + 1].meaning
        if not sized or noun.kind != "measure" or noun.value not in NOUNS:
            continue
        figures = [i.meaning.value for i in said[:n] if i.meaning.kind == "measure"]
        if noun.value in WEAK and set(figures) - WEAK and _LEADS & set(item.led):
            raise UnansweredError(f"the {item.last} by which figure is not said")
