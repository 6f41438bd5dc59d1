"""Phrases for a value at risk: how sure, over which horizon, by which method, in any order."""

from collections.abc import Iterable, Iterator

from questions.vocabulary import Entry, File, Meaning

_RISK = {
    "var": "value_at_risk",
    "value at risk": "value_at_risk",
    "es": "expected_shortfall",
    "expected shortfall": "expected_shortfall",
}


def entries(file: File) -> Iterator[Entry]:
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
