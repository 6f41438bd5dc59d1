"""Hours by bare numbers beside a day: "this morning 6 to 10", "yesterday, 9 to 17"."""

from collections.abc import Sequence

from questions.dates import DAY
from questions.plan import Span
from questions.reading import Item
from questions.vocabulary import Meaning


def with_hours(items: Sequence[Item]) -> list[Item]:
    """The items, with each "6 to 10" as hours where a day is named; elsewhere it stays."""
    if not any(_is_day(item.meaning.span) for item in items):
        return list(items)
    read, at = list[Item](), 0
    while at < len(items):
        first, last = items[at].number, items[at + 2].number if at + 2 < len(items) else 0
        if first and items[at + 1].last == "to" and first < last <= 24:
            hours = Span(text=f"{first} to {last}", hours=(first, last), is_clock=True)
            read.append(Item(Meaning("time", span=hours)))
            at += 3
        else:
            read.append(items[at])
            at += 1
    return read


def _is_day(span: Span | None) -> bool:
    return bool(span and span.begin and span.end and span.end - span.begin <= DAY)
