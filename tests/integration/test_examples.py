"""Every example runs as it stands on a home after the demo; what it says is printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STRATEGIES = sorted((ROOT / "examples" / "strategies").glob("*.py"))
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.py"))
UNSEEN = "2026-03-02T12:00:00Z"  # the model of the demo is trained on what is before
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="docs")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after a day of the demo's market; its model saw the first half."""
    folder = tmp_path_factory.mktemp("examples") / "home"
    run(folder, "-m", "cli.main", "demo", "--hours", "24")
    return folder


def run(home: Path, *words: str) -> str:
    """What Python prints, run as a person would in the checkout."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT, env=os.environ | {"TICKHOUSE_HOME": str(home)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda path: path.stem)
def test_a_strategy_trades_in_a_backtest(home, strategy, tmp_path, capsys):
    ticks = str(home / "demo" / "EURUSD_sim.parquet")
    line = ["-m", "cli.main", "backtest", ticks, "--strategy", str(strategy), "--from", UNSEEN]
    cards = [path.stem for path in (home / "models").glob("*.model")]
    model = ["--model", cards[0]] if "needs_model = True" in strategy.read_text() else []
    run(home, *line, *model, "--out", str(tmp_path))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["signals"] > 0
    with capsys.disabled():
        print(f"\n{strategy.stem}: {report['signals']} signals, {report['fills']} fills, net "
              f"{report['figures']['net_profit']:.2f} {report['currency']}")  # fmt: skip


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_answers_its_questions(home, notebook, capsys):
    printed = run(home, str(notebook))
    assert "EURUSD" in printed
    with capsys.disabled():
        print(f"\n== {notebook.stem}\n{printed}")


def test_an_export_can_be_imported_again(home, tmp_path, capsys):
    path = tmp_path / "EURUSD.csv"
    printed = run(home, "examples/export_ticks.py", "EURUSD", str(path))
    options = ("--source", "mybroker", "--symbol", "EURUSD", "--tz", "Europe/Athens")
    run(home, "-m", "cli.main", "import", str(path), *options)
    program = (
        "import tickhouse\n"
        "home = tickhouse.connect()\n"
        "a, b = (home.ticks('EURUSD', source=s).arrow().select(['ts_event', 'seq', 'bid', 'ask'])"
        " for s in ('sim', 'mybroker'))\n"
        "print(a.equals(b), len(a))"
    )
    assert run(home, "-c", program).split()[0] == "True"
    with capsys.disabled():
        print(f"\n{printed}")
