"""What fires and who answered it, as items: from the two files that `watch` and people write.

Files, and neither bus nor warehouse: alerts are on the page when these are what is down.
"""

from pathlib import Path
from typing import Any

from core import identity
from core.clock import Clock
from core.errors import InputError
from dashboards.live.items import Items
from dashboards.live.runbooks import anchor
from surveillance import standing
from surveillance.firing import Silence, StandingAlert
from surveillance.rules import BY_NAME


class StandingAlerts:
    """The alerts of one home. `read` waits for the disk, `show` belongs to the items' loop."""

    def __init__(self, home: Path, clock: Clock, items: Items) -> None:
        self._home, self._clock, self._items = home, clock, items
        self._shown: set[str] = set()

    def read(self) -> dict[str, Any]:
        """What there is to show now, by key; damaged files show that they are."""
        try:
            watched = standing.read_watched(self._home)
            answers = standing.read_answers(self._home)
        except InputError as error:
            return {"alerts": {"problem": str(error), "login": True}}
        now_us = self._clock.now_us()
        silences = [one for one in answers.silences if one.until_us > now_us]
        standing.take_answers({(a.rule, a.subject): a for a in watched.alerts}, answers)
        # A rule of another version has no words here.
        firing = [a for a in watched.alerts if a.fired_us and a.rule in BY_NAME]
        login = identity.exists(identity.path_in(self._home))
        return {
            "alerts": {"evaluated": watched.evaluated_us, "login": login},
            **{f"alert|{a.alert_id}": _alert(a) for a in firing},
            **{f"silence|{s.rule} {s.subject}": _silence(s) for s in silences},
        }

    def show(self, content: dict[str, Any]) -> None:
        """Items as they are now; those that are over go."""
        for key in self._shown - content.keys():
            self._items.put(key, None)
        for key, value in content.items():
            self._items.put(key, value)
        self._shown = set(content)


def _alert(alert: StandingAlert) -> dict[str, object]:
    rule = alert.definition
    return {
        "id": alert.alert_id, "rule": rule.name, "title": rule.title, "subject": alert.subject,
        "severity": rule.severity, "says": rule.says.format(value=alert.value),
        "remedy": rule.remedy, "runbook": anchor(rule.title), "time": alert.fired_us,
        "by": alert.acknowledged_by, "note": alert.note,
    }  # fmt: skip


def _silence(silence: Silence) -> dict[str, object]:
    return {
        "rule": silence.rule, "subject": silence.subject, "until": silence.until_us,
        "by": silence.by, "reason": silence.reason,
    }  # fmt: skip
