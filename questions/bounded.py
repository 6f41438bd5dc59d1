"""What is asked of rows within bounds: how many, what share, which, or another figure of them."""

from collections.abc import Sequence

from questions.catalog import measures
from questions.nouns import NOUNS, RESULT_OF, WEAK
from questions.parts import Parts
from questions.plan import Bound, Filter, UnansweredError


def without_bounded(said: Parts) -> tuple[Parts, list[str]]:
    """What is asked for besides the figures that bound its rows; of nothing else, how many rows."""
    if not said.bounds:
        return said, list(said.names)
    named = [name for name in said.names if name not in said.bounded]
    said = _of_results(_of_named_rows(said), named)
    rows = measures()[said.bounds[0].measure][0].name
    if said.how == "long" and not _LASTING & set(measures()[said.bounds[0].measure][1].units):
        raise UnansweredError("how long something was so is not kept")
    if any(measures()[bound.measure][0].name != rows for bound in said.bounds[1:]):
        raise UnansweredError("bounds on several things at once: ask for one")
    strong = [name for name in named if name not in WEAK and name not in NOUNS]
    if strong and _counts_groups(said, strong[0]):
        bounds = [b._replace(measure=strong[0], of_groups=True) for b in said.bounds]
        return said._replace(bounds=tuple(bounds)), strong
    if strong and _holds(said, strong[0]):
        return _of_bounded(said, has_noun=True)
    if strong:
        others = measures()[strong[0]][1].instead.values()
        there = [name for name in others if measures()[name][0].name == rows]
        if there and measures()[strong[0]][0].name != rows:
            return said, there[:1]
        if measures()[strong[0]][0].name != rows:
            raise UnansweredError(f"{strong[0]} and {said.bounds[0].measure} are kept apart")
        return said, strong
    nouns = [n for n in said.bounded if n in NOUNS and n not in {b.measure for b in said.bounds}]
    return _of_bounded(said, has_noun=bool(named or nouns) or said.whichever)


def _of_results(said: Parts, named: Sequence[str]) -> Parts:
    """ "Winning trades longer than 10 minutes": the bound is of those alone."""
    results = tuple(RESULT_OF[name] for name in named if name in RESULT_OF)
    if len(results) != 1 or measures()[said.bounds[0].measure][0].name != "trades":
        return said
    return said._replace(filters=(*said.filters, Filter("result", results)))


_LASTING = {"s", "min", "ms", "us", "h"}


def _holds(said: Parts, name: str) -> bool:
    """ "Alerts that took over 5 seconds": the unit says which figure of these rows is bounded."""
    rows, measure = measures()[name]
    units = set(rows.by_unit.values())
    return measure.counts and measure.where == "1" and {b.measure for b in said.bounds} <= units


def _counts_groups(said: Parts, name: str) -> bool:
    """ "Which rules denied at least three orders": as many of what is counted."""
    rows, measure = measures()[name]
    bounded = {bound.measure for bound in said.bounds}
    return bool(
        measure.counts
        and bounded <= WEAK
        and said.asks_which
        and said.dimensions
        and all(measures()[one][0].name == rows.name for one in bounded)
    )


def _of_named_rows(said: Parts) -> Parts:
    """Signals have a confidence of their own, and bars count ticks of theirs."""
    every = measures()
    rows = {every[name][0].name for name in said.names if name not in said.bounded}

    def of_rows(bound: Bound) -> Bound:
        others = every[bound.measure][1].instead.values()
        there = [name for name in others if every[name][0].name in rows]
        return bound._replace(measure=there[0]) if there else bound

    return said._replace(bounds=tuple(of_rows(bound) for bound in said.bounds))


def _of_bounded(said: Parts, *, has_noun: bool) -> tuple[Parts, list[str]]:
    """Rows that hold a bound: counted, their share, listed; or groups whose figure holds it."""
    name = said.bounds[0].measure
    aggregate = said.aggregate
    if said.asks_which and not has_noun and set(said.dimensions) - set(NOUNS.values()):
        groups = tuple(bound._replace(of_groups=True) for bound in said.bounds)
        groups_of = _GROUPED.get(name, name)
        if aggregate == "count":
            return said._replace(bounds=groups, aggregate="groups", asks_which=False), [groups_of]
        return said._replace(bounds=groups), [groups_of]
    if aggregate in ("often", "share"):
        aggregate = "rows_share"
    elif aggregate == "" and has_noun and not said.dimensions and not said.rank:
        return said._replace(whichever=True, unit=""), [name]
    elif aggregate == "" and not has_noun and _is_level(name):
        raise UnansweredError(f"whether {name} is so, or how often it was, is not said")
    elif aggregate in ("", "count") and not (said.whichever or said.rank or _of_row(said)):
        aggregate = "rows"
    if said.whichever and aggregate == "count":
        aggregate = ""
    return said._replace(aggregate=aggregate, unit=""), [name]


def _is_level(name: str) -> bool:
    """ "Is the value at risk above 1000": a state, and no number of rows."""
    return measures()[name][1].values[""].startswith("argMax")


def _of_row(said: Parts) -> bool:
    return bool(set(said.dimensions) & set(NOUNS.values()))


#: Of a group, "a loss over 200" is of what all its trades made.
_GROUPED = {"losers": "profit", "winners": "profit"}
