"""What a person asked for, held against what there is: times, feeds, runs. Nothing is guessed."""

import difflib
from datetime import UTC, datetime

from core.errors import InputError
from tickhouse.result import Result

BEGINNING, END = 0, 4_102_444_800_000_000  # microseconds UTC: 1970 to 2100


def time_us(time: datetime | str | None, otherwise: int) -> int:
    """Microseconds UTC; what names no zone is UTC.

    Raises:
        InputError: it is no time.
    """
    if time is None:
        return otherwise
    try:
        moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    except ValueError as error:
        raise InputError(f"time {time!r}", "is none: write 2014-05-02T12:30:00Z") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6)


def refuse_unknown_feed(stored: Result, symbol: str, source: str | None) -> None:
    """A name without a single stored tick was misspelt, or its ticks are not imported yet.

    Args:
        stored: what `Connection.symbols` answers.
        symbol: as asked for.
        source: as asked for; None is any.

    Raises:
        InputError: nothing of that symbol and source is stored; says what is.
    """
    feeds = [(row["symbol"], row["source"]) for row in stored.arrow().to_pylist()]
    if any(symbol == name and source in (None, broker) for name, broker in feeds):
        return
    wanted = f"symbol {symbol!r}" + (f" of source {source!r}" if source else "")
    if not feeds:
        raise InputError(wanted, "is not stored: nothing is; tickhouse import or replay brings it")
    near = difflib.get_close_matches(symbol.upper(), {name for name, _ in feeds}, 1)
    meant = f"did you mean {near[0]!r}? " if near and near[0] != symbol else ""
    there = ", ".join(f"{name} ({broker})" for name, broker in feeds)
    raise InputError(wanted, f"is not stored; {meant}stored: {there}")


def run_of(runs: Result, named: str | None) -> str:
    """The run meant: the one named, or the only one there is.

    Args:
        runs: what `Connection.runs` answers.
        named: its id; None when the person gave none.

    Raises:
        InputError: no run is of that name; none is named and there are several, or none at all.
    """
    known = [str(row["run_id"]) for row in runs.arrow().to_pylist()]
    if named is None and len(known) == 1:
        return known[0]
    if named in known:
        return str(named)
    if not known:
        raise InputError("run", "nothing ran on this home yet: tickhouse demo, replay or up")
    wanted = "run" if named is None else f"run {named!r}"
    problem = "there are several; name one" if named is None else "is not of this home"
    raise InputError(wanted, f"{problem}: {', '.join(known)}")
