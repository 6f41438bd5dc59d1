"""Figures of risk computed again from ticks and what was held, sharing no code with risk/."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client

from risk.coverage_tests import coverage
from tests.integration.analysed import MARTS, Analysed

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models")]

HALF_LIFE, LEAST, DAY = 240.0, 60, 1440
Z_99 = 2.3263478740408408


def frame(client: Client, sql: str, **parameters: Any) -> pd.DataFrame:
    return pd.DataFrame(list(client.query(sql, parameters).named_results()))


def minutes_before(ticks: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Last mid of each minute that ended by a time, a column per feed, quiet minutes filled."""
    mids = ticks.assign(minute=ticks.ts_event.dt.floor("min"), mid=(ticks.bid + ticks.ask) / 2)
    table = mids.groupby(["minute", "source"]).mid.last().unstack().ffill()
    return table[table.index + pd.Timedelta(minutes=1) <= until]


def shrunk_covariance(returns: pd.DataFrame) -> np.ndarray:
    """Weighted, mean zero, correlations shrunk after Schaefer and Strimmer, by plain loops."""
    data, count = returns.to_numpy(), len(returns)
    weight = 0.5 ** (np.arange(count)[::-1] / HALF_LIFE)
    weight /= weight.sum()
    size = data.shape[1]
    sigma = [
        math.sqrt(np.nansum(weight * data[:, i] ** 2) / weight[~np.isnan(data[:, i])].sum())
        for i in range(size)
    ]
    sample, spread = np.eye(size), 0.0
    squares = (weight**2).sum()
    for i in range(size):
        for j in range(size):
            if i == j:
                continue
            both = ~np.isnan(data[:, i]) & ~np.isnan(data[:, j])
            w = weight[both] / weight[both].sum()
            product = data[both, i] * data[both, j] / sigma[i] / sigma[j]
            sample[i, j] = (w * product).sum()
            spread += ((w * product**2).sum() - sample[i, j] ** 2) * squares / (1 - squares) ** 3
    total = (sample**2).sum() - size
    kept = 1 - min(max(spread / total, 0.0), 1.0) if total > 1e-12 else 0.0  # one feed alone
    return np.array(
        [
            [sigma[i] * sigma[j] * (1.0 if i == j else kept * sample[i, j]) for j in range(size)]
            for i in range(size)
        ]
    )


def worst(losses: np.ndarray, confidence: float) -> float:
    """The smallest loss that at most 1 - confidence of them exceed."""
    ordered = sorted(losses)
    allowed = math.floor(round(len(ordered) * (1 - confidence), 9))
    return float(ordered[len(ordered) - 1 - allowed])


def filtered(returns: np.ndarray, now: float) -> np.ndarray:
    """Each return in units of the volatility known before it, at that of now; the recursion."""
    decay, own = 0.5 ** (1 / HALF_LIFE), returns
    start = np.nanmean(own[~np.isnan(own)][:LEAST] ** 2)
    variance, scaled = start, []
    for value in own:
        scaled.append(value / math.sqrt(variance) * now)
        square = start if math.isnan(value) else value**2
        variance = decay * variance + (1 - decay) * square
    return np.array(scaled)


@pytest.fixture(scope="module")
def ticks(analysed: Analysed) -> pd.DataFrame:
    return frame(
        analysed.client,
        "SELECT source, ts_event, toFloat64(bid) AS bid, toFloat64(ask) AS ask FROM tick FINAL"
        " WHERE symbol = 'EURUSD' AND bitAnd(quality, 8) = 0 ORDER BY source, ts_event, seq",
    )


def moments(analysed: Analysed) -> list[dict[str, Any]]:
    """Some moments with figures, spread over the run."""
    rows = analysed.client.query(
        "SELECT * FROM portfolio_risk FINAL WHERE strategy = '' AND problem = '' AND positions > 0"
        " AND ts_event IN (SELECT ts_event FROM value_at_risk) ORDER BY ts_event"
    ).named_results()
    known = list(rows)
    assert len(known) > 20
    return known[:: len(known) // 8]


def test_figures_are_those_of_a_script_over_ticks(analysed: Analysed, ticks: pd.DataFrame) -> None:
    for row in moments(analysed):
        at = row["ts_event"]
        table = minutes_before(ticks, pd.Timestamp(at))
        returns = np.log(table).diff().iloc[1:]
        returns = returns.loc[:, returns.notna().sum() >= LEAST]  # others have no history yet
        newest = ticks[ticks.ts_event < at].groupby("source").last()
        held = frame(
            analysed.client,
            "SELECT source, argMax(volume, seq) AS lots FROM position FINAL"
            " WHERE ts_event <= {at:DateTime64(6, 'UTC')} GROUP BY source, strategy",
            at=at,
        )
        lots = held.groupby("source").lots.sum().reindex(returns.columns, fill_value=0.0)
        mids = ((newest.bid + newest.ask) / 2).reindex(returns.columns)
        money = (lots * 100_000 * mids).to_numpy()
        assert row["gross"] == pytest.approx(np.abs(money).sum(), rel=1e-9)
        matrix = shrunk_covariance(returns)
        values = (
            frame(
                analysed.client,
                "SELECT measure, confidence, horizon, value_at_risk FROM value_at_risk FINAL"
                " WHERE strategy = '' AND ts_event = {at:DateTime64(6, 'UTC')}",
                at=at,
            )
            .set_index(["measure", "confidence", "horizon"])
            .value_at_risk
        )
        deviation = math.sqrt(money @ matrix @ money)
        day = Z_99 * deviation * math.sqrt(DAY) + row["swap_1d"]
        assert values["parametric", 0.99, "1d"] == pytest.approx(day, rel=1e-9)
        rollover = pd.Timestamp(at).normalize() + pd.Timedelta(hours=21)  # 17:00 New York in May
        tonight = pd.Timestamp(at) < rollover <= pd.Timestamp(at) + pd.Timedelta(hours=1)
        swap = row["swap_1d"] if tonight else 0.0
        own = money != 0
        whole = returns.to_numpy()[:, own]
        whole = whole[~np.isnan(whole).any(axis=1)]
        past = -(np.exp(whole) - 1) @ money[own]
        for confidence in (0.95, 0.99):
            hour = worst(past, confidence) * math.sqrt(60) + swap
            carried = values["historical", confidence, "1h"]
            assert carried == pytest.approx(hour, rel=1e-9)
        now = np.sqrt(np.diag(matrix))
        scaled = np.column_stack(
            [filtered(returns.to_numpy()[:, i], now[i]) for i in range(len(now)) if own[i]]
        )
        scaled = scaled[~np.isnan(scaled).any(axis=1)]
        today = worst(-(np.exp(scaled) - 1) @ money[own], 0.99) * math.sqrt(60) + swap
        assert values["filtered", 0.99, "1h"] == pytest.approx(today, rel=1e-9)
        drawn = np.random.default_rng(1).standard_t(5, 200_000) * math.sqrt(3 / 5) * deviation
        simulated = worst(drawn, 0.95) * math.sqrt(60) + swap
        assert values["monte_carlo", 0.95, "1h"] == pytest.approx(simulated, rel=0.08)


def test_the_mart_of_backtests_says_what_python_says(analysed: Analysed) -> None:
    outcomes = frame(
        analysed.client,
        f"SELECT * FROM {MARTS}.int_var_outcome WHERE strategy = '' ORDER BY ts_event",
    )
    marts = frame(analysed.client, f"SELECT * FROM {MARTS}.fct_var_backtest WHERE strategy = ''")
    assert len(marts) >= 8
    for row in marts.to_dict("records"):
        chosen = outcomes
        for key in ("measure", "confidence", "horizon"):
            chosen = chosen[chosen[key] == row[key]]
        result = coverage(list(chosen.loss > chosen.value_at_risk), row["confidence"])
        assert (row["observations"], row["exceptions"]) == result[:2]
        assert row["kupiec"] == pytest.approx(result.kupiec, abs=1e-8)
        assert row["independence"] == pytest.approx(result.independence, abs=1e-8)
        assert row["conditional"] == pytest.approx(result.conditional, abs=1e-8)
        assert row["zone"] == result.zone


def test_days_are_the_largest_of_their_moments(analysed: Analysed) -> None:
    days = frame(analysed.client, f"SELECT * FROM {MARTS}.fct_risk_daily WHERE strategy = ''")
    summaries = frame(
        analysed.client,
        "SELECT * FROM portfolio_risk FINAL WHERE strategy = '' AND positions > 0",
    )
    assert days.moments.sum() == len(summaries)
    assert days.gross_max.max() == pytest.approx(summaries.gross.max())
    assert days.unmeasured.sum() < days.moments.sum()
