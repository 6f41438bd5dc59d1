"""The tick suite on recorded quotes: what is dirty is flagged, what is clean passes."""

import json
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest

from quality.check_result import CheckResult
from quality.suites import catalog
from quality.suites.base import Subject
from quality.suites.tick import TICKS, derived
from quality.trading_day import bounds

END = datetime(2014, 5, 6, 21, tzinfo=UTC)


def checked(ticks: pd.DataFrame) -> dict[str, CheckResult]:
    from quality.runner import Fetched, context, validate  # Great Expectations takes seconds

    subject = Subject("x.EURUSD", "", "x", "EURUSD")
    span = int(ticks["us"].min()), int(ticks["us"].max())
    results = validate(context(), Fetched(TICKS, subject, derived(ticks, *span)), END, 0)
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
def test_recorded_feeds(reference_data, name: str, broken: set[str]) -> None:
    """fxcm quotes cross in 10 % of rows, oanda's never."""
    start, end = (round(edge.timestamp() * 1000) for edge in bounds(date(2014, 5, 7)))
    day = [("time_msc", ">=", start), ("time_msc", "<", end)]
    recorded = pq.read_table(reference_data / "ticks" / f"{name}.parquet", filters=day).to_pandas()
    ticks = recorded.assign(us=recorded["time_msc"] * 1000, quality=0)[
        ["us", "bid", "ask", "quality"]
    ]
    results = checked(ticks.sort_values("us", kind="stable", ignore_index=True))
    assert {n for n, result in results.items() if result.blocks} == broken
    assert results["crossed"].rows_checked == len(recorded) > 40_000
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


def test_every_rule_has_a_name_of_its_own_and_an_expectation_that_exists() -> None:
    from great_expectations import expectations as gxe

    names = [named.name for named in catalog.rules()]
    assert len(names) == len(set(names)) > 20
    expectations = {rule.expectation for suite in catalog.SUITES for rule in suite.rules}
    assert all(hasattr(gxe, name) for name in expectations)


def test_a_failure_names_the_rows_that_broke_the_rule() -> None:
    late = quotes()
    late["us"] += (late.index >= 100) * 4_000_000_000
    detail = json.loads(checked(late)["gap"].detail)
    assert detail["examples"] == ["1970-01-01 01:08:20+00:00: 4001.0"]
