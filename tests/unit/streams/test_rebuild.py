"""State of another feature set is rebuilt from stored ticks; state of this one is kept as it is."""

from collections.abc import Iterator

import numpy as np
import pytest

from core.contracts.tick import TickArray, TickBatch
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
    state = current_state(of_another_set(before.state), stored)
    assert state is not None
    after = Sampler(1000, Histograms(), state)
    rest = batch(TICKS[SEEN:])
    (expected,), (result,) = before.rows(rest, 0), after.rows(rest, 0)
    assert result.time_msc[-100:].tolist() == expected.time_msc[-100:].tolist()
    assert result.features[-100:].tobytes() == expected.features[-100:].tobytes()


def test_state_of_this_feature_set_is_kept_and_no_tick_is_read() -> None:
    def forbidden(*_: object) -> Iterator[TickArray]:
        raise AssertionError

    state = running().state
    assert current_state(state, forbidden) is state
    assert current_state(None, forbidden) is None
    assert last_time_msc(state.kernels["oanda.EURUSD"]) == TICKS["time_msc"][SEEN - 1]


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(ModelError, match="not a snapshot"):
        current_state({"oanda.EURUSD": b"something"}, stored)


def test_remembered_rows_of_another_width_are_forgotten() -> None:
    narrow = ModelState("abc", {"f": np.zeros((3, 24), np.float32)})
    assert current_past(narrow, len(NAMES)) == ModelState("abc", {})
    assert current_past("abc", len(NAMES)) == ModelState("abc", {})
    assert current_past(None, len(NAMES)) is None
