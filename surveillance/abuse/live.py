"""The stream of order events beside trading: new cases are in the warehouse within a second.

It only reads the bus, so no order waits for it. A restart begins again at the first event of the
day, which a file of the home names: nothing is lost, and a case that is known is not stored twice.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.bus.base import Bus, Message
from adapters.clickhouse.client import connect, errors_translated
from core import checked_json, durable
from core.clock import Clock
from core.contracts import codec
from core.contracts.order import OrderEvent
from core.errors import MessageError, TickhouseError
from core.settings import Settings
from core.topics import ORDER_EVENTS
from reports import holidays
from surveillance.abuse import scan, scenarios
from surveillance.abuse.patterns import Usual
from surveillance.abuse.scenarios import Scenario
from surveillance.abuse.stream import Case, Stream

_log = logging.getLogger(__name__)
FILE = "abuse_stream.json"
_AGAIN_S = 5.0


class DayBegins(msgspec.Struct, frozen=True):
    """Where in the topic the events of the day begin."""

    day: date
    sequence: int


class OrderWatch:
    """Notes messages, stores cases. Of one thread.

    Args:
        settings: the home, the warehouse and the mode that runs.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._path = settings.home_path / FILE
        self._stream = Stream(self._rules, settings.run.mode)
        self._unstored: list[Case] = []

    def begins(self, bus: Bus) -> int:
        """The sequence to read from: 1, all that is kept, when nobody noted one that still is."""
        noted = _noted(self._path)
        return noted.sequence if noted and noted.sequence <= bus.end(ORDER_EVENTS) else 1

    def note(self, message: Message) -> None:
        """One message of `order_events`; what is no order event, or cannot be read, is left out.

        Raises:
            SettingsError, WarehouseError, UnavailableError: what is usual on a new day cannot be
                asked; the message is to be noted again.
        """
        try:
            event = codec.decode(message.topic, message.payload)
        except MessageError as error:  # of another version: the others must be seen
            _log.error("%s", error)
            return
        if not isinstance(event, OrderEvent):
            return
        before = self._stream.day
        self._unstored.extend(self._stream.note(event))
        if self._stream.day != before:
            begins = DayBegins(self._stream.day, message.sequence)
            durable.write(self._path, msgspec.json.encode(begins))

    def store(self) -> int:
        """Store what is new, unless a look at the day has it; how many. May be called any time.

        Raises:
            WarehouseError, UnavailableError: it refused, or does not answer; call again.
        """
        if not self._unstored:
            return 0
        client = connect(self._settings.clickhouse)
        try:
            count = store(client, self._settings.home_path, self._unstored, self._clock.now_us())
        finally:
            client.close()
        self._unstored.clear()
        return count

    def _rules(self, day: date) -> tuple[Mapping[str, Scenario], Usual]:
        watched = scenarios.load(self._settings.home_path)
        client = connect(self._settings.clickhouse)
        try:
            return watched, usual(client, watched, self._settings.run.mode, day)
        finally:
            client.close()


def watch(settings: Settings, bus: Bus, clock: Clock, stop: threading.Event) -> None:
    """Until it is stopped; a warehouse that is away is waited for, the bus keeps the events."""
    orders = OrderWatch(settings, clock)
    subscriber = bus.subscribe(ORDER_EVENTS, orders.begins(bus))
    message: Message | None = None
    while not stop.is_set():
        try:
            message = message or subscriber.next(0.25)
            if message is not None:
                orders.note(message)
                message = None
            orders.store()
        except (TickhouseError, OSError) as error:
            _log.error("market abuse is not watched just now, the bus keeps the orders: %s", error)
            stop.wait(_AGAIN_S)
    subscriber.close()


def usual(client: Client, watched: Mapping[str, Scenario], mode: str, day: date) -> Usual:
    """What strategies did in the days before a UTC day, by the scenarios' own parameters."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)

    def rows(scenario: str, name: str) -> Sequence[Sequence[object]]:
        given = {**watched[scenario].parameters, "mode": mode, "start": start}
        with errors_translated():
            answer: Sequence[Sequence[object]] = client.query(
                scenarios.text_of(name), parameters=given
            ).result_rows
        return answer

    sizes = {
        (str(account), str(strategy), str(source), str(symbol)): float(str(median))
        for account, strategy, source, symbol, median in rows("unusual_size", "usual_sizes")
    }
    hours = {
        (str(account), str(strategy)): frozenset(msgspec.convert(known, list[int]))
        for account, strategy, known in rows("unusual_time", "usual_hours")
    }
    return Usual(sizes, hours)


def store(client: Client, home: Path, cases: Sequence[Case], now_us: int) -> int:
    """Store cases that are not known yet; how many.

    Raises:
        SettingsError: the home's holidays cannot be read.
        WarehouseError, UnavailableError: it refused, or does not answer.
    """
    authority, now = holidays.load(home).authority, datetime.fromtimestamp(now_us / 1e6, UTC)
    with errors_translated():
        known = {
            alert_id
            for mode, day in {(case.mode, case.day) for case in cases}
            for alert_id in scan.raised(client, mode, day)
        }
        new = [case for case in cases if case.alert_id not in known]
        if new:
            rows = [_row(case, authority, now) for case in new]
            client.insert("abuse_alert", rows, column_names=scan.ALERT)
    for case in new:
        _log.warning("market abuse? case %s: %s", case.alert_id, case.pattern.detail)
    return len(new)


def _row(case: Case, authority: holidays.Holidays | None, now: datetime) -> list[object]:
    one = case.pattern
    due = scan.due(case.day, case.scenario.assess_days, authority)
    return [
        case.alert_id, case.mode, case.day, one.scenario, case.scenario.version, one.source,
        one.symbol, one.accounts, one.strategies, _time(one.from_us), _time(one.to_us), one.score,
        one.order_ids, one.detail, due, now,
    ]  # fmt: skip


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)


def _noted(path: Path) -> DayBegins | None:
    try:
        return checked_json.decode(path.read_bytes(), DayBegins)
    except (OSError, msgspec.DecodeError):
        return None
