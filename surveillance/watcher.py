"""Watches controls while trading goes on: every breach is an alert within seconds, and is measured.

`python -m surveillance`: reads order events and risk states off the bus, tells people (the log,
and whom `alerts.*` names), stores each alert with the time it took, brings the log of what
people ordered into the warehouse, measures the machine's clock, and sends traces where
`traces.otlp_endpoint` says. It owns nothing: what it
missed while it was down it does not alert late, the day's report of blocked orders has it. The
alert rules of `surveillance.rules` it evaluates every few seconds, and tells when one fires or
resolves.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from prometheus_client import REGISTRY

from adapters.alert_box import AlertBox
from adapters.alerts import targets
from adapters.bus.base import Message, Subscriber
from adapters.bus.join import join
from adapters.clickhouse.client import connect
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from audit.breaker_log import BreakerLog
from audit.export import Written, export
from core import log, settings
from core.clock import Clock, SystemClock
from core.contracts import codec
from core.contracts.operations import RiskState
from core.contracts.order import DenialReason, EventKind, OrderEvent
from core.errors import BusyError, InputError, MessageError, TickhouseError
from core.health import Health
from core.home_users import as_process
from core.process import Process
from core.topics import ORDER_EVENTS, RISK
from reports.clocks import Meter
from surveillance.abuse import live, scan
from surveillance.alert import OLD_US, ControlAlert, Notice, notice_of, row_of
from surveillance.control_changes import ControlChanges
from surveillance.evaluator import Evaluator
from surveillance.firing import Change
from surveillance.incidents import register
from surveillance.traces import TraceSender

_log = logging.getLogger(__name__)
#: At the end. What a dead mail server does not take in this time stays in the box, for the next.
#: Who supervises kills after 15, and on a very busy machine 10 became as many.
_LAST_WORDS_S = 6.0
_ABUSE_EVERY_S = 900.0
#: Denials that say nothing about a limit: a newer signal, a closed market, too small a size.
QUIET = frozenset(
    {
        DenialReason.MARKET_CLOSED, DenialReason.BELOW_MINIMUM, DenialReason.DUPLICATE,
        DenialReason.STALE_SIGNAL, DenialReason.HALTED, DenialReason.REDUCING,
    }
)  # fmt: skip


def alert_of(content: object, now_us: int) -> ControlAlert | None:
    """What a message means for people; None when nothing was breached, or long ago."""
    if isinstance(content, OrderEvent):
        return _of_order(content, now_us)
    if isinstance(content, RiskState) and content.state != "active":
        old = now_us - content.ts_init_us > OLD_US
        alert_id = f"{content.run_id}.{content.account}.{content.ts_init_us}.{content.state}"
        alert = ControlAlert(
            alert_id=alert_id, mode=content.mode, account=content.account, control=content.state,
            subject=content.by, detail=content.reason, ts_event_us=content.ts_init_us,
            ts_raised_us=now_us, channel="log",
        )  # fmt: skip
        return None if old else alert
    return None


def _of_order(event: OrderEvent, now_us: int) -> ControlAlert | None:
    breached = event.kind == EventKind.DENIED and event.reason not in QUIET
    failed = event.kind == EventKind.UNKNOWN
    if not (breached or failed) or now_us - event.ts_init_us > OLD_US:
        return None
    detail = (
        f"{event.side} {event.volume:g} {event.symbol}: seen {event.observed:g},"
        f" limit {event.limit:g} ({event.limits_version})"
        if breached
        else f"{event.side} {event.volume:g} {event.symbol}: sent, and the venue did not answer"
    )
    return ControlAlert(
        alert_id=event.event_id, mode=event.mode, account=event.account,
        control=event.reason if breached else "unknown", subject=event.order_id, detail=detail,
        ts_event_us=event.ts_init_us, ts_raised_us=now_us, channel="log",
    )  # fmt: skip


class Watcher:
    """Messages in, alerts out. Telling comes first; the row says when that was done.

    Args:
        store: keeps rows of `control_alert`; it may raise, and is asked again with the next alert.
        box: how people are told; None for the log alone.
    """

    def __init__(
        self, clock: Clock, store: Callable[[list[ControlAlert]], None], box: AlertBox | None = None
    ) -> None:
        self._clock, self._store, self._box = clock, store, box
        self._unstored: list[ControlAlert] = []
        self._lock = threading.Lock()

    def note(self, message: Message) -> ControlAlert | None:
        """One message of `order_events` or `risk`."""
        alert = alert_of(codec.decode(message.topic, message.payload), self._clock.now_us())
        return None if alert is None else self.tell(alert)

    def tell(self, alert: ControlAlert, notice: Notice | None = None) -> ControlAlert:
        """Tell people of an alert, and keep it for its table.

        Args:
            notice: how it is worded for people, and whether they are told; None: by its control.
        """
        channel = self._notify(alert, notice or Notice(alert.control))
        raised = msgspec.structs.replace(alert, ts_raised_us=self._clock.now_us(), channel=channel)
        with self._lock:
            self._unstored.append(raised)
        return raised

    def flush(self) -> int:
        """Store what was raised; how many. Called beside the reading, so that it never waits."""
        with self._lock:
            due, self._unstored = self._unstored, []
        if not due:
            return 0
        try:
            self._store(due)
        except Exception:
            with self._lock:
                self._unstored = due + self._unstored
            raise
        return len(due)

    def _notify(self, alert: ControlAlert, notice: Notice) -> str:
        """How people know: the log at least; what is gathered comes with the next digest."""
        _log.warning("ALERT %s %s: %s", notice.title, alert.subject, alert.detail)
        if notice.silenced:
            return "log, silenced"
        if self._box is None:
            return "log"
        try:
            delivery = self._box.notify(f"Tickhouse: {notice.title}", alert.detail, notice.facts)
        except (TickhouseError, OSError) as error:
            _log.error("nobody could be told: %s", error)
            return "log, nobody told"
        outcomes = [*delivery.sent, *(f"{kind} failed" for kind in delivery.failed)]
        return f"log, {', '.join(outcomes)}" if outcomes else "log, gathered"


def main() -> int:
    """Run until SIGTERM."""
    config = as_process(settings.load(), "watch")
    log.setup("watch")
    with Process("watch", config.home_path / "run") as process:
        _watch(config, process)
    return 0


def _watch(config: settings.Settings, process: Process) -> None:
    health, stop = process.health, process.stopping
    bus = join(process, config, "watch")
    writer = Writer(config.clickhouse, stop)
    box = _box(config)
    watcher = Watcher(
        SystemClock(),
        lambda alerts: writer.insert("control_alert", message_columns(alerts)),
        box,
    )
    breakers = BreakerLog(config.home_path)

    def risk(message: Message) -> None:
        content = codec.decode(message.topic, message.payload)
        watcher.note(message)  # telling comes first
        if isinstance(content, RiskState):
            breakers.note(content)

    # Of orders what comes; of trading states all that there were, for the log may lack some.
    reads = ((ORDER_EVENTS, 0, watcher.note), (RISK, 1, risk))
    work: list[tuple[str, Callable[[], None]]] = [
        (topic.name, partial(_read, bus.subscribe(topic, start), handle, stop))
        for topic, start, handle in reads
    ]
    if box is not None:
        work.append(("digests", partial(_send, box, stop)))
    work.append(("rules", partial(_evaluate, config, watcher, stop)))
    work.append(("abuse", partial(_scan_orders, config, stop)))
    work.append(("abuse stream", partial(live.watch, config, bus, SystemClock(), stop)))
    if config.traces.otlp_endpoint:
        work.append(("traces", partial(TraceSender(config, SystemClock()).run, stop)))
    threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in work]
    for thread in threads:
        thread.start()
    health.set("ready", "orders, risk")
    _keep(config, watcher, health, stop)
    _finish(threads)
    with contextlib.suppress(TickhouseError):
        watcher.flush()
    writer.close()


def _evaluate(config: settings.Settings, watcher: Watcher, stop: threading.Event) -> None:
    """Every few seconds all rules are evaluated, whatever else goes on."""

    clock, run = SystemClock(), config.run

    def say(change: Change) -> None:
        watcher.tell(row_of(change, run), notice_of(change, config.rules))
        register.of_alert(config.home_path, change, run.mode, run.account, clock.now_us())

    evaluator = Evaluator(config, clock, say)
    REGISTRY.register(evaluator)
    while not stop.wait(config.rules.every_s):
        try:
            evaluator.turn()
        except Exception:  # one round's fault must not end the alerts for good
            _log.exception("alert rules were not evaluated; they are again in a moment")


def _scan_orders(config: settings.Settings, stop: threading.Event) -> None:
    """Now and then the day is looked at for market abuse; the rules tell people of alerts."""
    while not stop.wait(_ABUSE_EVERY_S):
        try:
            scan.scan_today(config, SystemClock())
        except Exception:  # one round's fault must not end the looks for good
            _log.exception("orders were not looked at for market abuse; they are again soon")


def _finish(threads: Sequence[threading.Thread]) -> None:
    """Let them tell people what they have begun to tell."""
    deadline = time.monotonic() + _LAST_WORDS_S
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))


def _bring(config: settings.Settings, meter: Meter) -> None:
    client = connect(config.clickhouse)
    try:
        export(client, config.clickhouse, config.home_path)
        meter.measure_if_due(client)
    finally:
        client.close()


def _read(
    subscriber: Subscriber, handle: Callable[[Message], object], stop: threading.Event
) -> None:
    while not stop.is_set():
        message = subscriber.next(0.25)
        if message is not None:
            try:
                handle(message)
            except (MessageError, InputError, BusyError, OSError) as error:
                # Of another version, or the log took nothing: the others must be seen.
                _log.error("%s", error)
    subscriber.close()


def _box(config: settings.Settings) -> AlertBox | None:
    """Targets of the alerts; Dagster's webhook stands in for none."""
    chosen = config.alerts
    if config.orchestration.webhook and not chosen.webhook:
        chosen = msgspec.structs.replace(chosen, webhook=config.orchestration.webhook)
    if not any(targets(chosen, {})):
        return None
    return AlertBox(config.home_path, chosen, SystemClock())


def _send(box: AlertBox, stop: threading.Event) -> None:
    """Digests when they are due, and what is left at the end."""
    while not stop.wait(1.0):
        box.send_due()
    box.send_due(now=True)


def _keep(
    config: settings.Settings, watcher: Watcher, health: Health, stop: threading.Event
) -> None:
    """Once a second rows are stored, and what people ordered follows them into the warehouse.

    It is asked only when there is something to bring: the log of years is not read each second.
    """
    meter, changes = Meter(config, SystemClock()), ControlChanges(config, SystemClock())
    written, brought = Written(config.home_path), Written.NOTHING
    while not stop.wait(1.0):
        try:
            for alert in changes.alerts():
                watcher.tell(alert)
            watcher.flush()
            now = written.now()
            if now != brought or meter.is_due():
                _bring(config, meter)
                brought = now
            health.set("ready", "orders, risk")
        except TickhouseError as error:
            health.set("ready", f"alerts go out; not stored yet: {error}"[:200])
