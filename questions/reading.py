"""From words to what each says: the longest phrase or time first, and nothing left over."""

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
    known = lexicon.words | _SPELLED
    said = [spelled(stem(word), known) for word in kept]
    lexicon = lexicon.beside(said)
    items, unknown, at = list[Item](), list[str](), 0
    while at < len(kept):
        items_here, size = _longest(kept, said, at, lexicon, now)
        if not size:
            unknown.append(kept[at])
            size = 1
        items.extend(items_here)
        at += size
    if unknown:
        raise UnansweredError(f"not understood: {', '.join(dict.fromkeys(unknown))}")
    return items


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
