"""Bars made again from corrected ticks, only of the hours that were touched.

Their states forget nothing (a maximum keeps the highest bid ever seen), so bars of those hours are
deleted and made anew: beside each other, for what is stored after a delete began is not its own.
Live inserts meanwhile do no harm: a bar takes the same tick twice as once.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.clickhouse import light_deletes
from adapters.clickhouse.writer import Writer

_SQL = Path(__file__).with_name("bars_of_hours.sql").read_text()
_BARS = Path(__file__).with_name("bars_by_name.sql").read_text() + " FORMAT JSONEachRow"
_TABLES = ("bar_1h", "bar_5m", "bar_1m")
_HOUR_MSC = 3_600_000
_INTERVALS = {"1m": 60_000, "5m": 300_000, "1h": _HOUR_MSC}
_AT_ONCE = 500  # hours, or bars, of one statement
_FEED = "source = {source:String} AND symbol = {symbol:String}"

Times = npt.NDArray[np.int64]
Bars = dict[str, dict[str, object]]


def restate(writer: Writer, source: str, symbol: str, times_msc: Times) -> None:
    """Make the bars of the hours of these ticks again. Needs the right to delete."""
    hours = np.unique(times_msc // _HOUR_MSC * _HOUR_MSC)
    for part in _parts(hours):
        given: dict[str, str | int] = {"source": source, "symbol": symbol}
        given |= {"first_msc": int(part[0])}
        given |= {"end_msc": int(part[-1]) + _HOUR_MSC, "hours": _listed(part // 1000)}
        for table in _TABLES:
            writer.ask(
                f"DELETE FROM {table} WHERE {_FEED} "
                "AND ts_open >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC') "
                "AND ts_open < fromUnixTimestamp64Milli({end_msc:Int64}, 'UTC') "
                "AND toUnixTimestamp(toStartOfHour(ts_open)) IN ({hours:Array(Int64)}) "
                f"SETTINGS {light_deletes.BEGUN}",
                given,
            )
        writer.ask(_SQL, given)
    light_deletes.wait(writer, _TABLES)


def bars(writer: Writer, source: str, symbol: str, times_msc: Times) -> Bars:
    """The bars that hold these times, by interval and opening."""
    opens = {
        (int(msc), name)
        for name, length in _INTERVALS.items()
        for msc in np.unique(times_msc // length * length)
    }
    ordered, bars_by_name = sorted(opens), Bars()
    for n in range(0, len(ordered), _AT_ONCE):
        part = ordered[n : n + _AT_ONCE]
        given: dict[str, str | int] = {"source": source, "symbol": symbol}
        given |= {"first_msc": part[0][0], "last_msc": part[-1][0]}
        given["opens"] = "[" + ",".join(f"'{name} {msc}'" for msc, name in part) + "]"
        for line in writer.ask(_BARS, given).splitlines():
            bar = json.loads(line)
            bars_by_name[bar.pop("name")] = bar
    return bars_by_name


def _parts(times: Times) -> Iterator[Times]:
    return (times[n : n + _AT_ONCE] for n in range(0, len(times), _AT_ONCE))


def _listed(times: Times) -> str:
    return "[" + ",".join(map(str, times.tolist())) + "]"
