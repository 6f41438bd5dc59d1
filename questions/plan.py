"""What a question comes to: a measure, of which rows, in which order; or why it has no answer."""

from datetime import datetime
from typing import NamedTuple


class Span(NamedTuple):
    """From and until, UTC; until is not part of it. `hours`: only those hours of each day, UTC."""

    begin: datetime | None = None
    end: datetime | None = None
    text: str = "all that is stored"
    hours: tuple[float, float] | None = None
    is_until_now: bool = False
    parts: tuple["Span", ...] = ()  # of several that do not meet
    is_clock: bool = False  # hours by the clock are those of today, unless a day is named
    is_moment: bool = False  # as it was then: "equity at midnight"


#: Spans that ask how something is now.
NOW = frozenset({"now", "right now", "currently", "current", "at the moment"})


class Filter(NamedTuple):
    """Rows whose column is one of these values, or none of them."""

    column: str
    values: tuple[str, ...]
    leaves_out: bool = False


class Bound(NamedTuple):
    """Rows whose value of a measure is above or below an amount, in the measure's own unit."""

    measure: str
    above: bool
    inclusive: bool
    amount: float
    of_groups: bool = False  # of each group's figure, not of each row's


class Plan(NamedTuple):
    """A question that was understood to the last word."""

    measure: str
    aggregate: str  # as the question says it; empty: the measure's own
    dimensions: tuple[str, ...]
    filters: tuple[Filter, ...]
    span: Span
    order: str  # "", "most" or "least" of the value; "newest" or "oldest" of single rows
    limit: int  # 0: all
    lists: bool = False  # single rows
    moment: bool = False  # when it was, not how much
    bounds: tuple[Bound, ...] = ()
    now: datetime | None = None  # UTC, as it was asked
    over: str = ""  # the measure it is divided by: "commission per lot"
    in_percent: bool = False  # that, times a hundred
    is_none: bool = False  # those that have none: "which feeds had no tick"
    fixed: tuple[tuple[str, str], ...] = ()  # method, confidence, horizon of a value at risk


class UnansweredError(Exception):
    """The grammar has no answer; its text says why, for the person who asked."""
