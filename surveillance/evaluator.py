"""Evaluates the alert rules beside the watcher's reading, and says what changed.

Whatever stands in the way of a rule is itself told: with the warehouse away no statement answers,
and after the time that a process may be silent the rule `blind` fires. Who answers is asked beside
the statements, so that `process_down` goes on without them; what the last ones said then stays.
What people silenced or acknowledged is read anew each round; words that cannot be read silence
nothing.
"""

import json
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from clickhouse_connect.driver.client import Client
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from adapters.clickhouse.client import connect, errors_translated
from core.clock import Clock
from core.errors import InputError, TickhouseError, UnavailableError, WarehouseError
from core.sections import RuleSettings
from core.settings import Settings
from surveillance import standing
from surveillance.firing import Change, Measure, Standing, step
from surveillance.liveness import DOWN, Liveness
from surveillance.rules import BLIND, EVERY, RULES, Rule, limit_of, statement_with
from surveillance.standing import Answers

_log = logging.getLogger(__name__)
#: Statements are dear on a machine that trades: half of them look far back.
_RARELY_US = 30_000_000
#: A warehouse that takes longer for one statement is away: rules are worth nothing when late.
_ANSWER_S = 10


class Evaluator(Collector):
    """One home's rules. A collector of Prometheus: the values of the newest round are its gauges.

    Args:
        say: is told of each change, once.
    """

    def __init__(self, settings: Settings, clock: Clock, say: Callable[[Change], object]) -> None:
        self._settings, self._clock, self._say = settings, clock, say
        self._home, self._rules = settings.home_path, settings.rules
        self._answered_us = clock.now_us()
        self._standing = _left(self._home)
        silent = [
            Measure(DOWN, alert.subject, alert.value)
            for alert in self._standing.values()
            if alert.rule == DOWN
        ]
        self._liveness = Liveness(self._home, clock, silent)
        self._measures: dict[str, list[Measure]] = {}
        self._rarely_us = 0  # when those were evaluated that look back

    def turn(self) -> None:
        """One round: measure, compare, say, write down."""
        self._liveness.ask()
        due = self._due(self._clock.now_us())
        measures, now_us = self._measured(due), self._clock.now_us()
        if measures:
            self._rarely_us = now_us if len(due) == len(RULES) else self._rarely_us
            self._answered_us = now_us
        measures[DOWN] = self._liveness.measures(measures.get(DOWN))
        blind_s = (now_us - self._answered_us) / 1e6
        measures[BLIND.name] = [Measure(BLIND.name, "warehouse", blind_s)] if blind_s else []
        answers = self._answers()
        standing.take_answers(self._standing, answers)
        changes = step(self._standing, measures, self._rules, answers.silences, now_us)
        self._measures = {**self._measures, **measures}
        for change in changes:
            self._say(change)
        try:
            standing.write_watched(self._home, self._standing, now_us)
        except OSError as error:
            _log.error("what fires cannot be written down, and is told all the same: %s", error)

    def collect(self) -> "list[GaugeMetricFamily]":
        """What Prometheus scrapes: `tickhouse_rule_value` and `tickhouse_rule_limit`."""
        value = GaugeMetricFamily(
            "tickhouse_rule_value", "Newest value of an alert rule.", labels=["rule", "subject"]
        )
        limit = GaugeMetricFamily("tickhouse_rule_limit", "Above which it fires.", labels=["rule"])
        for rows in list(self._measures.values()):
            for row in rows:
                value.add_metric([row.rule, row.subject], row.value)
        for rule in EVERY:
            limit.add_metric([rule.name], limit_of(rule, self._rules))
        return [value, limit]

    def _due(self, now_us: int) -> list[Rule]:
        """All every half minute; between, what is urgent, and what stands and may have ended."""
        if now_us - self._rarely_us >= _RARELY_US:
            return list(RULES)
        stands = {rule for rule, _ in self._standing}
        return [rule for rule in RULES if not rule.looks_back or rule.name in stands]

    def _measured(self, rules: Sequence[Rule]) -> dict[str, list[Measure]]:
        try:
            client = connect(self._settings.clickhouse, _ANSWER_S)
        except TickhouseError as error:
            _log.warning("no rule is evaluated: %s", error)
            return {}
        try:
            return measured(client, self._rules, rules)
        except UnavailableError as error:
            _log.warning("no rule is evaluated: %s", error)
            return {}
        finally:
            client.close()

    def _answers(self) -> Answers:
        try:
            return standing.read_answers(self._home)
        except InputError as error:
            _log.error("nothing is silenced: %s", error)
            return Answers()


def measured(
    client: Client, settings: RuleSettings, rules: Sequence[Rule] = RULES
) -> dict[str, list[Measure]]:
    """What each rule's statement answers, by rule; one that the warehouse refuses is left out.

    Raises:
        UnavailableError: the warehouse does not answer.
    """
    measures = dict[str, list[Measure]]()
    for rule in rules:
        try:
            measures[rule.name] = measure(client, rule, settings)
        except WarehouseError as error:
            _log.error("rule %s cannot be evaluated: %s", rule.name, error)
    return measures


def measure(client: Client, rule: Rule, settings: RuleSettings) -> list[Measure]:
    """What one rule's statement answers, a row per subject.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    # Not by columns: over no rows the warehouse would run half the statement again for their types.
    with errors_translated():
        answer = client.raw_query(statement_with(rule, settings), fmt="JSONCompactEachRow")
    rows = (json.loads(line) for line in answer.splitlines())
    return [
        Measure(rule.name, str(subject), math.nan if value is None else float(value))
        for subject, value in rows
    ]


def _left(home: Path) -> Standing:
    """What fired when the process before ended: it goes on, and is not told anew."""
    try:
        alerts = standing.read_watched(home).alerts
    except InputError as error:
        _log.error("alerts begin anew: %s", error)
        return {}
    return {(alert.rule, alert.subject): alert for alert in alerts}
