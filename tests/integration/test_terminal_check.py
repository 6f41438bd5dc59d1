"""`tickhouse terminal-check` on a stand-in for the package: what is planted is what it names."""

import json
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.simulator.faults import Fault
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.package import SimulatedPackage
from adapters.simulator.terminal import SimulatedTerminal
from cli.diagnostics import trial_verdict
from cli.diagnostics.trial_verdict import Verdict
from cli.main import main
from tests.support.foreign_broker import ForeignBroker

NAMES = {"BTCUSD": "BITCOIN"}  # its market never closes


def _now_msc() -> int:
    return time.time_ns() // 1_000_000


class StandIn(ForeignBroker):
    """A broker with names and a clock of its own over the package with its script of faults."""

    def __init__(self, *, netting: bool = False) -> None:
        terminal = SimulatedTerminal(GeneratedMarket(tuple(NAMES), "x"), netting=netting)
        self.package = SimulatedPackage(terminal, _now_msc, time.sleep)
        super().__init__(self.package, NAMES, "Etc/GMT-3")  # type: ignore[arg-type]
        self.account: dict[str, Any] = {}

    def shutdown(self) -> None:
        self.package.shutdown()

    def is_flat(self) -> bool:
        """Asked in a session of its own."""
        return self.initialize() and self.positions_get() == ()

    def account_info(self) -> Any:
        return super().account_info()._replace(**self.account)

    def positions_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        return self._all(self.package.positions_get(ticket=ticket or 0))

    def orders_get(self, symbol: str | None = None, ticket: int | None = None) -> Any:
        return self._all(self.package.orders_get(ticket=ticket or 0))


@pytest.fixture
def surveyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., StandIn]:
    def survey(**chosen: Any) -> StandIn:
        built = StandIn(**chosen)
        monkeypatch.setitem(sys.modules, "MetaTrader5", built)  # type: ignore[arg-type]
        monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("TICKHOUSE_TERMINAL__KIND", "real")
        monkeypatch.setenv("TICKHOUSE_TERMINAL__SYMBOLS", ",".join(NAMES))
        assert main(["connect", "--source", "icm", "--weeks=0"]) == 0
        return built

    return survey


def checked(home: Path, passed: bool) -> Verdict:
    assert main(["terminal-check", "--patience", "4"]) == (0 if passed else 1)
    verdict = trial_verdict.load(home)
    assert verdict is not None
    assert verdict.passed == passed
    return verdict


@pytest.mark.parametrize(
    ("planted", "error"),
    [
        ({"trade_mode": 2}, "this is no demo account"),
        ({"server": "Other-Demo"}, "logged in to"),
    ],
)
def test_nothing_is_traded_on_another_account(
    surveyed: Callable[..., StandIn],
    capsys: pytest.CaptureFixture[str],
    planted: dict[str, Any],
    error: str,
) -> None:
    broker = surveyed()
    broker.account = planted
    assert main(["terminal-check"]) == 2
    assert error in " ".join(capsys.readouterr().err.split())
    assert broker.requests == []


def test_what_is_open_is_not_touched(
    surveyed: Callable[..., StandIn], capsys: pytest.CaptureFixture[str]
) -> None:
    broker = surveyed()
    broker.initialize()
    tick = broker.symbol_info_tick("BITCOIN")
    request = {"action": mt5.TRADE_ACTION_DEAL, "symbol": "BITCOIN", "volume": 0.01,
               "type": mt5.ORDER_TYPE_BUY, "price": tick.ask, "deviation": 10**6,
               "type_filling": mt5.ORDER_FILLING_FOK, "magic": 5, "comment": "by hand"}  # fmt: skip
    assert broker.order_send(request).retcode == mt5.TRADE_RETCODE_DONE
    assert main(["terminal-check"]) == 2
    assert "open positions or orders: close them" in " ".join(capsys.readouterr().err.split())
    assert len(broker.requests) == 1


@pytest.mark.heavy(suite="chaos")
@pytest.mark.parametrize("netting", [False, True])
def test_a_sound_terminal_passes_and_is_left_as_it_was(
    surveyed: Callable[..., StandIn], tmp_path: Path, netting: bool
) -> None:
    broker = surveyed(netting=netting)
    verdict = checked(tmp_path / "home", passed=True)
    assert verdict.differences == []
    assert verdict.positions == ("netting" if netting else "hedging")
    assert broker.is_flat()
    kept = trial_verdict.path_in(tmp_path / "home").read_text()
    assert str(broker.account_info().login) not in json.loads(kept).values()
    assert "100000" not in kept  # no money


NOTES: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"comments": "cut", "history_lag_ms": 600, "stops_level": 20},
        {
            "entry: our comment": "changed",
            "entry: in the history": "later than the answer",
            "least distance of stops": "20",
        },
    ),
    (
        {"comments": "broker", "doubled": True, "filling_modes": mt5.SYMBOL_FILLING_IOC},
        {
            "closing: our comment": "changed",
            "history": "doubled",
            "filling FOK": "not offered",
        },
    ),
]


@pytest.mark.heavy(suite="chaos")
@pytest.mark.parametrize(("planted", "noted"), NOTES)
def test_what_brokers_differ_in_is_a_note(
    surveyed: Callable[..., StandIn],
    tmp_path: Path,
    planted: dict[str, Any],
    noted: dict[str, str],
) -> None:
    broker = surveyed()
    for field, value in planted.items():
        setattr(broker.package.faults, field, value)
    verdict = checked(tmp_path / "home", passed=True)
    assert noted.items() <= {one.name: one.here for one in verdict.differences}.items()
    assert not any(one.matters for one in verdict.differences)


FAULTS: list[tuple[Fault, str, str]] = [
    (Fault("refuse", 10030), "entry: answer", "rejected 10030"),
    (Fault("lost_answer"), "entry: answer", "unknown"),
    (Fault("lost_request"), "entry: becomes", "absent"),
    (Fault("late", delay_ms=1500), "entry: answer", "unknown"),
    (Fault("twice", delay_ms=100), "entries done", "+1 beside those sent"),
]


@pytest.mark.heavy(suite="chaos")
@pytest.mark.parametrize(("planted", "name", "here"), FAULTS)
def test_what_trading_relies_on_fails_and_the_account_is_flat_again(
    surveyed: Callable[..., StandIn], tmp_path: Path, planted: Fault, name: str, here: str
) -> None:
    broker = surveyed()
    broker.package.faults.sends = deque([planted])
    verdict = checked(tmp_path / "home", passed=False)
    named = {one.name: one.here for one in verdict.differences if one.matters}
    assert named[name] == here
    assert broker.is_flat()


@pytest.mark.heavy(suite="chaos")
def test_a_clock_that_has_changed_since_the_survey_is_named(
    surveyed: Callable[..., StandIn], tmp_path: Path
) -> None:
    broker = surveyed()
    broker.put_ahead(1)
    verdict = checked(tmp_path / "home", passed=False)
    (clock,) = [one for one in verdict.differences if one.name == "newest tick"]
    assert clock.here.endswith("ahead of our clock")
    assert "tickhouse connect" in clock.meaning
