"""Two executions of one account never fill the same signal twice, however they came about."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.bus.lease import ChangedError, LeasePlace
from adapters.mt5.fence import FENCED, Fence
from adapters.mt5.remote import frames
from adapters.mt5.remote.answers import TerminalCalls
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.mt5.venue.orders import Venue
from adapters.mt5.venue.venue import Account, VenueOrder
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from core.contracts import codec
from core.contracts.order import EventKind
from core.contracts.signal import Signal
from core.contracts.tick import TICK, TickBatch
from core.credentials import directory_of
from core.errors import BusyError, SettingsError
from core.health import Health
from core.sections import BusSettings
from core.topics import SIGNALS, TICKS
from execution.journal import journal
from execution.journal.journal import Journal
from execution.journal.records import LeaseTaken
from execution.lease import Lease, holder_of, locked_account
from tests.support.buses import BusServer
from tests.support.servers import NatsServer
from tests.support.terminals import asking
from tests.support.waiting import until

#: Renewals on a bus, and how long without one a lease lasts.
PACES = {
    "nats": {"renew_s": 0.05, "lasts_s": 0.5},
    "kafka": {"renew_s": 0.8, "lasts_s": 2.5},  # a new producer takes most of a second
}
ROOT = Path(__file__).parents[2]
BTC = GeneratedMarket(("BTCUSD",), "sim", 7)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Server]:
    account = SimulatedTerminal(BTC, log=tmp_path / "account.log")
    server = Server(account, directory_of(tmp_path), fence=Fence(tmp_path / "account.claim"))
    yield server
    server.close()


@pytest.fixture
def bus(nats_server: NatsServer) -> Iterator[Bus]:
    client = select.connect(BusSettings(url=nats_server.url), "test")
    yield client
    client.close()


@pytest.fixture
def place(bus_server: BusServer) -> Iterator[Callable[[], LeasePlace]]:
    opened: list[LeasePlace] = []

    def open_one() -> LeasePlace:
        lease = select.lease(bus_server.settings, "simulated", "execution")
        opened.append(lease)
        return lease

    yield open_one
    for lease in opened:
        lease.close()


@pytest.fixture
def pace(bus_server: BusServer) -> dict[str, float]:
    return PACES[bus_server.kind]


# -- the lease ---------------------------------------------------------------------------------


def test_the_second_holder_is_refused_while_the_first_lives(
    place: Callable[[], LeasePlace], pace: dict[str, float]
) -> None:
    first, second = Lease(place(), "a", "one", **pace), Lease(place(), "a", "two", **pace)
    assert first.take(0) == 1
    with pytest.raises(BusyError, match=r"another execution trades account a .*one, number 1"):
        second.take(0)
    first.close()
    again = Lease(place(), "a", "two", **pace)
    assert (again.take(0), again.taken_over) == (2, True)
    again.close()


@pytest.mark.parametrize(("journalled", "taken_over"), [(7, False), (3, True)])
def test_a_restarted_holder_takes_its_own_back_with_a_higher_number(
    place: Callable[[], LeasePlace], journalled: int, taken_over: bool
) -> None:
    """Killed before it had journalled the number, it does not know whose account it took."""
    killed = Lease(place(), "a", "one", renew_s=60.0, lasts_s=600.0)
    killed.take(6)
    after = Lease(place(), "a", "one", renew_s=60.0, lasts_s=600.0)
    assert (after.take(journalled), after.taken_over) == (8, taken_over)


def test_who_lost_it_while_it_was_away_notices_and_takes_nothing_back(
    place: Callable[[], LeasePlace], pace: dict[str, float]
) -> None:
    cut_off = Lease(place(), "a", "one", renew_s=3 * pace["lasts_s"], lasts_s=600.0)
    cut_off.take(0)
    second = Lease(place(), "a", "two", **pace)
    assert second.take(0) == 2
    until(lambda: cut_off.problem)
    with pytest.raises(BusyError, match="another execution took it"):
        cut_off.check()
    cut_off.close()
    assert not second.problem
    second.check()
    second.close()


def test_of_two_who_replace_the_same_record_one_is_told(place: Callable[[], LeasePlace]) -> None:
    one, two = place(), place()
    assert one.read(10.0) is None
    until(lambda: two.read(1.0) is None)
    assert one.replace(b"one", 0, 5.0) == 1
    with pytest.raises(ChangedError):
        two.replace(b"two", 0, 5.0)
    record = two.read(5.0)
    assert record is not None
    assert record.payload == b"one"


def test_who_was_replaced_replaces_nothing_any_more(place: Callable[[], LeasePlace]) -> None:
    frozen, other = place(), place()
    assert frozen.read(10.0) is None
    first = frozen.replace(b"frozen", 0, 5.0)
    assert other.read(10.0) == (b"frozen", first)
    second = other.replace(b"other", first, 5.0)
    assert second > first
    for known in (first, 0):
        with pytest.raises(ChangedError):
            frozen.replace(b"awake", known, 5.0)
    assert other.replace(b"other", second, 5.0) > second
    record = frozen.read(5.0)
    assert record is not None
    assert record.payload == b"other"


def test_records_of_accounts_are_apart(bus_server: BusServer) -> None:
    one, two = (select.lease(bus_server.settings, name, "execution") for name in ("one", "two"))
    assert one.read(10.0) is None
    known = one.replace(b"1", 0, 5.0)
    assert two.read(10.0) is None
    two.replace(b"2", 0, 5.0)
    assert one.replace(b"1", known, 5.0) > known
    one.close()
    two.close()


def test_a_holder_outlives_one_who_replaces_too_late(
    place: Callable[[], LeasePlace], pace: dict[str, float]
) -> None:
    holder, late = Lease(place(), "a", "one", **pace), place()
    holder.take(0)
    assert late.read(10.0) is not None
    for _ in range(3):
        with pytest.raises(ChangedError):
            late.replace(b"late", 0, 5.0)
        known = late.read(5.0)
        until(lambda known=known: late.read(5.0) != known)  # it is renewed
    holder.check()
    holder.close()


def test_a_copied_home_is_another_holder(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"x")
    (tmp_path / "copy").write_bytes(b"x")
    assert holder_of(tmp_path / "journal") != holder_of(tmp_path / "copy")
    assert holder_of(tmp_path / "journal") == holder_of(tmp_path / "journal")


# -- the terminal ------------------------------------------------------------------------------


def test_an_order_under_an_older_claim_is_refused_even_after_a_restart(tmp_path: Path) -> None:
    account = SimulatedTerminal(BTC, log=tmp_path / "account.log")
    server = Server(account, directory_of(tmp_path), fence=Fence(tmp_path / "claim"))
    old, new, unclaimed = (asking(server) for _ in range(3))
    assert Venue(old).send(order("0" * 32)).kind == "working"  # nobody ever claimed
    assert Venue(old).claim(3, "one")
    assert Venue(old).send(order("1" * 32)).kind == "working"
    assert Venue(new).claim(4, "two")
    assert FENCED in Venue(old).send(order("2" * 32)).reason
    assert not Venue(old).claim(4, "one")  # the same number, another holder
    assert Venue(old).send(order("3" * 32)).kind == "rejected"
    assert Venue(unclaimed).send(order("4" * 32)).kind == "rejected"
    assert Venue(new).send(order("5" * 32)).kind == "working"
    server.close()
    assert Fence(tmp_path / "claim").admits(4, "two")
    assert not Fence(tmp_path / "claim").admits(3, "one")
    for each in (old, new, unclaimed):
        each.shutdown()


def test_the_agent_holds_to_claims_too() -> None:
    class Counting:
        sent = 0

        def order_send(self, request: object) -> None:
            self.sent += 1

        def last_error(self) -> tuple[int, str]:
            return 1, "Success"

    beside = Counting()
    agent = Agent(TerminalCalls(beside, Fence()))  # type: ignore[arg-type]
    old, new = RemoteTerminal(agent), RemoteTerminal(agent)
    assert old.claim(1, "one")
    assert new.claim(2, "two")
    assert FENCED in old.order_send({"action": 1, "symbol": "BTCUSD"}).comment
    assert beside.sent == 0
    new.order_send({"action": 1, "symbol": "BTCUSD"})
    assert beside.sent == 1


class Agent:
    """A link straight into an agent's answers."""

    def __init__(self, answers: TerminalCalls) -> None:
        self._answers = answers

    def open(self, timeout_s: float) -> bool:
        return True

    def ask(self, call: bytes, timeout_s: float) -> tuple[bytes, bytes]:
        return frames.split(self._answers.answer(call, "execution"))

    def drop(self) -> None: ...

    def close(self) -> None: ...


def test_a_damaged_claim_stops_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "claim").write_text("{")
    with pytest.raises(SettingsError, match="which execution may send orders"):
        Fence(tmp_path / "claim")


def test_beside_a_terminal_in_this_process_the_account_is_locked(tmp_path: Path) -> None:
    account = Account(7, "Broker-Live", "USD", 1.0, 1.0, 0.0, 1.0)
    with locked_account(account, tmp_path):
        with pytest.raises(BusyError), locked_account(account, tmp_path):
            pass
        with locked_account(replace(account, login=8), tmp_path):
            pass
    with locked_account(account, tmp_path):
        pass


@pytest.mark.skipif(sys.platform not in ("linux", "win32"), reason="no names of the machine")
@pytest.mark.parametrize("user", ["this", "another"])
def test_another_process_is_refused_whatever_its_home_and_user(tmp_path: Path, user: str) -> None:
    if user == "another" and (sys.platform != "linux" or os.geteuid() != 0):
        pytest.skip("only root becomes another user")
    account = Account(7, "Broker-Live", "USD", 1.0, 1.0, 0.0, 1.0)
    program = (
        "import os, pathlib, sys\n"
        "from core.errors import BusyError\n"
        "from adapters.mt5.venue.venue import Account\n"
        "from execution.lease import locked_account\n"
        "if sys.argv[2] == 'another': os.setuid(65534)\n"
        "try:\n"
        "    account = Account(7, 'Broker-Live', 'USD', 1.0, 1.0, 0.0, 1.0)\n"
        "    with locked_account(account, pathlib.Path(sys.argv[1])): print('traded')\n"
        "except BusyError as error: print(error)\n"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    line = [sys.executable, "-c", program, str(elsewhere), user]

    def other() -> str:
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    with locked_account(account, tmp_path):
        assert "account 7 at Broker-Live: another execution on this machine trades" in other()
    if user == "this":
        assert other() == "traded"


def test_the_number_is_journalled_and_older_journals_go_on(tmp_path: Path) -> None:
    former = Journal(tmp_path / "journal")
    former.append([LeaseTaken(1, "one", 5)])
    former.close()
    opened = Journal(tmp_path / "journal")
    assert opened.take() == [LeaseTaken(1, "one", 5)]
    opened.append([LeaseTaken(2, "one", 6)])
    opened.close()
    records = [place.record for place in journal.read(tmp_path / "journal")]
    assert records == [LeaseTaken(1, "one", 5), LeaseTaken(2, "one", 6)]


def test_health_removes_its_own_file_only(tmp_path: Path) -> None:
    first = Health("execution", tmp_path)
    second = Health("execution", tmp_path)
    first.close()
    assert json.loads((tmp_path / "execution.json").read_text())["health_port"] == second.port
    second.close()
    assert not (tmp_path / "execution.json").exists()


# -- processes ---------------------------------------------------------------------------------


@contextmanager
def execution(
    home: Path, server: NatsServer, terminal: Server
) -> "Iterator[subprocess.Popen[str]]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
    settings = {
        "TICKHOUSE_HOME": str(home), "TICKHOUSE_BUS__URL": server.url,
        "TICKHOUSE_TERMINAL__ADDRESS": terminal.address, "TICKHOUSE_EXECUTION__LOTS": "0.1",
        "TICKHOUSE_TERMINAL__CREDENTIALS": str(terminal.credentials),
    }  # fmt: skip
    line = [sys.executable, "-m", "execution"]
    process = subprocess.Popen(line, env=kept | settings, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.process
def test_a_second_home_on_one_bus_is_refused_and_one_order_is_filled(
    tmp_path: Path, nats_server: NatsServer, terminal: Server, bus: Bus
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with execution(one, nats_server, terminal) as first:
        until(lambda: ready(one, first))
        with execution(two, nats_server, terminal) as second:
            _, complaint = second.communicate(timeout=60)
            assert second.returncode == 2
            assert "another execution trades account simulated" in complaint
        traded(bus, one, "s1")
        assert first.poll() is None
    assert not (two / "execution" / "simulated" / "breakers.json").exists()
    assert not list(journal.events(two / "execution" / "simulated" / "journal"))
    assert len(positions(terminal)) == 1


@pytest.mark.process
def test_a_second_execution_of_one_home_leaves_the_first_ones_health_file(
    tmp_path: Path, nats_server: NatsServer, terminal: Server
) -> None:
    with execution(tmp_path / "one", nats_server, terminal) as first:
        until(lambda: ready(tmp_path / "one", first))
        path = tmp_path / "one" / "run" / "execution.json"
        before = path.read_text()
        with execution(tmp_path / "one", nats_server, terminal) as second:
            _, complaint = second.communicate(timeout=60)
            assert (second.returncode, "in use" in complaint) == (2, True)
        assert path.read_text() == before


@pytest.mark.process
@pytest.mark.heavy(suite="security")
def test_a_holder_that_was_frozen_fills_nothing_once_another_took_over(
    tmp_path: Path, nats_server: NatsServer, terminal: Server, bus: Bus
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with execution(one, nats_server, terminal) as first:
        until(lambda: ready(one, first))
        before = traded(bus, one, "s1")
        first.send_signal(signal.SIGSTOP)
        with execution(two, nats_server, terminal) as second:
            until(lambda: ready(two, second))
            after = traded(bus, two, "s2")
            wish(bus, "s3", -1.0)
            first.send_signal(signal.SIGCONT)
            _, complaint = first.communicate(timeout=60)
            assert first.returncode == 2
            assert "nother execution" in complaint
            until(lambda: EventKind.FILLED in kinds(two, "s3"))
    for name in (after, "s3"):
        assert EventKind.FILLED not in kinds(one, name)
    assert kinds(two, before) == []  # of before it took over: the first one's
    halted = json.loads((one / "execution" / "simulated" / "breakers.json").read_text())
    assert (halted["state"], halted["by"]) == ("halted", "lease")


@pytest.mark.process
def test_two_buses_and_one_terminal_are_told_apart_by_the_terminal(
    tmp_path: Path, nats_server: NatsServer, terminal: Server
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with NatsServer(tmp_path / "bus") as other, execution(one, nats_server, terminal) as first:
        until(lambda: ready(one, first))
        with execution(two, other, terminal) as second:
            _, complaint = second.communicate(timeout=60)
        assert second.returncode == 2
        assert "takes orders of another execution" in complaint


def order(name: str) -> VenueOrder:
    price = _btc()
    return VenueOrder(
        order_id=name, source="sim", symbol="BTCUSD", side="buy", volume=0.1, price=price,
        stop_price=price * 0.9, tolerance=price * 0.1,
    )  # fmt: skip


def traded(bus: Bus, home: Path, name: str) -> str:
    """The first signal that a home's execution fills: it may not have heard a quote at first."""
    for count in range(50):
        signal_id = f"{name}.{count}"
        wish(bus, signal_id)
        until(lambda name=signal_id: {*kinds(home, name)} & {EventKind.FILLED, EventKind.DENIED})
        if EventKind.FILLED in kinds(home, signal_id):
            return signal_id
    raise AssertionError(f"nothing was filled in {home}")


def wish(bus: Bus, name: str, target: float = 1.0) -> None:
    """A signal at the market as it is now, with the quote that goes with it."""
    now, price = time.time_ns() // 1000, _btc()
    tick = np.zeros(1, TICK)
    tick["time_msc"], tick["bid"], tick["ask"] = now // 1000, price, price + 10
    batch = TickBatch("live", "demo", "sim", "BTCUSD", 0, 0, tick.tobytes())
    bus.publish(TICKS, "sim.BTCUSD", codec.encode(batch))
    signal = Signal(
        signal_id=name, run_id="live", mode="demo", account="simulated", strategy="model",
        source="sim", symbol="BTCUSD", ts_event_us=now, ts_init_us=now, time_msc=now // 1000,
        seq=0, target=target, reference_price=price,
        stop_price=price * (0.97 if target > 0 else 1.03), horizon_us=now + 3_600_000_000,
        expires_us=now + 30_000_000, confidence=0.9, model="a model", prediction_id="",
    )  # fmt: skip
    bus.publish(SIGNALS, "sim.BTCUSD", codec.encode(signal), name)


def kinds(home: Path, name: str) -> list[EventKind]:
    path = home / "execution" / "simulated" / "journal"
    return [e.kind for e in journal.events(path) if e.signal_id == name] if path.exists() else []


def positions(terminal: Server) -> tuple[object, ...]:
    client = asking(terminal)
    positions: tuple[object, ...] = client.positions_get()
    client.shutdown()
    return positions


def ready(home: Path, process: "subprocess.Popen[str]") -> bool:
    assert process.poll() is None, process.communicate()
    return (home / "execution" / "halt_port").exists()


def _btc() -> float:
    quote = BTC.tape("sim", "BTCUSD").last_until(time.time_ns() // 1_000_000)
    assert quote is not None
    return quote.bid
