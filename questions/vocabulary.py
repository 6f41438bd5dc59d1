"""The file of words, what a phrase can say, and how a phrase is written to be matched."""

import functools
from collections.abc import Iterable
from importlib import resources
from typing import NamedTuple

import msgspec

from questions.plan import Span
from questions.words import stem, words

Phrase = tuple[str, ...]
Words = dict[str, tuple[str, ...]]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lists and tables of `words.toml`, as it names them."""

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
    dimensions: Words
    adverbs: Words
    aggregates: Words
    ranks: Words
    sides: Words
    purposes: Words
    exits: Words
    filters: dict[str, Words]
    sessions: Words
    parts: Words
    symbols: Words
    units: Words
    intervals: Words
    methods: Words
    confidences: Words
    horizons: Words
    reports: Words
    types: Words
    rules: Words


class Meaning(NamedTuple):
    """What a phrase says: its kind (measure, dimension, filter, rank, …) and value."""

    kind: str
    value: str = ""
    column: str = ""
    span: Span | None = None


Entry = tuple[Iterable[str], tuple[Meaning, ...]]


@functools.cache
def file() -> File:
    """What `words.toml` says, read once."""
    text = resources.files("questions").joinpath("words.toml").read_bytes()
    return msgspec.toml.decode(text, type=File)


@functools.cache
def light() -> frozenset[str]:
    """Words that carry nothing, and are taken out before anything is matched."""
    return frozenset(file().light)


def phrase(text: str) -> Phrase:
    """As it is matched: singular, without what carries nothing."""
    return tuple(stem(word) for word in words(text) if word not in light())
