"""Bounds on a figure of single rows: "slipped by more than 2 bp", "held for over four minutes"."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from questions.catalog import Measure, measures
from questions.plan import Bound, UnansweredError
from questions.words import NUMBERS, stem


class TakenBound(NamedTuple):
    """A bound as it is said, the words it took, and the unit that was named, if any."""

    above: bool
    inclusive: bool
    amount: float
    unit: str
    words: int


_OVER = (
    "more than", "greater than", "higher than", "larger than", "bigger than", "better than",
    "worse than", "wider than", "longer than", "slower than", "over", "above", "exceeding",
    "exceed", "exceeded", "in excess", "beyond", "upwards", ">", "more then", "by over",
    "by more than", "for more than", "for longer than", "for over", "with over", "with more than",
)  # fmt: skip
_UNDER = (
    "less than", "fewer than", "smaller than", "lower than", "narrower than", "tighter than",
    "shorter than", "faster than", "quicker than", "under", "below", "<", "by less than",
    "for less than", "for under", "in under", "within under", "with less than",
)  # fmt: skip
_FROM = ("at least", "no less than", "> =", "minimum of", "or more than")
_TO = ("at most", "no more than", "not more than", "< =", "up to", "maximum of")
_SIDES = {
    tuple(phrase.split()): (above, inclusive)
    for phrases, above, inclusive in (
        (_OVER, True, False), (_UNDER, False, False), (_FROM, True, True), (_TO, False, True),
    )
    for phrase in phrases
}  # fmt: skip
#: By what people write: the unit of a measure (`units` in measures.toml) and how many of it one is.
_UNITS = {
    "bp": ("bp", 1), "bps": ("bp", 1), "basis point": ("bp", 1), "point": ("point", 1),
    "ms": ("ms", 1), "msec": ("ms", 1), "millisecond": ("ms", 1),
    "s": ("s", 1), "sec": ("s", 1), "second": ("s", 1), "min": ("s", 60), "minute": ("s", 60),
    "h": ("s", 3600), "hour": ("s", 3600), "lot": ("lot", 1),
    "$": ("money", 1), "usd": ("money", 1), "dollar": ("money", 1), "buck": ("money", 1),
    "%": ("percent", 1), "percent": ("percent", 1), "pct": ("percent", 1),
}  # fmt: skip
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([a-z]*)")
_NO_AMOUNTS = re.compile(r"\d{1,2}(?:am|pm|st|nd|rd|th)|\d{1,2}\.\d{1,2}\.\d{4}")
#: A loss is less than nothing: "lost more than 100" is a profit below -100.
LOSSES = frozenset(
    {"lost", "lose", "losing", "loss", "losses", "losers", "loser", "down", "minus", "red"}
)


def read(said: Sequence[str]) -> TakenBound | None:
    """The bound that these words begin with, or none."""
    for size in (3, 2, 1):
        side = _SIDES.get(tuple(said[:size]))
        if side and len(said) > size:
            return _amounted(said, size, *side)
    return None


def _amounted(said: Sequence[str], at: int, above: bool, inclusive: bool) -> TakenBound | None:
    money = said[at] == "$"
    at += money
    word = said[at] if at < len(said) else ""
    if _UNITS.get(word, ("",))[0] == "s" and not money and len(word) > 3:
        unit, scale = _UNITS[word]  # "less than a minute"
        return TakenBound(above, inclusive, float(scale), unit, at + 1)
    written = _AMOUNT.fullmatch(word)
    if written is None or _NO_AMOUNTS.fullmatch(word):
        written = _AMOUNT.fullmatch(str(NUMBERS[word])) if word in NUMBERS else None
    if written is None or (written[2] and written[2] not in _UNITS):
        return None
    at += 1
    unit, scale, size = (
        ("money", 1, 0) if money else _unit([written[2]] if written[2] else said[at:])
    )
    at += 0 if written[2] else size
    return TakenBound(above, inclusive, float(written[1]) * scale, unit, at)


def _unit(said: Sequence[str]) -> tuple[str, int, int]:
    for size in (2, 1):
        unit = _UNITS.get(" ".join(stem(word) for word in said[:size]))
        if unit and len(said) >= size:
            return (*unit, size)
    return "", 1, 0


def bound(said: TakenBound, measure: str, *, loss: bool) -> Bound:
    """The bound on a measure's value of a row, in its own unit.

    Raises:
        UnansweredError: the measure has no value of single rows, or not in that unit.
    """
    name, amount = measure, said.amount
    of = measures()[name][1]
    if said.unit == "percent" and name == "confidence":
        amount /= 100
    elif said.unit == "s" and "s" not in of.units and "ms" in of.units:
        name, amount = of.units["ms"], amount * 1000
    elif said.unit:
        name = _in_unit(of, said.unit)
        of = measures()[name][1]
    if loss:
        return Bound(name, not said.above, said.inclusive, -amount)
    return Bound(name, said.above, said.inclusive, amount)


def _in_unit(of: Measure, unit: str) -> str:
    if unit in of.units:
        return of.units[unit]
    raise UnansweredError(f"{of.name} in {unit} is not kept")
