"""Plays the other processes on the bus for the live page: ninety minutes of a made-up market."""

import math

import numpy as np

from adapters.bus.base import Publisher
from core.contracts import codec
from core.contracts.operations import Heartbeat, RiskState
from core.contracts.order import AccountState, EventKind, OrderEvent, PositionState
from core.contracts.prediction import Prediction
from core.contracts.signal import Signal
from core.contracts.tick import TICK, TickBatch
from core.metrics import bucket_of
from core.topics import HEARTBEATS, ORDER_EVENTS, PREDICTIONS, RISK, SIGNALS, TICKS, Topic
from tests.support.live_page import now_msc
from tests.support.orders import event

ACCOUNT = "simulated"
#: Symbol, first bid, spread, size of a minute's move.
MARKET = (("BTCUSD", 63_000.0, 9.0, 40.0), ("EURUSD", 1.08412, 0.00012, 0.0001),
          ("XAUUSD", 2_331.4, 0.31, 0.9))  # fmt: skip
MINUTES = 90
PROCESSES = ("collector", "streams.ticks", "streams.signals", "streams.executions", "execution",
             "terminal", "board")  # fmt: skip


class Desk:
    """Says on the bus what a collector, the flows and execution would."""

    def __init__(self, bus: Publisher) -> None:
        self._bus, self._offset, self._seq = bus, 0, 0

    def open(self) -> None:
        """A whole picture: market, decisions, orders, account, processes."""
        for symbol, bid, spread, move in MARKET:
            self.history(symbol, bid, spread, move)
            self.predict(symbol, 0.21, 0.62)
        now = now_msc() * 1000
        self.order(1, EventKind.FILLED, now - 1_800_000_000, price=63_012.0)
        self.order(
            2, EventKind.FILLED, now - 600_000_000, side="sell", purpose="horizon", price=63_055.0,
            profit=4.3,
        )  # fmt: skip
        self.order(3, EventKind.FILLED, now - 300_000_000, price=63_020.0)
        self.order(
            4, EventKind.DENIED, now - 120_000_000, reason="wide_spread", observed=7.2, limit=5.0
        )
        self.order(5, EventKind.DENIED, now - 60_000_000, reason="daily_loss", observed=1.0)
        self.order(6, EventKind.SUBMITTED, now - 2_000_000)
        self.signal("BTCUSD", 1.0, 63_018.0)
        self.position("BTCUSD", 0.1, 63_020.0, 62_800.0)
        self.account(100_004.3, 100_012.81)
        self.risk("active")
        self.beat(*PROCESSES)

    def history(self, symbol: str, bid: float, spread: float, move: float) -> None:
        """Four ticks in each of the last minutes, the newest now."""
        end, steps = now_msc(), MINUTES * 4
        place = np.arange(steps)
        ticks = np.zeros(steps, TICK)
        ticks["time_msc"] = end - (steps - 1 - place) * 15_000
        wave = np.sin(place / 23) * 6 + np.sin(place / 5.3) * 2 + np.cos(place * 1.7) * 0.8
        ticks["bid"] = bid + move * wave
        ticks["ask"] = ticks["bid"] + spread
        ticks["ts_recv_us"] = ticks["time_msc"] * 1000
        self._ticks(symbol, ticks)

    def tick(self, symbol: str, bid: float, ask: float, time_msc: int = 0) -> None:
        """One quote, now unless said otherwise."""
        ticks = np.zeros(1, TICK)
        ticks["time_msc"], ticks["bid"], ticks["ask"] = time_msc or now_msc(), bid, ask
        self._ticks(symbol, ticks)

    def predict(self, symbol: str, down: float, up: float) -> None:
        """What the model says now."""
        now = now_msc() * 1000
        said = Prediction(
            run_id="live", mode="demo", account=ACCOUNT, source="sim", symbol=symbol,
            ts_event_us=now, seq=0, ts_init_us=now, model="c0ffee" * 8, p_down=down,
            p_flat=1 - down - up, p_up=up, confidence=max(down, up), agreement=0.91, veto=False,
            edge_bp=0.4,
        )  # fmt: skip
        self._say(PREDICTIONS, f"sim.{symbol}", said)

    def signal(self, symbol: str, target: float, price: float) -> None:
        """A wish for a position."""
        now = now_msc()
        said = Signal(
            signal_id=f"s{now}", run_id="live", mode="demo", account=ACCOUNT, strategy="model",
            source="sim", symbol=symbol, ts_event_us=now * 1000, ts_init_us=now * 1000,
            time_msc=now, seq=0, target=target, reference_price=price, stop_price=price * 0.997,
            horizon_us=now * 1000 + 60_000_000, expires_us=now * 1000 + 2_000_000, confidence=0.62,
            model="c0ffee" * 8, prediction_id="p",
        )  # fmt: skip
        self._say(SIGNALS, f"sim.{symbol}", said)

    def order(self, number: int, kind: EventKind, ts_us: int, **more: object) -> OrderEvent:
        """One event of an order."""
        self._seq += 1
        known = {
            "symbol": "BTCUSD", "volume": 0.1, "price": 0.0, "account": ACCOUNT, "mode": "demo",
            "seq": self._seq, "event_id": f"{ACCOUNT}.{self._seq}",
        }  # fmt: skip
        said = event(number, kind, ts_us, **(known | more))
        self._say(ORDER_EVENTS, ACCOUNT, said)
        return said

    def position(self, symbol: str, volume: float, price: float, stop: float) -> None:
        """What is held."""
        now = now_msc() * 1000
        self._seq += 1
        said = PositionState(
            run_id="live", mode="demo", account=ACCOUNT, strategy="model", source="sim",
            symbol=symbol, ts_event_us=now, ts_init_us=now, seq=self._seq, volume=volume,
            price=price, stop_price=stop, profit_realised=4.3,
        )  # fmt: skip
        self._say(ORDER_EVENTS, ACCOUNT, said)

    def account(self, balance: float, equity: float) -> None:
        """Money."""
        now = now_msc() * 1000
        self._seq += 1
        said = AccountState(
            run_id="live", mode="demo", account=ACCOUNT, ts_event_us=now, ts_init_us=now,
            seq=self._seq, currency="USD", balance=balance, equity=equity, margin=315.0,
        )  # fmt: skip
        self._say(ORDER_EVENTS, ACCOUNT, said)

    def risk(self, state: str, by: str = "", reason: str = "") -> None:
        """Whether trading is active."""
        now = now_msc() * 1000
        risk_state = RiskState(
            run_id="live", mode="demo", account=ACCOUNT, ts_event_us=now, ts_init_us=now,
            state=state, by=by, reason=reason,
        )  # fmt: skip
        self._say(RISK, ACCOUNT, risk_state)

    def beat(self, *processes: str) -> None:
        """Heartbeats, with how long stages took."""
        now = now_msc() * 1000
        stages = {"feature": {_bucket(9): 60}, "signal_to_order": {_bucket(410): 3}}
        for process in processes:
            self._seq += 1
            measured = stages if process in ("streams.signals", "execution") else {}
            said = Heartbeat(
                run_id="live", mode="demo", process=process, incarnation_us=now - 3_600_000_000,
                seq=self._seq, ts_event_us=now, status="ready", detail=process, stages=measured,
                max_ns=dict.fromkeys(measured, 900000),
            )  # fmt: skip
            self._say(HEARTBEATS, process, said)

    def _ticks(self, symbol: str, ticks: np.ndarray) -> None:  # type: ignore[type-arg]
        self._offset += 1
        said = TickBatch("live", "demo", "sim", symbol, self._offset, 0, ticks.tobytes())
        key = "".join(filter(str.isalnum, symbol))  # the bus carries no other names; the page must
        self._say(TICKS, f"sim.{key}", said)

    def _say(self, topic: Topic, key: str, message: object) -> None:
        self._bus.publish(topic, key, codec.encode(message))  # type: ignore[arg-type]


def _bucket(us: float) -> int:
    return bucket_of(math.ceil(us * 1000))
