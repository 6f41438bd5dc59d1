"""Regimes of planted markets: named soon, kept while they last, known from the past alone."""

import math

import numpy as np
import pytest

from risk.minutes import MINUTE_US
from risk.regimes import LEAST_LEVELS, QUARTER_US, Regime, Regimes, Runs

DAY = 1_440
START = 20_000 * DAY  # minutes since 1970


def planted(*spans: tuple[int, float], seed: int = 7) -> tuple[list[int], list[float]]:
    """Minutes of a market that moves so many basis points a minute for so many minutes."""
    random = np.random.default_rng(seed)
    moves = np.concatenate([random.standard_t(5, n) * bp * 1e-4 for n, bp in spans])
    mids = np.exp(np.cumsum(moves))
    return [(START + n + 1) * MINUTE_US for n in range(len(mids))], mids.tolist()


def regimes_of(times: list[int], mids: list[float]) -> list[Regime]:
    fold = Regimes()
    answers = (fold.minute(ts, mid) for ts, mid in zip(times, mids, strict=True))
    return [regime for regime in answers if regime]


DAYS = [(DAY, bp) for bp in (1.0, 0.3, 1.0, 3.0) * 2]
PAST = [(720, bp) for bp in (1.0, 0.3, 1.0, 3.0) * 4]


@pytest.mark.parametrize(("moves", "name"), [(0.2, "calm"), (1.0, "normal"), (5.0, "wild")])
def test_a_new_regime_is_named_within_an_hour_and_kept(moves: float, name: str) -> None:
    before = sum(n for n, _ in PAST)
    regimes = regimes_of(*planted(*PAST, (720, moves)))
    began = (START + before) * MINUTE_US
    after = [r.name for r in regimes if r.ts_us > began + 4 * QUARTER_US]
    assert len(after) >= 40
    assert after.count(name) / len(after) > 0.9


def test_nothing_is_named_before_two_days_are_known() -> None:
    regimes = regimes_of(*planted((4 * DAY, 1.0)))
    names = [regime.name for regime in regimes]
    assert set(names[:LEAST_LEVELS]) == {"unknown"}
    assert "unknown" not in names[LEAST_LEVELS + 1 :]


def test_what_comes_later_changes_nothing_that_was_said() -> None:
    times, mids = planted(*DAYS)
    whole = regimes_of(times, mids)
    cut = len(times) - 700
    head = regimes_of(times[:cut], mids[:cut])
    assert len(head) > LEAST_LEVELS
    assert whole[: len(head)] == head


def test_a_change_shows_as_a_young_run() -> None:
    regimes = regimes_of(*planted((3 * DAY, 0.5), (DAY // 2, 5.0)))
    began = (START + 3 * DAY) * MINUTE_US
    calm = [r.lasted_min for r in regimes if began - 20 * QUARTER_US < r.ts_us <= began]
    wild = [r for r in regimes if began < r.ts_us <= began + 3 * QUARTER_US]
    assert min(calm) > 6 * 60
    assert max(r.lasted_min for r in wild) < 60
    assert max(r.fresh for r in wild) > 0.5


def test_a_minute_twice_late_or_without_a_price_changes_nothing() -> None:
    times, mids = planted((3 * DAY, 1.0))
    clean, dirty = Regimes(), Regimes()
    for ts, mid in zip(times, mids, strict=True):
        want = clean.minute(ts, mid)
        assert dirty.minute(ts, mid) == want
        for again in ((ts, mid * 2), (ts - 5 * MINUTE_US, mid), (ts + MINUTE_US, math.nan)):
            assert dirty.minute(*again) is None
        assert dirty.minute(ts + MINUTE_US, 0.0) is None


def test_a_weekend_is_no_move_and_a_market_that_stands_still_no_level() -> None:
    times, mids = planted((3 * DAY, 1.0))
    later = [ts + 5 * DAY * MINUTE_US for ts in times]
    jumped = [mid * 3 for mid in mids]
    regimes = regimes_of(times + later, mids + jumped)
    assert max(r.level_bp for r in regimes) < 5
    assert regimes_of(times, [1.1] * len(times)) == []


def test_a_level_out_of_this_world_is_weighed_too() -> None:
    runs = Runs()
    for level in [-9.0] * 50 + [50.0, 50.0, 50.0]:
        runs.take(level, -9.0, 0.01)
    assert 0.0 < runs.level < 50.0
    assert runs.lasted < 4
