"""The live page's process beside a real bus and a real warehouse, either of which may go away."""

import asyncio
import contextlib
import itertools
import json
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from adapters.bus.nats.bus import NatsBus
from adapters.clickhouse.rows import message_columns, tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts import codec
from core.contracts.operations import RiskState
from core.contracts.order import AccountState
from core.contracts.prediction import Prediction
from core.contracts.tick import TickBatch
from core.sections import BusSettings
from core.topics import PREDICTIONS, RISK, TICKS
from tests.support.live_page import FEED, batch, now_msc, page
from tests.support.servers import NatsServer
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]

pytestmark = pytest.mark.process
LINKED = {"up": True, "since": 0, "problem": ""}


class Viewer:
    """A browser's store: keyed items, as messages come."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.items, self.messages = socket, dict[str, Any](), 0

    async def until(self, holds: Callable[[dict[str, Any]], bool], timeout_s: float = 20.0) -> None:
        """Read until a condition on the items holds."""
        async with asyncio.timeout(timeout_s):
            while not holds(self.items):
                for item in json.loads(await self.socket.recv()):
                    self.items[item["k"]] = item["v"]
                self.messages += 1


@asynccontextmanager
async def viewer(url: str) -> AsyncIterator[Viewer]:
    address = url.replace("http", "ws") + "/live"
    async with connect(address, origin=url, max_size=None, max_queue=1) as socket:  # type: ignore[arg-type]
        yield Viewer(socket)


@pytest.fixture
def bus(nats_server: NatsServer) -> Iterator[NatsBus]:
    client = NatsBus(BusSettings(url=nats_server.url), "test")
    yield client
    client.close()


def tell(bus: NatsBus, message: TickBatch) -> None:
    bus.publish(TICKS, "sim.BTCUSD", codec.encode(message), f"t{message.offset}")


def test_past_and_present_meet_and_outages_are_told(
    tmp_path: Path, nats_server: NatsServer, bus: NatsBus, warehouse: Warehouse
) -> None:
    minute = now_msc() // 60_000 * 60_000
    store(warehouse, batch(0, minute - 300_000, 100.0), minute)

    async def watch(url: str) -> None:
        async with viewer(url) as seen:
            bar = f"bar|{FEED}|{minute // 1000 - 300}"
            await seen.until(lambda items: bar in items and "account|simulated" in items)
            assert seen.items[bar] == [minute // 1000 - 300, 100.0, 100.0, 100.0, 100.0]
            tell(bus, batch(1, now_msc(), 200.0))
            await seen.until(lambda items: f"quote|{FEED}" in items)
            assert seen.items[f"quote|{FEED}"]["bid"] == 200.0
            await seen.until(lambda items: items.get("link|warehouse", {}).get("up") is True)

            nats_server.kill()
            await seen.until(lambda items: items["link|bus"]["up"] is False)
            nats_server.start()
            await seen.until(lambda items: items["link|bus"]["up"] is True)
            tell(bus, batch(2, now_msc(), 300.0))
            await seen.until(lambda items: items[f"quote|{FEED}"]["bid"] == 300.0)

            warehouse.kill()
            await seen.until(lambda items: items["link|warehouse"]["up"] is False)
            tell(bus, batch(3, now_msc(), 400.0))
            await seen.until(lambda items: items[f"quote|{FEED}"]["bid"] == 400.0)

    with page(tmp_path / "home", nats_server.url, warehouse.url) as url:
        asyncio.run(watch(url))
    warehouse.start()  # for those that come after


def store(warehouse: Warehouse, ticks: TickBatch, minute: int) -> None:
    state = AccountState(
        run_id="live", mode="demo", account="simulated", ts_event_us=minute * 1000, ts_init_us=1,
        seq=1, currency="USD", balance=10.0, equity=11.0, margin=0.0,
    )  # fmt: skip
    with Writer(warehouse.settings) as writer:
        writer.insert("tick", tick_columns(ticks.source, ticks.symbol, ticks.ticks))
        writer.insert("account_state", message_columns([state]))


def predict(bus: NatsBus, up: float) -> None:
    said = Prediction(
        run_id="live", mode="demo", account="simulated", source="sim", symbol="BTCUSD",
        ts_event_us=now_msc() * 1000, seq=0, ts_init_us=1, model="m1", p_down=0.1, p_flat=0.9 - up,
        p_up=up, confidence=up, agreement=1.0, veto=False, edge_bp=0.5,
    )  # fmt: skip
    bus.publish(PREDICTIONS, "sim.BTCUSD", codec.encode(said))


def test_without_a_warehouse_the_page_lives_from_the_bus(
    tmp_path: Path, nats_server: NatsServer, bus: NatsBus
) -> None:
    async def watch(url: str) -> None:
        async with viewer(url) as seen:
            await seen.until(lambda items: items.get("link|warehouse", {}).get("up") is False)
            tell(bus, batch(0, now_msc(), 5.0))
            await seen.until(lambda items: f"quote|{FEED}" in items)
            predict(bus, 0.75)
            shown = f"prediction|{FEED}"
            await seen.until(lambda items: items.get(shown, {}).get("confidence") == 0.75)

    with page(tmp_path, nats_server.url, "http://127.0.0.1:9") as url:
        asyncio.run(watch(url))


def test_a_page_that_starts_before_its_bus_is_there_and_listens_to_it_later(
    tmp_path: Path, nats_server: NatsServer
) -> None:
    nats_server.kill()

    async def watch(url: str) -> None:
        async with viewer(url) as seen:
            await seen.until(lambda items: items.get("link|bus", {}).get("up") is False)
            nats_server.start()
            await seen.until(lambda items: items["link|bus"] | {"since": 0} == LINKED)
            bus = NatsBus(BusSettings(url=nats_server.url), "test")
            try:
                for offset in itertools.count():  # the first ones may come before it listens
                    tell(bus, batch(offset, now_msc(), 5.0))
                    with contextlib.suppress(TimeoutError):
                        await seen.until(lambda items: f"quote|{FEED}" in items, timeout_s=1.0)
                        break
            finally:
                bus.close()

    with page(tmp_path, nats_server.url, "http://127.0.0.1:9") as url:
        asyncio.run(watch(url))


def test_a_trading_state_that_was_said_and_is_stored_nowhere_is_shown(
    tmp_path: Path, nats_server: NatsServer, bus: NatsBus, warehouse: Warehouse
) -> None:
    for at_us, state in enumerate(("active", "halted"), 1):
        said = RiskState(
            run_id="live", mode="demo", account="simulated", ts_event_us=at_us, ts_init_us=at_us,
            state=state, by="ann", reason="lunch",
        )  # fmt: skip
        bus.publish(RISK, "simulated", codec.encode(said))

    async def watch(url: str) -> None:
        async with viewer(url) as seen:
            await seen.until(lambda items: "risk|simulated" in items)
            assert seen.items["risk|simulated"]["state"] == "halted"

    with page(tmp_path / "home", nats_server.url, warehouse.url) as url:
        asyncio.run(watch(url))


def test_a_slow_viewer_is_thinned_and_nobody_waits_for_it(
    tmp_path: Path, nats_server: NatsServer, bus: NatsBus
) -> None:
    last = 20_000

    async def watch(url: str) -> None:
        async with viewer(url) as slow, viewer(url) as quick:
            await slow.until(lambda items: "now" in items)
            await quick.until(lambda items: "now" in items)
            for offset in range(1, last + 1):
                bus.send(TICKS, "sim.BTCUSD", codec.encode(batch(offset, now_msc(), offset)))
            await asyncio.to_thread(bus.flush)
            at_the_end = lambda items: items.get(f"quote|{FEED}", {}).get("bid") == last  # noqa: E731
            await quick.until(at_the_end, 60)
            await slow.until(at_the_end, 60)
            assert slow.messages < last  # what it missed was not kept for it

    with page(tmp_path, nats_server.url, "http://127.0.0.1:9") as url:
        asyncio.run(watch(url))


def test_older_candles_come_from_the_warehouse_at_any_span(
    tmp_path: Path, nats_server: NatsServer, warehouse: Warehouse
) -> None:
    day = 1_790_000_000 // 86_400 * 86_400
    for offset, (second, bid) in enumerate([(5, 1.0), (6, 3.0), (130, 2.0), (7_300, 5.0)]):
        store(warehouse, batch(offset, (day + second) * 1000, bid), day * 1000)

    def older(url: str, span: int) -> list[list[float]]:
        query = f"feed={FEED}&span={span}&before={day + 86_400}&count={86_400 // span}"
        with urllib.request.urlopen(f"{url}/api/bars?{query}") as answer:
            return [[bar[0] - day, *bar[1:]] for bar in json.load(answer)]

    with page(tmp_path / "home", nats_server.url, warehouse.url) as url:
        assert older(url, 86_400) == [[0, 1.0, 5.0, 1.0, 5.0]]
        assert older(url, 3_600) == [[0, 1.0, 3.0, 1.0, 2.0], [7_200, 5.0, 5.0, 5.0, 5.0]]
        first, second = [0, 1.0, 3.0, 1.0, 3.0], [120, 2.0, 2.0, 2.0, 2.0]
        assert older(url, 60)[:2] == [first, second]
        assert older(url, 900) == [[0, 1.0, 3.0, 1.0, 2.0], [7_200, 5.0, 5.0, 5.0, 5.0]]
