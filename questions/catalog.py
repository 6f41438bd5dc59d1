"""What can be asked for: `measures.toml`, read once, and the words that lead to it."""

import functools
from collections.abc import Sequence
from importlib import resources

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """One figure and the words for it.

    `values` are expressions by aggregate ("" is what is meant when none is said, "row" the value of
    a single row); `pooled` replaces them where several symbols are in one figure. `better` says
    whether more or less of it is good; `each` a dimension without which the figure means nothing;
    `end` is the end of its rows that it is; `listed` rows are shown where nobody counts them;
    one that `refines` others is meant where it stands beside them; `standing` rows are as they are
    now, so that "now" is said of them; `instead` names the figure that is meant beside a dimension
    these rows do not have;
    `ends` names the figure that an end is of by its word ("the slowest fill" is of the fill time);
    `passive` rows are made, and make nothing; one `of_result` is a result of trades itself, so that
    winners among its trades are no condition; `dated` is a date, so that "when" asks for itself;
    `rate` names the figure that says how often its rows are;
    the largest of a `signed` one is the farthest from nothing;
    `units` the same in another unit, by what people say.
    """

    name: str
    words: tuple[str, ...]
    values: dict[str, str]
    pooled: dict[str, str] = {}
    better: str = ""
    row_better: str = ""
    counts: bool = False
    where: str = "1"
    row_where: str = "1"
    each: str = ""
    reasons: str = ""
    lists: str = ""
    listed: bool = False
    signed: bool = False
    instead: dict[str, str] = {}
    refines: tuple[str, ...] = ()
    standing: bool = False
    rate: str = ""
    dated: bool = False
    ends: dict[str, str] = {}
    passive: bool = False
    of_result: bool = False
    end: str = ""
    units: dict[str, str] = {}


class Rows(msgspec.Struct, frozen=True):
    """Rows that measures are taken of: where they stand, when they were, and what tells them apart.

    `daily` rows have a date and no time; rows without `time` are a state, the newest there is.
    `shown` are the columns of a single row; `by_unit` says which figure of a row a bound in that
    unit is of when none is named ("trades over 0.5 lots"). `inside` names
    the time of the rows that a window function reads, which must be cut before it.
    """

    name: str
    source: str = msgspec.field(name="from")
    measure: tuple[Measure, ...]
    where: str = "1"
    time: str = ""
    columns: dict[str, str] = {}
    row: dict[str, str] = {}
    shown: str = ""
    daily: bool = False
    by_unit: dict[str, str] = {}
    inside: str = ""


class _File(msgspec.Struct, frozen=True):
    rows: tuple[Rows, ...]


@functools.cache
def rows() -> dict[str, Rows]:
    """All, by name."""
    text = resources.files("questions").joinpath("measures.toml").read_bytes()
    return {one.name: one for one in msgspec.toml.decode(text, type=_File).rows}


def narrowed(names: Sequence[str]) -> list[str]:
    """ "Incidents classified as major": what counts all gives way to what counts some of them."""
    every = {name: measures()[name] for name in names}
    some = {rows.name for rows, measure in every.values() if measure.where != "1"}
    refined = {general for _, measure in every.values() for general in measure.refines}
    return [
        name
        for name, (rows, measure) in every.items()
        if name not in refined
        and not (rows.name in some and measure.where == "1" and measure.counts)
    ]


@functools.cache
def measures() -> dict[str, tuple[Rows, Measure]]:
    """All measures by name, each with its rows."""
    return {m.name: (one, m) for one in rows().values() for m in one.measure}
