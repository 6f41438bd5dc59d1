"""Phrases that a question may hold, and what each says; the words are in `words.toml`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from questions import at_risk, named
from questions.catalog import measures
from questions.named import Names
from questions.nouns import STRICT
from questions.plan import Span
from questions.vocabulary import Entry, File, Meaning, Phrase, file, phrase
from questions.words import root

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
_NO_ADVERBS = frozenset({"trade", "order", "report", "author", "item"})
#: Beside these words a rule may be called by its bare name.
_DENIALS = {"denied", "deny", "denial", "refuse", "refused", "block", "blocked", "stop", "stopped"}
_FIRMS = {"headroom", "firm", "prop", "breach", "rule", "target", "closest", "left", "limit"}
_INFLECTS = {"measure", "filter", "dimension", "compare"}
_ROWS = {"order", "trade", "prediction"}
_LEVELS = ("impact", "importance")
_NEWS = ("news", "news event", "event", "economic event", "release")
_COUNTS = ("number ", "how many ", "count of ")  # what begins so is a number of rows
_INFLECTED = 5  # words of a phrase that may stand in another form


class Lexicon(NamedTuple):
    """Phrases as they are written, by the roots of their words, and all words there are."""

    phrases: Mapping[Phrase, tuple[Meaning, ...]]
    roots: Mapping[Phrase, tuple[Meaning, ...]]
    at_risk: Mapping[Phrase, tuple[Meaning, ...]]
    of_denials: Mapping[Phrase, tuple[Meaning, ...]]
    of_firms: Mapping[Phrase, tuple[Meaning, ...]]
    words: frozenset[str]
    telling: frozenset[str]  # those in a phrase that says something

    def beside(self, said: Sequence[str]) -> "Lexicon":
        """With what means something only beside the figures that these words name."""
        more = [self.at_risk] if at_risk.is_named(said) else []
        more += [self.of_denials] if _DENIALS & set(said) else []
        more += [self.of_firms] if _FIRMS & set(said) else []
        merged = {key: meanings for one in (self.phrases, *more) for key, meanings in one.items()}
        return self._replace(phrases=merged) if more else self


def lexicon(names: Names) -> Lexicon:
    """All phrases for a home that holds these names; of two meanings the later one holds."""
    words = file()
    entries = (
        *_grammar(words),
        *_filters(words),
        *_measures(),
        *_rates(words),
        *_breaks(words),
        *named.entries(words, names),
    )
    phrases = _phrases(entries)
    phrases = _phrases(named.unless_known(names, phrases)) | phrases
    beside = (
        at_risk.phrases(words),
        _phrases(named.beside_denials(names)),
        _phrases(named.beside_firms(names)),
    )
    every = {key: said for one in (phrases, *beside) for key, said in one.items()}
    empty = {key for key, said in every.items() if said[0].kind == "stop"}
    telling = _words(every.keys() - empty) - _words(key for key in empty if len(key) == 1)
    return Lexicon(phrases, _by_root(phrases), *beside, _words(every), telling)


def _words(keys: Iterable[Phrase]) -> frozenset[str]:
    return frozenset(word for key in keys for word in key)


def _phrases(entries: Iterable[Entry]) -> dict[Phrase, tuple[Meaning, ...]]:
    return {key: said for texts, said in entries for text in texts if (key := phrase(text))}


def _by_root(phrases: Mapping[Phrase, tuple[Meaning, ...]]) -> dict[Phrase, tuple[Meaning, ...]]:
    """Figures by the roots of their words; what two forms would say differently is left out."""
    said: dict[Phrase, set[tuple[Meaning, ...]]] = {}
    for key, meanings in phrases.items():
        inflects = meanings[0].kind in _INFLECTS and meanings[0].value not in {*STRICT, "runs"}
        if inflects and len(key) <= _INFLECTED:
            said.setdefault(tuple(root(word) for word in key), set()).add(meanings)
    return {key: meanings.pop() for key, meanings in said.items() if len(meanings) == 1}


def _grammar(file: File) -> Iterator[Entry]:
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
        if dimension not in _NO_ADVERBS:
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
        short = [text for text in texts if text.count(" ") < 2]
        yield [f"{text} {end}" for text in short for end in ends], (Meaning("sorted", value),)
    for value, other in (
        ("worst", "best"),
        ("best", "worst"),
        ("most", "least"),
        ("least", "most"),
    ):
        single, others = ([w for w in file.ranks[v] if " " not in w] for v in (value, other))
        ways = [f"from {a} to {b}" for a in single for b in others]
        yield ways, (Meaning("sorted", value),)
    for value in ("best", "worst"):
        paid = [text for text in file.ranks[value] if set(text.split()) & set(file.money)]
        yield paid, (Meaning("rank", value), Meaning("measure", "profit"))


def _rates(file: File) -> Iterator[Entry]:
    """ "What percentage of orders got denied" asks how often, and for no part of the denials."""
    shares = file.aggregates["share"]
    for _, measure in measures().values():
        of = [
            text for text in measure.words if text.split()[0] in _ROWS or text.split()[-1] in _ROWS
        ]
        if measure.rate and measure.counts:
            said = [f"{share} {text}" for share in shares for text in of if len(text.split()) < 5]
            yield said, (Meaning("measure", measure.rate),)


def _filters(file: File) -> Iterator[Entry]:
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
        longer += [f"during {text}" for text in (*texts, *longer)]
        yield longer, (Meaning("hours", span=_hours(hours, texts[0])),)
    for level in ("low", "medium", "high"):
        news = [f"{level} {kind} {noun}" for kind in _LEVELS for noun in _NEWS]
        news += [f"{text} came out" for text in news]
        of_level = Meaning("measure", "calendar_events"), Meaning("filter", level, "importance")
        yield news, of_level
    for interval, texts in file.intervals.items():
        longer = [f"{text} {bar}" for text in texts for bar in ("bar", "candle", "candlestick")]
        yield longer, (Meaning("measure", "bars"), Meaning("filter", interval, "interval"))


def _breaks(file: File) -> Iterator[Entry]:
    for report, texts in file.reports.items():
        ends = (
            "{} break",
            "{} report break",
            "break in {}",
            "break in {} report",
            "break {} report",
        )
        named = [end.format(text) for text in texts for end in ends]
        both = Meaning("measure", "breaks"), Meaning("filter", report, "report")
        yield named, both
        for severity in ("error", "warning"):
            held = [text.replace("break", severity) for text in named]
            yield held, (*both, Meaning("filter", severity, "severity"))


def _hours(text: str, name: str) -> Span:
    first, last = text.split("-")
    return Span(hours=(int(first), int(last)), text=name)


def _measures() -> Iterator[Entry]:
    mean, joined = Meaning("aggregate", "mean"), Meaning("compare", "and")
    sizes = ("trade size", "size trade", "position size", "lot size", "size position")
    sized = [f"{word} {size}" for word in ("average", "mean", "typical", "avg") for size in sizes]
    sized += ["size average trade", "size typical trade"]
    gross, net = Meaning("measure", "gross_exposure"), Meaning("measure", "net_exposure")
    for name, (_, measure) in measures().items():
        counts = [text for text in measure.words if text.startswith(_COUNTS) and measure.counts]
        yield measure.words, (Meaning("measure", name),)
        yield counts, (Meaning("aggregate", "count"), Meaning("measure", name))
    ended = ("order outcome", "outcome order", "how order ended", "how order end", "order end up")
    yield ended, (Meaning("measure", "orders"), Meaning("adverb", "status"))
    yield sized, (mean, Meaning("measure", "traded_lots"))
    before, after = Meaning("measure", "profit_gross"), Meaning("measure", "profit")
    yield ("before and after cost", "before and after commission"), (before, joined, after)
    yield ("gross and net exposure",), (gross, joined, net)
    yield ("net and gross exposure",), (net, joined, gross)
