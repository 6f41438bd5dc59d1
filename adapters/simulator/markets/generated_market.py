"""The generated market as a live market for the simulated terminal, and as files for a replay."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adapters.simulator.markets.generated import DAY_MSC, day_ticks, profile
from adapters.simulator.markets.tape import Quote, Segment, Tape, Ticks, segment

SOURCE = "sim"  # the broker's name of generated ticks
_LONGEST_CLOSED_DAYS = 4
#: Traits of a market: it trades at weekends too; its first minutes have planted regimes.
NEVER_CLOSES, LIVELY = "never_closes", "lively"


class GeneratedMarket:
    """Symbols of the generated market at the machine's clock.

    traits: what an account that begins now will find, and each later start of it; see `began`.

    Raises:
        SettingsError: a symbol without a profile.
    """

    #: Market time is the machine's clock.
    live = True

    def __init__(
        self,
        symbols: Sequence[str],
        source: str = SOURCE,
        seed: int = 7,
        traits: tuple[str, ...] = (),
    ) -> None:
        for symbol in symbols:
            profile(symbol)
        self.traits = traits
        self._tapes = {(source, symbol): GeneratedTape(symbol, seed) for symbol in symbols}

    def began(self, opened_msc: int, traits: Sequence[str]) -> None:
        """The account on this market was opened then, on a market with these traits."""
        lively_s = opened_msc // 1000 if LIVELY in traits else None
        for tape in self._tapes.values():
            tape.lively_s = lively_s

    def feeds(self) -> tuple[tuple[str, str], ...]:
        """All (source, symbol), in the order of the settings."""
        return tuple(self._tapes)

    def tape(self, source: str, symbol: str) -> Tape:
        """The quotes of one feed, the future's too: it is the caller who knows the time."""
        return self._tapes[source, symbol]


class GeneratedTape(Tape):
    """Segments are UTC days, made when first asked for; the last three used are kept."""

    #: Unix time from which the first minutes are lively; None: they are as any.
    lively_s: int | None = None

    def __init__(self, symbol: str, seed: int) -> None:
        self._symbol, self._seed = symbol, seed
        self._days: dict[int, Segment] = {}
        self._before: dict[int, Quote | None] = {}  # asked at every poll of a closed day

    def at(self, time_msc: int) -> Segment:
        """The day of a time."""
        return self._day(time_msc // DAY_MSC)

    def following(self, number: int) -> Segment:
        """The next day."""
        return self._day(number + 1)

    def before(self, number: int) -> Quote | None:
        """The newest quote before a day, over at most a long weekend."""
        if number not in self._before:
            days = (self._day(number - back) for back in range(1, _LONGEST_CLOSED_DAYS + 1))
            self._before[number] = next((day.quote(-1) for day in days if len(day.time)), None)
        return self._before[number]

    def _day(self, number: int) -> Segment:
        day = self._days.pop(number, None)
        if day is None:
            day = segment(number, day_ticks(self._symbol, number, self._seed, self.lively_s))
        self._days[number] = day
        for old in list(self._days)[:-3]:
            del self._days[old]
        return day


def write_parquet(
    directory: Path, symbols: Sequence[str], start: datetime, hours: float, seed: int = 7
) -> list[Path]:
    """Write `SYMBOL_sim.parquet` files in the normalised format, one per symbol.

    Args:
        directory: made when missing.
        symbols: with a profile in `generated.PROFILES`.
        start: first moment, aware of its time zone.
        hours: length of market time.
        seed: of the market.

    Raises:
        SettingsError: a symbol without a profile.
    """
    directory.mkdir(parents=True, exist_ok=True)
    begin = int(start.astimezone(UTC).timestamp() * 1000)
    end = begin + int(timedelta(hours=hours).total_seconds() * 1000)
    paths = []
    for symbol in symbols:
        path = directory / f"{symbol}_{SOURCE}.parquet"
        with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
            for ticks in _between(symbol, begin, end, seed):
                writer.write_table(_table(symbol, ticks))
        paths.append(path)
    return paths


_SCHEMA = pa.schema(
    [
        ("symbol", pa.dictionary(pa.int32(), pa.string())),
        ("time_msc", pa.int64()),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
        ("last", pa.float64()),
        ("volume", pa.float64()),
        ("flags", pa.uint32()),
    ]
)


def _between(symbol: str, begin: int, end: int, seed: int) -> Iterator[Ticks]:
    for day in range(begin // DAY_MSC, -(-end // DAY_MSC)):
        ticks = day_ticks(symbol, day, seed)
        time = ticks["time_msc"]
        yield ticks[(time >= begin) & (time < end)]


def _table(symbol: str, ticks: Ticks) -> pa.Table:
    indices = np.zeros(len(ticks), np.int32)
    columns = [pa.DictionaryArray.from_arrays(indices, [symbol])]
    columns += [
        pa.array(np.ascontiguousarray(ticks[name]))
        for name in ("time_msc", "bid", "ask", "last", "volume_real", "flags")
    ]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)
