"""Live and replay give the same rows of several symbols, whatever is cut or restarted."""

import numpy as np

from core.contracts.tick import TickArray, TickBatch
from core.metrics import Histograms
from streams.sample import Sampler
from tests.support.recordings import recorded_ticks

SYMBOLS = ("EURUSD", "NZDUSD")
TICKS = {symbol: recorded_ticks(f"{symbol}_oanda")[:3_000] for symbol in SYMBOLS}
END = min(int(ticks["time_msc"][-1]) for ticks in TICKS.values())


def batch(symbol: str, ticks: TickArray, mode: str) -> TickBatch:
    return TickBatch("r", mode, "oanda", symbol, 0, 0, ticks.tobytes())


def before(symbol: str, start: int, end: int) -> TickArray:
    time = TICKS[symbol]["time_msc"]
    return TICKS[symbol][(time >= start) & (time < end)]


def replayed(cuts: list[int], restart: bool = False) -> dict[str, bytes]:
    sampler, result = Sampler(1000, Histograms(), None), dict.fromkeys(SYMBOLS, b"")
    for start, end in zip([0, *cuts], [*cuts, END], strict=True):
        for symbol in SYMBOLS:
            assert sampler.rows(batch(symbol, before(symbol, start, end), "replay"), 0) == []
            if restart:
                sampler = Sampler(1000, Histograms(), sampler.state)
        for sampled in sampler.release():
            result[sampled.symbol] += sampled.features.tobytes()
    return result


def lived() -> dict[str, bytes]:
    sampler, result = Sampler(1000, Histograms(), None), dict.fromkeys(SYMBOLS, b"")
    events = sorted(
        (int(time), symbol, n)
        for symbol in SYMBOLS
        for n, time in enumerate(before(symbol, 0, END)["time_msc"])
    )
    for _, symbol, n in events:
        (sampled,) = sampler.rows(batch(symbol, TICKS[symbol][n : n + 1], "live"), 0)
        result[symbol] += sampled.features.tobytes()
    return result


def test_a_replay_gives_the_bits_of_the_live_stream() -> None:
    complete = replayed([])
    assert complete == lived()
    first = int(TICKS["EURUSD"]["time_msc"][0])
    cuts = [first + 61_500, first + 200_007, (first + END) // 2]
    assert replayed(cuts) == complete
    assert replayed(cuts, restart=True) == complete
    assert np.isfinite(np.frombuffer(complete["EURUSD"], np.float32)[-4:]).all()


def test_live_rows_say_how_late_their_ticks_were_received_and_a_replays_do_not() -> None:
    sampler, ticks = Sampler(0, Histograms(), None), TICKS["EURUSD"][:5].copy()
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000 + [0, 999, 1_000, 3_600_000_000, 7_000]
    (sampled,) = sampler.rows(batch("EURUSD", ticks, "demo"), 0)
    assert sampled.late_ms is not None
    assert sampled.late_ms.tolist() == [0, 0, 1, 3_600_000, 7]
    sampler.rows(batch("EURUSD", TICKS["EURUSD"][5:9], "replay"), 0)
    assert [one.late_ms for one in sampler.release()] == [None]
