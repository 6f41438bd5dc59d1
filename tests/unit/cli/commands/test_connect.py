"""`tickhouse connect` against a foreign broker on a live simulated market."""

import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.mt5 import connect
from adapters.mt5.real import broker_file
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from cli.diagnostics.checks_terminal import filling_modes
from cli.main import main
from core.sections import TerminalSettings
from tests.support.foreign_broker import ForeignBroker

NAMES = {"EURUSD": "EURUSD.r", "BTCUSD": "BITCOIN"}  # one of them trades at weekends
WEEKS = "--weeks=0"  # the generated market has no past


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ForeignBroker:
    inside = SimulatedTerminal(GeneratedMarket(tuple(NAMES), "x", 7))
    made = ForeignBroker(inside, NAMES, "Etc/GMT-3")
    monkeypatch.setitem(sys.modules, "MetaTrader5", made)  # type: ignore[arg-type]
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TICKHOUSE_TERMINAL__KIND", "real")
    monkeypatch.setenv("TICKHOUSE_TERMINAL__SYMBOLS", ",".join(NAMES))
    return made


def test_a_survey_maps_names_and_clock_and_then_ticks_are_utc(
    package: ForeignBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["connect", "--source", "icm", WEEKS]) == 0
    told = capsys.readouterr().out
    assert "+3 h" in told
    assert "shadow" in told
    described = broker_file.load(broker_file.path_in(tmp_path / "home"))
    assert described.symbols == NAMES
    assert (described.source, described.server) == ("icm", "Broker-Live")
    terminal = connect.terminal(TerminalSettings(kind="real"), tmp_path / "home", role="execution")
    tick = terminal.symbol_info_tick("BTCUSD")
    assert abs(tick.time_msc / 1000 - time.time()) < 120
    assert package.symbol_info_tick("BITCOIN").time_msc - tick.time_msc >= 3 * 3_600_000


def test_a_second_survey_keeps_what_was_dated(package: ForeignBroker, tmp_path: Path) -> None:
    path = broker_file.path_in(tmp_path / "home")
    assert main(["connect", "--source", "icm", WEEKS]) == 0
    by_hand = path.read_text().replace('zone = ""', 'zone = "Etc/GMT-1"').replace("10800", "7200")
    path.write_text(by_hand)
    assert main(["connect", WEEKS]) == 0
    assert broker_file.load(path).clock[0].zone == "Etc/GMT-1"


def test_autotrading_off_fails_with_its_remedy(
    package: ForeignBroker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    package.trade_allowed = False
    assert main(["connect", "--source", "icm", WEEKS]) == 1
    assert "10027" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "connect --source NAME"),
        (["--source", "icm", "--symbol", "EURUSD"], "OURS=THEIRS"),
        (["--source", "icm", "--symbol", "EURUSD=NOPE"], "--symbol EURUSD=NAME"),
    ],
)
def test_what_is_missing_is_asked_for(
    package: ForeignBroker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    assert main(["connect", WEEKS, *arguments]) == 2
    assert problem in capsys.readouterr().err
    assert not broker_file.path_in(tmp_path / "home").exists()


def test_a_backfill_is_ready_for_import(package: ForeignBroker, tmp_path: Path) -> None:
    assert main(["connect", "--source", "icm", WEEKS, "--backfill", "1"]) == 0
    found = pq.read_table(tmp_path / "home" / "backfill" / "BTCUSD_icm.parquet")
    times = found["time_msc"].to_numpy()
    assert len(times) > 0
    assert (times[1:] >= times[:-1]).all()
    assert abs(times[-1] / 1000 - time.time()) < 120


def test_filling_modes_are_bits() -> None:
    assert filling_modes(3, 2) == ["FOK", "IOC"]
    assert filling_modes(2, 2) == ["IOC"]
    assert filling_modes(0, 1) == ["RETURN"]
    assert filling_modes(0, 2) == []
