"""Phrases that a question may hold, and what each says; the words are in `words.toml`."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import msgspec

from questions.catalog import measures
from questions.plan import Span
from questions.words import stem, words

Phrase = tuple[str, ...]
_RISK = {
    "var": "value_at_risk",
    "value at risk": "value_at_risk",
    "es": "expected_shortfall",
    "expected shortfall": "expected_shortfall",
}
_CAUSES = (
    "because",
    "because of",
    "due to",
    "for",
    "for a",
    "by",
    "by the",
    "on",
    "for being",
    "as",
    "with",
    "with reason",
    "reason",
    "rule",
    "under",
    "under rule",
    "by rule",
    "from",
)
_SHORT = {"by", "for", "on", "with"}  # too little before a rule of one word
_ENDS = {
    "less": "least",
    "lower": "least",
    "tighter": "least",
    "narrower": "least",
    "smaller": "least",
    "faster": "least",
    "cheaper": "least",
    "shorter": "least",
    "fewer": "least",
    "better": "best",
    "worse": "worst",
}
_CARRIED = {"volatile": "volatility_bp", "profitable": "profit"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NO_ADVERBS = frozenset({"trade", "order", "report", "author", "item"})
_Words = dict[str, tuple[str, ...]]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    light: tuple[str, ...]
    stop: tuple[str, ...]
    group: tuple[str, ...]
    which: tuple[str, ...]
    comparative: tuple[str, ...]
    who: tuple[str, ...]
    much: tuple[str, ...]
    without: tuple[str, ...]
    rest: tuple[str, ...]
    would: tuple[str, ...]
    when: tuple[str, ...]
    why: tuple[str, ...]
    compare: tuple[str, ...]
    ranking: tuple[str, ...]
    money: tuple[str, ...]
    currencies: tuple[str, ...]
    dimensions: _Words
    adverbs: _Words
    aggregates: _Words
    ranks: _Words
    sides: _Words
    purposes: _Words
    exits: _Words
    filters: dict[str, _Words]
    sessions: _Words
    parts: _Words
    symbols: _Words
    units: _Words
    intervals: _Words
    methods: _Words
    confidences: _Words
    horizons: _Words
    reports: _Words
    types: _Words


class Meaning(NamedTuple):
    """What a phrase says: its kind (measure, dimension, filter, rank, …) and value."""

    kind: str
    value: str = ""
    column: str = ""
    span: Span | None = None


class Names(NamedTuple):
    """What is stored: values by column, as they are written. An unknown symbol is refused."""

    symbols: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    firm_rules: tuple[str, ...] = ()


Lexicon = Mapping[Phrase, tuple[Meaning, ...]]
_Entry = tuple[Iterable[str], tuple[Meaning, ...]]


@functools.cache
def _file() -> _File:
    text = resources.files("questions").joinpath("words.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File)


@functools.cache
def light() -> frozenset[str]:
    """Words that carry nothing, and are taken out before anything is matched."""
    return frozenset(_file().light)


def phrase(text: str) -> Phrase:
    """As it is matched: singular, without what carries nothing."""
    return tuple(stem(word) for word in words(text) if word not in light())


def lexicon(names: Names) -> dict[Phrase, tuple[Meaning, ...]]:
    """All phrases for a home that holds these names; of two meanings the later one holds."""
    file = _file()
    entries = (
        *_grammar(file),
        *_filters(file),
        *_measures(),
        *_breaks(file),
        *_value_at_risk(file),
    )
    return {
        key: meanings
        for texts, meanings in (*entries, *_of_symbols(file, names), *_of_names(names))
        for text in texts
        if (key := phrase(text))
    }


def _grammar(file: _File) -> Iterator[_Entry]:
    yield file.stop, (Meaning("stop"),)
    yield file.why, (Meaning("why"),)
    for text in file.comparative:
        carried = [Meaning("measure", name) for word, name in _CARRIED.items() if word in text]
        carried += [Meaning("aggregate", "often")] if "often" in text else []
        yield (text,), (Meaning("comparative", _ENDS.get(text.split()[0], "most")), *carried)
    yield ("most active",), (Meaning("rank", "most"), Meaning("measure", "trades"))
    for number, weekday in enumerate(_WEEKDAYS, 1):
        yield (weekday,), (Meaning("filter", str(number), "weekday"),)
    yield file.who, (Meaning("who"),)
    yield file.much, (Meaning("much"),)
    yield file.without, (Meaning("without"),)
    yield file.rest, (Meaning("rest"),)
    yield file.would, (Meaning("would"),)
    yield file.when, (Meaning("when"),)
    yield file.ranking, (Meaning("rank", "most", "ranking"),)
    for dimension, nouns in file.dimensions.items():
        if dimension not in NO_ADVERBS:
            yield [f"{noun} by {noun}" for noun in nouns], (Meaning("adverb", dimension),)
    for word in file.group:
        yield (word,), (Meaning("group", word),)
    for word in file.which:
        yield (word,), (Meaning("which", word.split()[-1]),)
    yield ("which single",), (Meaning("which", "single"),)
    for word in file.compare:
        yield (word,), (Meaning("compare", word),)
    for kind, table in (
        ("dimension", file.dimensions),
        ("aggregate", file.aggregates),
        ("rank", file.ranks),
        ("adverb", file.adverbs),
        ("unit", file.units),
    ):
        for value, texts in table.items():
            yield texts, (Meaning(kind, value),)
    for value, texts in file.ranks.items():
        yield [f"{text} first" for text in texts], (Meaning("sorted", value),)
        named = [noun for nouns in file.dimensions.values() for noun in nouns if " " not in noun]
        ends = [f"{noun} first" for noun in named] + [
            "at top",
            "on top",
            "one first",
            "to begin with",
        ]
        yield [f"{text} {end}" for text in texts for end in ends], (Meaning("sorted", value),)
    for value, other in (
        ("worst", "best"),
        ("best", "worst"),
        ("most", "least"),
        ("least", "most"),
    ):
        ways = [f"from {a} to {b}" for a in file.ranks[value] for b in file.ranks[other]]
        yield ways, (Meaning("sorted", value),)
    for value in ("best", "worst"):
        paid = [text for text in file.ranks[value] if set(text.split()) & set(file.money)]
        yield paid, (Meaning("rank", value), Meaning("measure", "profit"))


def _filters(file: _File) -> Iterator[_Entry]:
    named = {"side": file.sides, "exit": file.exits, "purpose": file.purposes, **file.filters}
    for column, table in named.items():
        for value, texts in table.items():
            yield texts, (Meaning("filter", value, column),)
    for kind, texts in file.types.items():
        yield [texts[0]], (Meaning("filter", kind, "type"), Meaning("measure", "orders"))
    for hours, texts in file.parts.items():
        yield texts, (Meaning("hours", span=_hours(hours, texts[0])),)
    for hours, texts in file.sessions.items():
        longer = [f"{text} {end}" for text in texts for end in ("session", "hour", "trading")]
        yield longer, (Meaning("hours", span=_hours(hours, texts[0])),)
    for interval, texts in file.intervals.items():
        longer = [f"{text} {bar}" for text in texts for bar in ("bar", "candle", "candlestick")]
        yield longer, (Meaning("measure", "bars"), Meaning("filter", interval, "interval"))


def _breaks(file: _File) -> Iterator[_Entry]:
    for report, texts in file.reports.items():
        ends = (
            "{} break",
            "{} report break",
            "break in {}",
            "break in {} report",
            "break {} report",
        )
        named = [end.format(text) for text in texts for end in ends]
        yield named, (Meaning("measure", "breaks"), Meaning("filter", report, "report"))


def _hours(text: str, name: str) -> Span:
    first, last = text.split("-")
    return Span(hours=(int(first), int(last)), text=name)


def _measures() -> Iterator[_Entry]:
    mean, joined = Meaning("aggregate", "mean"), Meaning("compare", "and")
    sizes = ("trade size", "size trade", "position size", "lot size", "size position")
    sized = [f"{word} {size}" for word in ("average", "mean", "typical", "avg") for size in sizes]
    sized += ["size average trade", "size typical trade"]
    gross, net = Meaning("measure", "gross_exposure"), Meaning("measure", "net_exposure")
    for name, (_, measure) in measures().items():
        yield measure.words, (Meaning("measure", name),)
    ended = ("order outcome", "outcome order", "how order ended", "how order end", "order end up")
    yield ended, (Meaning("measure", "orders"), Meaning("adverb", "status"))
    yield sized, (mean, Meaning("measure", "traded_lots"))
    before, after = Meaning("measure", "profit_gross"), Meaning("measure", "profit")
    yield ("before and after cost", "before and after commission"), (before, joined, after)
    yield ("gross and net exposure",), (gross, joined, net)
    yield ("net and gross exposure",), (net, joined, gross)


def _value_at_risk(file: _File) -> Iterator[_Entry]:
    """ "95 % one day VaR", "VaR at 95 %", in any order."""
    tables = (
        ("measure", file.methods),
        ("confidence", file.confidences),
        ("horizon", file.horizons),
    )
    single = [(Meaning("var", v, column), t) for column, table in tables for v, t in table.items()]
    for text, value in ((t, v) for v, texts in file.confidences.items() for t in texts):
        yield (
            (f"{text} confidence", f"{text} confidence level"),
            (Meaning("var", value, "confidence"),),
        )
    for text, value in ((t, v) for v, texts in file.horizons.items() for t in texts if " " in t):
        yield (f"in {text}", f"within {text}"), (Meaning("var", value, "horizon"),)
    for of, name in _RISK.items():
        figure = Meaning("measure", name)
        for fixed, texts in single:
            ends = [f"{text} {of}" for text in texts] + [
                f"{of} {at} {text}" for text in texts for at in ("at", "over", "for", "with", "")
            ]
            yield ends, (figure, fixed)
        for first, texts in single:
            for second, others in single:
                if first.column != second.column:
                    yield _both(of, texts, others), (figure, first, second)


def _both(of: str, first: Iterable[str], second: Iterable[str]) -> Iterator[str]:
    """ "95 % one day VaR", "95 % VaR over one day", "VaR at 95 % over one day"."""
    for a in first:
        for b in second:
            yield f"{a} {b} {of}"
            yield from (f"{a} {of} {at} {b}" for at in ("over", "for", "at", ""))
            yield from (
                f"{of} {one} {a} {two} {b}"
                for one in ("over", "at", "for", "")
                for two in ("over", "at", "for", "with", "")
            )


def _of_symbols(file: _File, names: Names) -> Iterator[_Entry]:
    for symbol, texts in file.symbols.items():
        stored = symbol in names.symbols
        kind = Meaning("filter", symbol, "symbol") if stored else Meaning("missing", symbol)
        yield (*texts, symbol), (kind,)
    for symbol in names.symbols:
        yield (symbol,), (Meaning("filter", symbol, "symbol"),)
    for money in file.currencies:
        symbol = next((name for name, texts in file.symbols.items() if money in texts), "")
        named = symbol if symbol in names.symbols else ""
        yield [f"in {money}"], (Meaning("currency", named, "symbol"),)


def _of_names(names: Names) -> Iterator[_Entry]:
    for column, values in (
        ("strategy", names.strategies),
        ("source", names.sources),
        ("process", names.processes),
        ("severity", names.severities),
    ):
        for value in values:
            yield (f"{column} {value}", f"{value} {column}"), (Meaning("filter", value, column),)
    for stage in names.stages:
        yield from _of_stage(stage)
    for rule in names.rules:
        text = rule.replace("_", " ")
        causes = [f"{c} {text}" for c in _CAUSES if c not in _SHORT or " " in text]
        yield (*causes, f"{text} rule", f"{text} denial"), (Meaning("filter", rule, "rule"),)
    for rule in names.firm_rules:
        yield from _of_firm_rule(rule)
    for scenario in names.scenarios:
        yield _of_scenario(scenario), (Meaning("filter", scenario, "scenario"),)
    for control in names.controls:
        text = f"{control.replace('_', ' ')} alert"
        yield (text,), (Meaning("measure", "alerts"), Meaning("filter", control, "control"))


def _of_firm_rule(rule: str) -> Iterator[_Entry]:
    text = rule.replace("_", " ")
    ends = (
        "{} headroom",
        "headroom {}",
        "headroom for {}",
        "headroom to {} limit",
        "headroom before {}",
        "headroom under {}",
        "headroom on {}",
        "headroom {} limit",
        "left before {} limit",
        "room left before {} limit",
        "prop firm {} limit",
        "prop firm {}",
        "firm {} limit",
        "firm {} rule",
        "headroom of {} rule",
        "headroom in {}",
        "headroom under {} rule",
        "headroom for {} rule",
        "left before {} rule",
        "room left before {} rule",
        "missing to {}",
        "still missing to {}",
        "lacking to {}",
        "left to {}",
        "headroom ever on {} rule",
    )
    named = [end.format(text) for end in ends]
    yield named, (Meaning("measure", "headroom"), Meaning("filter", rule, "rule"))


def _of_stage(stage: str) -> Iterator[_Entry]:
    text, only = stage.replace("_", " "), Meaning("filter", stage, "stage")
    yield (f"{text} stage", f"stage {text}", *([text] if " " in text else [])), (only,)
    ends = ("from {}", "{}", "in {}", "for {}", "{} stage", "in {} stage")
    named = [f"latency {end.format(text)}" for end in ends]
    both = (Meaning("measure", "latency_ms"), only)
    yield (*named, f"{text} latency", f"{text} stage latency"), both


def _of_scenario(scenario: str) -> Sequence[str]:
    """By its name, with and without the year."""
    text = scenario.replace("_", " ").replace("-", " ")
    short = " ".join(word for word in text.split() if not word.isdigit())
    ends = ("{} scenario", "scenario {}", "{} stress", "stress {}", "in {}")
    return [
        text if " " in text else f"{text} stress",
        *(e.format(t) for t in (text, short) for e in ends),
    ]
