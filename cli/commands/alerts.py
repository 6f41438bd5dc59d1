"""`tickhouse alerts`: what fires now, acknowledged or silenced.

Reads what `watch` wrote down, so it answers with warehouse and bus down.
"""

import argparse
from datetime import UTC, datetime

from rich.text import Text

from cli.commands.printed import output
from cli.login import login
from core.clock import Clock, SystemClock
from core.settings import Settings
from surveillance import answering, standing
from surveillance.firing import StandingAlert
from surveillance.rules import BY_NAME

_LATE_S = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing lists; two actions answer."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    heard = actions.add_parser("acknowledge", help="it is known: no reminders until it is over")
    heard.add_argument("alert", metavar="ALERT", help="its id, as `tickhouse alerts` prints it")
    heard.add_argument("--by", required=True, metavar="WHO", help="your user name")
    heard.add_argument("--note", default="", metavar="TEXT", help="what is being done")
    quiet = actions.add_parser("silence", help="tell nobody for a time; needs a login")
    quiet.add_argument("rule", metavar="RULE", help=", ".join(BY_NAME))
    quiet.add_argument("--subject", default="", help="only this feed, process, ...; default: all")
    quiet.add_argument("--for", dest="span", required=True, metavar="SPAN", help="30m, 8h, 2d")
    quiet.add_argument("--by", required=True, metavar="WHO", help="your user name")
    quiet.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """List, acknowledge or silence."""
    clock = SystemClock()
    if namespace.action == "acknowledge":
        return _acknowledge(namespace, settings, clock)
    if namespace.action == "silence":
        return _silence(namespace, settings, clock)
    return _list(settings, clock)


def _list(settings: Settings, clock: Clock) -> int:
    """Exit code 1 while something fires, as `tickhouse status` has it."""
    console = output.console(highlight=False, soft_wrap=True)
    watched = standing.read_watched(settings.home_path)
    firing = sorted((a for a in watched.alerts if a.fired_us), key=lambda a: a.fired_us)
    age_s = (clock.now_us() - watched.evaluated_us) / 1e6
    if not watched.evaluated_us:
        console.print("No rule was evaluated yet: `watch` of a running stack does that")
    elif age_s > _LATE_S:
        console.print(f"As of {_clock(watched.evaluated_us)}: nothing is evaluated since")
    for alert in firing:
        console.print(_lines(alert))
    if watched.evaluated_us and not firing:
        console.print("Nothing fires")
    for silence in standing.read_answers(settings.home_path).silences:
        if silence.until_us > clock.now_us():
            console.print(
                f"Silenced until {_clock(silence.until_us)}: {silence.rule}"
                f" {silence.subject or '(all)'} by {silence.by}: {silence.reason}"
            )
    return 1 if firing else 0


def _lines(alert: StandingAlert) -> Text:
    """What it is, what to do first, and its id, for a terminal of any width."""
    rule = alert.definition
    says = f"{rule.title}: {alert.subject}: {rule.says.format(value=alert.value)}"
    style = "bold red" if rule.severity == "critical" else "yellow"
    known = f", acknowledged by {alert.acknowledged_by} {alert.note}".rstrip()
    return Text.assemble(
        (f"{_clock(alert.fired_us)} {rule.severity}  ", style), (says, "bold"),
        f"\n    first: {rule.remedy}",
        f"\n    alert: {alert.alert_id}{known if alert.acknowledged_by else ''}",
    )  # fmt: skip


def _acknowledge(namespace: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    # No password: whoever hears an alarm at night says that he does, and hides nothing by it.
    home, name, note = settings.home_path, namespace.alert, namespace.note
    alert = answering.acknowledge(home, clock, name, namespace.by, note)
    print(f"Acknowledged: {alert.definition.title} {alert.subject}")
    return 0


def _silence(namespace: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    rule, subject, by = namespace.rule, namespace.subject, namespace.by
    answering.check_silence(rule, namespace.span)  # before a password is asked for
    known = login(settings, by)
    new = answering.silence(
        settings.home_path, clock, rule, subject, namespace.span, by, namespace.reason,
        authenticated=known,
    )  # fmt: skip
    until = _clock(new.until_us)
    print(f"Silenced until {until}: {rule} {subject or '(all)'} for {namespace.span}")
    return 0


def _clock(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%m-%d %H:%M:%S}"
