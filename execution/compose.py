"""Execution put together over a given outside world: the composition root without a process.

`python -m execution` gives it the machine's clock, disk, bus and terminal; the deterministic
simulation gives it its own. What stands between is the same in both.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from adapters.bus.base import Bus, Publisher
from adapters.mt5.venue.orders import Venue
from core import calendar, client_files
from core.clock import Clock, ManualClock, SystemClock, SystemTimer, Timer
from core.controls import desks
from core.controls.approvals import with_signed_exits
from core.controls.watch import WatchedControls
from core.desk import Desk
from core.errors import BusyError
from core.sections import AdmissionSettings, RunSettings
from core.settings import Settings
from core.topics import SIGNALS
from execution import live, replay
from execution.breakers.replay_breakers import ReplayBreakers
from execution.broker import manual_resolutions
from execution.broker.account_history import AccountHistory
from execution.broker.closings import Closings
from execution.broker.lots_agreement import LotsAgreement
from execution.broker.poller import PollerParts
from execution.broker.reconcile import Reconciler
from execution.broker.residues import Residues
from execution.broker.shared_closings import SharedClosings
from execution.broker.shared_position import SharedPositions, shared
from execution.journal.book import Book
from execution.journal.delivered import Delivered
from execution.journal.journal import Journal
from execution.journal.ledger import Ledger
from execution.journal.outbox import Outbox, posts_of
from execution.journal.publisher import JournalPublisher, Post
from execution.journal.records import LeaseTaken
from execution.journal.snapshot import Snapshot, restored
from execution.lease import Lease
from execution.order_path.engine import Engine
from execution.order_path.quotes import LiveQuotes, Quotes, ReplayQuotes
from execution.order_path.shared_stops import SharedStops
from execution.order_path.stops import Stops
from execution.risk import controls, limits_file
from execution.risk.client_file import ClientRule
from execution.risk.drawdown import DrawdownLadder
from execution.risk.equity import EquityWatch
from execution.risk.firm_replay import ReplayFirm
from execution.risk.firm_watch import FirmWatch
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from execution.risk.margin import CachedFunds, VenueFunds
from execution.risk.news import News
from execution.risk.permission import Permission, may_send, missing
from execution.risk.trading_state import TradingState


class Environment(NamedTuple):
    """All that execution touches outside its own memory."""

    journal: Journal
    bus: Bus
    venue: Venue
    clock: Clock = SystemClock()
    timer: Timer = SystemTimer()
    since: Snapshot | None = None  # the state that the journal's unread records follow


def control_path(settings: Settings) -> Path:
    """The kill switch's file."""
    return settings.home_path / "control.json"


def own_path(settings: Settings) -> Path:
    """Where live execution keeps what belongs to one account."""
    return settings.home_path / "execution" / settings.run.account


def live_parts(settings: Settings, environment: Environment) -> live.Parts:
    """Everything that the live driver drives; `engine.sends` is False in shadow mode.

    Raises:
        UnavailableError: the terminal does not answer.
    """
    own, run, clock, timer = own_path(settings), settings.run, environment.clock, environment.timer
    quotes, journal, delivered = LiveQuotes(), environment.journal, Delivered(own / "journal")
    publisher = JournalPublisher(
        environment.bus, run, lambda: _lacking(environment, run, delivered), delivered=delivered,
    )  # fmt: skip
    outbox = Outbox(environment.bus, journal, run, publisher)
    book, activity = restored(environment.since) if environment.since else (Book(), None)
    ledger = Ledger(journal, book, outbox, activity)
    fallback, since_us = of_settings(settings.execution), ledger.book.latest_us
    obeyed = controls.obeyed(settings, fallback, own, clock, since_us)
    settings, limits = with_signed_exits(settings, clock), obeyed.limits
    desk = desks.in_force(settings, clock)
    venue = shared(environment.venue, ledger.book, desk)
    environment = environment._replace(venue=venue)
    residues = residues_of(run, clock, ledger, venue, quotes)
    trading = TradingState(control_path(settings), obeyed.breakers, obeyed.resumes)
    reconciler = Reconciler(
        ledger, environment.venue, clock, limits.rules.own.collar, repeatable=False,
        timer=timer, persons=manual_resolutions.directory_of(environment.journal.path),
        residues=residues,
    )  # fmt: skip
    funds = CachedFunds(environment.venue, clock)
    engine = Engine(
        settings=settings, clock=clock, ledger=ledger, venue=environment.venue, quotes=quotes,
        trading=trading, reconciler=reconciler, funds=funds,
        sends=may_send(settings, environment.venue.account(), obeyed.watched, desk), desk=desk,
        limits=limits, news=News(calendar.path_in(settings.home_path)), timer=timer,
        clients=ClientRule(client_files.path_in(settings.home_path)),
        closings=closings_of(run, clock, ledger, venue, residues),
    )  # fmt: skip
    polled = watched(
        settings=settings,
        environment=environment,
        ledger=ledger,
        quotes=quotes,
        limits=limits,
        trading=trading,
        outbox=outbox,
        engine=engine,
        reconciler=reconciler,
        funds=funds,
    )._replace(unsigned=obeyed.exits)
    return live.Parts(
        run=run, clock=clock, bus=environment.bus, ledger=ledger, venue=environment.venue,
        quotes=quotes, trading=trading, engine=engine, outbox=outbox, watched=polled, timer=timer,
        limits=limits, publisher=publisher, admission=admitted(settings, desk),
        since=environment.since,
        permission=_permission(settings, environment, engine, trading, obeyed.watched, desk),
        delivered=delivered,
    )  # fmt: skip


def residues_of(
    run: RunSettings, clock: Clock, ledger: Ledger, venue: Venue, quotes: Quotes
) -> Residues | None:
    """What is booked beside fills where several strategies share the account's positions."""
    if not isinstance(venue, SharedPositions):
        return None
    return Residues(run, clock, ledger, venue, quotes)


def closings_of(
    run: RunSettings, clock: Clock, ledger: Ledger, venue: Venue, residues: Residues | None
) -> Closings:
    """What takes up what the broker did to positions."""
    if residues is None or not isinstance(venue, SharedPositions):
        return Closings(run, clock, ledger, venue)
    return SharedClosings(run, clock, ledger, venue, residues)


def _stops(
    settings: Settings, clock: Clock, ledger: Ledger, venue: Venue, quotes: Quotes,
    limits: LimitsFile, timer: Timer,
) -> Stops:  # fmt: skip
    if isinstance(venue, SharedPositions):
        return SharedStops(
            settings=settings.exits, run=settings.run, clock=clock, ledger=ledger, venue=venue,
            quotes=quotes, limits=limits, timer=timer,
        )  # fmt: skip
    return Stops(
        settings=settings.exits, run=settings.run, clock=clock, ledger=ledger, venue=venue,
        quotes=quotes, limits=limits, timer=timer,
    )  # fmt: skip


def _lacking(environment: Environment, run: RunSettings, delivered: Delivered) -> Iterator[Post]:
    """What bus or warehouse lack of the journal."""
    return posts_of(environment.journal, run, delivered.mark(), environment.since)


def _permission(
    settings: Settings, environment: Environment, engine: Engine, trading: TradingState,
    watched: WatchedControls | None, desk: Desk,
) -> Permission | None:  # fmt: skip
    """Real money alone asks again; the account of a terminal does not change while we run."""
    if settings.terminal.kind == "simulated" or watched is None or not engine.sends:
        return None
    account = environment.venue.account()
    lacking = partial(missing, settings, account, watched, desk)
    return Permission(lacking, trading, watched, environment.timer)


def admitted(settings: Settings, desk: Desk) -> AdmissionSettings:
    """Which signals are taken up: by default the desk's."""
    names = settings.admission.strategies or desk.names
    return replace(settings.admission, strategies=names)


def claim(parts: live.Parts, lease: Lease) -> None:
    """Journal a lease that was taken, and have the terminal take orders under it alone.

    Raises:
        BusyError: the terminal knows a newer one.
    """
    number, last = lease.number, parts.bus.last(SIGNALS) if lease.taken_over else None
    foreign = last.sequence if last else 0
    parts.ledger.record([LeaseTaken(number, lease.holder, parts.clock.now_us(), foreign)])
    parts.ledger.sync()
    if not parts.venue.claim(number, lease.holder):
        raise BusyError(
            f"the terminal of account {parts.run.account} takes orders of another execution, under"
            f" a higher number than {number}, from another bus: end it. If there is none, remove"
            " account.claim in the home of the terminal or its agent, and start that again"
        )
    parts.ledger.watchers.append(lease.observe)


def replay_parts(
    settings: Settings,
    journal: Journal,
    bus: Publisher,
    venue: Venue,
    frozen: Path,
    outbox: Outbox | None = None,
) -> replay.Parts:
    """Everything that a replay's driver drives: in a process of its own, or in a backtest.

    Args:
        frozen: directory with the run's own copy of limits and desk; see limits_file.freeze and
            desks.freeze.
        outbox: None sends to the bus.
    """
    clock, quotes, trading = ManualClock(), ReplayQuotes(), TradingState(None)
    news = News(calendar.path_in(frozen))
    clients = ClientRule(client_files.path_in(frozen), frozen=True)
    limits = limits_file.frozen(settings.run.account, of_settings(settings.execution), frozen)
    breakers = ReplayBreakers(limits, trading, bus, settings.run, quotes)
    outbox = outbox or Outbox(bus, journal, settings.run)
    ledger = Ledger(journal, Book(), outbox, breakers)
    desk = desks.frozen(settings, frozen)
    venue = shared(venue, ledger.book, desk, repeatable=True)
    residues = residues_of(settings.run, clock, ledger, venue, quotes)
    reconciler = Reconciler(
        ledger, venue, clock, limits.rules.own.collar, repeatable=True, residues=residues
    )
    engine = Engine(
        settings=settings, clock=clock, ledger=ledger, venue=venue, quotes=quotes, trading=trading,
        reconciler=reconciler, funds=VenueFunds(venue), desk=desk, limits=limits, news=news,
        clients=clients, closings=closings_of(settings.run, clock, ledger, venue, residues),
    )  # fmt: skip
    stops = _stops(settings, clock, ledger, venue, quotes, limits, SystemTimer())
    return replay.Parts(
        run=settings.run, clock=clock, ledger=ledger, venue=venue, quotes=quotes, engine=engine,
        reconciler=reconciler, outbox=outbox, stops=stops, breakers=breakers, trading=trading,
        firm=ReplayFirm(settings.run, ledger, venue, quotes, limits, breakers.past, news)
        if breakers.past is not None
        else None,
    )  # fmt: skip


def watched(
    settings: Settings, environment: Environment, ledger: Ledger, quotes: Quotes,
    limits: LimitsFile, trading: TradingState, outbox: Outbox, engine: Engine,
    reconciler: Reconciler, funds: CachedFunds,
) -> PollerParts:  # fmt: skip
    """What the live driver looks after beside signals."""
    run, clock, venue, timer = settings.run, environment.clock, environment.venue, environment.timer
    equity = EquityWatch(run, clock, timer, ledger, outbox)
    return PollerParts(
        engine=engine, reconciler=reconciler,
        stops=_stops(settings, clock, ledger, venue, quotes, limits, timer),
        events=AccountHistory(run, clock, ledger, venue, trading, engine.closings, timer),
        working=engine.working,
        equity=equity, ladder=DrawdownLadder(run, clock, ledger, equity, limits, trading),
        funds=funds, trading=trading,
        firm=FirmWatch(
            run=run, clock=clock, timer=timer, ledger=ledger, outbox=outbox, limits=limits,
            trading=trading, quotes=quotes,
        ),
        lots=_lots_agreement(run, clock, ledger, venue, trading, engine, timer),
    )  # fmt: skip


def _lots_agreement(
    run: RunSettings, clock: Clock, ledger: Ledger, venue: Venue, trading: TradingState,
    engine: Engine, timer: Timer,
) -> LotsAgreement | None:  # fmt: skip
    closings = engine.closings
    if not isinstance(venue, SharedPositions) or not isinstance(closings, SharedClosings):
        return None
    return LotsAgreement(run, clock, ledger, venue, trading, closings, timer)
