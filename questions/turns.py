"""Turns of phrase that say a thing together, taken before the parts are sorted.

Each is a construct of the language and holds for every figure it fits: "the high and the low of
equity", "commission per lot", "what portion of profit went on swap", "feeds without a tick".
"""

from collections.abc import Sequence
from typing import NamedTuple

from questions.catalog import measures
from questions.deeds import without_deeds
from questions.nouns import TIMES, WEAK
from questions.plan import UnansweredError
from questions.reading import Item
from questions.results import counted, numbered
from questions.vocabulary import Meaning

_ENDS = {"highest_price": "max", "lowest_price": "min"}
_GROUPS = {"per", "each", "every", "for each", "for every", "in each", "on each", "on every"}


_WHICH = Meaning("which", "which")


class Turn(NamedTuple):
    """What is left to be sorted, and what was said by the turn."""

    items: Sequence[Item]
    over: str = ""  # the figure that the other is divided by
    is_share: bool = False
    is_none: bool = False
    by_trading_day: bool = False


def taken(items: Sequence[Item]) -> Turn:
    """The items without the turns in them."""
    left = _without_trading_day(items)
    return _taken(left)._replace(by_trading_day=len(left) < len(items))


def _without_trading_day(items: Sequence[Item]) -> Sequence[Item]:
    """ "Today's trading day", "the trading day of 31 August": which day, and not by which."""
    timed = [n for n, i in enumerate(items) if i.meaning.kind == "time"]
    day = Meaning("dimension", "trading_day")
    return [
        i
        for n, i in enumerate(items)
        if i.meaning != day or not any(abs(n - at) <= 2 for at in timed) or _is_grouped(items, n)
    ]


def _is_grouped(items: Sequence[Item], n: int) -> bool:
    return n > 0 and items[n - 1].meaning.kind in ("group", "which", "compare", "rank")


def _taken(items: Sequence[Item]) -> Turn:
    items = numbered(_exemplified(without_deeds(items)))
    items = _unnamed(_of_exits(counted(_changed(_ends(items)))))
    return _without_any(items) or _share_of(items) or _per(items) or Turn(items)


def _exemplified(items: Sequence[Item]) -> Sequence[Item]:
    """ "By purpose: entries, stops and so on": some are named, and all are meant."""
    goes_on = any(i.meaning.kind == "stop" and i.said in _AND_SO_ON for i in items)
    named = {i.meaning.value for i in items if i.meaning.kind == "dimension"}
    columns = named | ({"exit"} if "purpose" in named else set())
    return [i for i in items if not (goes_on and i.meaning.column in columns)]


_AND_SO_ON = {("so", "on"), ("and", "so", "on"), ("etc",), ("e.g",)}


def _ends(items: Sequence[Item]) -> Sequence[Item]:
    """ "Equity high and low": of a figure that has ends, the words for prices say which."""
    named = {i.meaning.value for i in items if i.meaning.kind == "measure"}
    others = named - set(_ENDS) - {"high_and_low"}
    if not others or not all("max" in measures()[name][1].values for name in others):
        return items
    ends = list[Item]()
    for item in items:
        value = item.meaning.value if item.meaning.kind == "measure" else ""
        if value == "high_and_low":
            ends += [_aggregate(item, "max"), _joined(item), _aggregate(item, "min")]
        else:
            ends.append(_aggregate(item, _ENDS[value]) if value in _ENDS else item)
    return ends


def _changed(items: Sequence[Item]) -> Sequence[Item]:
    """ "How much has equity changed": of a level the word for a price's change says its own."""
    named = [i.meaning.value for i in items if i.meaning.kind == "measure"]
    others = [measures()[name][1] for name in named if name != "price_change"]
    levels = [m for m in others if m.values[""].startswith("argMax") and "row" in m.values]
    if "price_change" not in named or len(levels) != 1 or len(others) != 1:
        return items
    change = Meaning("measure", "price_change")
    return [_aggregate(i, "change") if i.meaning == change else i for i in items]


def _of_exits(items: Sequence[Item]) -> Sequence[Item]:
    """ "Entries against exits at the horizon": what an order is for has one column."""
    if not any(i.meaning == Meaning("filter", "entry", "purpose") for i in items):
        return items
    return [
        i._replace(meaning=i.meaning._replace(column="purpose")) if _is_exit(i) else i
        for i in items
    ]


def _is_exit(item: Item) -> bool:
    return item.meaning.kind == "filter" and item.meaning.column == "exit"


def _unnamed(items: Sequence[Item]) -> Sequence[Item]:
    """ "Which did better, gold or bitcoin": by what they made; "how wide is gold": its spread."""
    kinds = {i.meaning.kind for i in items}
    wide = [i for i in items if i.meaning.kind == "stop" and i.last in ("wide", "tight")]
    apart = {i.meaning.value for i in items if i.meaning.kind == "dimension"} - {*TIMES}
    if wide and "measure" not in kinds and not apart and "filter" in kinds:
        return [*items, wide[0]._replace(meaning=Meaning("measure", "spread"), last="spread")]
    better = [i for i in items if i.meaning.kind == "comparative" and i.meaning.value in _WORTH]
    if better and "measure" not in kinds and "filter" in kinds:
        return [*items, better[0]._replace(meaning=Meaning("measure", "profit"), last="profit")]
    return items


_WORTH = {"best", "worst"}


def _aggregate(item: Item, value: str) -> Item:
    return item._replace(meaning=Meaning("aggregate", value))


def _joined(item: Item) -> Item:
    return item._replace(meaning=Meaning("compare", "and"))


def _without_any(items: Sequence[Item]) -> Turn | None:
    """ "Feeds without a tick": those of which no row is there."""
    for n, item in enumerate(items[:-1]):
        after = items[n + 1].meaning
        if item.meaning.kind != "without" or after.kind != "measure":
            continue
        named = [at for at, i in enumerate(items) if i.meaning.kind == "dimension"]
        if measures()[after.value][1].counts and named:
            which = Item(Meaning("which", "which"))
            left = [*items[: named[0]], which, *items[named[0] :]]
            return Turn([i for i in left if i is not item], is_none=True)
    return None


def _per(items: Sequence[Item]) -> Turn | None:
    """ "Commission per lot": one sum divided by another of the same rows."""
    for n, item in enumerate(items[:-1]):
        if item.meaning.kind != "group" or item.meaning.value not in _GROUPS:
            continue
        before = _figures(items[:n])
        over = _beside(before, items[n + 1])
        if over:
            return Turn([*items[:n], *items[n + 2 :]], over=over)
    return None


def _beside(before: Sequence[str], item: Item) -> str:
    """The figure that stands for this one among the rows of the others."""
    if item.meaning.kind != "measure" or item.meaning.value in {*WEAK, *before} or not before:
        return ""
    of_rows, measure = measures()[item.meaning.value]
    of = {measures()[name][0].name for name in before}
    if len(of) != 1 or not all("sum" in measures()[name][1].values for name in before):
        return ""
    if of_rows.name in of:
        return item.meaning.value if "sum" in measure.values else ""
    units = set(measure.units) & set(measures()[before[0]][0].by_unit)
    return measures()[before[0]][0].by_unit[units.pop()] if len(units) == 1 else ""


def _share_of(items: Sequence[Item]) -> Turn | None:
    """ "What portion of profit went on swap", "swap as a percentage of profit"."""
    names = _figures(items)
    shares = [n for n, i in enumerate(items) if _is_share(i)]
    if len(names) != 2 or len(shares) != 1 or shares[0] + 1 >= len(items):
        return None
    after = items[shares[0] + 1].meaning
    if after.kind != "measure" or after.value not in names:
        return None
    part = names[1] if names[0] == after.value else names[0]
    if items[shares[0]].last == "ratio":
        raise UnansweredError("a ratio of two figures is told as the one per the other")
    if _beside([part], items[shares[0] + 1]) != after.value:
        return None
    kept = [i for n, i in enumerate(items) if n not in (shares[0], shares[0] + 1)]
    return Turn(kept, over=after.value, is_share=True)


def _is_share(item: Item) -> bool:
    return item.meaning in (Meaning("aggregate", "share"), Meaning("unit", "percent"))


def _figures(items: Sequence[Item]) -> list[str]:
    named = [i.meaning.value for i in items if i.meaning.kind == "measure"]
    return [name for name in dict.fromkeys(named) if name not in WEAK]
