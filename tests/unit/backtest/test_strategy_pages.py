"""Pages of strategies: the words follow the figures, and the figures are those of a backtest."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from adapters.simulator.markets.generated_files import write_parquet
from backtest import sharpe
from backtest.results.ticks import run_settings
from backtest.strategy_pages import page
from backtest.strategy_pages.__main__ import write
from backtest.strategy_pages.figures import STRATEGIES, Outcome, Yearly, of, recordings, trials
from strategies.select import declared, select

PAGES = Path(__file__).resolve().parents[3] / "docs" / "strategies"


def outcome(net, *, costs=-10.0, trades=5, low=-1.0, deflated=0.3, generated=False):
    ratio = Yearly(low + 2, low, low + 4)
    return Outcome(
        feed="oanda.EURUSD", generated=generated, days=10.0, trades=trades, net=net, costs=costs,
        profit_factor=1.5, drawdown=20.0, sharpe=ratio, returns=10, returns_of="day",
        deflated=deflated, trials=84,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    begins = datetime(2026, 3, 3, 9, tzinfo=UTC)
    return write_parquet(tmp_path_factory.mktemp("ticks"), ["EURUSD"], begins, 2.0)[0]


def test_a_loss_is_called_one():
    said = page.verdict([outcome(-30.0), outcome(-5.0)])
    assert said.startswith("**It loses.** It ended below zero on all 2 recordings.")
    assert "-35.00 USD after costs of 20.00, -15.00 before them" in said
    assert "no evidence of an edge" in said


def test_a_gain_without_evidence_is_no_edge_and_the_generated_market_never_counts():
    said = page.verdict([outcome(30.0), outcome(-5.0)])
    assert "above zero on 1 of 2" in said
    assert "no evidence of an edge" in said
    assert page.verdict([]) == page.verdict([outcome(0.0, trades=0)])
    assert "Nothing is known of it" in page.verdict([])


@pytest.mark.parametrize(
    ("low", "deflated", "evident"),
    [(0.1, 0.96, True), (0.1, 0.94, False), (-0.1, 0.99, False), (0.1, None, False)],
)
def test_evidence_needs_interval_and_deflated_ratio(low, deflated, evident):
    assert page.is_evidence(outcome(30.0, low=low, deflated=deflated)) is evident


def test_the_interval_of_a_ratio_is_where_its_probability_is_a_fortieth():
    returns = np.random.default_rng(7).normal(0.001, 0.01, 250)
    low, high = sharpe.interval(returns)
    ratio = sharpe.sharpe(returns)
    assert sharpe.probabilistic(ratio, returns, low) == pytest.approx(0.975)
    assert sharpe.probabilistic(ratio, returns, high) == pytest.approx(0.025)


def test_pages_are_written_from_a_backtest_and_say_its_figures(recording, tmp_path):
    settings = run_settings(str(tmp_path / "home"))
    result = of([recording], settings, "breakout", 6, generated=True)
    assert result.trades > 5
    assert result == of([recording], settings, "breakout", 6, generated=True)
    real = result._replace(generated=False)
    write({"breakout": [real, result]}, settings, tmp_path / "out")
    written = (tmp_path / "out" / "breakout.md").read_text()
    assert f"| {result.trades:,} | {result.net:,.2f} |" in written
    assert "among the 6 results" in written
    assert all(f"`{p.name}`" in written for p in declared("breakout"))
    assert "[`breakout`](breakout.md)" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_that_ships_has_its_page(name):
    written = (PAGES / f"{name}.md").read_text()
    purpose = page.purpose(type(select(name, run_settings("").signals)))
    assert purpose in written
    for parameter in declared(name):
        assert f"| `{parameter.name}` | {parameter.default:g} |" in written


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_pages_say_what_a_real_recording_gives_today(name, reference_data, tmp_path):
    files = sorted((reference_data / "ticks").glob("*.parquet"))
    paths = [reference_data / "ticks" / "EURUSD_histdata2012.parquet"]
    if name == "pairs":
        paths = [p for p in files if p.name in ("EURUSD_oanda.parquet", "NZDUSD_oanda.parquet")]
    today = of(paths, run_settings(str(tmp_path)), name, trials(files))
    row = "| " + " | ".join(page._row(today)) + " |"
    assert (row if today.trades else today.feed) in (PAGES / f"{name}.md").read_text()


def test_pairs_are_those_of_a_source_in_one_currency(tmp_path):
    begins = datetime(2026, 3, 3, 9, tzinfo=UTC)
    files = write_parquet(tmp_path, ["EURUSD", "GBPUSD", "USDJPY"], begins, 0.1)
    names = [{path.stem for path in pair} for pair in recordings("pairs", files)]
    assert names == [{"EURUSD_sim", "GBPUSD_sim"}]
    assert trials(files) == 3 * (len(STRATEGIES) - 1) + 1
