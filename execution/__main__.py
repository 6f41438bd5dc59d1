"""`python -m execution`: the process that trades. Everything is put together here.

It knows bus, terminal and its own journal, and nothing of the platform. SIGTERM finishes the
order at hand, publishes, and ends with 0; so does the last slice of a replay.
"""

import gc
import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.mt5 import connect
from adapters.mt5.venue.orders import Venue
from core import crashpoint, log, session_note, settings
from core.clock import SystemClock
from core.health import Health
from core.process import Process, stop_on_signals
from core.settings import Settings
from core.topics import MARKET_RISK, SIGNALS, TICKS
from execution import compose, live, replay
from execution.breakers.breakers import Breakers
from execution.breakers.halt_port import HaltPort
from execution.heartbeat import HeartbeatPublisher
from execution.journal import snapshots, witness
from execution.journal.journal import Journal
from execution.journal.keeper import Keeper
from execution.journal.segments import NOTHING
from execution.journal.snapshot import Snapshot
from execution.journal.space import Room
from execution.lease import Lease, holder_of, locked_account
from execution.replay_slices import SliceReader
from execution.risk.controls import in_force
from execution.risk.limits_file import freeze
from execution.twin import twin

_log = logging.getLogger("execution")
_HISTORY_S = {"simulated": 1.0, "real": 86_400.0, "agent": 86_400.0}


def main() -> int:
    """Run until the end of the replay or SIGTERM: 0.

    1 when bus or terminal stayed away (start again), 2 for an error that a person must mend.
    """
    log.setup("execution")
    stopping = stop_on_signals()
    chosen = session_note.joined(settings.load())
    run_directory = chosen.home_path / "run"
    crashpoint.arm_for("execution", chosen.chaos.crash_at, run_directory)
    # First of all: whoever is refused the journal leaves no trace of itself on this home.
    journal, since = open_journal(chosen)
    beside = witness.Witness(journal, witness_path(chosen))
    keeper = Keeper(journal, beside, since)
    with ExitStack() as ends:  # health's port closes before they do
        ends.callback(beside.close)
        ends.callback(journal.close)
        with Process("execution", run_directory, stopping) as process:
            keeper.start()
            ends.callback(keeper.close)
            beside.start()
            _run(chosen, process, journal, since)
    return 0


def journal_path(chosen: Settings) -> Path:
    """A replay has a journal of its own; otherwise there is one per account."""
    if chosen.run.mode == "replay":
        return chosen.home_path / "runs" / chosen.run.run_id / "journal"
    return compose.own_path(chosen) / "journal"


def open_journal(chosen: Settings) -> tuple[Journal, Snapshot | None]:
    """Which must contain what was witnessed of it, and the state that what it read follows.

    Raises:
        JournalError: damaged, shortened, or in use; a segment is missing.
    """
    careful, witnessed = chosen.run.mode != "replay", witness.read(witness_path(chosen))
    path, since = journal_path(chosen), None
    if careful:
        since = snapshots.at_start(path, witnessed.snapshot if witnessed else "")
        if since and witnessed and witnessed.end <= since.end.offset:
            since = None  # the witnessed record is before it, and would not be read
    journal = Journal(
        path, careful=careful, witnessed=witnessed, session_id=chosen.run.session_id,
        since=since.end if since else NOTHING,
    )  # fmt: skip
    return journal, since


def witness_path(chosen: Settings) -> Path:
    """Of a live journal beside the audit log; a replay's goes with its journal, and its run."""
    if chosen.run.mode == "replay":
        return journal_path(chosen).with_name("witness.json")
    return witness.path_in(chosen.home_path, chosen.run.account)


def _run(chosen: Settings, process: Process, journal: Journal, since: Snapshot | None) -> None:
    bus = select.connect(chosen.bus, "execution")
    process.closing(bus.close)
    door = partial(select.door, chosen.bus, role="execution")
    terminal = connect.terminal(chosen.terminal, chosen.home_path, door, role="execution")
    process.closing(terminal.shutdown)
    venue = Venue(terminal, _HISTORY_S[chosen.terminal.kind])
    if chosen.run.mode == "replay":
        finished = _replay(chosen, process, journal, bus, venue)
    else:
        environment = compose.Environment(journal, bus, venue, since=since)
        finished = _live(chosen, process, environment)
    _log.info("%s", "the replay is over" if finished else "stopped")


def _replay(chosen: Settings, process: Process, journal: Journal, bus: Bus, venue: Venue) -> bool:
    health = process.health
    now = in_force(chosen, SystemClock())
    frozen = freeze(now.content, journal_path(chosen).parent, now.entry)
    parts = compose.replay_parts(chosen, journal, bus, venue, frozen)
    heartbeat = HeartbeatPublisher(bus, health, chosen.run, parts.engine.stages)
    ticks, signals = bus.subscribe(TICKS), bus.subscribe(SIGNALS)
    figures = bus.subscribe(MARKET_RISK) if chosen.risk.published else None
    reader = SliceReader(
        ticks, signals, chosen.run.run_id, process.stopping, heartbeat.beat, figures
    )
    _freeze(health, f"replay {chosen.run.run_id}")
    finished = replay.Replay(parts, reader, heartbeat).run()
    _last_beat(heartbeat, health, bus)
    ticks.close()
    signals.close()
    if figures:
        figures.close()
    return finished


def _live(chosen: Settings, process: Process, environment: compose.Environment) -> bool:
    health, (journal, bus, venue, *_) = process.health, environment
    parts = compose.live_parts(chosen, environment)
    assert parts.limits is not None  # the composition root gives them
    # Breakers compare the machine's clocks, so they belong to the process, not to a given world.
    room = Room(journal, parts.timer)
    watching = Breakers(
        parts.limits, parts.trading, parts.clock, parts.ledger.activity, room=room
    )  # fmt: skip
    parts = parts._replace(breakers=watching, room=room)
    if twin.is_wanted(chosen):
        book, clock = parts.ledger.book, parts.clock
        beside = twin.Twin(chosen.twin, bus, clock, book, parts.venue, venue.account())
        parts = parts._replace(twin=beside)
    heartbeat = HeartbeatPublisher(bus, health, chosen.run, parts.engine.stages)
    detail = "sending" if parts.engine.sends else "shadow"
    with ExitStack() as ends:
        if parts.engine.sends:
            lease = _lease(chosen, parts, journal, ends)
            parts = parts._replace(lease=lease)
            # The alert of a lease that changed hands reads it.
            detail += "; took the account over" if lease.taken_over else ""
        else:
            _log.warning("shadow: decisions are journalled, nothing is sent")
        ends.enter_context(HaltPort(chosen.home_path, parts.trading))
        live.Live(parts, process.stopping, heartbeat).run(lambda: _freeze(health, detail))
    _last_beat(heartbeat, health, bus)
    return False


def _lease(chosen: Settings, parts: live.Parts, journal: Journal, ends: ExitStack) -> Lease:
    """The right to send orders of this account, journalled and claimed at the terminal.

    Raises:
        BusyError: another execution has it.
        UnavailableError: bus or terminal stay away.
    """
    if chosen.terminal.kind == "real":  # in this process, and knows no claims
        ends.enter_context(locked_account(parts.venue.account()))
    place = select.lease(chosen.bus, chosen.run.account, "execution")
    lease = Lease(place, chosen.run.account, holder_of(journal.path))
    ends.callback(lease.close)
    lease.take(parts.ledger.book.lease)
    compose.claim(parts, lease)
    return lease


def _freeze(health: Health, detail: str) -> None:
    """Keep what start-up made out of every later garbage collection."""
    gc.collect()
    gc.freeze()
    health.set("ready", detail)


def _last_beat(heartbeat: HeartbeatPublisher, health: Health, bus: Bus) -> None:
    health.set("stopping")
    heartbeat.beat(force=True)
    bus.flush()


if __name__ == "__main__":
    raise SystemExit(log.exit_code(main))
