"""What live execution looks after beside signals, and what health says of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.health import Health
from execution.broker.poller import AccountPoller
from execution.heartbeat import HeartbeatPublisher
from execution.risk.client_file import ClientRule
from tests.support.markets import TUESDAY
from tests.unit.execution.desk import RUN, Desk


class Room:
    """A desk, its watch, and the health of its process."""

    def __init__(self, home: Path, unsigned: str = "") -> None:
        self.desk = Desk(home)
        self.health = Health("execution", home / "run")
        self.health.set("ready")
        heartbeat = HeartbeatPublisher(self.desk.bus, self.health, RUN, self.desk.engine.stages)
        watched = self.desk.watched()._replace(unsigned=unsigned)
        self.watch = AccountPoller(watched, self.desk.timer, heartbeat=heartbeat)
        self.watch.recover()

    def poll(self, *seconds: float) -> None:
        for second in seconds:
            self.desk.at(second)
            self.watch.poll()

    def close(self) -> None:
        self.health.close()
        self.desk.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    opened = Room(tmp_path)
    yield opened
    opened.close()


def test_a_balance_that_differs_shows_in_health_until_it_agrees(room: Room) -> None:
    room.desk.terminal.hidden_balance = 5.0
    room.poll(2, 4, 6, 8)
    assert room.health.status == "degraded"
    assert "differs by +5.00" in room.health.detail
    assert room.desk.trading.state == "halted"
    room.desk.terminal.hidden_balance = 0.0
    room.poll(10)
    assert room.health.status == "ready"
    assert room.desk.trading.state == "halted"  # until a person resumes


def test_settings_that_nobody_signed_show_in_health(tmp_path: Path) -> None:
    room = Room(tmp_path, unsigned="exits of the settings are not signed and not obeyed")
    room.poll(2)
    assert (room.health.status, room.health.detail[:21]) == ("degraded", "exits of the settings")
    room.close()


def test_a_terminal_that_is_away_shows_in_health_and_is_asked_again(room: Room) -> None:
    terminal: Any = room.desk.terminal
    account, terminal.account_info = terminal.account_info, lambda: None
    room.poll(2)
    assert (room.health.status, room.health.detail) == ("degraded", "the terminal does not answer")
    terminal.account_info = account
    room.poll(2.3)
    assert room.health.status == "ready"


def test_clients_files_are_read_again_and_a_damaged_one_shows_in_health(
    room: Room, tmp_path: Path
) -> None:
    path = tmp_path / "clients.json"
    room.desk.engine.contexts.clients = ClientRule(path)
    path.write_bytes(b"{")
    room.poll(2)
    assert (room.health.status, room.health.detail[-30:]) == (
        "degraded", "entries for clients are denied",
    )  # fmt: skip
    path.unlink()
    room.poll(4)
    assert room.health.status == "ready"


@pytest.mark.parametrize(("sends", "kinds"), [(True, ["stop_moving", "stop_moved"]), (False, [])])
def test_in_shadow_not_even_a_stop_is_moved(tmp_path: Path, sends: bool, kinds: list[str]) -> None:
    rising = [(TUESDAY + 500 * n, 1.1 + n * 1e-4, 1.1001 + n * 1e-4) for n in range(120)]
    first = Desk(tmp_path, rows=rising)
    first.trade(1.0, trail=0.001)
    first.close()
    desk = Desk(tmp_path, rows=rising, sends=sends)
    watch = AccountPoller(desk.watched(), desk.timer)
    before = len(desk.events())
    desk.at(10, 1.102)
    watch.poll()
    trail = [e.kind.value for e in desk.events()[before:] if e.purpose == "trail"]
    assert trail == kinds
    desk.close()


def test_it_looks_no_more_often_than_it_should(room: Room) -> None:
    room.desk.trade(1.0)
    room.poll(2)
    calls: list[str] = []
    terminal: Any = room.desk.terminal
    positions = terminal.positions_get
    terminal.positions_get = lambda *a: calls.append("positions") or positions(*a)
    room.poll(2.1, 2.15, 2.25)
    assert calls == ["positions"]
