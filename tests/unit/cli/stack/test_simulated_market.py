"""An account keeps the market on which it began."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.simulator.markets.generated_market import LIVELY, NEVER_CLOSES, GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from cli.stack.simulated_market import shown
from core.sections import TerminalSettings
from core.settings import Settings


def traits(settings: Settings) -> tuple[bool, bool]:
    return settings.terminal.never_closes, settings.terminal.lively


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path))


def test_a_new_account_begins_on_a_market_that_never_closes_and_is_lively(home: Settings):
    assert traits(shown(home)) == (True, True)
    assert traits(shown(home, bare=True)) == (True, False)


@pytest.mark.parametrize("begun", [(), (NEVER_CLOSES,), (NEVER_CLOSES, LIVELY)])
def test_an_account_keeps_the_market_on_which_it_began(home: Settings, begun: tuple[str, ...]):
    log = home.home_path / "account.log"
    market = GeneratedMarket(["BTCUSD"], traits=begun)
    SimulatedTerminal(market, log=log).shutdown()
    assert traits(shown(home)) == (NEVER_CLOSES in begun, LIVELY in begun)
    # and opens again whatever a later start would begin
    SimulatedTerminal(GeneratedMarket(["BTCUSD"], traits=(LIVELY,)), log=log).shutdown()


def test_a_real_terminal_and_one_elsewhere_are_left_alone(home: Settings):
    for terminal in (TerminalSettings(kind="agent"), TerminalSettings(address="127.0.0.1:1")):
        assert traits(shown(replace(home, terminal=terminal))) == (False, False)
