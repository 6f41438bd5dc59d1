"""Trades that won or lost: how many they are, or how much that is.

"Loss" is an amount in "our loss on gold" and a trade in "hours with a loss"; both are counted in
"how many winners, how many losers".
"""

from collections.abc import Sequence

from questions import bounds
from questions.catalog import measures
from questions.reading import Item
from questions.vocabulary import Meaning


def numbered(items: Sequence[Item]) -> Sequence[Item]:
    """The items with results said as amounts or as trades, and what is counted told."""
    return _losing(_numbered(_both_counted(_lost(_with_result(items)))))


def _numbered(items: Sequence[Item]) -> Sequence[Item]:
    """ "Average trades per day" is a number of trades; the average trade is a profit."""
    trades, numbered = Meaning("measure", "trades"), list[Item]()
    bounded = any(item.bound for item in items)
    joined = any(
        item.meaning == Meaning("compare", "and")
        or (item.meaning.kind == "aggregate" and item.meaning.value != "count")
        for item in items
    )
    for n, item in enumerate(items):
        counting = n + 1 < len(items) and _is_counting_phrase(item, items[n + 1])
        if counting and not bounded and (joined or item.said != ("number",)):
            continue  # "number of trades and profit": trades are counted, and no profit is
        several = item.meaning.value == "expectancy" and item.last == "trades"
        mean = several and len(item.said) == 2
        numbered += [item._replace(meaning=Meaning("aggregate", "mean"))] if mean else []
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
            joined.append(item._replace(meaning=Meaning("compare", "and")))
        joined.append(item)
    return joined


def counted(items: Sequence[Item]) -> Sequence[Item]:
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


def _is_passed(item: Item) -> bool:
    rows = item.meaning.kind == "measure" and item.meaning.value in ("trades", "closed")
    return rows or item.meaning.kind in ("stop", "filter", "time", "hours")
