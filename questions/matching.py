"""The longest phrase at the beginning of some words, as people bend and part it.

A word may stand in another form ("hitting the stop"), and a symbol amid the phrase ("an open gold
position"): what is so between says which rows, as if it stood beside.
"""

from collections.abc import Sequence
from typing import NamedTuple

from questions.lexicon import Lexicon
from questions.vocabulary import Meaning
from questions.words import root

_BEFORE = {"on", "in", "for"}


class Phrase(NamedTuple):
    """What it says, and how many words it has; 0 for none."""

    meanings: tuple[Meaning, ...] = ()
    words: int = 0


def longest(said: Sequence[str], lexicon: Lexicon) -> Phrase:
    """The longest, as written before bent, whole before parted."""
    plain = _longest(said, lexicon)
    parted = _parted(said, lexicon)
    return parted if len(said) > 2 and parted.words > plain.words + 1 else plain


def _longest(said: Sequence[str], lexicon: Lexicon) -> Phrase:
    roots = [root(word) for word in said]
    for size in range(len(said), 0, -1):
        meanings = lexicon.phrases.get(tuple(said[:size])) or lexicon.roots.get(tuple(roots[:size]))
        if meanings:
            return Phrase(meanings, size)
    return Phrase()


def _parted(said: Sequence[str], lexicon: Lexicon) -> Phrase:
    """A phrase with a symbol between two of its words."""
    for at in range(1, len(said) - 1):
        named = lexicon.phrases.get((said[at],), ())
        if len(named) != 1 or (named[0].kind, named[0].column) != ("filter", "symbol"):
            continue
        first = at - 1 if at > 1 and said[at - 1] in _BEFORE else at  # "signals on gold led to"
        joined = _longest([*said[:first], *said[at + 1 :]], lexicon)
        if joined.words > first:
            return Phrase((*joined.meanings, *named), joined.words + at + 1 - first)
    return Phrase()
