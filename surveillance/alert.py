"""An alert: a row of `control_alert`, and how people are told of it."""

from typing import NamedTuple

import msgspec

from core.sections import RuleSettings, RunSettings
from surveillance.firing import Change

OLD_US = 60_000_000  # what happened longer ago was alerted before, or is history
LIVE_PAGE = "http://127.0.0.1:8050"


class ControlAlert(msgspec.Struct, frozen=True):
    """A row of `control_alert`."""

    alert_id: str
    mode: str
    account: str
    control: str
    subject: str
    detail: str
    ts_event_us: int
    ts_raised_us: int
    channel: str


class Notice(NamedTuple):
    """How an alert is worded for people. `facts` go into a webhook's JSON."""

    title: str
    silenced: bool = False
    facts: dict[str, str] | None = None


def row_of(change: Change, run: RunSettings) -> ControlAlert:
    """What happened to an alert of a rule, for its table."""
    alert, rule = change.alert, change.alert.definition
    says = rule.says.format(value=alert.value)
    detail = {
        "fired": f"{alert.subject}: {says} (limit {alert.limit:g}). {rule.remedy}",
        "fires still": f"{alert.subject}: {says}, and nobody acknowledged it. {rule.remedy}",
        "resolved": f"{alert.subject}: resolved",
    }[change.kind]
    ts_us = alert.told_us if change.kind == "fires still" else alert.fired_us
    return ControlAlert(
        alert_id=f"{alert.alert_id}.{change.kind}.{ts_us}", mode=run.mode, account=run.account,
        control=rule.name, subject=alert.subject, detail=detail, ts_event_us=ts_us,
        ts_raised_us=ts_us, channel="log",
    )  # fmt: skip


def notice_of(change: Change, settings: RuleSettings) -> Notice:
    """How people are told of it: its title says what happened, its facts where the runbook is."""
    alert, rule = change.alert, change.alert.definition
    words = {
        "fired": rule.title,
        "fires still": f"{rule.title}, still",
        "resolved": f"{rule.title}, over",
    }
    facts = {
        "rule": rule.name,
        "subject": alert.subject,
        "severity": rule.severity,
        "state": change.kind,
        "alert_id": alert.alert_id,
        "runbook": runbook(rule.title, settings),
    }
    return Notice(words[change.kind], change.silenced, facts)


def runbook(title: str, settings: RuleSettings) -> str:
    """Where a rule's runbook is read: the live page has it."""
    page = settings.page.rstrip("/") or LIVE_PAGE
    return f"{page}/runbooks#{title.lower().replace(' ', '-')}"
