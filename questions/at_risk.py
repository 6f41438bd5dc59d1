"""What stands beside a value at risk: how sure, over which horizon, by which method.

Read only in a question that names one, since "one day" and "99 %" mean other things elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence

from questions.vocabulary import Entry, File, Meaning, Phrase, phrase

_NAMES = {phrase(name) for name in ("var", "value at risk", "es", "expected shortfall", "cvar")}
_NAMES |= {phrase(lost) for lost in ("could lose", "might lose", "can lose")}


def is_named(said: Sequence[str]) -> bool:
    """Whether these words hold a value at risk or an expected shortfall."""
    return any(tuple(said[n : n + len(of)]) in _NAMES for n in range(len(said)) for of in _NAMES)


def phrases(file: File) -> Mapping[Phrase, tuple[Meaning, ...]]:
    """ "99 %", "over one day", "filtered historical"."""
    return {phrase(text): meanings for texts, meanings in _entries(file) for text in texts}


def _entries(file: File) -> Iterator[Entry]:
    for value, texts in file.confidences.items():
        named = [t for text in texts for t in (f"{text} confidence", f"{text} confidence level")]
        sure = [*(text for text in texts if not text.isdigit()), *named]
        sure += [f"at {text}" for text in (*texts, *named)]
        yield sure, (Meaning("var", value, "confidence"),)
    for value, texts in file.horizons.items():
        alone = [text for text in texts if " " in text or "-" in text or text[0].isdigit()]
        over = [f"{at} {text}" for text in texts for at in ("over", "within", "in", "for")]
        ends = [f"{text} horizon" for text in texts]
        yield (*alone, *over, *ends), (Meaning("var", value, "horizon"),)
        for name, figure in (("var", "value_at_risk"), ("es", "expected_shortfall")):
            yield (
                [f"{text} {name}" for text in texts],
                (Meaning("measure", figure), Meaning("var", value, "horizon")),
            )
    for value, texts in file.methods.items():
        named = [f"{text} {end}" for text in texts for end in ("method", "measure", "simulation")]
        yield (*texts, *named), (Meaning("var", value, "measure"),)
