"""Own orders watched event by event: a pattern that an event completes is a case at that event.

By the same scenarios and parameters as `scan.py`, and under the same name, so that the look at the
whole day finds the case that is there. What only a day as a whole decides (momentum ignition,
marking the close) is left to that look. Of a UTC day this keeps what its patterns need and nothing
after it; an event of a day that is over is left to the night.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from core.contracts.order import OrderEvent
from surveillance.abuse.patterns import FOLDS, Fold, Orders, Pattern, Usual
from surveillance.abuse.scan import id_of
from surveillance.abuse.scenarios import Scenario


class Case(NamedTuple):
    """A pattern with the name of its case."""

    alert_id: str
    mode: str
    day: date
    scenario: Scenario
    pattern: Pattern


class Stream:
    """Events in, new cases out; each case once.

    Args:
        rules: scenarios and what is usual on a UTC day, asked for as the day begins.
        mode: of the events that count.
    """

    def __init__(self, rules: Callable[[date], tuple[Mapping[str, Scenario], Usual]], mode: str):
        self._rules, self._mode = rules, mode
        self.day = date.min  # UTC day of the events that it keeps
        self._watched: Mapping[str, Scenario] = {}
        self._folds: list[Fold] = []
        self._orders, self._raised = Orders(), set[str]()

    def note(self, event: OrderEvent) -> Iterator[Case]:
        """What the event completes.

        Raises:
            SettingsError, WarehouseError, UnavailableError: `rules` did; note the event again.
        """
        day = datetime.fromtimestamp(event.ts_event_us / 1e6, UTC).date()
        if event.mode != self._mode or not event.order_id:
            return
        if day > self.day:
            self._begin(day)
        if day == self.day:
            order = self._orders.note(event)
            for fold in self._folds:
                yield from self._new(fold.note(event, order))

    def _begin(self, day: date) -> None:
        self._watched, usual = self._rules(day)
        self.day, self._orders, self._raised = day, Orders(), set()
        self._folds = [
            fold(self._watched[name].parameters, usual)
            for name, fold in FOLDS.items()
            if name in self._watched and self._watched[name].watched
        ]

    def _new(self, patterns: Iterator[Pattern]) -> Iterator[Case]:
        for pattern in patterns:
            scenario = self._watched[pattern.scenario]
            alert_id = id_of(pattern.scenario, scenario.version, self._mode, self.day, pattern.key)
            if alert_id not in self._raised:
                self._raised.add(alert_id)
                yield Case(alert_id, self._mode, self.day, scenario, pattern)
