"""Which figure is asked for: words beside each other, nouns, what goes without saying, units."""

from collections.abc import Sequence

from questions.catalog import Measure, Rows, measures, narrowed
from questions.nouns import COSTS, NOUNS, STRICT, WEAK
from questions.parts import Parts
from questions.plan import NOW, Bound, Filter, UnansweredError


def measured(said: Parts) -> tuple[Parts, Rows, tuple[Measure, ...]]:
    """What is asked for, step by step: words, nouns, what goes without saying, ends, units."""
    said, names = _without_bounded(said)
    said, names = _worded(said, names)
    if said.aggregate in _ENDS_BY_WORTH and set(names) == {"trades"}:
        names = ["profit"]
    names = _unsaid(said, _without_nouns(said, names))
    said, names = _ended(said, names)
    names = _fitting(said, list(names) if said.joints else narrowed(names))
    names = _in_unit(said, _strong(said, names))
    every = measures()
    belongs = {every[name][0].name for name in names}
    if len(belongs) > 1 or len(names) > 3:
        raise UnansweredError(f"several things at once: {', '.join(names)}; ask for one at a time")
    if len({every[name][1].where for name in names}) > 1:
        raise UnansweredError(f"{' and '.join(names)} are of different rows; ask for one at a time")
    if said.aggregate in _ENDS_BY_WORTH:
        said = _by_worth(said, every[names[0]][1])
    if names[0] in _PASSIVE and said.rank in ("best", "worst"):
        said = said._replace(rank="most" if said.rank == "best" else "least")
    if said.rank and every[names[0]][1].each == "stage" and not (said.dimensions or said.filters):
        raise UnansweredError("the latency of which stage, or of each, is not said")
    said = _of_one_row(said, every[names[0]][1], every[names[0]][0])
    return said, every[names[0]][0], tuple(every[name][1] for name in names)


_ENDS_BY_WORTH = {"best+worst", "worst+best"}


def _by_worth(said: Parts, measure: Measure) -> Parts:
    """ "The best and the worst": which end that is, the figure says."""
    if not measure.better:
        raise UnansweredError(f"whether more or less of {measure.name} is best is not known")
    best, worst = ("max", "min") if measure.better == "more" else ("min", "max")
    ends = said.aggregate.replace("best", best).replace("worst", worst)
    dimensions = tuple(name for name in said.dimensions if name != "trade")
    return said._replace(aggregate=ends, dimensions=dimensions)


def _fitting(said: Parts, names: list[str]) -> list[str]:
    """ "Alerts by scenario" are those of surveillance: a word may be of two kinds of rows."""
    wanted = [*said.dimensions, *(one.column for one in said.filters)]
    wanted += ["trading_day"] if said.by_trading_day else []
    fitting = []
    for name in names:
        rows, measure = measures()[name]
        missing = [w for w in wanted if w in measure.instead and w not in rows.columns]
        fitting.append(measure.instead[missing[0]] if missing else name)
    return fitting


def _of_one_row(said: Parts, measure: Measure, rows: Rows) -> Parts:
    """ "The trade that we held longest": which one, with its figure."""
    ends = said.rank in ("most", "least", "best", "worst")
    asks_row = said.single in rows.row and "row" in measure.values and not measure.counts
    if not (ends and asks_row) or said.dimensions or said.aggregate or said.when:
        return said
    return said._replace(dimensions=(said.single,), asks_which=True, one=not said.number)


def _without_bounded(said: Parts) -> tuple[Parts, list[str]]:
    """What is asked for besides the figures that bound its rows; of nothing else, how many rows."""
    if not said.bounds:
        return said, list(said.names)
    named = [name for name in said.names if name not in said.bounded]
    said = _of_named_rows(said)
    rows = measures()[said.bounds[0].measure][0].name
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
    return _of_bounded(said, has_noun=bool(named) or said.whichever)


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
    elif aggregate in ("", "count") and not (said.whichever or said.rank or _of_row(said)):
        aggregate = "rows"
    if said.whichever and aggregate == "count":
        aggregate = ""
    return said._replace(aggregate=aggregate, unit=""), [name]


def _of_row(said: Parts) -> bool:
    return bool(set(said.dimensions) & set(NOUNS.values()))


#: Of a group, "a loss over 200" is of what all its trades made.
_GROUPED = {"losers": "profit", "winners": "profit"}


def _worded(said: Parts, names: list[str]) -> tuple[Parts, list[str]]:
    """Words that mean another figure beside some other word."""
    if "costs" in names and COSTS & set(names) and not said.joints:
        names.remove("costs")
    if set(names) == {"costs", "slippage_bp"}:  # "which hours cost us most in slippage"
        names = ["slippage_cost"]
    if names == ["trading_state"] and (said.aggregate == "count" or said.when or said.rank):
        names = ["halts"]
    said, names = _of_result(said, names)
    if said.much and not said.aggregate and names in (["winners"], ["losers"]):
        names = ["profit"]
    if "filled_lots" in names and {"closed", "trades"} & set(names):
        names = ["traded_lots"]
    elif said.aggregate == "count" and said.single and set(names) == {"traded_lots", "trades"}:
        names = ["filled_lots"]  # "how many lots did we trade"
    if "symbols" in names and (said.rank or len(names) > 1):
        names = [name for name in names if name != "symbols"] or ["trades"]
        named = dict.fromkeys((*said.dimensions, "symbol"))  # "which symbol do we trade most"
        said = said._replace(dimensions=tuple(named), asks_which=True, one=not said.number)
    if names == ["trading_state"] and said.aggregate == "often":
        names, said = ["halted"], said._replace(aggregate="count")
    if "closed" in names:  # trades are closed, and their figures are
        names = [name for name in names if name != "closed"] or ["trades"]
        if any(measures()[name][0].name != "trades" for name in names):
            raise UnansweredError("closed is said of trades alone")
    if said.aggregate == "share" and ("orders" in names or not said.dimensions):
        rated = [_rate(name) for name in names if name in ("denied", "rejected", "filled_orders")]
        names, said = rated or names, said._replace(aggregate="" if rated else said.aggregate)
    if said.aggregate == "count" and any(name.endswith("_lots") for name in names):
        said = said._replace(aggregate="")
    if "fills" in names and len(names) == 1 and said.rank_word in _FAST:
        said = said._replace(dimensions=("order",), asks_which=True, one=not said.number)
        names = ["fill_ms"]
    if names == ["trades"] and said.rank_word in ("longest", "shortest"):
        names = ["holding_s"]
    lots = {"traded_lots", "filled_lots"}
    if set(names) == {"open_positions", "open_lots"} and said.whichever:
        names = ["open_positions"]  # "which positions are open, and how many lots each"
    if set(names) & lots and ("open_positions" in names or said.span.text in NOW):
        names = ["open_lots"]  # "how many lots right now"
    if set(names) <= {"trades"} and said.rank_word in _CHEAP:
        names, said = ["spread"], said._replace(single="")  # "when is euro cheapest to trade"
    if "drifted_features" in names and set(names) <= {"drifted_features", "psi"} and said.rank:
        said = said._replace(dimensions=("feature",), asks_which=True, one=not said.number)
        names = ["psi"]
    if names == ["open_positions"] and said.span.begin:
        names = ["opened_trades"]
    if names == ["losers"] and said.earns == "lost" and said.asks_which and not said.rank:
        names = ["profit"]
    by_rule = fixes(said.filters, "rule") or "rule" in said.dimensions
    if said.aggregate == "often" and by_rule:
        said = said._replace(aggregate="count")  # of one rule there is no rate
    if said.aggregate == "often":
        names = [_rate(name) for name in names]
    if "models" in names and len(names) > 1:
        names.remove("models")
    return said, names


def _rate(name: str) -> str:
    """The figure that says how often; itself where there is none."""
    return measures()[name][1].rate or name


def _of_result(said: Parts, names: list[str]) -> tuple[Parts, list[str]]:
    """ "Holding time of losing trades": of which trades, where another figure is asked for."""
    results = [name for name in names if name in _RESULTS]
    if len(results) == 1 and set(names) - {"trades"} == {"profit", *results} and not said.joints:
        return said._replace(aggregate=said.aggregate or "sum"), results
    others = [name for name in names if name not in _RESULTS and name not in WEAK]
    if set(names) == set(_RESULTS) and not said.joints and said.aggregate in ("", "count"):
        others = ["trades"]  # "winners versus losers today"
    elif not results or len(others) != 1 or said.joints > len(results) - 1:
        return said, names
    if measures()[others[0]][0].name != "trades" or (
        others[0] in _OF_RESULTS and others != ["trades"]
    ):
        return said, names
    values = tuple(_RESULTS[name] for name in results)
    dimensions = said.dimensions if len(values) == 1 else ("result", *said.dimensions)
    dimensions = tuple(name for name in dimensions if name != "trade" or said.rank)
    filters = (*said.filters, Filter("result", values))
    return said._replace(filters=filters, dimensions=dimensions), others


_RESULTS = {"winners": "winner", "losers": "loser"}


_OF_RESULTS = {"profit", "win_rate", "loss_rate", "profitable_trades", "trades", "closed"}


_CHEAP = {"cheapest", "dearest", "priciest", "costliest"}


_FAST = {"slowest", "fastest", "quickest"}


def _without_nouns(said: Parts, names: list[str]) -> list[str]:
    """A noun that tells rows apart, as "trades" in "worst trades", is no figure."""
    nouns = [name for name in names if NOUNS.get(name) in said.dimensions]
    if len(names) > len(nouns) and any("row" in measures()[name][1].values for name in names):
        names = [name for name in names if name not in nouns or name in ("winners", "losers")]
    strict = [name for name in names if name in STRICT and NOUNS[name] in said.dimensions]
    if strict and len(names) > len(strict):
        names = [name for name in names if name not in strict]
    return names


def _unsaid(said: Parts, names: list[str]) -> list[str]:
    """What is meant where no figure is named: "the best day" is that of profit."""
    if said.would and "scenario" in (*said.dimensions, *(f.column for f in said.filters)):
        return ["stress_result"]
    if names == ["profit_gross"]:
        return names  # "what would it be before costs"
    if said.would or {"costs", "denied"} == set(names):
        if "denied" not in names:
            raise UnansweredError("what would have been is not stored")
        names = ["denied_would_have_made"]
    if not names and (fixes(said.filters, "stage") or "stage" in said.dimensions):
        names = ["latency_ms"]
    if not names and said.rank:
        names = [_OF[name] for name in said.dimensions if name in _OF][:1]
    if not names and _held(said):
        names = ["open_positions"]
    if not names and said.dimensions == ("side",) and not (said.span.begin or said.rank):
        names = ["open_lots"]  # "are we long or short on gold"
    if not names and said.rank in ("best", "worst") and (said.dimensions or said.number == 1):
        names = ["profit"]  # "the best day", "my worst one"
    if not names and fixes(said.filters, "role"):
        names = ["role_hit_rate"]  # "champion against challenger"
    if not names and fixes(said.filters, "author"):
        names = ["audit_events"]
    if not names and fixes(said.filters, "regime"):
        names = ["regime_quarters"]
    if not names and fixes(said.filters, "exit"):
        names = ["trades"]  # "stopped out yesterday, how often"
    if not names:
        raise UnansweredError("what is to be measured is not understood")
    return names


def _held(said: Parts) -> bool:
    """ "Which symbols are we short in": of what is held now."""
    sides = fixes(said.filters, "side") and said.dimensions == ("symbol",)
    return sides and not said.span.begin and not said.rank


def _ended(said: Parts, names: list[str]) -> tuple[Parts, list[str]]:
    """The biggest winning day is the day of the largest profit; the worst trade, too."""
    if (
        said.rank_word in _LARGE
        and set(said.dimensions) - {"trade"}
        and names in (["winners"], ["losers"])
    ):
        best = (names == ["winners"]) == (said.rank in ("most", "best"))
        said = said._replace(rank="best" if best else "worst")
        names = ["profit"]
    if names == ["trades"] and "trade" in said.dimensions and said.rank not in ENDS_OF_TIME:
        names = ["profit"]
    return said, names


_PASSIVE = {"signals", "predictions", "ticks", "bars"}  # are made, and make nothing


def _strong(said: Parts, names: list[str]) -> list[str]:
    """ "The profit of our trades" asks for the profit."""
    every = measures()
    strong = [name for name in names if name not in WEAK]
    if strong == ["profit"] and said.earns == "made" and _PASSIVE & set(names):
        return [name for name in names if name in _PASSIVE]  # "signals generated yesterday"
    if strong and len(strong) < len(names) and not said.joints:
        if said.aggregate == "count" and not all(every[name][1].counts for name in strong):
            raise UnansweredError("how many of what is not understood")
        names = strong
    return names


def _in_unit(said: Parts, names: list[str]) -> list[str]:
    """The same figures in the unit that is asked for."""
    every = measures()
    if said.aggregate == "share" and said.unit == "percent":
        said = said._replace(unit="")
    if said.aggregate == "share" and all("percent" in every[n][1].units for n in names):
        names = [every[name][1].units["percent"] for name in names]
    if said.unit == "percent" and said.dimensions and "percent" not in every[names[0]][1].units:
        pass  # the share of each
    elif said.unit == "percent" and said.filters and "sum" in every[names[0]][1].values:
        pass  # "how much of the profit came from bitcoin, in percent"
    elif said.unit:
        counted = every[names[0]]
        if counted[1].counts and said.unit in counted[0].by_unit:
            return [counted[0].by_unit[said.unit]]  # "how many minutes were we in gold"
        if any(said.unit not in every[name][1].units for name in names):
            raise UnansweredError(f"{names[0]} in {said.unit} is not kept")
        names = [every[name][1].units[said.unit] for name in names]
    return names


#: What is ranked when nothing is named: "which stage is slowest".
_OF = {"rule": "denied", "stage": "latency_ms", "scenario": "stress_result"}


_LARGE = {"biggest", "largest", "best", "worst", "smallest", "highest", "greatest"}


ENDS_OF_TIME = ("newest", "oldest")


def fixes(filters: Sequence[Filter], column: str) -> bool:
    """Whether a condition names values of a column."""
    return any(one.column == column for one in filters)
