"""The market of a busy day: ticks with a silence and flags, refused ones, and a corrected one."""

import numpy as np

from adapters.clickhouse.correction_rows import Correction, Said
from adapters.clickhouse.native import Column
from adapters.clickhouse.rows import quarantine_columns
from cli.busy.day import HOURS, SECOND, SOURCE, SYMBOLS, Day, begins, known
from core.contracts.tick import (
    CROSSED,
    LOCKED,
    OUT_OF_ORDER,
    SAME_MILLISECOND,
    TICK,
    QuarantineBatch,
    QuarantinedTick,
    TickArray,
    to_price_units,
)
from core.quality import REASONS
from core.tick_versions import KNOWN, KnownArray

_EVERY_MS = 5_000
_SILENT = (0.55, 0.57)  # of the day: the last feed says nothing
_FLAGS = (CROSSED, LOCKED, SAME_MILLISECOND, OUT_OF_ORDER)


def ticks_of(day: Day, symbol: str) -> TickArray:
    """One feed's ticks, dtype TICK: a walk, wider at some hours than at others."""
    dice, (first, spread) = day.dice(f"ticks {symbol}"), begins(symbol, day.end_us)
    count = HOURS * 3_600_000 // _EVERY_MS
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = day.start_us // 1000 + np.arange(count) * _EVERY_MS
    ticks["time_msc"] += dice.integers(0, _EVERY_MS - 1_000, count)
    mid = first * np.exp(np.cumsum(dice.normal(0.0, 0.6e-4, count)))
    wide = (
        spread
        * (1.3 + np.sin(ticks["time_msc"] / 3_600_000 * np.pi / 6))
        * dice.uniform(0.8, 1.2, count)
    )
    digits = known(symbol, day.end_us).digits
    ticks["bid"] = np.round(mid - wide / 2, digits)
    ticks["ask"] = np.round(np.maximum(mid + wide / 2, ticks["bid"] + spread / 8), digits)
    ticks["flags"] = 6
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000 + dice.integers(2_000, 90_000, count)
    _flag(ticks)
    return _with_silence(ticks, day) if symbol == SYMBOLS[-1] else ticks


def _flag(ticks: TickArray) -> None:
    """A few ticks of every quality that is kept."""
    for place, bit in enumerate(_FLAGS):
        ticks["quality"][50 + place :: 400] = bit
    crossed = ticks["quality"] == CROSSED
    bids = ticks["bid"][crossed].copy()
    ticks["bid"][crossed], ticks["ask"][crossed] = ticks["ask"][crossed], bids
    locked = ticks["quality"] == LOCKED
    ticks["ask"][locked] = ticks["bid"][locked]


def _with_silence(ticks: TickArray, day: Day) -> TickArray:
    first, last = (day.at(share) // 1000 for share in _SILENT)
    return ticks[(ticks["time_msc"] < first) | (ticks["time_msc"] >= last)]


def refused(day: Day) -> list[list[Column]]:
    """Rows of `tick_quarantine`: a tick for every reason there is, now and again."""
    blocks = []
    for place, symbol in enumerate(SYMBOLS):
        at_us = day.at(0.93 + 0.02 * place)
        batch = [
            QuarantinedTick(row, at_us // 1000, reason, f"row {row} of {symbol}")
            for row, reason in enumerate(list(REASONS) * (place + 1), 1)
        ]
        run = day.run
        blocks.append(
            quarantine_columns(
                QuarantineBatch(run.run_id, run.mode, SOURCE, symbol, "terminal", batch), at_us
            )
        )
    return blocks


def correction(day: Day, ticks: TickArray) -> Correction:
    """The first feed's vendor says another price for one of its ticks, hours later."""
    first = np.zeros(1, KNOWN)
    row = ticks[len(ticks) // 2]
    for name in ("time_msc", "seq", "flags", "quality", "volume", "ts_recv_us"):
        first[name] = row[name]
    for name in ("bid", "ask", "last"):
        first[name] = to_price_units(row[name])
    first["ts_known_us"] = row["ts_recv_us"]
    said = Said("EURUSD.csv", "ann", "the vendor's later file")
    return Correction(SOURCE, SYMBOLS[0], said, first, _next_version(first, day))


def _next_version(first: KnownArray, day: Day) -> KnownArray:
    version = first.copy()
    version["bid"] -= to_price_units(np.array(known(SYMBOLS[0], day.end_us).point))
    version["version"] = 1
    version["ts_known_us"] = day.end_us - 600 * SECOND
    return version
