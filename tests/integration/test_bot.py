"""The bot's process beside a real bus and a Telegram server of ours; what else is there may go."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.bus.nats.bus import NatsBus
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from core import totp, trading_control
from core.audit_log import path_in, read
from core.contracts.order import EventKind
from core.sections import BusSettings
from tests.support.bot_process import bot
from tests.support.live_desk import Desk
from tests.support.live_execution import ACCOUNT, execution
from tests.support.live_page import now_msc
from tests.support.orders import event
from tests.support.servers import NatsServer
from tests.support.telegram_server import TOKEN, RefusedError, TelegramServer
from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]

pytestmark = pytest.mark.process
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def desk(nats_server: NatsServer) -> Iterator[Desk]:
    bus = NatsBus(BusSettings(url=nats_server.url), "test")
    yield Desk(bus)
    bus.close()


@pytest.fixture
def ended(warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse that a test may kill."""
    yield warehouse
    warehouse.start()  # for those that come after


def shows(telegram: TelegramServer, text: str) -> None:
    telegram.until(lambda: any(text in shown for shown in telegram.texts()))


def test_a_desk_in_the_pocket_without_a_warehouse(
    tmp_path: Path, nats_server: NatsServer, telegram: TelegramServer, desk: Desk
) -> None:
    """A halt holds without a warehouse; strangers, replays and a lost network do no harm."""
    with bot(tmp_path, telegram, nats_server.url, NOWHERE) as process:
        telegram.write("/help")
        shows(telegram, "You are ann (risk).")
        desk.open()
        desk.order(9, EventKind.FILLED, now_msc() * 1000, side="sell", price=63_020.5)
        shows(telegram, "Filled")  # unasked
        telegram.write("/status")
        shows(telegram, "processes beat and are ready")
        shows(telegram, "The warehouse does not answer")
        telegram.refusals.append(RefusedError(429, "Too Many Requests: retry after 1", 1))
        telegram.write("/positions")
        shows(telegram, "BTCUSD +0.1 at 63020.00")
        telegram.write("/status", person=3)
        telegram.write("/status", person=1, chat=101)
        refused = telegram.write("/flatten 123456", person=2)
        shows(telegram, "/flatten is not for role analyst.")
        telegram.repeat(refused)

        halt = telegram.write("/halt the spread is odd")
        shows(telegram, "Halt trading?")
        telegram.lose()
        pressed = telegram.press("Yes")
        telegram.away = False
        shows(telegram, "Trading is HALTED by ann: the spread is odd")
        telegram.repeat(pressed)
        telegram.repeat(halt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with bot(tmp_path, telegram, nats_server.url, NOWHERE):
            telegram.write("/status")
            shows(telegram, "Trading is HALTED since")

    held = trading_control.current(tmp_path)
    assert held is not None
    assert (held.state, held.by, held.reason) == ("halted", "ann", "the spread is odd")
    actions = [(line.actor, line.action) for line in read(path_in(tmp_path))]
    # Refused once, though it came twice.
    assert actions == [("bert", "bot refused"), ("ann", "halt"), ("ann", "bot halt")]
    assert [shown.chat for shown in telegram.shown.values() if shown.chat != 100] == []
    assert len([text for text in telegram.texts() if "not for role" in text]) == 1
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    leaks = [path.name for path in kept if TOKEN.encode() in path.read_bytes()]
    assert leaks == ["telegram.token"]


def test_a_bot_that_starts_with_everything_away_halts_and_listens_once_there_is_a_bus(
    tmp_path: Path, nats_server: NatsServer, telegram: TelegramServer, desk: Desk
) -> None:
    nats_server.kill()
    with bot(tmp_path, telegram, nats_server.url, NOWHERE):
        telegram.write("/halt all is dark")
        shows(telegram, "Halt trading?")
        telegram.press("Yes")
        shows(telegram, "Trading is HALTED by ann: all is dark")
        telegram.write("/status")
        shows(telegram, "The bus does not answer")
        nats_server.start()
        until(
            lambda: any("is REDUCING by watch" in text for text in telegram.texts()),
            meanwhile=lambda: desk.risk("reducing", "watch", "disk"),
            every_s=0.1,
        )
        shows(telegram, "Trading of simulated is REDUCING by watch: disk")


@pytest.mark.heavy(suite="survival")
def test_what_was_comes_from_the_warehouse_and_a_halt_needs_none(
    tmp_path: Path, nats_server: NatsServer, telegram: TelegramServer, desk: Desk, ended: Warehouse
) -> None:
    now_us = now_msc() * 1000
    denied = event(
        71, EventKind.DENIED, now_us - 2_000_000, reason="wide_spread", observed=7.0, limit=5.0,
        account="simulated", run_id="live", mode="demo", seq=1, limits_version="v9",
    )  # fmt: skip
    filled = event(
        72, EventKind.FILLED, now_us - 1_000_000, purpose="horizon", profit=12.5, commission=-0.5,
        account="simulated", run_id="live", mode="demo", seq=2, price=63_000.0,
    )  # fmt: skip
    with Writer(ended.settings) as writer:
        writer.insert("order_event", message_columns([denied, filled]))
    with bot(tmp_path, telegram, nats_server.url, ended.url):
        telegram.write("/daily")
        shows(telegram, "together +12.00")
        telegram.write(f"/why {denied.order_id}")
        shows(telegram, "wide spread, 7 where 5 may be (limits v9)")
        telegram.write("/why '; DROP TABLE order_event")
        shows(telegram, "Nothing of that id is stored")
        telegram.write("/risk")
        shows(telegram, "Nothing was held yet")
        telegram.write("/report")
        shows(telegram, "tickhouse report NAME")
        desk.open()
        telegram.write("/limits")
        shows(telegram, "Limits default-2")
        telegram.until(lambda: desk_is_known(telegram))
        telegram.write("/chart btcusd")
        telegram.until(lambda: any(shown.picture for shown in telegram.shown.values()))
        ended.kill()
        telegram.write("/daily 3")
        shows(telegram, "Not done: ")
        telegram.write("/halt everything is down")
        shows(telegram, "Halt trading?")
        telegram.press("Yes")
        shows(telegram, "Trading is HALTED by ann: everything is down")
    (picture,) = (shown for shown in telegram.shown.values() if shown.picture)
    assert picture.text.startswith("BTCUSD 62")
    assert picture.picture.startswith(b"\x89PNG")
    held = trading_control.current(tmp_path)
    assert held is not None
    assert held.state == "halted"


def desk_is_known(telegram: TelegramServer) -> bool:
    """Whether the bot has heard of positions; asks it."""
    telegram.write("/positions")
    return any("BTCUSD +0.1" in text for text in telegram.texts())


@pytest.mark.heavy(suite="survival")
def test_a_running_execution_obeys_the_bot_at_once(
    tmp_path: Path, telegram: TelegramServer
) -> None:
    """With an execution, and with neither warehouse nor Dagster; a code closes positions, once."""
    home = tmp_path / "home"
    with execution(home) as (bus, _):
        assert isinstance(bus, NatsBus)
        secret = totp.secret_of(home, "ann")
        with bot(home, telegram, bus._url, NOWHERE, TICKHOUSE_RUN__ACCOUNT=ACCOUNT):
            telegram.write("/halt now")
            shows(telegram, "Halt trading?")
            telegram.press("Yes")
            shows(telegram, "Positions keep their stops. Execution obeys.")
            shows(telegram, f"Trading of {ACCOUNT} is HALTED by ann: now")  # execution says so
            code = totp.code(secret, totp.step_of(now_msc() * 1000))
            telegram.write(f"/flatten {code} out of here")
            shows(telegram, "CLOSE all positions?")
            telegram.write(f"/flatten {code} again")
            shows(telegram, "That code is wrong, or was used.")
            telegram.press("Yes")
            shows(telegram, "Positions are closed. Execution obeys.")
            telegram.write("/resume all is well")
            shows(telegram, "Resume trading?")
            telegram.press("Yes")
            shows(telegram, "Trading is ACTIVE again (ann: all is well).")
            shows(telegram, f"Trading of {ACCOUNT} is ACTIVE")
    actions = [line.action for line in read(path_in(home)) if line.actor == "ann"]
    assert actions == [
        "halt", "bot halt", "bot refused", "halt", "bot halt", "bot resume",
    ]  # fmt: skip
