"""Nobody gets on the home's bus who has no business there, and nobody says another's part."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import nats.errors
import pytest
from nats.aio.client import Client

from adapters.bus import select
from adapters.bus.base import Bus, Message
from adapters.bus.lease import Written
from adapters.bus.nats.permissions import API, credential
from adapters.bus.roles import ANY, ROLES
from adapters.bus.rpc.client import RpcClient
from adapters.bus.rpc.server import RpcServer
from cli.stack.running import running
from core import topics
from core.contracts import codec
from core.contracts.order import EventKind, OrderEvent
from core.contracts.signal import Signal
from core.contracts.tick import TickBatch
from core.credentials import directory_of, secret, write_private
from core.errors import SettingsError, UnavailableError
from core.sections import BusSettings
from core.topics import Topic
from tests.support.servers import NatsServer
from tests.support.waiting import until

_SIDES = cycle((1.0, -1.0))
_DOORS = ("", ".as.collector", ".as.execution", ".as.reader")
_ROOT = Path(__file__).parents[2]


class HomeBus(NamedTuple):
    """The embedded server of a home."""

    server: NatsServer
    credentials: Path

    @property
    def settings(self) -> BusSettings:
        """As every process of the home has them."""
        return BusSettings(url=self.server.url, credentials=str(self.credentials))

    def url(self, role: str) -> str:
        """With a role's password in it, as a stranger would use it who has stolen it."""
        password = secret(self.credentials, credential(role))
        return f"nats://{role}:{password}@127.0.0.1:{self.server.port}"


@pytest.fixture
def home_bus(tmp_path: Path) -> Iterator[HomeBus]:
    credentials = directory_of(tmp_path)
    with NatsServer(tmp_path / "bus", credentials) as server:
        select.shape_topics(BusSettings(url=server.url, credentials=str(credentials)))
        yield HomeBus(server, credentials)


async def attempt(url: str, act: Callable[[Client], Awaitable[object]]) -> list[str]:
    """Do something as whoever the address names; what the server would not take."""
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error))

    client = Client()
    try:
        await client.connect(url, error_cb=note, allow_reconnect=False, max_reconnect_attempts=1)
        await act(client)
        for _ in range(2):  # nats-py's first ping overtakes what was published before it
            await client.flush()
    finally:
        await client.close()
        if client._transport:  # of one that was not let in nats-py does not close it
            client._transport.close()
            await asyncio.sleep(0)
    return errors


async def publish(client: Client, subjects: list[str]) -> None:
    for subject in subjects:
        await client.publish(subject, b"forged")


def refused(url: str, subjects: list[str]) -> set[str]:
    errors = asyncio.run(attempt(url, partial(publish, subjects=subjects)))
    names = {s: f'"{s.replace("$JS.API.", API)}"'.lower() for s in subjects}
    return {s for s, name in names.items() for text in errors if name in text.lower()}


def subject_of(topic: Topic) -> str:
    return f"{topic.name}.sim.FORGED"


def stored(bus: HomeBus) -> dict[str, int]:
    owner = select.connect(bus.settings, "owner")
    counts = {topic.name: owner.end(topic) - 1 for topic in topics.ALL}
    owner.close()
    return counts


@pytest.mark.parametrize(
    "url", ["nats://", "nats://owner:guessed@", "nats://owner@", "nats://nobody:x@"]
)
def test_without_a_credential_of_the_home_nobody_gets_in(home_bus: HomeBus, url: str) -> None:
    with pytest.raises(nats.errors.Error, match="Authorization Violation"):
        refused(f"{url}127.0.0.1:{home_bus.server.port}", ["signals.sim.BTCUSD"])
    bus = select.connect(BusSettings(url=home_bus.server.url), "execution")
    with pytest.raises(UnavailableError, match="TICKHOUSE_BUS__CREDENTIALS"):
        bus.publish(topics.SIGNALS, "sim.BTCUSD", b"forged", timeout_s=1.0)
    bus.close()
    assert set(stored(home_bus).values()) == {0}


@pytest.mark.parametrize("name", [name for name in ROLES if name != "owner"])
def test_a_role_writes_its_own_topics_and_no_other(home_bus: HomeBus, name: str) -> None:
    subjects = {subject_of(topic): topic for topic in topics.ALL}
    its_own = {topic for topic, key in ROLES[name].writes if key == ANY}
    denied = refused(home_bus.url(name), list(subjects))
    assert denied == {s for s, topic in subjects.items() if topic not in its_own}
    counts = stored(home_bus)
    assert {topic for topic in topics.ALL if counts[topic.name]} == its_own


@pytest.mark.parametrize("name", [name for name in ROLES if name != "owner"])
def test_a_role_speaks_for_itself_only(home_bus: HomeBus, name: str) -> None:
    others = [f"heartbeats.{other}" for other in ROLES if other != name]
    others += [f"control.{kind}" for kind in ("stored", "model", "models")]
    its_own = {f"{t.name}.{key}" for t, key in ROLES[name].writes}
    assert refused(home_bus.url(name), others) == set(others) - its_own


@pytest.mark.parametrize("name", [name for name in ROLES if name != "owner"])
def test_no_role_but_the_owner_changes_or_empties_what_is_kept(
    home_bus: HomeBus, name: str
) -> None:
    verbs = ("UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE")
    subjects = [f"$JS.API.STREAM.{verb}.{t.name}" for verb in verbs for t in topics.ALL]
    if not ROLES[name].leases:
        subjects += ["leases.simulated", "$JS.API.STREAM.CREATE.leases"]
    subjects += [
        "$JS.API.STREAM.PURGE.leases",
        "$JS.API.STREAM.CREATE.mine",
        "$JS.API.ACCOUNT.PURGE.x",
        "$SYS.REQ.SERVER.PING",
    ]
    subjects += [
        f"$JS.API.CONSUMER.CREATE.{t.name}" for t in topics.ALL if t not in ROLES[name].reads
    ]
    assert refused(home_bus.url(name), subjects) == set(subjects)


@pytest.mark.parametrize("name", list(ROLES))
def test_nobody_listens_to_the_answers_of_others(home_bus: HomeBus, name: str) -> None:
    async def listen(client: Client) -> None:
        for subject in (">", "_INBOX.>", "signals.>", "$JS.>", "_INBOX.other.>"):
            await client.subscribe(subject)

    assert len(asyncio.run(attempt(home_bus.url(name), listen))) == 5


def test_every_role_publishes_and_reads_as_its_process_does(home_bus: HomeBus) -> None:
    for name, role in ROLES.items():
        if not (role.writes or role.reads):
            continue
        bus = select.connect(home_bus.settings, name)
        for topic, key in role.writes:
            bus.publish(topic, key.replace(ANY, "key"), name.encode(), timeout_s=10.0)
        bus.close()
    for name, role in ROLES.items():
        bus = select.connect(home_bus.settings, name) if role.reads else None
        for topic in role.reads if bus else ():
            assert bus is not None
            reader, last = bus.subscribe(topic), bus.last(topic)
            if last is not None:
                messages = [reader.next(10.0) for _ in range(bus.end(topic) - 1)]
                assert messages[-1] is not None
                assert messages[-1].payload == last.payload
            reader.close()
        if bus:
            bus.close()


@pytest.mark.parametrize("by", ["folder", "name and password"])
def test_the_agent_answers_and_nobody_else_can_in_its_place(home_bus: HomeBus, by: str) -> None:
    given = home_bus.settings
    if by != "folder":
        password = secret(home_bus.credentials, credential("agent"))
        given = BusSettings(url=home_bus.server.url, user="agent", password=password)
    with ThreadPoolExecutor(1) as pool:
        stop, agent = threading.Event(), RpcServer(given, "desk")
        agent.claim(10.0)
        serving = pool.submit(agent.serve, lambda request, _: request * 300_000, stop)
        for role in ("execution", "collector", "owner"):
            door = RpcClient(home_bus.settings, "desk", role)
            assert door.open(10.0)
            assert door.ask(b"four", 10.0) == b"four" * 300_000  # in several parts
            door.close()
        stop.set()
        serving.result()
        agent.close()
    asking = {f"tickhouse.door.desk.{rest}" for rest in ("hello", "0123.alive")}
    for name, role in ROLES.items():
        others = {
            f"tickhouse.door.desk.0123{rest}" for rest in _DOORS if rest != f".as.{role.door}"
        }
        denied = others if role.door else asking | others
        assert refused(home_bus.url(name), list(denied)) == denied


def test_who_is_nobody_on_the_bus_is_told_so(home_bus: HomeBus) -> None:
    with pytest.raises(SettingsError, match="nobody is called 'stranger'"):
        select.connect(home_bus.settings, "stranger")


def test_what_an_older_version_kept_in_one_account_is_kept_on(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "bus") as server:  # without roles all is in one account, as it was
        bus = select.connect(BusSettings(url=server.url), "execution")
        for topic in topics.ALL:
            bus.publish(topic, "before", topic.name.encode(), timeout_s=10.0)
        bus.close()
        lease = select.lease(BusSettings(url=server.url), "simulated", "execution")
        assert lease.read(10.0) is None
        known = lease.replace(b"mine", 0, 10.0)
        lease.close()
    for _ in range(2):
        with NatsServer(tmp_path / "bus", directory_of(tmp_path)) as server:
            settings = BusSettings(url=server.url, credentials=str(directory_of(tmp_path)))
            owner = select.connect(settings, "owner")
            kept = [owner.last(topic) for topic in topics.ALL]
            owner.close()
            lease = select.lease(settings, "simulated", "execution")
            assert lease.read(10.0) == Written(b"mine", known)
            lease.close()
        assert [m and (m.key, m.payload) for m in kept] == [
            ("before", topic.name.encode()) for topic in topics.ALL
        ]


def test_secrets_are_their_owners_alone_and_stay_the_same(tmp_path: Path) -> None:
    credentials = directory_of(tmp_path)
    with NatsServer(tmp_path / "bus", credentials):
        first = {path.name: path.read_text() for path in credentials.iterdir()}
    with NatsServer(tmp_path / "bus", credentials):
        assert {path.name: path.read_text() for path in credentials.iterdir()} == first
    assert set(first) == {credential(name) for name in ROLES}
    assert len(set(first.values())) == len(ROLES)
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o700
    private = [*credentials.iterdir(), tmp_path / "bus" / "nats.conf"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_those_who_come_together_agree_about_a_secret(tmp_path: Path) -> None:
    for turn in range(20):
        with ThreadPoolExecutor(8) as pool:
            secrets = pool.map(lambda _, turn=turn: secret(tmp_path / "c", f"s{turn}"), range(8))
        assert len(set(secrets)) == 1
    assert len(list((tmp_path / "c").iterdir())) == 20


def test_a_secret_that_others_can_read_or_that_was_replaced_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    original = secret(tmp_path, "s")
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="others may read it"):
        secret(tmp_path, "s")
    path.write_text("")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="holds no secret"):
        secret(tmp_path, "s")
    write_private(tmp_path / "elsewhere", original)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="cannot be read"):
        secret(tmp_path, "s")


def test_an_address_with_a_password_in_it_works_and_is_not_shown(home_bus: HomeBus) -> None:
    bus = select.connect(BusSettings(url=home_bus.url("owner")), "anyone")
    assert bus.publish(topics.SIGNALS, "sim.BTCUSD", b"the owner's", timeout_s=10.0) == 1
    bus.close()
    home_bus.server.kill()
    away = select.connect(BusSettings(url=home_bus.url("owner")), "anyone")
    with pytest.raises(UnavailableError) as error:
        away.publish(topics.SIGNALS, "sim.BTCUSD", b"", timeout_s=0.2)
    assert secret(home_bus.credentials, credential("owner")) not in str(error.value)
    away.close()


@pytest.mark.process
def test_the_stack_trades_while_strangers_are_refused_and_shows_no_secret(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {
        **os.environ, "PYTHONPATH": str(_ROOT), "TICKHOUSE_HOME": str(home),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD", "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
    }  # fmt: skip
    line = [sys.executable, "-m", "cli.main"]
    up = subprocess.Popen(
        [*line, "up", "--strategy", "scripted"], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        where = until(lambda: (stack := running(home)) and stack.urls, 120.0, running=up)
        settings = BusSettings(url=where["bus"], credentials=str(directory_of(home)))
        board = select.connect(settings, "board")
        events = board.subscribe(topics.ORDER_EVENTS)
        signals = select.connect(settings, "streams.signals")
        until(lambda: _wish(board, signals) and _is_fill(events.next(2.0)), 120.0, running=up)
        for each in (events, board, signals):
            each.close()
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            refused(where["bus"], ["signals.sim.BTCUSD"])
        texts = [
            subprocess.run(
                [*line, "status"], env=environment, capture_output=True, text=True
            ).stdout,
            _monitor(where["bus monitor"]),
            _command_lines(),
        ]
    finally:
        up.send_signal(signal.SIGTERM)
        output, _ = up.communicate(timeout=60)
    texts += [output, *(path.read_text(errors="replace") for path in _said(home))]
    held = {path.read_text() for path in directory_of(home).iterdir()}
    assert held
    assert not [s for s in held for text in texts if s in text]


def _wish(board: Bus, signals: Bus) -> bool:
    """A signal at the newest quote, opposite to the one before; False without a quote."""
    last = board.last(topics.TICKS, "sim.BTCUSD")
    batch = codec.decode(topics.TICKS.name, last.payload) if last else None
    if not isinstance(batch, TickBatch):
        return False
    now, price, side = time.time_ns() // 1000, float(batch.ticks["bid"][-1]), next(_SIDES)
    signal = Signal(
        signal_id=f"s{now}", run_id="live", mode="demo", account="simulated", strategy="scripted",
        source="sim", symbol="BTCUSD", ts_event_us=now, ts_init_us=now, time_msc=now // 1000,
        seq=0, target=side, reference_price=price, stop_price=price * (1 - 0.03 * side),
        horizon_us=now + 3_600_000_000, expires_us=now + 30_000_000, confidence=0.9,
        model="a model", prediction_id="",
    )  # fmt: skip
    signals.publish(topics.SIGNALS, "sim.BTCUSD", codec.encode(signal), signal.signal_id)
    return True


def _is_fill(message: Message | None) -> bool:
    if message is None:
        return False
    event = codec.decode(topics.ORDER_EVENTS.name, message.payload)
    return isinstance(event, OrderEvent) and event.kind is EventKind.FILLED


def _monitor(url: str) -> str:
    pages = (
        "varz",
        "connz?auth=1&subs=detail",
        "routez",
        "accountz",
        "subsz?subs=1",
        "jsz?config=1",
    )
    return "".join(
        urllib.request.urlopen(f"{url}/{page}", timeout=5).read().decode() for page in pages
    )


def _command_lines() -> str:
    listed = subprocess.check_output(["ps", "-eo", "ppid,args"], text=True)
    assert "nats-server" in listed
    return listed


def _said(home: Path) -> list[Path]:
    written = [*(home / "logs").iterdir(), *(home / "run").iterdir(), home / "audit.log"]
    return [path for path in written if path.is_file()]
