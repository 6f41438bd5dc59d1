"""The real adapter: absent elsewhere with a remedy; thin where the package exists.

The package exists for Windows only, so a stand-in module shows what is passed on.
"""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adapters.mt5.protocol import constants
from adapters.mt5.protocol.terminal import MT5_TICK
from adapters.mt5.real.terminal import RealTerminal
from core.errors import SettingsError
from core.sections import TerminalSettings


class StandIn:
    """Records calls; answers with its last argument."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kw: Any) -> Any:
            self.calls.append((name, args, kw))
            if name.startswith("copy_ticks"):
                ticks = np.zeros(4, MT5_TICK)
                ticks["time_msc"] = [10_000, 10_499, 10_500, 11_000]
                return ticks
            if name == "symbol_info":
                fields = {"name": args[0], "path": "Forex\\x", "digits": 5, "new_field": 1}
                return SimpleNamespace(_asdict=lambda: fields)
            return (1, "Success") if name == "last_error" else ()

        return call


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "MetaTrader5", stand_in)  # type: ignore[arg-type]
    return stand_in


@pytest.mark.skipif(sys.platform == "win32", reason="the package may be installed there")
def test_without_the_package_the_error_names_the_remedy() -> None:
    with pytest.raises(SettingsError, match="TICKHOUSE_TERMINAL__KIND=simulated"):
        RealTerminal(TerminalSettings(kind="real"))


def test_login_server_and_path_are_passed_only_when_set(package: StandIn) -> None:
    RealTerminal(TerminalSettings()).initialize()
    RealTerminal(TerminalSettings(login=5, server="s", path="p")).initialize()
    assert package.calls == [
        ("initialize", (), {}),
        ("initialize", ("p",), {"login": 5, "server": "s"}),
    ]


def test_symbols_carry_our_source_in_their_path(package: StandIn) -> None:
    term = RealTerminal(TerminalSettings(source="icm", symbols=("EURUSD",)))
    (info,) = term.symbols_get() or ()
    assert (info.path, info.digits) == ("icm\\EURUSD", 5)
    assert ("symbol_select", ("EURUSD", True), {}) in package.calls


def test_ticks_are_cut_to_the_millisecond(package: StandIn) -> None:
    term = RealTerminal(TerminalSettings())
    result = term.copy_ticks_from("EURUSD", 10.5, 100, constants.COPY_TICKS_ALL)
    assert result is not None
    assert result["time_msc"].tolist() == [10_500, 11_000]
    result = term.copy_ticks_range("EURUSD", 10.499, 10.5, constants.COPY_TICKS_ALL)
    assert result is not None
    assert result["time_msc"].tolist() == [10_499, 10_500]
    assert package.calls[-1][1] == ("EURUSD", 10, 11, constants.COPY_TICKS_ALL)


def test_filters_are_passed_one_at_a_time(package: StandIn) -> None:
    term = RealTerminal(TerminalSettings())
    term.at(5)
    term.positions_get()
    term.positions_get(symbol="EURUSD")
    term.orders_get(ticket=3)
    assert [kw for _, _, kw in package.calls] == [{}, {"symbol": "EURUSD"}, {"ticket": 3}]


def test_constants_equal_the_packages() -> None:
    package = pytest.importorskip("MetaTrader5", reason="exists for Windows only")
    ours = {name: value for name, value in vars(constants).items() if name.isupper()}
    theirs = {name: getattr(package, name, value) for name, value in ours.items()}
    assert ours == theirs
