"""One feed on its way to the bus: raw terminal ticks to TickBatch and QuarantineBatch messages."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.tick import TICK, QuarantineBatch, QuarantinedTick, TickArray, TickBatch
from core.exposition import Sample, expose
from core.quality import FeedState, Normalised
from core.sections import RunSettings
from core.topics import TICKS

MAX_TICKS = 32_768  # in one message: 1.8 MB


class Feed:
    """The state of one (source, symbol): where it stands and how its ticks are judged."""

    def __init__(
        self,
        run: RunSettings,
        source: str,
        symbol: str,
        *,
        origin: str,
        known: bool,
        future_tolerance_s: int,
    ) -> None:
        """A feed from its beginning.

        Args:
            run: identity of the messages.
            source: who quotes.
            symbol: what is quoted.
            origin: names this reading of the feed, so that row numbers of refused ticks are unique.
            known: False when no reference data has the symbol: then all its ticks are refused.
            future_tolerance_s: ticks later than the clock by more are refused.
        """
        self.source, self.symbol, self.key = source, symbol, f"{source}.{symbol}"
        self.state = FeedState(source, symbol)
        self.offset = 0  # kept ticks before the next batch
        self.rows = 0  # ticks seen, kept or refused
        self._run, self._origin, self._known = run, origin, known
        self._tolerance_us = future_tolerance_s * 1_000_000
        expose(self)

    def measured(self) -> Iterator[Sample]:
        """Ticks seen, and how far the market is."""
        feed = self.source, self.symbol
        yield Sample("tickhouse_ticks_total", feed, self.rows)
        if self.state.previous_msc:
            newest_s = self.state.previous_msc / 1000
            yield Sample("tickhouse_tick_newest_timestamp_seconds", feed, newest_s)

    def check(
        self, raw: npt.NDArray[Any], now_us: int, recv_us: int | None
    ) -> tuple[TickArray, list[QuarantinedTick]]:
        """Kept ticks (dtype TICK) and refused ones, in source order.

        Args:
            raw: dtype MT5_TICK, shape (n,).
            now_us: later times than this plus the tolerance are refused.
            recv_us: when the ticks came in; None takes each tick's own time (replay).
        """
        ticks, rejected = self._normalised(raw, now_us, recv_us)
        refused = [self._refused(raw[i], self.rows + i + 1, reason) for i, reason in rejected]
        self.rows += len(raw)
        return ticks, refused

    def passed(self, raw: npt.NDArray[Any]) -> int:
        """How many of these ticks, dtype MT5_TICK, from the cursor's time on, were taken before."""
        names = ("time_msc", "bid", "ask", "last", "volume_real")
        return self.state.passed(*(raw[name] for name in names))

    def publish(
        self,
        bus: Publisher,
        ticks: TickArray,
        refused: list[QuarantinedTick],
        *,
        slice_number: int = 0,
        skip_before: int = 0,
    ) -> None:
        """Queue the messages of one batch; those below the offset `skip_before` are stored.

        Refused ticks have a key of their own: the newest message of the feed's key says where
        the feed stands.
        """
        for start in range(0, len(ticks), MAX_TICKS):
            part = ticks[start : start + MAX_TICKS]
            if self.offset >= skip_before:
                bus.send(TICKS, self.key, self._message(part, slice_number), self._id("t"))
            self.offset += len(part)
        if refused:
            identity = f"{self._id('q')}.{refused[0].row}"
            bus.send(TICKS, f"quarantine.{self.key}", self._quarantine(refused), identity)

    def _message(self, ticks: TickArray, slice_number: int) -> bytes:
        return codec.encode(
            TickBatch(
                run_id=self._run.run_id,
                mode=self._run.mode,
                source=self.source,
                symbol=self.symbol,
                offset=self.offset,
                slice=slice_number,
                data=np.ascontiguousarray(ticks).tobytes(),
            )
        )

    def _quarantine(self, refused: list[QuarantinedTick]) -> bytes:
        run = self._run
        return codec.encode(
            QuarantineBatch(run.run_id, run.mode, self.source, self.symbol, self._origin, refused)
        )

    def _id(self, kind: str) -> str:
        return f"{self._run.run_id}.{self.key}.{kind}.{self.offset}"

    def _normalised(self, raw: npt.NDArray[Any], now_us: int, recv_us: int | None) -> Normalised:
        if not self._known:
            reasons = [(index, "unknown_symbol") for index in range(len(raw))]
            return Normalised(np.empty(0, TICK), reasons)
        return self.state.normalise(
            raw["time_msc"],
            raw["bid"],
            raw["ask"],
            raw["last"],
            raw["volume_real"],
            raw["flags"],
            now_us=now_us,
            recv_us=raw["time_msc"] * 1000 if recv_us is None else recv_us,
            future_tolerance_us=self._tolerance_us,
        )

    @staticmethod
    def _refused(raw: Any, row: int, reason: str) -> QuarantinedTick:
        text = f"{raw['time_msc']},{raw['bid']},{raw['ask']},{raw['last']},{raw['volume_real']}"
        return QuarantinedTick(row, int(raw["time_msc"]), reason, text)
