"""From words to what each says: the longest phrase or time first, and nothing left over."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from questions import bounds, commands, matching, spans
from questions.bounds import TakenBound
from questions.lexicon import Lexicon
from questions.plan import UnansweredError
from questions.vocabulary import Meaning, light
from questions.words import NUMBERS, spelled, stem, words

_LONGEST = 8  # words of a phrase
_QUOTED = re.compile(
    '["\u201c]([^"\u201c\u201d]+)["\u201d]|(?<!\\w)[\'\u2018]([\\w -]+)[\'\u2019](?!\\w)'
)
_SPELLED = frozenset(
    [
        "today",
        "yesterday",
        "tomorrow",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "since",
        "last",
        "previou",
        "week",
        "month",
        "hour",
        "minute",
        "between",
        "until",
        "before",
        "after",
        "morning",
        "afternoon",
        "evening",
        "night",
        "overall",
    ]
)


class Item(NamedTuple):
    """A part of a question: what it says, and the word it ended with, as typed."""

    meaning: Meaning
    last: str = ""
    number: int = 0
    bound: TakenBound | None = None
    led: tuple[str, ...] = ()  # words of no weight before it: "of my"
    said: tuple[str, ...] = ()  # all its words


def items_of(text: str, lexicon: Lexicon, now: datetime) -> list[Item]:
    """What each phrase says, in order.

    Raises:
        UnansweredError: a word is neither known nor one that carries nothing.
    """
    if commands.is_command(text):
        raise UnansweredError(
            "questions about what is stored are answered here, and nothing is done"
        )
    typed = words(text)
    if not typed or len(typed) > 80:
        raise UnansweredError("ask one question in a sentence")
    kept = [word for word in typed if word not in light()]
    led = _leading(typed)
    said = [_mended(stem(word), lexicon) for word in kept]
    lexicon = lexicon.beside(said)
    items, unknown, at = list[Item](), list[str](), 0
    while at < len(kept):
        items_here, size = _longest(kept, said, at, lexicon, now)
        if not size:
            unknown.append(kept[at])
            size = 1
        took = tuple(kept[at : at + size])
        items.extend(item._replace(led=led[at], said=took) for item in items_here)
        at += size
    if unknown:
        raise UnansweredError(f"not understood: {', '.join(dict.fromkeys(unknown))}")
    _check_quoted(text, items)
    return items


def _leading(typed: Sequence[str]) -> list[tuple[str, ...]]:
    """The words that carry nothing before each that does."""
    led, passed = list[tuple[str, ...]](), list[str]()
    for word in typed:
        if word in light():
            passed.append(word)
        else:
            led.append(tuple(passed))
            passed = []
    return led


def _mended(word: str, lexicon: Lexicon) -> str:
    """As it was meant; a slip is of a word that says something, and "trend" is not "tend"."""
    return word if word in lexicon.words else spelled(word, lexicon.telling | _SPELLED)


def _check_quoted(text: str, items: Sequence[Item]) -> None:
    """What stands in quotation marks is a name, and says which rows are meant."""
    named = {item.last for item in items if item.meaning.kind == "filter"}
    for one, two in _QUOTED.findall(text):
        if words(one or two)[-1:] and words(one or two)[-1] not in named:
            raise UnansweredError(f"nothing is named {one or two} here")


def _longest(
    kept: Sequence[str], said: Sequence[str], at: int, lexicon: Lexicon, now: datetime
) -> tuple[list[Item], int]:
    """The longest phrase or time that begins here, and how many words it has; 0 for none."""
    near = [
        one if two in light() else _unstemmed(one, two) for one, two in zip(kept, said, strict=True)
    ]
    time = spans.read(near[at : at + 14], now)
    phrase = matching.longest(said[at : at + _LONGEST], lexicon)
    while phrase.words > 1 and _ends_in_time(near, at + phrase.words - 1, now):
        phrase = matching.longest(said[at : at + phrase.words - 1], lexicon)
    size = phrase.words
    bound = bounds.read(near[at : at + 8])
    if bound and bound.words > max(size, time.words if time else 0):
        return [Item(Meaning("bound"), bound=bound)], bound.words
    if (
        time
        and time.words >= size
        and not (time.words == size == 1 and said[at] in ("hour", "day", "may"))
    ):
        return [Item(Meaning("time", span=time.span))], time.words
    if size:
        return [Item(meaning, kept[at + size - 1]) for meaning in phrase.meanings], size
    number = NUMBERS.get(said[at], int(said[at]) if said[at].isdigit() and len(said[at]) < 5 else 0)
    return ([Item(Meaning("number"), number=number)], 1) if number else ([], 0)


def _ends_in_time(near: Sequence[str], at: int, now: datetime) -> bool:
    """Whether a time begins with the last word of a phrase: "my trades | last month"."""
    time = spans.read(near[at : at + 4], now) if near[at] in ("last", "this") else None
    return bool(time and time.words > 1)


def _unstemmed(typed: str, said: str) -> str:
    """For times: the typed word, unless its spelling was mended."""
    return typed if stem(typed) == said else {"previou": "previous"}.get(said, said)
