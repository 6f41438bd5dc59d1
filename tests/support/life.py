"""A home that lives: days of ticks through the real flows, a new session each morning.

The collector's part is played, and the broker's: ticks are put on a bus in this process, and each
signal gets the journal's events of an order that was denied, or of one that was filled where that
is asked for. Everything between is the product: sessions, flows with their recovery stores, the
registry, the warehouse.
"""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from adapters.clickhouse import client, migrate
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from adapters.mt5.venue.venue import Fill, Side
from cli.stack import sessions, warehouse_setup
from core.clock import ManualClock
from core.contracts import codec
from core.contracts.order import DenialReason, EventKind, OrderEvent
from core.contracts.session import Session
from core.contracts.signal import Signal
from core.contracts.tick import TickArray, TickBatch
from core.health import Health
from core.home_users import READER, as_process
from core.metrics import Histograms
from core.sections import ClickhouseSettings, ModelSettings, RunSettings
from core.settings import Settings
from core.topics import SIGNALS, TICKS
from execution.journal import events
from execution.journal.journal import Journal
from execution.order_path.sizing import Leg
from execution.risk.checks import Denial
from features.catalog import NAMES
from features.kernel import features_of
from features.state import new_state
from models.serving.artifact import Artifact
from models.training.dataset import Dataset
from models.training.train import fit
from streams import cluster, compose, compose_signals
from streams.explain import attempts, facts, history, material
from tests.support.memory_bus import MemoryBus
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse

RUN = RunSettings(run_id="live", mode="demo", account="simulated", strategy="breakout")
DAY_MSC = 86_400_000


LEAN = '''
"""Leans against a stretched market."""

import numpy as np

from features.catalog import NAMES
from strategies.protocol import Targets


class Lean:
    name = "lean"
    needs_model = False
    horizon_s = {horizon}

    def __init__(self, settings):
        pass

    def targets(self, rows, probabilities):
        lean = np.nan_to_num(rows[:, NAMES.index("bollinger_position")] - 0.5)
        return Targets(-np.sign(lean) * (np.abs(lean) > {beyond}), np.abs(lean).clip(0, 1))
'''


class Feed(NamedTuple):
    """Ticks of one feed."""

    source: str
    symbol: str
    ticks: TickArray


class Life:
    """One home and its warehouse. `start` begins a session, `trade` feeds it, `stop` ends it.

    Args:
        fills: how many of ten orders are sent and filled; the others are denied.
    """

    def __init__(self, home: Path, server: Warehouse, fills: int = 0) -> None:
        self.home, self.bus, self._server, self._fills = home, MemoryBus(), server, fills
        self.settings = Settings(
            home=str(home), run=RUN,
            clickhouse=ClickhouseSettings(url=server.url, credentials=server.credentials),
        )  # fmt: skip
        migrate.apply(server.client, NAMES)
        self.session: Session | None = None
        self.decided: list[Signal] = []
        self._clock = ManualClock()
        self._offsets: dict[tuple[str, str], int] = {}

    @property
    def client(self) -> Client:
        """The warehouse as its owner."""
        return self._server.client

    @contextmanager
    def put_back(self, *tables: str) -> Iterator[None]:
        """Whatever happens to these tables within, they are as before afterwards."""
        for table in tables:
            self.client.command(f"CREATE TABLE {table}_before AS {table}")
            self.client.command(f"INSERT INTO {table}_before SELECT * FROM {table}")
        try:
            yield
        finally:
            for table in tables:
                self.client.command(f"EXCHANGE TABLES {table} AND {table}_before")
                self.client.command(f"DROP TABLE {table}_before")

    def explained(self, decision: str, scratch: Path) -> dict[str, Any]:
        """A decision explained, as one who may only read."""
        where = as_process(self.settings, READER).clickhouse
        connected = client.connect(where)
        try:
            stored = facts.find(connected, decision)
            known = history.read(connected, stored)
        finally:
            connected.close()
        files = material.of(stored, self.home, scratch)
        return attempts.best(stored, known, files).account

    def own(self, name: str, code: str) -> None:
        """A person writes a strategy."""
        path = self.home / "strategies" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)

    def start(self, now_us: int = 0, **sections: Mapping[str, Any]) -> Session:
        """What `up` does before its processes: `sections` change the settings, and stay."""
        for name, changed in sections.items():
            section = replace(getattr(self.settings, name), **changed)
            self.settings = replace(self.settings, **{name: section})
        self._clock = ManualClock()
        self._clock.advance(now_us)
        self.settings = sessions.named(self.settings, self._clock)
        url = self._server.url
        warehouse_setup.write_run(self.settings, url)
        self.session = sessions.begin(self.settings, url, self._clock)
        return self.session

    def stop(self) -> None:
        """The drain's last word."""
        assert self.session is not None
        sessions.end(self.settings, self._server.url, self.session, self._clock)

    def trade(self, *feeds: Feed, flows: Sequence[str] = ("ticks", "signals")) -> list[Signal]:
        """Ticks through the flows, whose processes start and drain for them; the new signals.

        Args:
            flows: those that run; what others miss they read when they are back.
        """
        for batch in _in_order(feeds):
            self._publish(*batch)
        known = len(self.bus.topics[SIGNALS.name])
        for flow in flows:
            self._run(flow)
        signals = [
            codec.decode(SIGNALS.name, m.payload) for m in self.bus.topics[SIGNALS.name][known:]
        ]
        self._ordered(signals)
        self.decided += signals
        return signals

    def _publish(self, source: str, symbol: str, ticks: TickArray) -> None:
        offset = self._offsets.get((source, symbol), 0)
        run = self.settings.run
        batch = TickBatch(run.run_id, run.mode, source, symbol, offset, 0, ticks.tobytes())
        self.bus.publish(TICKS, f"{source}.{symbol}", codec.encode(batch))
        self._offsets[source, symbol] = offset + len(ticks)

    def _run(self, flow: str) -> None:
        stopping = threading.Event()
        stopping.set()  # it ends after the newest message
        build = {"ticks": compose.ticks, "signals": compose_signals.signals}[flow]
        health = Health(f"streams.{flow}", self.home / "run")
        own = as_process(self.settings, f"streams.{flow}")
        with patch.object(compose, "LIVE_DRAIN_S", math.inf):  # nobody kills what takes longer
            built = build(own, self.bus, stopping, Histograms(), health)
        cluster.run(built, compose.state_directory(self.settings, flow), self.settings)

    def filled(self, signal: Signal) -> bool:
        """Whether the order of a signal is sent and filled."""
        return int(signal.signal_id[-2:], 16) % 10 < self._fills

    def _ordered(self, signals: list[Signal]) -> None:
        if not signals:
            return
        run = self.settings.run
        journal = Journal(
            self.home / "execution" / run.account / "journal", session_id=run.session_id
        )
        wanted = [
            (_filled if self.filled(signal) else _denied)(signal, run)
            for signal in sorted(signals, key=lambda signal: signal.ts_event_us)
        ]
        try:
            records = journal.append([event for of_order in wanted for event in of_order])
        finally:
            journal.close()
        with Writer(as_process(self.settings, "streams.executions").clickhouse) as writer:
            writer.insert(
                "order_event", message_columns([e for e in records if isinstance(e, OrderEvent)])
            )


def _order(signal: Signal, run: RunSettings) -> OrderEvent:
    """By the market's time, as are its days in reports."""
    leg = Leg("buy" if signal.target > 0 else "sell", 0.1, 0)
    return events.of_signal(signal, leg, 0, None, signal.ts_event_us + 300, run)


def _denied(signal: Signal, run: RunSettings) -> list[OrderEvent]:
    order = _order(signal, run)
    why = Denial(DenialReason.WIDE_SPREAD, 5.0, 6.0)
    return [events.received(order, signal), events.denied(order, why, "default-1")]


def _filled(signal: Signal, run: RunSettings) -> list[OrderEvent]:
    """At the mid, before the next millisecond."""
    order = replace(_order(signal, run), arrival_mid=signal.reference_price)
    deal, done_us = int(signal.signal_id[:12], 16), order.ts_init_us + 400
    side: Side = "buy" if order.side == "buy" else "sell"
    price = signal.reference_price
    fill = Fill(
        order=deal, deal=deal, position=deal, time_us=done_us, side=side, volume=order.volume,
        price=price, commission=-0.5, swap=0.0, profit=0.0,
    )  # fmt: skip
    done = events.filled(order, fill, EventKind.FILLED, done_us + 100)
    return [events.received(order, signal), order, done]


def _in_order(feeds: tuple[Feed, ...], span_msc: int = 500) -> list[tuple[str, str, TickArray]]:
    """Batches of half a second as a collector polls them, in the order of market time."""
    cuts = []
    for feed in feeds:
        ends = np.flatnonzero(np.diff(feed.ticks["time_msc"] // span_msc)) + 1
        parts = np.split(feed.ticks, ends)
        cuts += [(int(part["time_msc"][0]) // span_msc, feed, part) for part in parts]
    cuts.sort(key=lambda cut: cut[0])
    return [(feed.source, feed.symbol, part) for _, feed, part in cuts]


def of_day(recorded: TickArray, day: int, ticks: int) -> TickArray:
    """The first ticks of a recording's n-th trading day; past its end the days again, weeks later.

    Days are those of the EURUSD recording, so that symbols agree.
    """
    known = np.unique(recorded_ticks("EURUSD_oanda")["time_msc"] // DAY_MSC)
    again, place = divmod(day, len(known))
    taken = recorded[recorded["time_msc"] // DAY_MSC == known[place]][:ticks].copy()
    taken["time_msc"] += again * 14 * DAY_MSC
    taken["ts_recv_us"] = taken["time_msc"] * 1000
    return taken


def model_of(days: Sequence[TickArray], seed: int) -> Artifact:
    """A model that learnt the very ticks by heart, so that it decides on them."""
    ticks = np.concatenate(days)
    rows, index = features_of(new_state(), ticks, 1000)
    at = ticks[index]
    dataset = Dataset(
        rows=rows, time_us=at["time_msc"] * 1000, mid=(at["bid"] + at["ask"]) / 2,
        spread=at["ask"] - at["bid"], feed=np.zeros(len(at), np.int32), feeds=("oanda.EURUSD",),
    )  # fmt: skip
    settings = ModelSettings(300.0, 30 + seed, 6, 0.3, threads=1, members=("xgboost",))
    return fit(dataset, "live", settings, simulated=True)
