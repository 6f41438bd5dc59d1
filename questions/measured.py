"""Which figure is asked for: words beside each other, nouns, what goes without saying, units."""

from collections.abc import Sequence

from questions.bounded import without_bounded
from questions.catalog import Measure, Rows, measures, narrowed
from questions.nouns import NOUNS, OF, STRICT, WEAK
from questions.parts import Parts
from questions.plan import UnansweredError
from questions.vocabulary import file
from questions.wording import fixes, worded


def measured(said: Parts) -> tuple[Parts, Rows, tuple[Measure, ...]]:
    """What is asked for, step by step: words, nouns, what goes without saying, ends, units."""
    said, names = without_bounded(said)
    said, names = worded(said, names)
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
    if every[names[0]][1].passive and said.rank in ("best", "worst"):
        said = said._replace(rank="most" if said.rank == "best" else "least")
    if said.rank and every[names[0]][1].each == "stage" and not (said.dimensions or said.filters):
        raise UnansweredError("the latency of which stage, or of each, is not said")
    _check_how(said, every[names[0]][1])
    if said.rank_word in _SIZES and names[0] in _LENGTHS:
        raise UnansweredError(f"{names[0]} is long or short, and not {said.rank_word}")
    said = _of_one_row(said, every[names[0]][1], every[names[0]][0])
    return said, every[names[0]][0], tuple(every[name][1] for name in names)


_WIDTHS = {"widest", "tightest", "narrowest"}
_SIZES = {"biggest", "smallest", "tallest", "fattest", "heaviest"}
_LENGTHS = {"holding_s", "holding_min"}
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
    one = not (said.number or said.rank_word in file().ranking)  # "trades sorted by profit": all
    return said._replace(dimensions=(said.single,), asks_which=True, one=one)


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
    if not names and said.rank and not (said.who or said.rank in ENDS_OF_TIME):
        names = [_RANKED[name] for name in said.dimensions if name in _RANKED][:1]
    if not names and said.rank_word in _WIDTHS and fixes(said.filters, "symbol"):
        names = ["spread"]  # "what is the widest gold got"
    if not names and _held(said):
        names = ["open_positions"]
    if not names and said.dimensions == ("side",) and not (said.span.begin or said.rank):
        names = ["open_lots"]  # "are we long or short on gold"
    if not names and said.rank in ("best", "worst") and (said.dimensions or said.number == 1):
        names = ["profit"]  # "the best day", "my worst one"
    if not names and fixes(said.filters, "role"):
        names = ["role_hit_rate"]  # "champion against challenger"
    if not names and fixes(said.filters, "author") and not said.who:
        names = ["audit_events"]
    if not names and fixes(said.filters, "regime"):
        names = ["regime_quarters"]
    if not names and fixes(said.filters, "exit") and not said.much:
        names = ["trades"]  # "stopped out yesterday, how often"
    if names == ["price_change"] and not (said.filters or said.dimensions or said.rank):
        raise UnansweredError("what has changed is not said")
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
        and not (said.apart and "trade" in said.dimensions)
        and names in (["winners"], ["losers"])
    ):
        best = said.rank in (("most", "best") if names == ["winners"] else ("least", "best"))
        said = said._replace(rank="best" if best else "worst")
        names = ["profit"]
    if names == ["trades"] and said.rank_word == "most" and len(said.dimensions) > 1:
        raise UnansweredError("the most trades of which, or in which, is not said")
    if said.rank_word in _PRICED and names == ["trades"]:
        raise UnansweredError(f"{said.rank_word} by which cost is not said")
    if said.rank_word in _NUMBERS and "trade" in said.dimensions:
        raise UnansweredError("the largest number of what, in which, is not said")
    if names == ["trades"] and "trade" in said.dimensions and said.rank not in ENDS_OF_TIME:
        names = ["profit"]
    return said, names


def _strong(said: Parts, names: list[str]) -> list[str]:
    """ "The profit of our trades" asks for the profit."""
    every = measures()
    strong = [name for name in names if name not in WEAK]
    passive = [name for name in names if every[name][1].passive]
    if strong == ["profit"] and said.earns == "made" and passive:
        return passive  # "signals generated yesterday"
    if strong and len(strong) < len(names) and not said.joints:
        strong = [_of_weak(name, names) for name in strong]
        _check_rows(said, strong[0], [name for name in names if name not in strong])
        if said.aggregate == "count" and not all(every[name][1].counts for name in strong):
            raise UnansweredError("how many of what is not understood")
        names = strong
    return names


def _of_weak(name: str, names: Sequence[str]) -> str:
    """Signals have a confidence of their own."""
    rows = {measures()[one][0].name for one in names if one in WEAK}
    own, measure = measures()[name]
    there = [one for one in measure.instead.values() if measures()[one][0].name in rows]
    return there[0] if there and own.name not in rows else name


def _shown(measure: Measure) -> list[str]:
    """The columns of a single row of its own."""
    return measures()[measure.name][0].shown.split(", ")


def _check_how(said: Parts, measure: Measure) -> None:
    """ "How long do checks take" is no count of checks."""
    timed = {"s", "min", "ms", "us", "h"} & set(measure.units)
    timed |= {"seconds"} & set(_shown(measure))
    counts = measure.counts and not said.aggregate and not said.bounds
    is_number = counts and measure.values[""].startswith("count") and not said.rank
    untimed = not timed and not (said.aggregate or said.when)
    untimed = untimed and (said.how == "long" or not said.bounds)
    if (said.how in ("long", "fast", "slow") and untimed) or (
        said.how in ("large", "big", "wide", "deep", "high", "low", "far") and is_number
    ):
        raise UnansweredError(f"how {said.how}, of {measure.name}, is not kept")


def _check_rows(said: Parts, strong: str, weak: Sequence[str]) -> None:
    """ "The spread of our trades" is not that of all ticks."""
    rows = measures()[strong][0].name
    for name in weak:
        if rows not in OF.get(name, {rows}) and not (name == "trades" and said.rank):
            raise UnansweredError(f"{strong} of {name} is not understood")


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
_RANKED = {"rule": "denied", "stage": "latency_ms", "scenario": "stress_result"}


_PRICED = {"expensive", "costly", "cheapest", "costliest", "dearest", "priciest"}
_NUMBERS = {"number", "count", "amount"}
_LARGE = {"biggest", "largest", "best", "worst", "smallest", "highest", "greatest"}


ENDS_OF_TIME = ("newest", "oldest")
