"""The bot's process beside a real bus and a Telegram server of ours; what else is there may go."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.bus.nats.bus import NatsBus
from core import trading_control
from core.audit_log import path_in, read
from core.contracts.order import EventKind
from core.sections import BusSettings
from tests.support.bot_process import bot
from tests.support.live_desk import Desk
from tests.support.live_page import now_msc
from tests.support.servers import NatsServer
from tests.support.telegram_server import TOKEN, TelegramServer

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
    assert actions == [("ann", "halt"), ("ann", "bot halt")]
    assert [shown.chat for shown in telegram.shown.values() if shown.chat != 100] == []
    assert len([text for text in telegram.texts() if "not for role" in text]) == 1
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    leaks = [path.name for path in kept if TOKEN.encode() in path.read_bytes()]
    assert leaks == ["telegram.token"]
