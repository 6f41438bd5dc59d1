"""`tickhouse optimise` as a person calls it, on a few hours of ticks."""

import json

import pytest

from cli.main import main
from tests.e2e.replay_runs import cut

OWN = """
import numpy as np
from tickhouse import FEATURE_NAMES, Parameter, Targets, parameter_values

class Mine:
    name = "mine"
    needs_model = False
    parameters = (Parameter("least", 0.2, 0.05, 1.0, "least move, bp"),)
    horizon_s = 600.0

    def __init__(self, settings):
        self.least = parameter_values(self.parameters, settings.parameters)["least"]

    def targets(self, rows, probabilities):
        move = np.nan_to_num(rows[:, FEATURE_NAMES.index("return_60s")])
        return Targets(np.sign(move) * (np.abs(move) > self.least), np.ones(len(rows)))
"""


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs the command on a home of its own; exit code, output and errors."""
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))

    def called(*arguments):
        code = main(["optimise", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture(scope="module")
def file(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    return cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 0, 60_000)


@pytest.mark.heavy(suite="models")
def test_a_strategy_of_ones_own_is_searched_and_the_result_goes_into_a_backtest(
    call, file, tmp_path, monkeypatch, capsys
):
    own = tmp_path / "mine.py"
    own.write_text(OWN)
    code, out, _ = call(own, file, "--trials", 12, "--folds", 2, "--json", "--workers", 1)
    result = json.loads(out)
    assert code == 0
    assert [p["name"] for p in result["parameters"]] == ["least"]
    assert result["backtest"]["differing_trades"] == 0
    assert result["map"] is None
    page = (tmp_path / "home" / "optimisations").rglob("optimisation.html")
    assert "mine on EURUSD oanda" in next(page).read_text()
    name, value = result["setting"].split("=", 1)
    monkeypatch.setenv(name, value.strip('"'))
    assert main(["backtest", str(file), "--strategy", "mine", "--json", "--workers", "1"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert len(again["trades"]) == result["backtest"]["trades"] > 5
    assert round(again["figures"]["net_profit"], 2) == result["backtest"]["net_profit"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("ema_cross",), "declares no parameters"),
        (("martingale",), "no strategy 'martingale'"),
        (("pairs",), "sees several symbols together: say which, --pairs A,B"),
        (("breakout", "--pairs", "EURUSD,GBPUSD"), "looks at one symbol at a time"),
        (("breakout", "--model", "abc"), "abc"),
        (("breakout", "--trials", "5"), "--trials must be 10 or more"),
        (("breakout", "--folds", "1"), "--folds 2 or more"),
        (("breakout", "--folds", "40"), "too few for 40 folds"),
    ],
)
def test_what_is_wrong_is_said(call, file, options, problem):
    code, _, errors = call(options[0], file, *options[1:])
    assert code == 2
    assert problem in " ".join(errors.split())


def test_parameters_that_are_set_already_are_no_place_to_begin(call, file, monkeypatch):
    monkeypatch.setenv("TICKHOUSE_SIGNALS__PARAMETERS", "spreads=2")
    code, _, errors = call("breakout", file)
    assert code == 2
    assert "signals.parameters is set" in errors
