"""The broker's side of a world: the simulated package, watched, and a person at the terminal."""

from collections.abc import Callable
from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import TradePosition
from adapters.simulator.broker import operations
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.faults import Faults
from adapters.simulator.package import SimulatedPackage
from adapters.simulator.terminal import SimulatedTerminal
from tests.simulation.disk import Hazard
from tests.simulation.market import market

BALANCE = 100_000.0


class Broker:
    """Account and faults; both survive the process that trades."""

    def __init__(
        self,
        variant: int,
        now_msc: Callable[[], int],
        sleep: Callable[[float], None],
        *,
        netting: bool = False,
    ) -> None:
        self.market = market(variant)
        self.terminal = SimulatedTerminal(
            self.market, balance=BALANCE, seed=variant, frictions=Frictions(), netting=netting
        )
        self.faults = Faults()
        self._now_msc = now_msc
        self.package = SimulatedPackage(self.terminal, now_msc, sleep, self.faults)

    def positions(self) -> tuple[TradePosition, ...]:
        """What is really open now."""
        self.package._answers()  # late orders arrive
        self.terminal.at(self._now_msc())
        return self.terminal.positions_get()

    def deals(self) -> list[Any]:
        """All deals but the deposit."""
        self.terminal.at(self._now_msc())
        return list(self.terminal.history_deals_get(1.0, 4e9))

    def close_by_hand(self, ticket: int, share: float) -> bool:
        """A person closes a position, or part of it, at the terminal."""
        held = [p for p in self.positions() if p.ticket == ticket]
        if not held:
            return False
        volume = max(round(held[0].volume * share, 2), 0.01)
        return self.does(operations.by_hand(held[0].symbol, 1 - held[0].type, volume, ticket))

    def equity(self) -> float:
        """Of the account, as it is."""
        self.terminal.at(self._now_msc())
        return self.terminal.account_info().equity

    def does(self, operation: dict[str, Any]) -> bool:
        """A person, or the broker, does something."""
        self.package._answers()
        self.terminal.at(self._now_msc())
        answer, _ = self.terminal.act(operation)
        return answer.retcode == mt5.TRADE_RETCODE_DONE


class Watched:
    """The package as the process sees it: it may die at every call, and orders are watched."""

    def __init__(
        self, package: SimulatedPackage, hazard: Hazard, on_send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._package, self._hazard, self._on_send = package, hazard, on_send

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._package, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kw: Any) -> Any:
            if name == "order_send":
                self._on_send(args[0])
            self._hazard(f"terminal {name}")
            answer = attribute(*args, **kw)
            self._hazard(f"terminal {name} answered")
            return answer

        return call
