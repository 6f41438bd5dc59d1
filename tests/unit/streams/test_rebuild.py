"""State of another feature set is rebuilt from stored ticks; state of this one is kept as it is."""

from collections.abc import Iterator

import numpy as np
import pytest

from core.contracts.tick import TICK, TickArray, TickBatch
from core.errors import ModelError
from core.metrics import Histograms
from features.catalog import FEATURE_SET_HASH, NAMES
from features.state import last_time_msc
from streams.predict import ModelState
from streams.rebuild import current_past, current_state
from streams.sample import Sampler, SamplerState
from tests.support.recordings import recorded_ticks

TICKS = recorded_ticks("EURUSD_oanda")[:8_000]
SEEN = 5_000


def batch(ticks: TickArray) -> TickBatch:
    return TickBatch("r", "live", "oanda", "EURUSD", 0, 0, ticks.tobytes())


def stored(source: str, symbol: str, first_msc: int, last_msc: int) -> Iterator[TickArray]:
    assert (source, symbol) == ("oanda", "EURUSD")
    time = TICKS["time_msc"]
    for start in range(0, len(TICKS), 1_000):
        own = slice(start, start + 1_000)
        yield TICKS[own][(time[own] >= first_msc) & (time[own] <= last_msc)]


def running() -> Sampler:
    sampler = Sampler(1000, Histograms(), None)
    sampler.rows(batch(TICKS[:SEEN]), 0)
    return sampler


def of_another_set(state: SamplerState) -> dict[str, bytes]:
    """As the version before kept it: kernels by feed, of another hash and layout."""
    other = {}
    for feed, content in state.kernels.items():
        head = content.replace(FEATURE_SET_HASH.encode(), b"0123456789abcdef", 1)
        other[feed] = head[:200]
    return other


def test_a_stream_with_another_feature_set_goes_on_with_the_same_rows() -> None:
    before = running()
    state = current_state(of_another_set(before.state), stored, 1000)
    assert state is not None
    after = Sampler(1000, Histograms(), state)
    rest = batch(TICKS[SEEN:])
    (expected,), (result,) = before.rows(rest, 0), after.rows(rest, 0)
    assert result.time_msc.tolist() == expected.time_msc.tolist()
    assert result.features.tobytes() == expected.features.tobytes()


def test_a_stop_in_the_middle_of_a_millisecond_counts_none_of_its_ticks_twice() -> None:
    """The ticks flow has stored the whole millisecond; its last ticks come again from the bus."""
    ticks = TICKS.copy()
    same = slice(SEEN - 2, SEEN + 2)
    ticks["time_msc"][same], ticks["seq"][same] = ticks["time_msc"][SEEN - 2], range(4)
    before = Sampler(1000, Histograms(), None)
    before.rows(batch(ticks[:SEEN]), 0)

    def read(source: str, symbol: str, first_msc: int, last_msc: int) -> Iterator[TickArray]:
        time = ticks["time_msc"]
        yield ticks[(time >= first_msc) & (time <= last_msc)]

    state = before.state._replace(kernels=of_another_set(before.state))
    rebuilt = current_state(state, read, 1000)
    assert rebuilt is not None
    assert rebuilt.kernels["oanda.EURUSD"] == before.state.kernels["oanda.EURUSD"]
    rest = batch(ticks[SEEN:])
    (expected,), (result,) = (
        before.rows(rest, 0),
        Sampler(1000, Histograms(), rebuilt).rows(rest, 0),
    )
    assert result.features.tobytes() == expected.features.tobytes()


def test_state_of_this_feature_set_is_kept_and_no_tick_is_read() -> None:
    def forbidden(*_: object) -> Iterator[TickArray]:
        raise AssertionError

    state = running().state
    assert current_state(state, forbidden, 1000) is state
    assert current_state(None, forbidden, 1000) is None
    assert last_time_msc(state.kernels["oanda.EURUSD"]) == TICKS["time_msc"][SEEN - 1]


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(ModelError, match="not a snapshot"):
        current_state({"oanda.EURUSD": b"something"}, stored, 1000)


def test_remembered_rows_of_another_width_are_forgotten() -> None:
    narrow = ModelState("abc", {"f": np.zeros((3, 24), np.float32)})
    assert current_past(narrow, len(NAMES)) == ModelState("abc", {})
    assert current_past("abc", len(NAMES)) == ModelState("abc", {})
    assert current_past(None, len(NAMES)) is None


DAY_MS = 86_400_000
BEGIN_MS = 1_767_225_600_000
SYMBOLS = ("EURUSD", "GBPUSD", "AUDUSD")
DAYS, AHEAD = 90, 3  # what has run, and what follows: longer than any window or bar average


def months(symbol: str) -> TickArray:
    """A tick every minute or so, for a quarter."""
    rng = np.random.default_rng(SYMBOLS.index(symbol))
    ticks = np.zeros((DAYS + AHEAD) * 1_440, TICK)
    ticks["time_msc"] = (
        BEGIN_MS + np.arange(len(ticks)) * 60_000 + rng.integers(0, 50_000, len(ticks))
    )
    ticks["bid"] = 1.1 * np.exp(np.cumsum(rng.normal(0, 1e-4, len(ticks))))
    ticks["ask"] = ticks["bid"] + 1e-4
    return ticks


def test_the_first_rows_of_a_rebuilt_state_are_the_streams_to_the_bit_without_all_its_past() -> (
    None
):
    ticks, until, reached = {s: months(s) for s in SYMBOLS}, BEGIN_MS + DAYS * DAY_MS, list[int]()

    def read(source: str, symbol: str, first_msc: int, last_msc: int) -> Iterator[TickArray]:
        own = ticks[symbol]
        part = own[(own["time_msc"] >= first_msc) & (own["time_msc"] <= last_msc)]
        reached.extend(part["time_msc"][:1].tolist())
        yield part

    def fed(sampler: Sampler, first_msc: int, last_msc: int) -> list[bytes]:
        rows_told = list[bytes]()
        for begin in range(first_msc, last_msc, DAY_MS // 4):
            for symbol in reversed(SYMBOLS):  # the stream met them in another order than sorted
                [part] = read("oanda", symbol, begin, min(begin + DAY_MS // 4, last_msc) - 1)
                one = TickBatch("r", "live", "oanda", symbol, 0, 0, part.tobytes())
                for rows in sampler.rows(one, 0):
                    rows_told += [rows.time_msc.tobytes(), rows.features.tobytes()]
        return rows_told

    stream = Sampler(1000, Histograms(), None)
    fed(stream, BEGIN_MS, until)
    old = SamplerState(of_another_set(stream.state), stream.state.markets, [])
    reached.clear()
    state = current_state(old, read, 1000)
    assert min(reached) > BEGIN_MS + 10 * DAY_MS
    rebuilt = Sampler(1000, Histograms(), state)
    after = until, until + AHEAD * DAY_MS
    assert fed(rebuilt, *after) == fed(stream, *after)


def test_when_the_memory_reaches_further_back_than_was_read_more_is_read() -> None:
    """A span too short for an hourly average doubles until the bits no longer depend on it."""
    ticks, spans = months("EURUSD"), list[int]()
    until = int(ticks["time_msc"][DAYS * 1_440])

    def read(source: str, symbol: str, first_msc: int, last_msc: int) -> Iterator[TickArray]:
        spans.append(last_msc - first_msc)
        yield ticks[(ticks["time_msc"] >= first_msc) & (ticks["time_msc"] <= last_msc)]

    stream = Sampler(1000, Histograms(), None)
    own = ticks[ticks["time_msc"] <= until]
    stream.rows(TickBatch("r", "live", "oanda", "EURUSD", 0, 0, own.tobytes()), 0)
    state = current_state(of_another_set(stream.state), read, 1000, DAY_MS)
    assert DAY_MS * 32 in spans
    rest = TickBatch(
        "r", "live", "oanda", "EURUSD", 0, 0, ticks[ticks["time_msc"] > until].tobytes()
    )
    [expected], [rows] = stream.rows(rest, 0), Sampler(1000, Histograms(), state).rows(rest, 0)
    assert rows.features.tobytes() == expected.features.tobytes()
