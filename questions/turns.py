"""Turns of phrase that say a thing together, taken before the parts are sorted.

Each is a construct of the language and holds for every figure it fits: "the high and the low of
equity", "commission per lot", "what portion of profit went on swap", "feeds without a tick".
"""

from collections.abc import Sequence
from typing import NamedTuple

from questions import bounds
from questions.catalog import measures, rows
from questions.nouns import TIMES, WEAK
from questions.plan import UnansweredError
from questions.reading import Item
from questions.vocabulary import Meaning
from questions.words import stem

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
    items = _exemplified(_who_did(_of_controls(_of_actors(_of_actions(items)))))
    items = _both_counted(_lost(_with_result(items)))
    items = _unnamed(_of_exits(_counted(_changed(_ends(_losing(_numbered(items)))))))
    return _without_any(items) or _share_of(items) or _per(items) or Turn(items)


def _exemplified(items: Sequence[Item]) -> Sequence[Item]:
    """ "By purpose: entries, stops and so on": some are named, and all are meant."""
    goes_on = any(i.meaning.kind == "stop" and i.said in _AND_SO_ON for i in items)
    named = {i.meaning.value for i in items if i.meaning.kind == "dimension"}
    columns = named | ({"exit"} if "purpose" in named else set())
    return [i for i in items if not (goes_on and i.meaning.column in columns)]


_AND_SO_ON = {("so", "on"), ("and", "so", "on"), ("etc",), ("e.g",)}


def _who_did(items: Sequence[Item]) -> Sequence[Item]:
    """ "Who made the last correction": a correction is made, and no profit."""
    done = [
        n
        for n, i in enumerate(items)
        if n and i.said in (("made",), ("make",)) and items[n - 1].meaning.kind == "who"
    ]
    others = [i.meaning.value for i in items if i.meaning.kind == "measure"]
    is_done = set(others) - {"profit", *WEAK}
    return [
        i
        for n, i in enumerate(items)
        if not (n in done and is_done)
        and not _is_made(items, n)
        and not _is_standing(i, is_done)
        and not _is_sent(i, others)
        and not _is_done(items, n)
    ]


def _is_made(items: Sequence[Item], n: int) -> bool:
    """ "The predictions made today": those there are, unless they made money."""
    if not n or items[n].said != ("made",) or items[n - 1].meaning.kind != "measure":
        return False
    return measures()[items[n - 1].meaning.value][1].passive and items[n].last == "made"


def _is_done(items: Sequence[Item], n: int) -> bool:
    """ "When did we last make a backup": who makes something earns nothing by it."""
    said = items[n].said in (("make",), ("made",))
    of = {measures()[i.meaning.value][0].name for i in items if i.meaning.kind == "measure"}
    return said and bool(of & _DONE)


_DONE = {
    "backups", "control_changes", "corrections", "restatements", "broker_corrections", "audit",
    "changes_by_people", "sessions", "runs",
}  # fmt: skip


def _is_sent(item: Item, others: Sequence[str]) -> bool:
    """ "The symbol that sent us most ticks": orders are sent, and of others it says no more."""
    of_orders = {"sent", *(m.name for m in rows()["orders"].measure)}
    return item.said == ("sent",) and bool(set(others) - of_orders)


def _is_standing(item: Item, others: set[str]) -> bool:
    """ "What does the exposure stand at": of another figure than a price."""
    return bool(others - {"last_price"}) and item.said[:1] in (("stand",), ("stands",))


def _of_actors(items: Sequence[Item]) -> Sequence[Item]:
    """ "Which broker rejects most", "orders each rule denied": which of them, and what it does."""
    apart = list[Item]()
    for n, item in enumerate(items):
        actor = next(
            (
                word
                for word in map(stem, item.said[: 1 + (item.said[:1] == ("risk",))])
                if word in _ACTORS
            ),
            "",
        )
        before = items[n - 1].meaning if n else Meaning("")
        asked = before in (_WHICH, Meaning("aggregate", "count")) or before.kind == "group"
        if asked and actor and item.meaning.kind == "measure" and item.said[-1:] != (actor,):
            apart.append(Item(Meaning("dimension", _ACTORS[actor]), actor, said=(actor,)))
        apart.append(item)
    return apart


_ACTORS = {"broker": "source", "rule": "rule"}


def _of_controls(items: Sequence[Item]) -> Sequence[Item]:
    """ "Orders blocked by control": of each control, and not of one."""
    apart = list[Item]()
    for item in items:
        apart.append(item)
        if item.meaning.value == "control_blocks" and item.said[-2:] == ("per", "control"):
            apart.append(Item(Meaning("group", "per"), "per"))
            apart.append(Item(Meaning("dimension", "control"), "control"))
    return apart


def _of_actions(items: Sequence[Item]) -> Sequence[Item]:
    """ "The most frequent action in the audit trail" is one of the actions."""
    ranked = any(i.meaning.kind == "rank" and i.meaning.value in ("most", "least") for i in items)
    named = [i for i in items if i.meaning.value == "audit_events" and ranked]
    if not named or any(i.meaning.kind == "dimension" for i in items):
        return items
    asks_what = items[0].meaning == Meaning("which", "what")
    if not (asks_what or {"action", "actions"} & set(named[0].said)):
        return items
    action = Item(Meaning("dimension", "action"), "action", said=("action",))
    at = items.index(named[0])
    return [*items[:at], Item(_WHICH), action, *items[at:]]


def _numbered(items: Sequence[Item]) -> Sequence[Item]:
    """ "Average trades per day" is a number of trades; the average trade is a profit."""
    trades, numbered = Meaning("measure", "trades"), list[Item]()
    bounded = any(item.bound for item in items)
    joined = any(item.meaning == Meaning("compare", "and") for item in items)
    for n, item in enumerate(items):
        counting = n + 1 < len(items) and _is_counting_phrase(item, items[n + 1])
        if counting and not bounded and (joined or item.said != ("number",)):
            continue  # "number of trades and profit": trades are counted, and no profit is
        several = item.meaning.value == "expectancy" and item.last == "trades"
        mean = several and len(item.said) == 2
        numbered += [_aggregate(item, "mean")] if mean else []
        numbered.append(item._replace(meaning=trades) if mean else item)
    return numbered


def _is_counting_phrase(count: Item, of: Item) -> bool:
    named = count.said == ("number",) or (count.said == of.said and len(of.said) > 1)
    is_counted = of.meaning.kind == "measure" and measures()[of.meaning.value][1].counts
    return named and is_counted and count.meaning == Meaning("aggregate", "count")


def _losing(items: Sequence[Item]) -> Sequence[Item]:
    """ "Losing buys on gold" are trades that lost, and no amount."""
    losers = Meaning("measure", "losers")
    return [
        i._replace(meaning=losers)
        if i.said == ("losing",) and n + 1 < len(items) and items[n + 1].meaning.column == "side"
        else i
        for n, i in enumerate(items)
    ]


def _lost(items: Sequence[Item]) -> Sequence[Item]:
    """ "What was our loss on gold" asks for an amount; "hours with a loss" for none."""
    kinds = {i.meaning.kind for i in items}
    if kinds & {"aggregate", "rank", "bound", "sorted", "without"}:
        return items
    profit = Meaning("measure", "profit")
    return [
        i._replace(meaning=profit) if i.said == ("loss",) and not {"a", "any"} & set(i.led) else i
        for i in items
    ]


def _with_result(items: Sequence[Item]) -> Sequence[Item]:
    """ "Trades with a profit" are those that won."""
    result = {"profit": "winners", "loss": "losers"}
    return [
        i._replace(meaning=Meaning("measure", result[i.last]))
        if n > 1
        and i.said in (("profit",), ("loss",))
        and "a" in i.led
        and items[n - 1].said == ("with",)
        and items[n - 2].meaning == Meaning("measure", "trades")
        and not any(other.bound for other in items)
        else i
        for n, i in enumerate(items)
    ]


def _both_counted(items: Sequence[Item]) -> Sequence[Item]:
    """ "How many winners, how many losers": both, as with "and" between them."""
    count, joined = Meaning("aggregate", "count"), list[Item]()
    for n, item in enumerate(items):
        after = [i.meaning for i in items[n + 1 : n + 2]]
        before = [i.meaning.kind for i in items[:n]]
        again = item.meaning == count and before.count("aggregate") == 1
        if again and before[-1:] == ["measure"] and after and after[0].kind == "measure":
            joined.append(_joined(item))
        joined.append(item)
    return joined


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


def _counted(items: Sequence[Item]) -> Sequence[Item]:
    """ "Of today's trades, how many made a profit": those that won are counted."""
    counts = [n for n, i in enumerate(items) if i.meaning == Meaning("aggregate", "count")]
    if len(counts) != 1 or any(i.bound or i.meaning.kind == "dimension" for i in items):
        return items
    after = [i for i in items[counts[0] + 1 :] if not _is_passed(i)]
    is_result = bool(after) and after[0].meaning == Meaning("measure", "profit")
    if is_result and {"i", "we"} & set(after[0].led) and after[0].said == ("make",):
        return [i for i in items if i is not after[0]]  # "how many trades did I make"
    if not is_result or after[0].last.endswith("profits") or after[0].last in ("make", "made"):
        return items
    result = "losers" if after[0].last in bounds.LOSSES else "winners"
    return [i._replace(meaning=Meaning("measure", result)) if i is after[0] else i for i in items]


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


def _is_passed(item: Item) -> bool:
    rows = item.meaning.kind == "measure" and item.meaning.value in ("trades", "closed")
    return rows or item.meaning.kind in ("stop", "filter", "time", "hours")


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
