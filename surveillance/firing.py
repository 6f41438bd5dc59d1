"""Which alerts fire: measures in, changes out. No clock, no warehouse, no file in here.

An alert is a rule and a subject. It is pending from the first value above its rule's limit, fires
when that has held for the rule's time, and resolves with the first value that is not above. A rule
whose measure could not be taken changes nothing: silence is not health. A firing alert that nobody
acknowledged is told again after a while; a silenced one is kept and not told.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from core.sections import RuleSettings
from surveillance.rules import BY_NAME, Rule, limit_of

_US = 1_000_000


class Measure(NamedTuple):
    """What a rule's statement says of one subject."""

    rule: str
    subject: str
    value: float


class StandingAlert(msgspec.Struct, forbid_unknown_fields=False):
    """A rule and a subject above its limit. Times in Unix microseconds; 0: not yet."""

    rule: str
    subject: str
    value: float
    limit: float
    since_us: int  # first value above
    fired_us: int = 0
    told_us: int = 0
    acknowledged_by: str = ""
    note: str = ""

    @property
    def alert_id(self) -> str:
        """Of this time that it fires; what people name it by."""
        return f"{self.rule}.{self.subject}.{self.since_us}"

    @property
    def definition(self) -> Rule:
        """Its rule."""
        return BY_NAME[self.rule]


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """Until then nobody is told of a rule, or of one subject of it ("": of all)."""

    rule: str
    subject: str
    until_us: int
    by: str
    reason: str


class Change(NamedTuple):
    """What happened to an alert: fired, resolved, or fires still and is told again."""

    kind: str
    alert: StandingAlert
    silenced: bool


Standing = dict[tuple[str, str], StandingAlert]


def step(
    standing: Standing,
    measures: Mapping[str, Iterable[Measure]],
    settings: RuleSettings,
    silences: Iterable[Silence],
    now_us: int,
) -> list[Change]:
    """Take one round of measures in; `standing` is changed in place.

    Args:
        measures: by rule, of the rules that answered. A rule that is not there keeps its alerts.
    """
    active = [silence for silence in silences if silence.until_us > now_us]
    changes = list[Change]()
    for name, rows in measures.items():
        rule = BY_NAME[name]
        above = {row.subject: row.value for row in rows if row.value > limit_of(rule, settings)}
        changes += _resolved(standing, rule, above, active)
        for subject, value in above.items():
            alert = _pending(standing, rule, subject, settings, now_us)
            alert.value = value
            kind = _due(alert, rule, settings, now_us)
            if kind:
                changes.append(Change(kind, alert, _is_silenced(alert, active)))
    return changes


def _resolved(
    standing: Standing, rule: Rule, above: Mapping[str, float], active: list[Silence]
) -> list[Change]:
    over = [key for key in standing if key[0] == rule.name and key[1] not in above]
    gone = [standing.pop(key) for key in over]
    return [Change("resolved", a, _is_silenced(a, active)) for a in gone if a.fired_us]


def _pending(
    standing: Standing, rule: Rule, subject: str, settings: RuleSettings, now_us: int
) -> StandingAlert:
    fresh = StandingAlert(rule.name, subject, 0.0, limit_of(rule, settings), now_us)
    return standing.setdefault((rule.name, subject), fresh)


def _due(alert: StandingAlert, rule: Rule, settings: RuleSettings, now_us: int) -> str:
    """What is to be told of it now; "": nothing. Notes that it was."""
    if not alert.fired_us:
        if now_us - alert.since_us < rule.hold_s * _US:
            return ""
        alert.fired_us = alert.told_us = now_us
        return "fired"
    repeats = settings.repeat_s and not alert.acknowledged_by
    if repeats and now_us - alert.told_us >= settings.repeat_s * _US:
        alert.told_us = now_us
        return "fires still"
    return ""


def _is_silenced(alert: StandingAlert, active: list[Silence]) -> bool:
    return any(s.rule == alert.rule and s.subject in ("", alert.subject) for s in active)
