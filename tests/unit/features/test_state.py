import numpy as np
import pytest

from core.errors import ModelError
from features.catalog import FEATURE_SET_HASH
from features.kernel import features_of
from features.state import STATE, from_bytes, indicators, new_state, to_bytes
from tests.support.market import odd_ticks


def test_a_snapshot_is_small_and_comes_back_equal() -> None:
    state = new_state()
    features_of(state, odd_ticks(3, 20_000), 1000)
    data = to_bytes(state)
    assert len(data) < 160_000 < state.nbytes
    assert to_bytes(from_bytes(data)) == data


def test_a_new_state_survives_a_snapshot_and_has_no_indicators() -> None:
    state = from_bytes(to_bytes(new_state()))
    assert state.tobytes() == new_state().tobytes()
    assert np.isnan(indicators(state)).all()


def test_a_snapshot_of_another_feature_set_is_refused() -> None:
    data = to_bytes(new_state()).replace(FEATURE_SET_HASH.encode(), b"0123456789abcdef")
    with pytest.raises(ModelError, match="feature set 0123456789abcdef"):
        from_bytes(data)


@pytest.mark.parametrize("cut", [0, 10, 40, -1])
def test_a_truncated_snapshot_is_refused(cut: int) -> None:
    state = new_state()
    features_of(state, odd_ticks(3, 2_000), 1000)
    with pytest.raises(ModelError, match="feature state"):
        from_bytes(to_bytes(state)[:cut])


def test_a_snapshot_with_impossible_counts_is_refused() -> None:
    data = bytearray(to_bytes(new_state()))
    prefix = data.index(FEATURE_SET_HASH.encode()) + len(FEATURE_SET_HASH)
    assert STATE.fields is not None
    data[prefix + STATE.fields["head"][1] + 4] = 1  # 2 to the power of 32 slots
    with pytest.raises(ModelError, match="damaged"):
        from_bytes(bytes(data))
