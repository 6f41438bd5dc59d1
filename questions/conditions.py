"""Which rows a question is about: named, left out, within bounds of a figure, at several times."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from questions import bounds
from questions.catalog import measures
from questions.nouns import RESULTS, WEAK
from questions.plan import Bound, Filter, Span, UnansweredError
from questions.reading import Item
from questions.vocabulary import Meaning
from questions.words import root


def filters_of(items: Sequence[Item]) -> tuple[tuple[Filter, ...], str]:
    """Conditions by column, and the column that is compared, if any."""
    chosen: dict[str, dict[str, None]] = {}
    places = _left_out(items)
    left_out = [items[n].meaning for n in places]
    for n, item in enumerate(items):
        if item.meaning == _BY_HAND and not _closes(items):
            raise UnansweredError("what was done by hand is told of closing alone")
        if item.meaning.kind == "filter" and n not in places:
            chosen.setdefault(item.meaning.column, {})[item.meaning.value] = None
    several = [column for column, values in chosen.items() if len(values) > 1]
    compares = {item.meaning.value for item in items if item.meaning.kind == "compare"}
    dimensions = {i.meaning.value for i in items if i.meaning.kind == "dimension"}
    if several and not compares and not dimensions & set(several):
        raise UnansweredError(
            'several are named, and not what to do with them: say "versus" or ask for one'
        )
    if len(several) > 1:
        raise UnansweredError("more than one thing is compared")
    times = [i.meaning.span for i in items if i.meaning.kind == "time" and i.meaning.span]
    apart = bool(times_apart(times))
    by_side = any(item.meaning.kind == "adverb" for item in items)
    if not (several or apart or by_side) and any(
        item.meaning.kind == "comparative" for item in items
    ):
        raise UnansweredError("more or less than what is not understood")
    told_apart = bool(several) or by_side or apart or _both_results(items) or _two_figures(items)
    told_apart = told_apart or bool(dimensions and compares & {"compare", "comparison"})
    if compares - {"and"} and not told_apart:
        raise UnansweredError("what is to be compared is not understood")
    filters = tuple(Filter(column, tuple(values)) for column, values in chosen.items())
    without = tuple(Filter(one.column, (one.value,), leaves_out=True) for one in left_out)
    without = tuple(one for one in without if not _is_contrast(one, chosen))
    less = any(i.meaning.kind == "without" and i.said == ("minus",) for i in items)
    if less and {one.column for one in left_out} & set(chosen):
        raise UnansweredError("the difference of the two is not told")
    if {one.column for one in without} & set(chosen):
        raise UnansweredError("some are named, and others left out: ask for one")
    return (*filters, *without), several[0] if several else ""


def _is_contrast(left_out: Filter, chosen: Mapping[str, Mapping[str, None]]) -> bool:
    """ "A breaker, not a person": what is named already leaves the other out."""
    named = chosen.get(left_out.column, {})
    return bool(named) and not set(left_out.values) & set(named)


def _two_figures(items: Sequence[Item]) -> bool:
    """ "Gross versus net profit": what is compared are two figures."""
    kinds = [i.meaning.kind for i in items if i.meaning.kind != "stop"]
    return any(kinds[n : n + 3] == ["measure", "compare", "measure"] for n in range(len(kinds)))


def _both_results(items: Sequence[Item]) -> bool:
    return {i.meaning.value for i in items if i.meaning.kind == "measure"} >= RESULTS


def _left_out(items: Sequence[Item]) -> list[int]:
    """Where what follows "except" stands: one or several, with "and" between them."""
    left_out, leaving = list[int](), False
    for n, item in enumerate(items):
        kind = item.meaning.kind
        if kind == "without":
            leaving = True
        elif leaving and kind == "filter":
            if item.meaning == _STOPPED and item.last == "stop" and not _closes(items):
                raise UnansweredError("whether a stop was set, or was hit, is not said")
            left_out.append(n)
        elif kind not in ("stop", "compare"):
            leaving = False
    said = {item.meaning.kind for item in items}
    if said & {"without", "rest"} and not left_out:
        raise UnansweredError("what is to be left out is not understood")
    return left_out


_STOPPED, _BY_HAND = Meaning("filter", "stop", "exit"), Meaning("filter", "manual", "exit")


def _closes(items: Sequence[Item]) -> bool:
    return any(root(word) in ("clos", "exit") for i in items for word in i.said)


def bounds_of(items: Sequence[Item]) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    """Each bound with the figure beside it: the one right after it, else the nearest before."""
    every, targets = [], []
    for n, item in enumerate(items):
        if item.bound is None:
            continue
        target = _bounded(items, n)
        loss = target.last in bounds.LOSSES
        name = _meant(target.meaning.value, item.bound.unit)
        every.append(bounds.bound(item.bound, name, loss=loss))
        if name == target.meaning.value or target.meaning.value in WEAK:
            targets.append(target.meaning.value)  # else it is asked for, and the bound of its rows
    return tuple(every), tuple(targets)


def _bounded(items: Sequence[Item], at: int) -> Item:
    after = [i for i in items[at + 1 :] if i.meaning.kind != "stop"]
    if after and after[0].meaning.kind == "measure" and after[0].meaning.value not in WEAK:
        return after[0]
    if after and after[0].meaning.kind == "measure" and not (items[at].bound or _NONE).unit:
        return after[0]  # "more than 5 trades"
    figures = [i for i in items[:at] if i.meaning.kind == "measure"]
    strong = [i for i in figures if i.meaning.value not in WEAK]
    if not strong and not figures:
        raise UnansweredError("what the bound is of is not understood")
    return (strong or figures)[-1]


def _meant(name: str, unit: str) -> str:
    """What a unit says of rows of which no such figure is named: "orders over 200 ms"."""
    rows, measure = measures()[name]
    if unit in measure.units or (unit == "s" and "ms" in measure.units):
        return name
    return rows.by_unit.get(unit, name)


_NONE = bounds.TakenBound(above=True, inclusive=False, amount=0, unit="", words=0)


def compares(items: Sequence[Item]) -> bool:
    """Whether something is set against something else."""
    return any(i.meaning.kind in ("compare", "comparative") for i in items)


def times_apart(times: Sequence[Span]) -> str:
    """ "Yesterday and today", "this week versus last week": what tells their rows apart."""
    units = {_length(span) for span in times}
    if len(times) < 2 or len(units) > 1 or "" in units:
        return ""
    begins = sorted((span.begin, span.end or _LAST) for span in times if span.begin)
    disjoint = all(a[1] <= b[0] for a, b in pairwise(begins))
    return units.pop() if disjoint else ""


_LAST = datetime.max.replace(tzinfo=UTC)


def _length(span: Span) -> str:
    """day, week or month; empty for any other."""
    if not span.begin or span.hours or span.begin.hour or span.begin.minute:
        return ""
    if span.end is None:
        return next((unit for unit in ("day", "week", "month") if f"this {unit}" == span.text), "")
    days = (span.end - span.begin).total_seconds() / 86400
    if days <= 1:
        return "day"
    if days <= 7:
        return "week" if span.begin.weekday() == 0 else ""
    return "month" if span.begin.day == 1 and days <= 31 else ""


_OTHER_CURRENCY = "amounts in another currency than the account's"


def of_currency(item: Item, items: Sequence[Item]) -> Item:
    """ "Profit in euros" asks for another currency; "a position in euro" names a symbol."""
    if item.meaning.kind != "currency":
        return item
    named = [measures()[i.meaning.value][1] for i in items if i.meaning.kind == "measure"]
    of = {measures()[i.meaning.value][0].name for i in items if i.meaning.kind == "measure"}
    is_money = (any("money" in m.units for m in named) or not named) and not of <= _BY_SYMBOL
    if (is_money and item.meaning.value not in _NO_CURRENCY) or not item.meaning.value:
        return item._replace(meaning=Meaning("missing", _OTHER_CURRENCY))
    return item._replace(meaning=Meaning("filter", item.meaning.value, "symbol"))


_BY_SYMBOL = {"positions", "exposure", "ticks", "signals", "predictions", "orders", "fills"}


_NO_CURRENCY = {"BTCUSD"}  # of an account
