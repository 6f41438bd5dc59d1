"""What people answer to an alert: they know of it, or want to hear no more for a time.

The command and the live page both answer here, so that the same is refused and the same is kept:
each answer is a line of the audit log before it holds. Who may, the caller has asked.
"""

import re
from pathlib import Path

from core.audit_log import AuditLine, append
from core.clock import Clock
from core.errors import InputError, SettingsError
from surveillance import standing
from surveillance.firing import Silence, StandingAlert
from surveillance.rules import BY_NAME

_SPAN = re.compile(r"(\d{1,6})([mhd])")
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_MOST_S = 7 * 86_400  # an alert that is never to be heard again is a setting, not a silence


def acknowledge(
    home: Path, clock: Clock, alert_id: str, by: str, note: str, *, authenticated: bool = False
) -> StandingAlert:
    """From now on this alert is not told again, until it resolves.

    Raises:
        InputError: no alert of that id fires.
        OSError: it cannot be kept.
    """
    alerts = {a.alert_id: a for a in standing.read_watched(home).alerts if a.fired_us}
    if alert_id not in alerts:
        known = "no alert of that id fires; `tickhouse alerts` prints those that do"
        raise InputError(alert_id, known)
    said = note or "acknowledged"
    line = AuditLine(clock.now_us(), by, authenticated, "alert acknowledged", said, alert_id)
    append(home, line)
    standing.acknowledge(home, alert_id, by, note)
    return alerts[alert_id]


def check_silence(rule: str, span: str) -> int:
    """Seconds of a silence that may be.

    Raises:
        InputError: no such rule.
        SettingsError: not a span such as 30m, 8h or 2d, or over seven days.
    """
    if rule not in BY_NAME:
        raise InputError(rule, f"no rule of that name; there are {', '.join(BY_NAME)}")
    match = _SPAN.fullmatch(span)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= _MOST_S:
        raise SettingsError(f"--for {span}: give 30m, 8h or 2d; at most 7d")
    return seconds


def silence(
    home: Path, clock: Clock, rule: str, subject: str, span: str, by: str, reason: str, *,
    authenticated: bool,
) -> Silence:  # fmt: skip
    """Tell nobody of a rule, or of one subject of it, for a time.

    Raises:
        InputError, SettingsError: see `check_silence`.
        OSError: it cannot be kept.
    """
    seconds, now_us = check_silence(rule, span), clock.now_us()
    what = f"{rule} {subject or '(all)'} for {span}"
    append(home, AuditLine(now_us, by, authenticated, "alert silenced", what, reason=reason))
    new = Silence(rule, subject, now_us + seconds * 1_000_000, by, reason)
    standing.silence(home, new, now_us)
    return new
