"""Phrases for the names that a home holds: symbols, strategies, rules, stages, scenarios."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from questions.vocabulary import Entry, File, Meaning, Phrase, phrase

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
    people: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()


def entries(file: File, names: Names) -> Iterator[Entry]:
    """All phrases for what is stored, and for symbols that are not."""
    yield from _of_symbols(file, names)
    yield from _of_names(file, names)


def _of_symbols(file: File, names: Names) -> Iterator[Entry]:
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


def _of_names(file: File, names: Names) -> Iterator[Entry]:
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
        causes += [f"{cause} {other}" for cause in _CAUSES for other in file.rules.get(rule, ())]
        yield (*causes, f"{text} rule", f"{text} denial"), (Meaning("filter", rule, "rule"),)
    for rule in names.firm_rules:
        yield from _of_firm_rule(rule)
    for scenario in names.scenarios:
        yield _of_scenario(scenario), (Meaning("filter", scenario, "scenario"),)
    for control in names.controls:
        text = f"{control.replace('_', ' ')} alert"
        yield (text,), (Meaning("measure", "alerts"), Meaning("filter", control, "control"))


def _of_firm_rule(rule: str) -> Iterator[Entry]:
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
        "headroom left to {}",
        "headroom left to {} rule",
        "before breach firm {}",
        "distance to max {}",
        "distance to max {} rule",
        "headroom left before {} limit",
        "distance to {}",
        "distance to {} rule",
        "off {}",
    )
    named = [end.format(text) for end in ends]
    yield named, (Meaning("measure", "headroom"), Meaning("filter", rule, "rule"))


def _of_stage(stage: str) -> Iterator[Entry]:
    text, only = stage.replace("_", " "), Meaning("filter", stage, "stage")
    yield (f"{text} stage", f"stage {text}", *([text] if " " in text else [])), (only,)
    ends = ("from {}", "{}", "in {}", "for {}", "{} stage", "in {} stage")
    named = [f"latency {end.format(text)}" for end in ends]
    named += [f"{text} time", f"time from {text}", f"time for {text}", f"time {text}"]
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


def unless_known(names: Names, known: Mapping[Phrase, tuple[Meaning, ...]]) -> Iterator[Entry]:
    """Phrases that give way to words of the language: who did it, what was done, what was wrong."""
    for person in names.people:
        yield (person, f"by {person}"), (Meaning("filter", person, "author"),)
    for action in names.actions:
        first = known.get(phrase(action.split()[0]), ())
        if " " in action and not any(meaning.kind == "measure" for meaning in first):
            done = (Meaning("measure", "audit_events"), Meaning("filter", action, "action"))
            yield (action,), done
    for flaw in names.flaws:
        text = flaw.replace("_", " ")
        named = [f"{cause} {row}{text}" for cause in _CAUSES for row in ("", "row ")]
        yield (text, f"row {text}", *named), (Meaning("filter", flaw, "reason"),)


def beside_denials(names: Names) -> Iterator[Entry]:
    """Rules by their bare names, which elsewhere are figures: "how often did daily loss deny"."""
    for rule in names.rules:
        text = rule.replace("_", " ")
        if " " in text:
            named = (text, f"{text} limit", f"{text} rule", f"{text} check")
            yield named, (Meaning("filter", rule, "rule"),)


def beside_firms(names: Names) -> Iterator[Entry]:
    """A firm's rules by their bare names: "left before the daily loss limit"."""
    for rule in names.firm_rules:
        text = rule.replace("_", " ")
        texts = (text, f"max {text}", f"maximum {text}") if " " not in text else (text,)
        named = [f"{one}{end}" for one in texts for end in ("", " limit", " rule", " target")]
        yield named, (Meaning("filter", rule, "rule"),)
