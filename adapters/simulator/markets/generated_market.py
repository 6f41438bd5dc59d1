"""The generated market as a live market for the simulated terminal."""

from collections.abc import Sequence

import numpy as np

from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.simulator.markets.generated import DAY_MSC, LIVELY, day_ticks, profile
from adapters.simulator.markets.tape import Quote, Segment, Tape, Ticks, segment
from core import memory

SOURCE = "sim"  # the broker's name of generated ticks
_LONGEST_CLOSED_DAYS = 4


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


class _DayTicks:
    """A day's ticks as slices, out of the columns that differ from tick to tick.

    A day of gold is half a million ticks of 60 bytes; what is kept of each here is a flag, beside
    the quotes that the segment has anyway.
    """

    def __init__(self, day: Segment) -> None:
        self._quotes = day.time, day.bid, day.ask
        self._flags = day.ticks[:]["flags"].astype(np.uint8)

    def __getitem__(self, part: slice) -> Ticks:
        time, bid, ask = (column[part] for column in self._quotes)
        ticks = np.zeros(len(time), MT5_TICK)
        ticks["time_msc"], ticks["time"] = time, time // 1000
        ticks["bid"], ticks["ask"], ticks["flags"] = bid, ask, self._flags[part]
        return ticks


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
            # All of its quotes are tradable and in order: it was reached when its quotes came.
            day = day._replace(ticks=_DayTicks(day), reached=day.time)
            memory.give_back()
        self._days[number] = day
        for old in list(self._days)[:-3]:
            del self._days[old]
        return day
