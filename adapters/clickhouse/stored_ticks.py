"""What is stored of a span of a feed, with its versions: what arriving ticks are compared with."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from adapters.clickhouse.writer import Writer
from core.tick_versions import KNOWN, KnownArray, Stored, resolve

_SQL = Path(__file__).with_name("stored_ticks.sql").read_text() + " FORMAT RowBinary"
_FEED_AND_TIME = (
    "source = {source:String} AND symbol = {symbol:String} "
    "AND ts_event >= fromUnixTimestamp64Milli({first_msc:Int64}, 'UTC') "
    "AND ts_event <= fromUnixTimestamp64Milli({last_msc:Int64}, 'UTC')"
)
_SPANS = 64  # of one question: its parameters stand in the address, which servers bound
_MOST_ROWS = 1_000_000  # read at once; of a denser span only the milliseconds asked for
_AT_ONCE = 2_000


class Span(NamedTuple):
    """Market time of one feed, Unix milliseconds, both ends included."""

    source: str
    symbol: str
    first_msc: int
    last_msc: int


def read(writer: Writer, span: Span, times: npt.NDArray[np.int64]) -> Stored:
    """What is stored of a span, at least in these milliseconds of it. Raises as Writer.ask."""
    parts = [_rows(writer, part, only) for part, only in _parts(writer, span, times)]
    current = _ordered(np.concatenate([part[0] for part in parts]))
    return resolve(current, _ordered(np.concatenate([part[1] for part in parts])))


def all_of(writer: Writer, span: Span) -> Stored:
    """All that is stored of a span."""
    current, versions = _rows(writer, span, "[]")
    return resolve(_ordered(current), _ordered(versions))


def touched(writer: Writer, spans: Sequence[Span]) -> set[tuple[str, str]]:
    """The feeds, each with one span, of which `tick` shows anything: looks at the primary key."""
    parts = [spans[n : n + _SPANS] for n in range(0, len(spans), _SPANS)]
    return {feed for part in parts for feed in _touched(writer, part)}


def _touched(writer: Writer, spans: Sequence[Span]) -> list[tuple[str, str]]:
    given: dict[str, str | int] = {}
    either = []
    for number, span in enumerate(spans):
        given |= {f"{name}_{number}": value for name, value in span._asdict().items()}
        either.append("(" + _FEED_AND_TIME.replace(":", f"_{number}:") + ")")
    sql = f"SELECT DISTINCT source, symbol FROM tick WHERE {' OR '.join(either)}"
    enough = f"LIMIT {len(spans)} FORMAT JSONCompactEachRow"  # no need to read on
    lines = writer.ask(f"{sql} {enough}", given).splitlines()
    return [msgspec.json.decode(line, type=tuple[str, str]) for line in lines]


def any_withdrawn(writer: Writer) -> bool:
    """Whether ticks were ever withdrawn: only then one that `tick` lacks may be a known one."""
    return bool(writer.ask("SELECT 1 FROM correction WHERE withdrawn > 0 LIMIT 1"))


def _parts(writer: Writer, span: Span, times: npt.NDArray[np.int64]) -> Iterator[tuple[Span, str]]:
    counted = writer.ask(
        f"SELECT count() FROM tick WHERE {_FEED_AND_TIME}",
        span._asdict(),
    )
    if int(counted) <= _MOST_ROWS:
        yield span, "[]"
        return
    ordered = np.unique(times)
    for n in range(0, len(ordered), _AT_ONCE):
        some = ordered[n : n + _AT_ONCE].tolist()
        part = span._replace(first_msc=some[0], last_msc=some[-1])
        yield part, "[" + ",".join(map(str, some)) + "]"


def _rows(writer: Writer, span: Span, only: str) -> tuple[KnownArray, KnownArray]:
    rows = np.frombuffer(writer.ask(_SQL, {**span._asdict(), "only": only}), KNOWN)
    kept = rows["version"] >= 0
    return rows[~kept], rows[kept]


def _ordered(ticks: KnownArray) -> KnownArray:
    return ticks[np.lexsort((ticks["version"], ticks["seq"], ticks["time_msc"]))]


def texts(values: Iterable[str]) -> str:
    """An Array(String) as a statement's parameter."""
    quoted = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    return "[" + ",".join(f"'{value}'" for value in quoted) + "]"
