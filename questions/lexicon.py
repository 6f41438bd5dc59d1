"""Words that a question may hold, and what each says; phrases before words, the longest first."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from questions.catalog import measures
from questions.plan import Span
from questions.words import stem, words

Phrase = tuple[str, ...]

#: Words that carry nothing: they are taken out before anything is matched.
LIGHT = frozenset(
    "a an the is are was were be been being am did do does done have has had that those these there"
    " we i our my us me mine ours you your it its they them their so just also please pls plz kindly"
    " of".split()
)
#: Words that say who asks, how, or that it is a question; they change nothing of the answer.
_STOP = """
show|give|tell|list|print|display|get|fetch|find|let know|want to know|would like to know|would like to see
|like to know|like to see|want to see|need to know|need to see|want|need|see|know|can|could|hi|hello|hey
|thank|thanks|thank advance|cheers|quick question|question|curious|wonder|wondering|what|how|much|how much|on average basis
|in|on|at|for|from|with|to|over|during|within|into|about|and|then|here|out|up|come|came|go|went|look|looking|like|happen|happened
|take|took|taken|put|let|say|said|exactly|roughly|approximately|approx|actually|really|basically|all|any|together|altogether
|entire|whole|everything|figure|number|value|amount|data|stat|stats|statistic|overview|report me|summary|breakdown|broken down|split|table|chart|plot|graph|draw
|account|desk|book|bot|system|stack|platform|tickhouse|home|people|team|guy|guys|mate|dear|sir|boss|colleague
|when it come to|with regard to|regarding|concerning|as far as|in term|relative|respect|got|gets|getting|pay|paid|paying|charged|trading|business|market side
|money|cash|dollar|usd|buck|currency account|account currency|in account currency|in our account|in my account|by chance|quickly|briefly|again|so far as
|answer|me know|asap|now then|well|ok|okay|um|eh|yo|yeah|oh|right then|morning all|good morning|good evening|good afternoon
|in order|descending|in descending order|how long|in ms|in millisecond|with broker|by broker|from broker|to broker|at broker|from our broker
|single|individual|particular|given|certain|stored|recorded|seen|received|collected|registered|available|there
"""
_GROUP = (
    "by", "per", "each", "every", "for each", "for every", "in each", "on each", "broken down by", "split by",
    "grouped by", "group by", "across", "across all", "by each", "per each", "for all", "in every", "separately for",
    "separate by", "separated by", "divided by", "as function", "listed by", "depending on", "in all", "on every", "separately by",
    "sliced by", "over all", "for individual",
)  # fmt: skip
_WHICH = ("which", "what", "whichever", "at which", "at what", "in which", "on which", "in what", "on what", "for which", "from which", "during which", "who")
_DIMENSIONS = {
    "hour": ("hour", "hour day", "time day", "hr", "hour clock", "clock hour", "utc hour", "time"),
    "day": ("day", "date", "calendar day", "trading day"),
    "weekday": ("weekday", "day week", "week day", "dow"),
    "week": ("week", "calendar week"),
    "month": ("month", "calendar month"),
    "symbol": ("symbol", "pair", "instrument", "market", "currency pair", "product", "asset", "ticker"),
    "strategy": ("strategy", "strat", "algo", "algorithm", "system"),
    "source": ("source", "feed", "broker", "data source", "price source", "provider", "vendor"),
    "side": ("side", "direction", "buy or sell", "long or short", "long and short", "buy and sell"),
    "rule": ("rule", "reason", "risk rule", "denial reason", "denial rule", "reject reason", "rejection reason", "limit"),
    "status": ("status", "outcome", "state", "how they ended", "end state", "final status", "how ended"),
    "exit": ("exit reason", "exit", "exit type", "reason for closing", "closing reason", "close reason", "way of closing", "why closed", "exit purpose", "reason closed", "reason of exit", "how closed"),
    "purpose": ("purpose", "order purpose"),
    "type": ("order type", "type order", "type"),
    "model": ("model",),
    "stage": ("stage", "pipeline stage", "step", "pipeline step"),
    "process": ("process",),
    "scenario": ("scenario", "stress scenario"),
    "control": ("control", "alert type", "kind alert", "type alert", "alert kind", "kind"),
    "severity": ("severity",),
    "report": ("report",),
    "feature": ("feature", "input"),
    "check": ("check",),
    "author": ("author", "person"),
    "trade": ("trade", "position", "deal", "closed trade", "single trade", "individual trade"),
    "order": ("order", "single order", "individual order", "fill"),
    "incident": ("incident",),
    "interval": ("interval", "bar size", "timeframe", "time frame", "bar interval"),
    "suite": ("suite", "check suite"),
    "item": ("item",),
    "analyst": ("analyst",),
    "by": ("stopped by",),
    "trigger": ("trigger",),
}  # fmt: skip
_ADVERBS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "hour by hour": "hour",
    "day by day": "day", "week by week": "week", "month by month": "month", "day to day": "day",
    "symbol by symbol": "symbol", "every single day": "day", "every hour": "hour", "every day": "day",
    "strategy by strategy": "strategy", "from day to day": "day", "from hour to hour": "hour",
}  # fmt: skip
_AGGREGATES = {
    "mean": ("average", "avg", "mean", "typical", "typically", "on average", "usual", "usually", "in average", "averaged", "the usual", "normally", "normal", "an average", "on avg"),
    "median": ("median", "in the median", "middle", "50th percentile", "p50"),
    "sum": ("total", "sum", "in total", "summed", "sum up", "add up", "overall total", "in sum", "total sum", "added up", "all in all", "combined", "grand total", "cumulative", "in all total"),
    "count": ("how many", "number", "count", "how many time", "how often", "number time", "how many different", "total number", "# ", "#", "how frequently", "quantity"),
    "p90": ("p90", "90th percentile", "90 percentile", "90th"),
    "p95": ("p95", "95th percentile", "95 percentile", "95th", "95 % percentile"),
    "p99": ("p99", "99th percentile", "99 percentile", "99th", "99 % percentile"),
    "share": ("share", "percent", "percentage", "%", "proportion", "fraction", "what percent", "what percentage", "what share", "what fraction", "what proportion"),
}  # fmt: skip
_RANKS = {
    "most": ("most", "highest", "largest", "biggest", "greatest", "top", "max", "maximum", "widest", "longest", "slowest", "maximal", "high", "busiest", "deepest", "heaviest", "peak", "by far most", "most expensive", "costliest", "priciest", "hugest", "broadest", "wide", "maximally", "most frequent", "commonest", "most common", "most frequently", "most often", "largest single", "biggest single", "wildest", "choppiest", "very largest", "hurt most", "dearest"),
    "least": ("least", "lowest", "smallest", "tightest", "narrowest", "min", "minimum", "shortest", "fastest", "fewest", "minimal", "low", "quietest", "calmest", "bottom", "quickest", "cheapest", "least expensive", "rarest", "least often", "least common", "narrow", "tight", "thinnest", "slimmest"),
    "best": ("best", "better", "strongest", "finest", "most profitable", "luckiest", "most successful", "do best", "did best", "performed best", "perform best", "most accurate", "most lucrative", "earned most", "made most", "make most", "made most money", "make most money", "earned us most", "earn most", "bring most", "brought most", "won most"),
    "worst": ("worst", "worse", "weakest", "poorest", "least profitable", "unluckiest", "did worst", "perform worst", "performed worst", "do worst", "least accurate", "ugliest", "lost most", "lose most", "lost most money", "lose most money", "losing most", "cost most money", "bleed most", "bled most", "hurt us most"),
}  # fmt: skip
_MONEY = {"profitable", "lucrative", "money", "earned", "earn", "made", "make", "lost", "lose", "losing", "won", "brought", "bring", "successful"}
_COMPARE = ("vs", "versus", "compared with", "compared to", "against", "or", "than", "compare", "comparison", "comparison between", "difference between", "compare with", "compare to", "v", "side by side", "next to", "and")  # fmt: skip
_SIDES = {
    "buy": ("buy", "long", "buying", "buy order", "long trade", "buy trade", "long position", "going long", "long side", "buy side", "bought", "on the long side", "on the buy side", "longs", "buys"),
    "sell": ("sell", "short", "selling", "sell order", "short trade", "sell trade", "short position", "going short", "short side", "sell side", "sold", "on the short side", "on the sell side", "shorts", "sells"),
}  # fmt: skip
_EXITS = {
    "stop": ("stopped out", "closed by stop", "hit stop", "closed at stop", "closed by stop loss", "by stop loss", "stop loss hit", "by stop", "hit their stop", "stop loss exit", "stop exit", "hit stop loss", "stop loss", "by their stop", "at stop loss"),
    "take_profit": ("closed by take profit", "take profit hit", "by take profit", "at take profit", "hit take profit", "take-profit", "by take-profit", "hit target", "take profit", "hit their take profit", "hit take-profit", "at take-profit"),
    "manual": ("closed by hand", "closed manually", "manually closed", "by hand", "manually", "manual"),
    "horizon": ("closed at horizon", "closed by horizon", "at horizon", "at their horizon", "by horizon", "at end horizon", "horizon"),
}  # fmt: skip
_SESSIONS = {(0, 9): ("asia", "asian", "tokyo"), (7, 16): ("london", "european"), (12, 21): ("new york", "ny", "american")}
_PARTS = {(0, 6): ("overnight", "at night", "in night", "during night"), (6, 12): ("in morning", "during morning", "morning"), (12, 18): ("in afternoon", "during afternoon", "afternoon"), (18, 24): ("in evening", "during evening", "evening")}
_ALIASES = {
    "XAUUSD": ("gold", "xau", "xau/usd", "xau usd", "gold spot", "xauusd", "yellow metal"),
    "XAGUSD": ("silver", "xag", "xag/usd"), "BTCUSD": ("bitcoin", "btc", "btc/usd", "btc usd", "xbt"),
    "ETHUSD": ("ether", "ethereum", "eth"), "EURUSD": ("euro", "eur", "fiber", "fibre", "eur/usd", "eur usd", "eu", "euro dollar", "eurodollar", "euro-dollar"),
    "GBPUSD": ("cable", "pound", "sterling", "gbp", "gbp/usd", "gbp usd", "gu"), "USDJPY": ("yen", "jpy", "usd/jpy", "usd jpy", "uj"),
    "USDCHF": ("swissy", "franc", "chf", "usd/chf"), "AUDUSD": ("aussie", "aud", "aud/usd"), "USDCAD": ("loonie", "cad", "usd/cad"),
    "NZDUSD": ("kiwi", "nzd", "nzd/usd"), "GER40": ("dax",), "US500": ("s&p", "sp500", "spx"), "NAS100": ("nasdaq",), "US30": ("dow",),
    "XTIUSD": ("oil", "wti", "crude"), "XBRUSD": ("brent",),
}  # fmt: skip
_INTERVALS = {"1s": ("1s", "one second", "1 second", "s1", "second"), "1m": ("1m", "1 minute", "one minute", "one-minute", "m1", "minute", "1-minute", "1 min", "1min"), "5m": ("5m", "5 minute", "five minute", "five-minute", "m5", "5-minute", "5 min", "5min"), "1h": ("1h", "1 hour", "one hour", "one-hour", "h1", "hourly", "hour", "1-hour")}
_UNITS = {
    "point": ("in point", "measured in point", "in broker point"), "bp": ("in bp", "in basis point", "in bps", "bp", "bps", "basis point"),
    "percent": ("in percent", "in %", "as percent", "as percentage", "in percentage", "as %", "percentage wise", "in percentage term", "in relative term"),
    "money": ("in dollar", "in usd", "in money", "in cash", "in $", "in buck", "in account currency", "in hard cash", "in currency"),
    "lot": ("in lot",),
}  # fmt: skip
_MEASURED = {"filtered": ("filtered historical", "filtered"), "historical": ("historical", "historical simulation"), "parametric": ("parametric", "variance covariance"), "monte_carlo": ("monte carlo", "monte-carlo")}
_CONFIDENCE = {"0.95": ("95 %", "95%", "95 percent", "95"), "0.99": ("99 %", "99%", "99 percent", "99")}
_HORIZON = {"1h": ("1 hour", "one hour", "1h", "hourly", "one-hour", "1-hour"), "1d": ("1 day", "one day", "1d", "one-day", "1-day")}


class Meaning(NamedTuple):
    """What a phrase says; `values` may be several, "" is nothing."""

    kind: str  # measure, dimension, adverb, aggregate, rank, group, which, compare, filter, hours, var, stop
    value: str = ""
    column: str = ""
    span: Span | None = None


class Names(NamedTuple):
    """What is stored: values by column, as they are written. An unknown symbol is refused."""

    symbols: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()


Lexicon = Mapping[Phrase, tuple[Meaning, ...]]


def phrase(text: str) -> Phrase:
    """As it is matched: singular, without what carries nothing."""
    return tuple(stem(word) for word in words(text) if word not in LIGHT)


def lexicon(names: Names) -> dict[Phrase, tuple[Meaning, ...]]:
    """All phrases for a home that holds these names."""
    entries: dict[Phrase, tuple[Meaning, ...]] = {}

    def add(texts: Sequence[str], *meanings: Meaning) -> None:
        for text in texts:
            key = phrase(text)
            if key:
                entries[key] = meanings

    add(_STOP.replace("\n", "").split("|"), Meaning("stop"))
    for word in _GROUP:
        add([word], Meaning("group", word))
    for word in _WHICH:
        add([word], Meaning("which", word.split()[-1]))
    for unit, texts in _UNITS.items():
        add(texts, Meaning("unit", unit))
    add(["rank", "ranking", "sort", "sorted", "ranked", "rank all", "ordered", "order by size"], Meaning("rank", "most"))
    add([f"in {money}" for money in ("euro", "eur", "pound", "gbp", "sterling", "yen", "jpy", "franc", "chf", "bitcoin", "btc")], Meaning("missing", "amounts in another currency than the account's"))
    add(["why", "for what reason", "how come", "for which reason"], Meaning("why"))
    for interval, texts in _INTERVALS.items():
        ends = [f"{t} {bar}" for t in texts for bar in ("bar", "candle", "candlestick")]
        add(ends, Meaning("measure", "bars"), Meaning("filter", interval, "interval"))
    for word in ("than", *_COMPARE):
        add([word], Meaning("compare", word))
    for kind, table in (("dimension", _DIMENSIONS), ("aggregate", _AGGREGATES), ("rank", _RANKS)):
        for value, texts in table.items():
            add(texts, Meaning(kind, value))
    for value in ("best", "worst"):
        for text in _RANKS[value]:
            if set(text.split()) & _MONEY:
                add([text], Meaning("rank", value), Meaning("measure", "profit"))
    for text, dimension in _ADVERBS.items():
        add([text], Meaning("adverb", dimension))
    for column, table in (("side", _SIDES), ("exit", _EXITS)):
        for value, texts in table.items():
            add(texts, Meaning("filter", value, column))
    for hours, texts in (_PARTS | {}).items():
        add(texts, Meaning("hours", span=Span(hours=hours, text=texts[0])))
    for hours, texts in _SESSIONS.items():
        add([f"{t} {end}" for t in texts for end in ("session", "hour", "trading")], Meaning("hours", span=Span(hours=hours, text=texts[0])))
    for name, (_, measure) in measures().items():
        add(measure.words, Meaning("measure", name))
    for key, table in (("measure", _MEASURED), ("confidence", _CONFIDENCE), ("horizon", _HORIZON)):
        for value, texts in table.items():
            for of, measure_name in (("var", "value_at_risk"), ("value at risk", "value_at_risk"), ("es", "expected_shortfall"), ("expected shortfall", "expected_shortfall")):
                add([f"{text} {of}" for text in texts], Meaning("measure", measure_name), Meaning("var", value, key))
                add([f"{of} at {text}" for text in texts], Meaning("measure", measure_name), Meaning("var", value, key))
            if key != "confidence":
                continue
            for hour, hour_texts in _HORIZON.items():
                for of, measure_name in (("var", "value_at_risk"), ("value at risk", "value_at_risk"), ("expected shortfall", "expected_shortfall"), ("es", "expected_shortfall")):
                    both = (Meaning("measure", measure_name), Meaning("var", value, "confidence"), Meaning("var", hour, "horizon"))
                    add([f"{a} {b} {of}" for a in texts for b in hour_texts], *both)
                    add([f"{b} {a} {of}" for a in texts for b in hour_texts], *both)
    _add_names(add, names)
    return entries


def _undated(text: str) -> list[str]:
    """ "franc" of "franc 2015"."""
    short = " ".join(word for word in text.split() if not word.isdigit())
    return [f"{short} scenario", f"scenario {short}", f"{short} stress", f"stress {short}"] if short != text else []


def _add_names(add: "object", names: Names) -> None:
    assert callable(add)
    for symbol, texts in _ALIASES.items():
        meaning = Meaning("filter", symbol, "symbol") if symbol in names.symbols else Meaning("missing", symbol)
        add(texts, meaning)
    for symbol in names.symbols:
        add([symbol], Meaning("filter", symbol, "symbol"))
    for column, values in (("strategy", names.strategies), ("source", names.sources), ("process", names.processes)):
        for value in values:
            add([f"{column} {value}", f"{value} {column}"], Meaning("filter", value, column))
    for stage in names.stages:
        text = stage.replace("_", " ")
        both = (Meaning("measure", "latency_ms"), Meaning("filter", stage, "stage"))
        add([f"{text} stage", f"stage {text}"], Meaning("filter", stage, "stage"))
        add([f"{text} latency", f"latency from {text}", f"latency {text}", f"latency in {text}", f"latency for {text}", f"latency {text} stage", f"latency in {text} stage", f"{text} stage latency"], *both)
        if "_" in stage:
            add([text], Meaning("filter", stage, "stage"))
    for rule in names.rules:
        text = rule.replace("_", " ")
        causes = ("because", "because of", "due to", "for", "for a", "by", "by the", "on", "for being", "as", "with", "with reason", "reason", "rule", "under", "under rule", "by rule", "on account of", "from")
        add([f"{cause} {text}" for cause in causes if cause not in ("by", "for", "on", "with") or "_" in rule] + [f"{text} rule", f"{text} denial"], Meaning("filter", rule, "rule"))
    for scenario in names.scenarios:
        text = scenario.replace("_", " ").replace("-", " ")
        add([f"{text} scenario", f"scenario {text}", f"in {text}", *_undated(text), text if len(text.split()) > 1 else f"{text} stress"], Meaning("filter", scenario, "scenario"))
    for control in names.controls:
        text = control.replace("_", " ")
        add([f"{text} alert"], Meaning("measure", "alerts"), Meaning("filter", control, "control"))
    for severity in names.severities:
        add([f"severity {severity}", f"{severity} severity"], Meaning("filter", severity, "severity"))
