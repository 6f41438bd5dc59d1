import hashlib
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contracts.tick import CROSSED, OUT_OF_ORDER, TICK, TickArray
from features.catalog import FEATURES, KERNEL_COLUMNS, KERNEL_VERSION, NAMES
from features.kernel import features_of, update
from features.state import Indicators, from_bytes, indicators, new_state, to_bytes
from tests.support.market import odd_ticks
from tests.support.recordings import recorded_ticks
from tests.support.reference_ticks import reference_ticks

COLUMN = {name: n for n, name in enumerate(NAMES)}


def quotes(*rows: tuple[int, float, float]) -> TickArray:
    """Ticks from (milliseconds, bid, ask)."""
    ticks = np.zeros(len(rows), TICK)
    for field, values in zip(("time_msc", "bid", "ask"), zip(*rows, strict=True), strict=True):
        ticks[field] = values
    return ticks


def last_row(ticks: TickArray) -> dict[str, float]:
    rows, _ = features_of(new_state(), ticks, 0)
    return dict(zip(NAMES, rows[-1].tolist(), strict=True))


def by_pieces(ticks: TickArray, cuts: list[int], sample_ms: int, restart: bool) -> list[bytes]:
    """Rows, indices and final state as bytes, after cutting the ticks at `cuts`."""
    state, rows, index = new_state(), [], []
    for start, stop in pairwise([0, *cuts, len(ticks)]):
        some, places = features_of(state, ticks[start:stop], sample_ms)
        rows.append(some)
        index.append(places + start)
        if restart:
            state = from_bytes(to_bytes(state))
    return [np.concatenate(rows).tobytes(), np.concatenate(index).tobytes(), to_bytes(state)]


def minute_closes(ticks: TickArray) -> npt.NDArray[np.float64]:
    """Mid at the last tick of every minute that has one, the unfinished last minute left out."""
    minute = ticks["time_msc"] // 60_000
    last = np.flatnonzero(np.diff(minute))
    return (ticks["bid"][last] + ticks["ask"][last]) / 2.0


def indicators_per_bar(ticks: TickArray) -> list[Indicators]:
    """The kernel's indicators after each bar was closed by the next minute's first tick."""
    minute = ticks["time_msc"] // 60_000
    starts = np.flatnonzero(np.diff(minute)) + 1
    state, result = new_state(), []
    for start, stop in pairwise([0, *(starts + 1).tolist()]):
        features_of(state, ticks[start:stop], 0)
        result.append(indicators(state))
    return result


def test_bar_indicators_equal_talib_on_recorded_ticks() -> None:
    ticks = recorded_ticks("EURUSD_oanda")[:150_000]
    close = minute_closes(ticks)
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    expected = np.column_stack(
        [
            talib.RSI(close, 14),
            macd,
            signal,
            histogram,
            talib.SMA(close, 20),
            talib.EMA(close, 20),
            upper,
            middle,
            lower,
        ]
    )
    result = np.array(indicators_per_bar(ticks))
    assert len(result) == len(close) > 3_000
    assert np.isfinite(result[33:]).all()
    np.testing.assert_allclose(result[33:], expected[33:], rtol=0, atol=1e-9)
    # TA-Lib starts all three MACD outputs together at bar 33; ours has the line from bar 25.
    assert np.isnan(result[:14, 0]).all()
    np.testing.assert_array_equal(np.isnan(result[:, 4:]), np.isnan(expected[:, 4:]))


def test_recorded_ticks_give_the_same_bits_in_any_batches() -> None:
    ticks = recorded_ticks("XAUUSD_oanda")[:20_000]
    complete = by_pieces(ticks, [], 1000, restart=False)
    for size in (1, 7, 1000):
        assert (
            by_pieces(ticks, list(range(size, len(ticks), size)), 1000, restart=False) == complete
        )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, 3000), max_size=12),
    size=st.sampled_from([1, 7, 1000]),
    sample_ms=st.sampled_from([0, 100, 1000, 60_000]),
)
def test_batches_and_restarts_change_no_bit(
    seed: int, cuts: list[int], size: int, sample_ms: int
) -> None:
    ticks = odd_ticks(seed, 3000)
    complete = by_pieces(ticks, [], sample_ms, restart=False)
    assert by_pieces(ticks, sorted(cuts), sample_ms, restart=True) == complete
    assert by_pieces(ticks, list(range(size, 3000, size)), sample_ms, restart=False) == complete


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), end=st.integers(1, 3000), sample_ms=st.sampled_from([0, 1000]))
def test_no_value_changes_when_the_future_is_cut_off(seed: int, end: int, sample_ms: int) -> None:
    ticks = odd_ticks(seed, 3000)
    rows, index = features_of(new_state(), ticks, sample_ms)
    known, known_index = features_of(new_state(), ticks[:end], sample_ms)
    count = int(np.searchsorted(index, end))
    assert known.tobytes() == rows[:count].tobytes()
    assert known_index.tobytes() == index[:count].tobytes()


def test_window_features_follow_their_definitions() -> None:
    """A slow, independent computation from the catalogue's words, on recorded ticks."""
    ticks = recorded_ticks("XAUUSD_oanda")[:6_000]
    rows, _ = features_of(new_state(), ticks, 0)
    time, mid = ticks["time_msc"], (ticks["bid"] + ticks["ask"]) / 2
    spread = (ticks["ask"] - ticks["bid"]) / mid * 1e4
    sign = np.sign(np.diff(mid, prepend=mid[0]))
    checked = 0
    for n in range(200, len(ticks), 37):
        slots = time[: n + 1] // 100
        for seconds in (1, 5, 15, 30, 60, 300):
            then = int(np.searchsorted(slots, slots[n] - 10 * seconds, side="right")) - 1
            result = rows[n, COLUMN[f"return_{seconds}s"]]
            if then < 0:
                assert np.isnan(result)
                continue
            checked += 1
            assert result == pytest.approx(np.log(mid[n] / mid[then]) * 1e4, rel=1e-5, abs=1e-6)
            inside = slice(then + 1, n + 1)
            if seconds in (15, 60):
                result = rows[n, COLUMN[f"imbalance_{seconds}s"]]
                assert result == pytest.approx(sign[inside].mean(), abs=1e-6)
            if seconds == 60:
                assert rows[n, COLUMN["rate_60s"]] == pytest.approx((n - then) / 60, rel=1e-6)
            if seconds == 300:
                z = (spread[n] - spread[inside].mean()) / spread[inside].std()
                assert rows[n, COLUMN["spread_z"]] == pytest.approx(z, abs=0.02)
            if seconds in (60, 300):
                ends = np.flatnonzero(np.diff(time[: n + 1] // 1000))
                log_mid = np.log(np.concatenate([mid[:1], mid[ends]]))
                moves = np.diff(log_mid)[ends > then] * 1e4
                result = rows[n, COLUMN[f"volatility_{seconds}s"]]
                assert result == pytest.approx(np.sqrt((moves**2).sum()), rel=1e-3, abs=2e-3)
    assert checked > 300


def digest_of_last_row(ticks: TickArray) -> str:
    rows, _ = features_of(new_state(), ticks[:20_000], 1000)
    return hashlib.sha256(np.round(rows[-1].astype(np.float64), 3).tobytes()).hexdigest()[:16]


def test_known_values_pin_the_kernel_version() -> None:
    """When this fails and the new values are right, raise KERNEL_VERSION with the new ones."""
    result = KERNEL_VERSION, digest_of_last_row(recorded_ticks("XAUUSD_oanda"))
    assert result == (2, "016a06d2ea738648")


@pytest.mark.usefixtures("reference_data")
def test_known_values_of_real_ticks_pin_it_too() -> None:
    result = KERNEL_VERSION, digest_of_last_row(reference_ticks("XAUUSD_oanda"))
    assert result == (2, "877d73bf09683719")


def test_trades_flow_by_their_flag_or_by_their_price() -> None:
    """A slow, independent computation of flow and quote pressure from the catalogue's words."""
    ticks = trades()
    rows, _ = features_of(new_state(), ticks, 0)
    mid = (ticks["bid"] + ticks["ask"]) / 2
    side = (ticks["flags"] & 32 > 0) * 1 - (ticks["flags"] & 64 > 0)
    side = np.where(side == 0, np.sign(ticks["last"] - mid), side)
    side, volume = side * (ticks["volume"] > 0), ticks["volume"]
    moves = [np.sign(np.diff(ticks[n], prepend=ticks[n][0])) for n in ("bid", "ask")]
    for n in range(12_000, len(ticks), 997):
        for seconds in (15, 60):
            due = ticks["time_msc"][n] // 100 - 10 * seconds
            inside = slice(int(np.searchsorted(ticks["time_msc"] // 100, due, "right")), n + 1)
            flow = (side[inside] * volume[inside]).sum() / volume[inside].sum()
            result = rows[n, COLUMN[f"flow_imbalance_{seconds}s"]]
            assert result == pytest.approx(flow, abs=1e-4)
            both = sum(m[inside].sum() for m in moves)
            pressure = both / sum(np.abs(m[inside]).sum() for m in moves)
            result = rows[n, COLUMN[f"quote_pressure_{seconds}s"]]
            assert result == pytest.approx(pressure, abs=1e-6)
        count = (volume[inside] > 0).sum()
        assert rows[n, COLUMN["trade_rate_60s"]] == pytest.approx(count / 60, rel=1e-6)


def trades() -> TickArray:
    """Recorded crypto ticks; every second trade without its side, as exchanges may send them."""
    ticks = recorded_ticks("BTCUSDT_binance").copy()
    sides = np.flatnonzero(ticks["flags"] & 96)
    ticks["flags"][sides[::2]] &= ~np.uint16(96)
    return ticks


def test_quote_feeds_have_no_flow_and_a_window_without_a_trade_has_zero() -> None:
    rows, _ = features_of(new_state(), recorded_ticks("XAUUSD_oanda")[:20_000], 1000)
    flow = [COLUMN[n] for n in ("flow_imbalance_15s", "flow_imbalance_60s", "trade_rate_60s")]
    assert np.isnan(rows[:, flow]).all()
    ticks = recorded_ticks("BTCUSDT_binance")[:20_000]
    later = ticks[-200:].copy()
    later["time_msc"] += 120_000
    later["volume"] = 0
    quiet, _ = features_of(new_state(), np.concatenate([ticks, later]), 0)
    assert quiet[-1, flow].tolist() == [0.0, 0.0, 0.0]


def test_every_column_warms_up_when_the_catalogue_says() -> None:
    """One tick a second, a trade each: the first row with a value, in seconds."""
    count = 22 * 3600
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = np.arange(count) * 1000
    ticks["bid"] = 1.0 + np.random.default_rng(5).integers(-9, 9, count).cumsum() * 1e-6
    ticks["ask"] = ticks["bid"] + 1e-4
    ticks["last"], ticks["volume"], ticks["flags"] = ticks["bid"], 1.0, 56
    rows, _ = features_of(new_state(), ticks, 0)
    lengths = {"minute": 60, "5-minute": 300, "1-minute": 60, "1-hour": 3600}
    for n, feature in enumerate(FEATURES[:KERNEL_COLUMNS]):
        result = np.flatnonzero(np.isfinite(rows[:, n]))
        assert len(result), feature.name
        texts = feature.warm_up.split()
        if "closed" in texts:
            frame = texts[2] if texts[2] in lengths else "minute"
            wanted = int(texts[0]) * lengths[frame]
        else:
            wanted = 0 if texts == ["none"] else int(texts[0])
        assert result[0] == wanted, feature.name
        assert np.isfinite(rows[result[0] :, n]).all(), feature.name


def test_everything_but_spread_and_time_is_nan_before_warm_up() -> None:
    row = last_row(quotes((0, 1.0, 1.0002), (50, 1.0, 1.0002)))
    assert {name for name, value in row.items() if not np.isnan(value)} == {
        "spread_bp",
        "time_sin",
        "time_cos",
    }


def test_a_weekend_gap_leaves_only_the_new_tick_in_every_window() -> None:
    week = [(n * 100, 1.0 + n % 7 * 1e-5, 1.0001 + n % 7 * 1e-5) for n in range(4000)]
    monday = 172_800_000
    row = last_row(quotes(*week, (monday, 1.01, 1.0101)))
    assert row["rate_60s"] == pytest.approx(1 / 60)
    assert row["imbalance_60s"] == 1.0
    assert row["return_1s"] == row["return_300s"] > 90
    assert row["volatility_300s"] < 1.0  # the move over the gap is not yet a closed second's


def test_locked_and_crossed_quotes_have_zero_and_negative_spread() -> None:
    assert last_row(quotes((0, 1.5, 1.5)))["spread_bp"] == 0.0
    crossed = quotes((0, 1.5003, 1.5))
    crossed["quality"] = CROSSED
    assert last_row(crossed)["spread_bp"] == pytest.approx(-2.0, rel=1e-3)


def test_a_spread_that_never_moved_has_z_of_zero() -> None:
    steady = [(n * 1000, 2.0, 2.0625) for n in range(400)]
    assert last_row(quotes(*steady))["spread_z"] == 0.0


def test_late_and_priceless_ticks_leave_no_trace() -> None:
    good = quotes(*[(n * 400, 1.0 + n % 5 * 1e-4, 1.001) for n in range(500)])
    bad = quotes((99_000, 7.0, 8.0), (10, 7.0, 8.0), (199_600, np.nan, 1.0), (199_600, -1.0, 1.0))
    bad["quality"][0] = OUT_OF_ORDER
    mixed = np.concatenate([good, bad, good[-1:]])
    clean = np.concatenate([good, good[-1:]])
    rows, index = features_of(new_state(), mixed, 0)
    assert rows.tobytes() == features_of(new_state(), clean, 0)[0].tobytes()
    assert index.tolist() == [*range(500), 504]


def test_a_row_is_made_at_the_first_tick_of_each_span() -> None:
    ticks = quotes(*[(t, 1.0, 1.1) for t in (5, 900, 999, 1000, 1001, 3500, 3999, 4000)])
    assert features_of(new_state(), ticks, 1000)[1].tolist() == [0, 3, 5, 7]
    assert len(features_of(new_state(), ticks, 0)[1]) == len(ticks)


def test_read_only_bytes_of_a_message_are_taken_as_they_are() -> None:
    ticks = odd_ticks(1, 500)
    from_message = np.frombuffer(ticks.tobytes(), TICK)
    rows = features_of(new_state(), from_message, 0)[0]
    assert rows.tobytes() == features_of(new_state(), ticks, 0)[0].tobytes()


def test_a_buffer_that_is_too_small_is_refused() -> None:
    ticks, index = odd_ticks(1, 10), np.empty(10, np.int64)
    with pytest.raises(ValueError, match="as many rows"):
        update(new_state(), ticks, 0, np.empty((9, len(NAMES)), np.float32), index)
    with pytest.raises(ValueError, match="one column"):
        update(new_state(), ticks, 0, np.empty((10, 3), np.float32), index)
