"""Other symbols' closed seconds: the same bits live, in slices, in shards and after a restart."""

from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contracts.tick import TICK, TickArray
from features.catalog import KERNEL_COLUMNS, NAMES
from features.kernel import features_of
from features.peers import Market, PeerRows
from features.state import new_state
from tests.support.market import odd_ticks
from tests.support.recordings import recorded_ticks

Rows = npt.NDArray[np.float32]


@cache
def feeds() -> dict[str, TickArray]:
    """Two recorded feeds of a broker over the same hours."""
    ticks = {n: recorded_ticks(f"{n}_oanda")[:12_000] for n in ("NZDUSD", "EURUSD")}
    end = min(t["time_msc"][-1] for t in ticks.values())
    return {n: t[t["time_msc"] <= end] for n, t in ticks.items()}


def rows_of(ticks: dict[str, TickArray], sample_ms: int = 1000) -> list[PeerRows]:
    """The kernel's rows, peers not yet filled in."""
    parts = []
    for symbol, some in ticks.items():
        rows, index = features_of(new_state(), some, sample_ms)
        parts.append(PeerRows(symbol, some, some["time_msc"][index], rows))
    return parts


def together(ticks: dict[str, TickArray], sample_ms: int = 1000) -> dict[str, Rows]:
    parts = rows_of(ticks, sample_ms)
    Market().fill_together(parts)
    return {part.symbol: part.rows for part in parts}


def live(ticks: dict[str, TickArray], delay_ms: int = 0, restart: bool = False) -> dict[str, Rows]:
    """Tick by tick as it comes in; the first symbol `delay_ms` after the others."""
    parts = {part.symbol: part for part in rows_of(ticks)}
    market, events = Market(), []
    for symbol, part in parts.items():
        delay = delay_ms if symbol == next(iter(ticks)) else 0
        arrivals = np.maximum.accumulate(part.ticks["time_msc"]) + delay
        events += [(int(at), symbol, n) for n, at in enumerate(arrivals)]
    due = dict.fromkeys(parts, 0)
    for number, (_, symbol, n) in enumerate(sorted(events)):
        part, k = parts[symbol], due[symbol]
        market.advance(symbol, part.ticks[n : n + 1])
        time = part.ticks["time_msc"][n]
        if k < len(part.rows) and part.time_msc[k] == time:
            market.fill(symbol, part.time_msc[k : k + 1], part.rows[k : k + 1])
            due[symbol] += 1
        if restart and number % 997 == 0:
            market = Market(market.to_bytes())
    assert market.late == 0
    return {symbol: part.rows for symbol, part in parts.items()}


def test_online_equals_offline_bit_for_bit() -> None:
    offline = together(feeds())
    for online in (live(feeds()), live(feeds(), delay_ms=900), live(feeds(), restart=True)):
        for symbol, rows in offline.items():
            assert rows.tobytes() == online[symbol].tobytes()
    assert np.isfinite(offline["EURUSD"][200:, KERNEL_COLUMNS:]).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 2000), min_size=1, max_size=6))
def test_slices_of_market_time_change_no_bit(seed: int, cuts: list[int]) -> None:
    ticks = {name: odd_ticks(seed + n, 2000) for n, name in enumerate("abc")}
    complete = together(ticks)
    parts, market = {p.symbol: p for p in rows_of(ticks)}, Market()
    clock = {s: np.maximum.accumulate(t["time_msc"]) for s, t in ticks.items()}
    moments = [0, *sorted(int(clock["a"][min(c, 1999)]) for c in cuts), 1 << 60]
    for start, stop in pairwise(moments):
        some = []
        for symbol, part in parts.items():
            first, last = np.searchsorted(clock[symbol], [start, stop])
            row = slice(*np.searchsorted(part.time_msc, [start, stop]))
            some.append(
                PeerRows(symbol, part.ticks[first:last], part.time_msc[row], part.rows[row])
            )
        market.fill_together(some)
    for symbol, rows in complete.items():
        assert parts[symbol].rows.tobytes() == rows.tobytes()


def test_a_shard_that_only_hears_of_the_others_gives_the_same_bits() -> None:
    """Rows of one symbol alone, the other symbols' ticks taken in without rows."""
    complete = together(feeds())
    for symbol in feeds():
        parts = [
            part if part.symbol == symbol else part._replace(time_msc=part.time_msc[:0])
            for part in rows_of(feeds())
        ]
        Market().fill_together(parts)
        own = next(part for part in parts if part.symbol == symbol)
        assert own.rows.tobytes() == complete[symbol].tobytes()


def test_no_peer_value_changes_when_the_future_is_cut_off() -> None:
    complete = together(feeds())
    end = int(feeds()["EURUSD"]["time_msc"][7_000])
    known = together({s: t[t["time_msc"] <= end] for s, t in feeds().items()})
    for symbol, rows in known.items():
        assert rows.tobytes() == complete[symbol][: len(rows)].tobytes()


def test_values_follow_the_catalogues_words() -> None:
    """A slow computation from its definition, by the mids in force at ends of seconds."""
    ticks = feeds()
    result = together(ticks)["EURUSD"]
    times = rows_of(ticks)[1].time_msc
    for k in range(300, len(times), 301):
        last = int(times[k]) // 1000 - 2
        ends = (np.arange(last - 62, last + 1) + 1) * 1000
        own, peer = (
            np.log((t["bid"] + t["ask"]) / 2)[np.searchsorted(t["time_msc"], ends) - 1]
            for t in (ticks["EURUSD"], ticks["NZDUSD"])
        )
        ours, theirs = np.diff(own)[-60:], np.diff(peer)[-61:-1]
        both = float(ours @ theirs)
        expected = [
            (peer[-1] - peer[-6]) * 1e4,
            (peer[-1] - peer[-31]) * 1e4,
            both / max(np.sqrt((ours @ ours) * (theirs @ theirs)), 1e-300),
            both / max(theirs @ theirs, 1e-300) * (peer[-1] - peer[-2]) * 1e4,
        ]
        assert result[k, KERNEL_COLUMNS:].tolist() == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_a_symbol_alone_has_no_peers_and_warm_up_is_as_the_catalogue_says() -> None:
    alone = together({"EURUSD": feeds()["EURUSD"]})["EURUSD"]
    assert np.isnan(alone[:, KERNEL_COLUMNS:]).all()
    ticks = np.zeros(100, TICK)
    ticks["time_msc"] = np.arange(100) * 1000
    ticks["bid"], ticks["ask"] = 1.0 + np.arange(100) % 3 * 1e-4, 1.001
    rows = together({"a": ticks, "b": ticks})["a"][:, KERNEL_COLUMNS:]
    first = np.argmax(np.isfinite(rows), axis=0)
    assert dict(zip(NAMES[KERNEL_COLUMNS:], first.tolist(), strict=True)) == {
        "peer_return_5s": 7,
        "peer_return_30s": 32,
        "peer_lead_60s": 63,
        "peer_pull_bp": 63,
    }


def test_a_tick_behind_the_watermark_is_counted() -> None:
    market, ticks = Market(), feeds()["EURUSD"][:1000]
    market.advance("EURUSD", ticks)
    market.fill("EURUSD", ticks["time_msc"][-1:], np.zeros((1, len(NAMES)), np.float32))
    market.advance("NZDUSD", ticks[-1:])
    assert market.late == 0
    market.advance("XAUUSD", ticks[:1])
    assert market.late == 1
