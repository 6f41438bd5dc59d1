"""The tick suite on recorded quotes: what is dirty is flagged, what is clean passes."""

from datetime import UTC, date, datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest

from quality.runner import CheckResult, validate
from quality.suites.base import Subject
from quality.suites.tick import TICKS, derived
from quality.trading_day import bounds

END = datetime(2014, 5, 6, 21, tzinfo=UTC)


def checked(ticks: pd.DataFrame) -> dict[str, CheckResult]:
    subject = Subject("x.EURUSD", "", "x", "EURUSD")
    results = validate(TICKS, subject, derived(ticks), END, 0)
    return {result.check_id.rpartition(".")[2]: result for result in results}


def failing(ticks: pd.DataFrame) -> set[str]:
    return {name for name, result in checked(ticks).items() if result.status != "passed"}


def quotes(**changes: list[float]) -> pd.DataFrame:
    clean = {
        "us": [i * 1_000_000 for i in range(200)],
        "bid": [1.1 + i * 1e-5 for i in range(200)],
        "ask": [1.1001 + i * 1e-5 for i in range(200)],
        "quality": [0] * 200,
    }
    return pd.DataFrame({**clean, **changes})


FEEDS = [("EURUSD_oanda", set()), ("EURUSD_fxcm", {"crossed"})]


@pytest.mark.parametrize(("name", "broken"), FEEDS)
def test_recorded_feeds(test_data, name: str, broken: set[str]) -> None:
    """fxcm quotes cross in 10 % of rows, oanda's never."""
    found = pq.read_table(test_data / "ticks" / f"{name}.parquet").slice(60_000, 60_000).to_pandas()
    ticks = found.assign(us=found["time_msc"] * 1000, quality=0)[["us", "bid", "ask", "quality"]]
    results = checked(ticks.sort_values("us", kind="stable", ignore_index=True))
    assert {n for n, result in results.items() if result.blocks} == broken
    assert results["crossed"].rows_checked == 60_000
    assert (results["crossed"].observed > 0.05) == bool(broken)


def test_clean_quotes_pass_and_each_fault_fails_its_own_check() -> None:
    clean = quotes()
    assert failing(clean) == set()
    crossed = clean.copy()
    crossed.loc[10:20, "ask"] = crossed["bid"] - 1e-5
    assert failing(crossed) == {"crossed"}
    late = clean.copy()
    late["us"] += (late.index >= 100) * 4_000_000_000
    assert failing(late) == {"gap"}
    wide = clean.copy()
    wide.loc[50:60, "ask"] += 0.01
    assert failing(wide) == {"spread_outlier"}
    disordered = clean.copy()
    disordered.loc[5, "quality"] = 8
    assert failing(disordered) == {"out_of_order"}
    repeated = pd.concat([clean] + [clean.iloc[[7]]] * 20).sort_values("us", kind="stable")
    assert failing(repeated.reset_index(drop=True)) == {"duplicate"}


def test_a_trading_day_is_cut_at_1700_new_york() -> None:
    assert bounds(date(2014, 5, 6)) == (END - pd.Timedelta(days=1), END)
    winter = datetime(2014, 12, 2, 22, tzinfo=UTC)
    assert bounds(date(2014, 12, 3))[0] == winter
