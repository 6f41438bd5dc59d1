"""Words that mean another figure beside some other: "how many lots right now" are open ones."""

from collections.abc import Sequence

from questions.catalog import measures
from questions.nouns import COSTS, RESULT_OF, WEAK
from questions.parts import Parts
from questions.plan import NOW, Filter, UnansweredError

Said = tuple[Parts, list[str]]


def worded(said: Parts, names: list[str]) -> Said:
    """The figures that are meant by those named, step by step.

    Raises:
        UnansweredError: what is closed, or counted, is not told of these rows.
    """
    steps = (_of_costs, _of_halts, _of_result, _of_trades, _of_lots, _of_closed)
    for step in (*steps, _of_rates, _by_end, _of_models, _of_opened, _how_often):
        said, names = step(said, names)
    return said, names


def _of_costs(said: Parts, names: list[str]) -> Said:
    if "costs" in names and {"winners", "losers"} & set(names) and said.costing:
        names = [name for name in names if name != "costs"]  # "what does a losing trade cost"
    if "costs" in names and COSTS & set(names) and not said.joints:
        names.remove("costs")
    if set(names) == {"costs", "slippage_bp"}:  # "which hours cost us most in slippage"
        names = ["slippage_cost"]
    return said, names


def _of_halts(said: Parts, names: list[str]) -> Said:
    """Who asks how often, or when, asks for the halts, and not for the state of now."""
    if names != ["trading_state"]:
        return said, names
    if said.aggregate == "often":
        return said._replace(aggregate="count"), ["halted"]
    if said.unit == "min" or said.how == "long":
        return said, ["halted_min"]
    return said, ["halts"] if said.aggregate == "count" or said.when or said.rank else names


def _of_trades(said: Parts, names: list[str]) -> Said:
    if said.much and not said.aggregate and names in (["winners"], ["losers"]):
        names = ["profit"]
    if "symbols" in names and (said.rank or len(names) > 1):
        names = [name for name in names if name != "symbols"] or ["trades"]
        named = dict.fromkeys((*said.dimensions, "symbol"))  # "which symbol do we trade most"
        said = said._replace(dimensions=tuple(named), asks_which=True, one=not said.number)
    return said, names


def _of_lots(said: Parts, names: list[str]) -> Said:
    """Lots are of closed trades, of fills, or of what is open."""
    if "filled_lots" in names and {"closed", "trades"} & set(names):
        names = ["traded_lots"]
    elif said.aggregate == "count" and said.single and set(names) == {"traded_lots", "trades"}:
        names = ["filled_lots"]  # "how many lots did we trade"
    if set(names) == {"open_positions", "open_lots"} and said.whichever:
        names = ["open_positions"]  # "which positions are open, and how many lots each"
    lots = {"traded_lots", "filled_lots"} & set(names)
    if lots and ("open_positions" in names or said.span.text in NOW or said.stands):
        names = ["open_lots"]  # "how many lots right now"
    if said.aggregate == "count" and any(name.endswith("_lots") for name in names):
        said = said._replace(aggregate="")
    return said, names


def _of_closed(said: Parts, names: list[str]) -> Said:
    """Trades are closed, and their figures are."""
    if "closed" not in names:
        return said, names
    names = [name for name in names if name != "closed"] or ["trades"]
    if any(measures()[name][0].name != "trades" for name in names):
        raise UnansweredError("closed is said of trades alone")
    return said, names


def _of_rates(said: Parts, names: list[str]) -> Said:
    if said.aggregate != "share" or not ("orders" in names or not said.dimensions):
        return said, names
    if names == ["denied"] and (fixes(said.filters, "rule") or "rule" in said.dimensions):
        return said, names  # "what share of denials were due to wide spreads"
    rated = [_rate(name) for name in names if name in ("denied", "rejected", "filled_orders")]
    return said._replace(aggregate="" if rated else said.aggregate), rated or names


def _by_end(said: Parts, names: list[str]) -> Said:
    """ "The slowest fill", "when is euro cheapest to trade": the end's word says of what."""
    of = names
    figure = measures()[of[0]][1].ends.get(said.rank_word, "") if len(of) == 1 else ""
    if not figure:
        return said, names
    rows = measures()[figure][0]
    if of[0] in RESULT_OF:  # "the longest losing trade"
        said = said._replace(filters=(*said.filters, Filter("result", (RESULT_OF[of[0]],))))
    if rows.name == measures()[of[0]][0].name:
        return said, [figure] if names else names
    if rows.row:
        apart = [name for name in said.dimensions if name not in rows.row]
        if apart and not (said.asks_which and said.single):  # "which broker fills fastest"
            return said._replace(dimensions=tuple(apart), single=""), [figure]
        row = tuple(dict.fromkeys((*tuple(rows.row)[:1], *said.dimensions)))
        said = said._replace(dimensions=row, asks_which=True, one=not said.number)
    return said._replace(single=said.single if rows.row else ""), [figure]


def _of_models(said: Parts, names: list[str]) -> Said:
    if "drifted_features" in names and set(names) <= {"drifted_features", "psi"} and said.rank:
        said = said._replace(dimensions=("feature",), asks_which=True, one=not said.number)
        names = ["psi"]
    others = [name for name in names if name != "models"]
    if others == ["hit_rate"] and "models" in names and "model" not in said.dimensions:
        raise UnansweredError("the hit rate of signals, or the accuracy of models? ask for one")
    if "models" in names and any("model" in measures()[name][0].columns for name in others):
        names = others  # "the accuracy of our models"
    return said, names


def _of_opened(said: Parts, names: list[str]) -> Said:
    if names == ["open_positions"] and said.span.begin:
        names = ["opened_trades"]
    if names == ["filled_orders"] and said.when and said.rank in ("newest", "oldest"):
        names = ["fills"]  # "when did we last get filled"
    if names == ["trades"] and said.when and said.rank == "oldest":
        names = ["opened_trades"]  # the first trade is the one that was opened first
    if names == ["losers"] and said.earns == "lost" and said.asks_which and not said.rank:
        names = ["profit"]
    return said, names


def _how_often(said: Parts, names: list[str]) -> Said:
    if said.aggregate != "often":
        return said, names
    if fixes(said.filters, "rule") or "rule" in said.dimensions:
        return said._replace(aggregate="count"), names  # of one rule there is no rate
    return said, [_rate(name) for name in names]


def _rate(name: str) -> str:
    """The figure that says how often; itself where there is none."""
    return measures()[name][1].rate or name


def _of_result(said: Parts, names: list[str]) -> Said:
    """ "Holding time of losing trades": of which trades, where another figure is asked for."""
    results = [name for name in names if name in RESULT_OF]
    if results == ["winners"] and "profit" in names and said.earns == "lost":
        raise UnansweredError("what winners lost is not understood")
    if len(results) == 1 and set(names) - {"trades"} == {"profit", *results} and not said.joints:
        return said._replace(aggregate=said.aggregate or "sum"), results
    others = [name for name in names if name not in RESULT_OF and name not in WEAK]
    if set(names) == set(RESULT_OF) and not said.joints and said.aggregate in ("", "count"):
        others = ["trades"]  # "winners versus losers today"
    elif not results or len(others) != 1 or said.joints > len(results) - 1:
        return said, names
    rows, other = measures()[others[0]]
    if rows.name != "trades" or (other.of_result and others != ["trades"]):
        return said, names
    values = tuple(RESULT_OF[name] for name in results)
    dimensions = said.dimensions if len(values) == 1 else ("result", *said.dimensions)
    dimensions = tuple(name for name in dimensions if name != "trade" or said.rank)
    filters = (*said.filters, Filter("result", values))
    return said._replace(filters=filters, dimensions=dimensions), others


def fixes(filters: Sequence[Filter], column: str) -> bool:
    """Whether a condition names values of a column."""
    return any(one.column == column for one in filters)
