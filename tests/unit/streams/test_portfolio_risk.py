"""The fold of risk: stream and replay say the same, however messages were cut."""

import math
from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace

from core.contracts import codec
from core.contracts.order import AccountState, ExecutionMarker, PositionState
from core.contracts.risk import MarketRisk, MarketRiskEnd
from core.contracts.tick import TICK, TickBatch, TickMarker
from core.sections import RiskSettings, RunSettings
from risk.portfolio import Portfolio
from streams.portfolio_risk import RiskFold
from streams.risk_rows import risk_rows

BEGIN_US = 1_700_000_000 * 1_000_000 // 60_000_000 * 60_000_000
HOURS = 2
SETTINGS = RiskSettings(every_s=60, least_minutes=30, window_minutes=90, half_life_minutes=30.0)
LIVE, REPLAY = RunSettings(mode="demo"), RunSettings(mode="replay")
FEEDS = (("x", "EURUSD"), ("x", "USDJPY"))


def market(seed: int = 4) -> dict[tuple[str, str], np.ndarray]:
    rng, tapes = np.random.default_rng(seed), {}
    for (source, symbol), start in zip(FEEDS, (1.1, 150.0), strict=True):
        ticks = np.zeros(HOURS * 600, TICK)
        ticks["time_msc"] = BEGIN_US // 1000 + np.sort(
            rng.integers(0, HOURS * 3_600_000, len(ticks))
        )
        mid = start * np.exp(np.cumsum(rng.standard_normal(len(ticks))) * 1e-5)
        ticks["bid"], ticks["ask"] = mid * (1 - 1e-5), mid * (1 + 1e-5)
        tapes[source, symbol] = ticks
    return tapes


def at(minute: float) -> int:
    return BEGIN_US + round(minute * 60e6)


def position(
    minute: float, seq: int, symbol: str, lots: float, price: float, mode: str
) -> PositionState:
    return PositionState(
        run_id="live", mode=mode, account="desk", strategy="s", source="x", symbol=symbol,
        ts_event_us=at(minute), ts_init_us=0, seq=seq, volume=lots, price=price, stop_price=0.0,
        profit_realised=0.0,
    )  # fmt: skip


def events(mode: str) -> list[PositionState | AccountState]:
    return [
        AccountState(
            run_id="live",
            mode=mode,
            account="desk",
            ts_event_us=at(1),
            ts_init_us=0,
            seq=0,
            currency="USD",
            balance=10_000.0,
            equity=10_000.0,
            margin=0.0,
        ),
        position(50.5, 1, "EURUSD", 1.0, 1.1, mode),
        AccountState(
            run_id="live",
            mode=mode,
            account="desk",
            ts_event_us=at(51),
            ts_init_us=0,
            seq=1,
            currency="USD",
            balance=10_000.0,
            equity=9_990.0,
            margin=3_663.0,
        ),
        position(60.0, 2, "USDJPY", -0.5, 151.0, mode),
        position(75.2, 3, "EURUSD", 0.0, 0.0, mode),
        position(90.0, 4, "USDJPY", 0.0, 0.0, mode),
    ]


def batches(first_us: int, end_us: int, mode: str, number: int = 0) -> list[TickBatch]:
    cut = []
    for feed, ticks in market().items():
        inside = ticks[(ticks["time_msc"] * 1000 > first_us) & (ticks["time_msc"] * 1000 <= end_us)]
        if len(inside):
            cut.append(TickBatch("live", mode, *feed, 0, number, inside.tobytes()))
    return cut


def live(step_s: float) -> tuple[list[Portfolio], list[MarketRisk]]:
    fold, waiting, portfolios, figures = RiskFold(LIVE, SETTINGS), events("demo"), [], []
    edges = np.arange(BEGIN_US - 1, at(HOURS * 60) + 5e6, step_s * 1e6).astype(int).tolist()
    for first, end in pairwise(edges):
        for batch in batches(first, end, "demo"):
            fold.ticks(batch)
        figures += fold.messages()
        while waiting and waiting[0].ts_event_us <= end:
            fold.event(waiting.pop(0))
        for rows in fold.rows():
            portfolios += rows.portfolios
    return portfolios, figures


def replayed(minutes: int, *, published: bool = True) -> tuple[list[Portfolio], list[MarketRisk]]:
    settings = replace(SETTINGS, published=published)
    fold, portfolios, figures = RiskFold(REPLAY, settings), [], []
    waiting = events("replay")
    for number, end in enumerate(range(minutes, HOURS * 60 + 1, minutes), 1):
        for batch in batches(at(end - minutes), at(end), "replay", number):
            fold.ticks(batch)
        fold.marker(TickMarker("live", "slice", number, at(end)))
        said = list(fold.messages())
        assert said[-1:] == ([MarketRiskEnd("live", number)] if published else [])
        figures += said[:-1]
        assert not [p for rows in fold.rows() for p in rows.portfolios], (
            "positions are not known yet"
        )
        while waiting and waiting[0].ts_event_us <= at(end):
            fold.event(waiting.pop(0))
        fold.event(ExecutionMarker("live", number, at(end)))
        portfolios += [p for rows in fold.rows() for p in rows.portfolios]
    return portfolios, figures


def without_mode(portfolios: list[Portfolio]) -> list[object]:
    """What is said of moments that the live market has reached."""
    return [
        [replace(row, mode="") for row in (p.summary, *p.values, *p.feeds, *p.currencies)]
        for p in portfolios if p.summary.ts_event_us < at(119)
    ]  # fmt: skip


def test_live_and_a_replay_give_the_same_figures_bit_for_bit() -> None:
    streamed, again = live(7.0), replayed(40)
    assert len(streamed[0]) > 60
    assert without_mode(streamed[0]) == without_mode(again[0])
    moved = [replace(f, mode="", slice=0) for f in streamed[1]]
    other = [replace(f, mode="", slice=0) for f in again[1]]
    assert moved == other[: len(moved)]
    assert len(moved) >= HOURS * 60 - 2


def test_slices_and_batches_do_not_matter() -> None:
    assert without_mode(live(3.0)[0]) == without_mode(live(31.0)[0])
    assert without_mode(replayed(20)[0]) == without_mode(replayed(60)[0])


def test_nothing_is_said_before_a_position_and_once_after_the_last() -> None:
    summaries = [p.summary for p in live(7.0)[0] if not p.summary.strategy]
    assert [s.ts_event_us for s in summaries] == [at(m) for m in range(51, 91)]
    assert [s.positions for s in summaries[:1]] == [1]
    assert (summaries[-1].positions, summaries[-1].gross) == (0, 0.0)
    assert {s.seq for s in summaries} == {1, 2, 3, 4}


def test_distance_to_stop_out_is_equity_less_half_of_margin() -> None:
    summary = next(p.summary for p in live(7.0)[0] if not p.summary.strategy and p.summary.seq == 1)
    assert summary.stop_out == pytest.approx(9_990 - 0.5 * 3_663)
    assert 0 < summary.stop_out_days < math.inf


def test_without_history_figures_say_so() -> None:
    settings = replace(SETTINGS, least_minutes=500)
    fold = RiskFold(LIVE, settings)
    for event in events("demo"):
        fold.event(event)
    for batch in batches(BEGIN_US - 1, at(70), "demo"):
        fold.ticks(batch)
    said = [p for rows in fold.rows() for p in rows.portfolios]
    assert {p.summary.problem for p in said} == {
        "no feed has enough history to measure any risk by"
    }
    assert not any(p.values for p in said)


def test_a_replay_computes_nothing_that_nobody_asks_for() -> None:
    assert replayed(40, published=False)[1] == []


def test_positions_that_come_again_change_nothing() -> None:
    fold = RiskFold(LIVE, SETTINGS)
    for event in [*events("demo")[:2], *events("demo")[:2]]:
        fold.event(event)
    for batch in batches(BEGIN_US - 1, at(52), "demo"):
        fold.ticks(batch)
    assert [p.summary.positions for rows in fold.rows() for p in rows.portfolios] == [1, 1]


def test_rows_go_to_six_tables_and_messages_survive_the_bus() -> None:
    fold = RiskFold(LIVE, SETTINGS)
    for event in events("demo")[:3]:
        fold.event(event)
    for batch in batches(BEGIN_US - 1, at(70), "demo"):
        fold.ticks(batch)
    figures = list(fold.messages())
    tables = {rows.table for rows in risk_rows(list(fold.rows()))}
    assert tables == {
        "portfolio_risk", "value_at_risk", "feed_exposure", "currency_exposure", "correlation",
        "regime",
    }  # fmt: skip
    assert [codec.decode("market_risk", codec.encode(f)) for f in figures] == figures


def test_execution_is_told_the_regimes_that_are_stored() -> None:
    """Three days, a tick a minute that moves more on the last; a quarter's name from then on."""
    count = 3 * 1440
    rng, ticks = np.random.default_rng(5), np.zeros(count, TICK)
    ticks["time_msc"] = BEGIN_US // 1000 + np.arange(count) * 60_000
    moves = rng.standard_normal(count) * np.where(np.arange(count) > 2.5 * 1440, 4e-4, 1e-4)
    ticks["bid"] = ticks["ask"] = np.exp(np.cumsum(moves))
    fold, states, figures = RiskFold(LIVE, SETTINGS), [], []
    for part in np.array_split(ticks, 97):
        fold.ticks(TickBatch("live", "demo", "x", "EURUSD", 0, 0, part.tobytes()))
        figures += fold.messages()
        states += [state for rows in fold.rows() for state in rows.regimes]
    names = {state.ts_event_us: state.regime for state in states}
    assert set(names.values()) >= {"unknown", "wild"}
    for figure in figures:
        ended = [at for at in names if at < figure.ts_event_us]
        assert figure.regimes == [names[max(ended)] if ended else "unknown"]


def quarters(mode: str, step_min: int) -> list[tuple[str, str, int, str, float]]:
    """Regimes of a feed's quarters, from slices or batches of so many minutes."""
    replays = mode == "replay"
    fold, states = RiskFold(REPLAY if replays else LIVE, SETTINGS), []
    for number, minute in enumerate(range(0, HOURS * 60 + step_min, step_min)):
        for batch in batches(at(minute) - 1, at(minute + step_min) - 1, mode, number):
            fold.ticks(batch)
        if replays:
            fold.marker(TickMarker("live", "slice", number, at(minute + step_min)))
            fold.event(ExecutionMarker("live", number, at(minute + step_min)))
        states += [state for rows in fold.rows() for state in rows.regimes]
    return [(s.source, s.symbol, s.ts_event_us, s.regime, s.level_bp) for s in states]


def test_regimes_are_the_same_from_stream_and_replay_however_cut() -> None:
    streamed = quarters("demo", 1)
    assert {(source, symbol) for source, symbol, *_ in streamed} == set(FEEDS)
    assert len(streamed) >= 2 * (HOURS * 4 - 2)
    assert all(level > 0 for *_, level in streamed)
    assert quarters("demo", 7) == streamed
    assert quarters("replay", 30) == streamed
