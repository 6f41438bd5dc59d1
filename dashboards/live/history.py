"""What was before the page started, and what only the warehouse knows: the day's open.

A thread asks every five seconds. The warehouse may be away: the page then lives from the bus alone,
says so, and catches up when it is back.
"""

import asyncio
import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client
from core.clock import Clock
from core.contracts.firm import FirmRuleState
from core.contracts.operations import RiskState
from core.contracts.order import AccountState, OrderEvent, PositionState
from core.contracts.prediction import Prediction
from core.contracts.signal import OrderSignal
from core.errors import TickhouseError, UnavailableError
from core.settings import Settings
from dashboards.live.candles import Candle
from dashboards.live.live_state import LiveState

_SQL = {path.stem: path.read_text() for path in Path(__file__).parent.glob("sql/*.sql")}
_log = logging.getLogger(__name__)
_EVERY_S, _RETRY_S = 5.0, 2.0
_AGAIN_EVERY = 4  # turns

Struct = TypeVar("Struct", bound=msgspec.Struct)
Row = dict[str, Any]


class Past(msgspec.Struct, frozen=True):
    """Everything of before, each list oldest first."""

    bars: list[Row]
    signals: list[OrderSignal]
    orders: list[OrderEvent]
    positions: list[PositionState]
    accounts: list[AccountState]
    risks: list[RiskState]
    predictions: list[Prediction]
    models: list[Row]
    equity: list[Row]
    firm: list[FirmRuleState] = []

    def into(self, live_state: LiveState, *, with_story: bool) -> None:
        """Apply it; `with_story`: nothing live came before, so signals and orders are news too."""
        for row in self.bars:
            candle = Candle(row["time_s"], row["open"], row["high"], row["low"], row["close"], 0)
            live_state.candle(f"{row['source']}/{row['symbol']}", candle, earlier=True)
        if with_story:
            self._replay_story(live_state)
        for position in self.positions:
            live_state.position(position)
        for point in self.equity:
            if f"equity|{point['time_s']}" not in live_state.items:  # what came live is newer
                live_state.equity(point["time_s"], point["equity"], point["balance"])
        for account in self.accounts:
            live_state.account(account)
        for risk in self.risks:
            live_state.risk(risk)
        for rule in self.firm:
            live_state.firm_rule(rule)
        for prediction in self.predictions:
            live_state.prediction(prediction)
        for model in self.models:
            live_state.model(model["model"], simulated=model["simulated"])

    def _replay_story(self, live_state: LiveState) -> None:
        story: list[OrderSignal | OrderEvent] = [*self.signals, *self.orders]
        for each in sorted(story, key=lambda one: one.ts_init_us):
            if isinstance(each, OrderEvent):
                live_state.order_event(each)
            elif each.action:
                live_state.waiting(each)
            else:
                live_state.signal(each)


class History:
    """Asks the warehouse, in a thread, until closed; answers reach the world in its loop.

    ready: called once in the loop, when the past is in or cannot be had for now.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        live_state: LiveState,
        ready: Callable[[], None],
    ) -> None:
        self._settings, self._clock, self._loop, self._live_state = (
            settings,
            clock,
            loop,
            live_state,
        )
        self._ready: Callable[[], None] | None = ready
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._ask_for_ever, name="history", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop asking."""
        self._closing.set()
        self._thread.join(timeout=5.0)

    def _ask_for_ever(self) -> None:
        while not self._closing.is_set():
            try:
                self._ask_while_it_answers()
            except UnavailableError:
                self._lost(f"nothing answers at {self._settings.clickhouse.url}")
            except TickhouseError as error:
                self._lost(str(error))
            except Exception as error:  # whatever it is, what is live must not wait for it
                _log.exception("the past cannot be read")
                self._lost(f"its tables do not fit this version: {error}")

    def _lost(self, problem: str) -> None:
        self._in_loop(self._live_state.link, "warehouse", False, self._clock.now_us(), problem)
        self._release()
        self._closing.wait(_RETRY_S)

    def _ask_while_it_answers(self) -> None:
        warehouse = client.connect(self._settings.clickhouse)
        try:
            past = self._past(warehouse)
            self._in_loop(
                lambda with_story: past.into(self._live_state, with_story=with_story),
                self._ready is not None,
            )
            self._release()
            for turn in itertools.count(1):
                self._newest(warehouse)
                # What was published just before we listened is stored after we first asked.
                if turn % _AGAIN_EVERY == 0:
                    self._in_loop(self._again, self._past(warehouse))
                if self._closing.wait(_EVERY_S):
                    return
        finally:
            warehouse.close()

    def _again(self, past: Past) -> None:
        """States and candles keep the newest by themselves; a story is told once."""
        past.into(self._live_state, with_story=not self._live_state.has_story)

    def _past(self, warehouse: Client) -> Past:
        return Past(
            bars=self._rows(warehouse, "bars"),
            signals=self._structs(warehouse, "signals", OrderSignal),
            orders=self._structs(warehouse, "order_events", OrderEvent),
            positions=self._structs(warehouse, "positions", PositionState),
            accounts=self._structs(warehouse, "accounts", AccountState),
            risks=self._structs(warehouse, "risks", RiskState),
            predictions=self._structs(warehouse, "predictions", Prediction),
            models=self._rows(warehouse, "models"), equity=self._rows(warehouse, "equity"),
            firm=self._structs(warehouse, "firm_rules", FirmRuleState),
        )  # fmt: skip

    def _newest(self, warehouse: Client) -> None:
        self._in_loop(self._apply_newest, self._rows(warehouse, "day_open"))

    def _apply_newest(self, opened: Sequence[Row]) -> None:
        self._live_state.link("warehouse", True, self._clock.now_us())
        for row in opened:
            self._live_state.items.put("day_open", row["equity"])

    def _rows(self, warehouse: Client, name: str) -> list[Row]:
        run = self._settings.run
        with client.errors_translated():
            answer = warehouse.query(
                _SQL[name], parameters={"run_id": run.run_id, "account": run.account}
            )
            return list(answer.named_results())

    def _structs(self, warehouse: Client, name: str, kind: type[Struct]) -> list[Struct]:
        return [as_struct(row, kind) for row in self._rows(warehouse, name)]

    def _release(self) -> None:
        if self._ready is not None:
            self._in_loop(self._ready)
            self._ready = None

    def _in_loop(self, what: Callable[..., None], *arguments: Any) -> None:
        if not self._closing.is_set():
            self._loop.call_soon_threadsafe(what, *arguments)


def as_struct(row: Row, kind: type[Struct]) -> Struct:
    """The message that a row was made of: enums are enums again, and columns beside it are left."""
    fields = [field for field in msgspec.structs.fields(kind) if field.name in row]
    return kind(**{f.name: msgspec.convert(row[f.name], f.type, strict=False) for f in fields})
