"""What people and processes did on a busy day: beats, states, alerts, checks, orders of people."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from adapters.clocks.reading import ClockReading
from adapters.offsite.note import Backup
from audit.control_versions import ControlVersion
from audit.retention import census
from audit.retention.holds import Destroyed, Hold, Register
from cli.busy import clients
from cli.busy.day import MINUTE, SECOND, SOURCE, SYMBOLS, Day, known
from cli.busy.decisions import CHAMPION, RETIRED
from core.audit_log import AuditLine
from core.clock import ManualClock
from core.contracts.operations import Heartbeat, RiskState
from core.contracts.order import EventKind, OrderEvent
from core.contracts.session import SessionPart
from core.metrics import Histograms
from core.settings import Settings
from quality.check_result import CheckResult
from reports import clocks
from surveillance.abuse import scan, scenarios
from surveillance.alert import ControlAlert
from surveillance.incidents.register import id_of
from surveillance.rules import RULES
from surveillance.watcher import alert_of

#: Process -> median of its stages in microseconds.
_STAGES: dict[str, dict[str, float]] = {
    "collector": {"collect": 900.0},
    "streams.ticks": {},
    "streams.signals": {"feature": 40, "predict": 160, "publish": 700, "tick_to_signal": 1_400},
    "streams.executions": {},
    "execution": {"risk": 15, "journal": 130, "send": 32_000, "signal_to_order": 480},
    "watch": {},
    "board": {},
}
_BREAKER = "breaker stale quotes"
_STATES = (
    (0.00, "active", "", "start"),
    (0.35, "reducing", "ann", "before the news"),
    (0.37, "active", "ann", "calm again"),
    (0.60, "halted", _BREAKER, "no quote of BTCUSD for 30 s"),
    (0.63, "active", "bob", "the feed is back"),
    (0.80, "halted", "lease", "another execution took the account over"),
    (0.82, "active", "bob", "the other one was ended"),
    (0.975, "reducing", "ann", "half an hour to the close"),
    (0.985, "active", "ann", "released"),
)
#: Suite, table, rule, status, severity, share of rows, expected.
_CHECKS = (
    ("tick", "tick", "crossed", "failed", "warning", 0.004, "under 0.1 % crossed"),
    ("tick", "tick", "complete", "passed", "error", 0.0, "no hour without ticks"),
    ("bar", "bar_1m", "agrees", "passed", "error", 0.0, "bars as their ticks"),
    ("feature", "feature", "finite", "passed", "error", 0.0, "finite"),
    ("prediction", "prediction", "sums", "passed", "error", 0.0, "shares add up to one"),
    ("order_event", "order_event", "chain", "passed", "error", 0.0, "unbroken"),
    ("money", "order_event", "balance", "error", "warning", 1.0, "could be checked"),
)
_PEOPLE = (
    (0.10, "ann", "login", "", "", "signed in"),
    (0.20, "ann", "rollback", CHAMPION, "worse since Monday", RETIRED),
    (0.25, "ann", "promote", CHAMPION, "it was the feed", CHAMPION),
    (0.60, "bob", "halt", "trading", "news", ""),
    (0.63, "bob", "resume", "trading", "calm", ""),
    (0.72, "ann", "override", "max_lots", "larger client order", "override of max_lots"),
    (0.985, "ann", "restatement", "execution-quality", "corrected tick", ""),
)
_REPORTS = ("execution-quality", "orders", "clock-sync")


def heartbeats(day: Day) -> list[Heartbeat]:
    """Each process once a minute; one started again, one degraded at the end, one silent."""
    beats = []
    for process, stages in _STAGES.items():
        dice = day.dice(f"beats {process}")
        for number, now in enumerate(range(day.start_us, day.end_us + 1, MINUTE)):
            if process == "board" and now > day.at(0.99):
                continue  # nobody hears of it any more
            beats.append(_beat(day, process, stages, number, now, dice))
    return beats


def _beat(
    day: Day, process: str, stages: dict[str, float], number: int, now: int,
    dice: np.random.Generator,
) -> Heartbeat:  # fmt: skip
    again = process == "streams.signals" and now > day.at(0.5)
    degraded = process == "collector" and now > day.at(0.995)
    measured = Histograms()
    for stage, median_us in stages.items():
        for spread in dice.lognormal(0.0, 0.5, 6):
            measured.record(stage, int(median_us * spread * 1_000))
    deltas, longest_ns = measured.take()
    return Heartbeat(
        run_id=day.run.run_id, mode=day.run.mode, process=process,
        incarnation_us=day.at(0.5) if again else day.start_us, seq=number, ts_event_us=now,
        status="degraded" if degraded else "ready",
        detail=f"{SYMBOLS[-1]} is silent" if degraded else "", stages=deltas, max_ns=longest_ns,
    )  # fmt: skip


def risk_states(day: Day) -> list[RiskState]:
    """Active, reducing, halted: by people, a breaker, a lease."""
    run = day.run
    return [
        RiskState(
            run_id=run.run_id,
            mode=run.mode,
            account=run.account,
            ts_event_us=day.at(share),
            ts_init_us=day.at(share),
            state=state,
            by=by,
            reason=reason,
        )
        for share, state, by, reason in _STATES
    ]


def alerts(day: Day, events: Sequence[OrderEvent]) -> list[ControlAlert]:
    """Of breached limits and states, as the watcher words them, and one of every rule."""
    dice, raised = day.dice("alerts"), list[ControlAlert]()
    contents: list[OrderEvent | RiskState] = [*risk_states(day)]
    contents += [event for event in events if event.kind == EventKind.DENIED]
    for content in contents:
        alert = alert_of(content, content.ts_init_us + int(dice.integers(20_000, 900_000)))
        raised += [alert] if alert else []
    return raised + [
        ControlAlert(
            alert_id=f"{rule.name}.busy.{day.at(0.9 + 0.005 * place)}",
            mode=day.run.mode,
            account=day.run.account,
            control=rule.name,
            subject=day.run.account,
            detail=rule.says.format(value=1.0),
            ts_event_us=day.at(0.9 + 0.005 * place),
            ts_raised_us=day.at(0.9 + 0.005 * place) + SECOND,
            channel="log",
        )
        for place, rule in enumerate(RULES)
    ]


def checks(day: Day) -> list[CheckResult]:
    """Of every feed: passed, failed, and one that could not be run."""
    ends, checked = day.end_us - 60 * MINUTE, day.end_us - 10 * MINUTE
    return [
        CheckResult(
            check_id=f"{SOURCE}.{symbol}.{rule}",
            suite=suite,
            table_name=table,
            run_id=day.run.run_id,
            ts_event_us=ends,
            ts_init_us=checked,
            status=status,
            severity=severity,
            observed=share,
            expected=expected,
            rows_checked=17_000,
            rows_failed=int(17_000 * share),
            detail="{}",
        )
        for symbol in SYMBOLS
        for suite, table, rule, status, severity, share, expected in _CHECKS
    ]


def orders_of_people(day: Day) -> list[AuditLine]:
    """Lines of the audit log, in the order of time; reports of the days before among them."""
    lines = [
        AuditLine(day.at(share), by, True, action, detail, subject, reason)
        for share, by, action, subject, reason, detail in _PEOPLE
    ]
    for place, report in enumerate(_REPORTS):
        for back in range(1, 6):
            lines += _report(day, report, back, signed=back > place + 1)
    lines += [*_incident(day), *clients.orders(day)]
    return sorted(lines, key=lambda line: line.ts_us)


def _incident(day: Day) -> list[AuditLine]:
    """One of two days before, which somebody noted and nobody classified."""
    began_us, title = day.end_us - 2880 * MINUTE, "The broker's gateway was down"
    about = {"title": title, "rule": "", "began_us": began_us, "account": "acc", "about": "gateway"}
    subject = id_of("", title, began_us)
    return [
        AuditLine(
            ts_us=began_us + MINUTE,
            by="ann",
            authenticated=True,
            action="incident opened",
            detail=title,
            subject=subject,
            reason="",
            payload=about,
        ),
        AuditLine(began_us + 9 * MINUTE, "bob", True, "incident noted", title, subject, "over"),
    ]


def _report(day: Day, report: str, back: int, *, signed: bool) -> list[AuditLine]:
    of_day = np.datetime64(day.end_us // SECOND, "s").astype("datetime64[D]") - back
    at, subject = day.end_us - (back - 1) * 1440 * MINUTE - 30 * MINUTE, f"{report} {of_day} v1"
    steps = ("report made", "report signed", "report released") if signed else ("report made",)
    return [
        AuditLine(at + place * MINUTE, "ann", True, action, report, subject)
        for place, action in enumerate(steps)
    ]


def control_versions(day: Day) -> list[ControlVersion]:
    """Signed versions of limits: raised, lowered, released."""
    signed = (("limits", "", "max_lots 2 -> 3"), ("limits", "", "max_lots 3 -> 2"),
            ("release", "acc1", "throttled strategy released"))  # fmt: skip
    return [
        ControlVersion(
            number=number,
            kind=kind,
            subject=subject,
            base=number - 1,
            raises=number == 1,
            actor=("ann", "bob")[number % 2],
            reason="larger client orders",
            changes=change,
            ts_event_us=day.at(0.2 * number),
            ts_until_us=0,
            content_hash=f"{number:064x}",
            signature=f"{number:0128x}",
            previous_hash=f"{number - 1:064x}",
            hash=f"{number:064x}",
        )
        for number, (kind, subject, change) in enumerate(signed, 1)
    ]


def clock_measurements(day: Day) -> list[clocks.Measurement]:
    """A time server every half hour, once beyond the limit, and the broker's stamps."""
    rows = []
    for number, now in enumerate(range(day.start_us, day.end_us, 30 * MINUTE)):
        offset = 1_500.0 if number == 30 else 40.0 * (number % 5) - 80.0
        server = ClockReading(
            source="time.example",
            method="ntp",
            stratum=2,
            offset_us=offset,
            uncertainty_us=220.0,
            traceable=True,
            synchronised=True,
            detail="",
        )
        rows.append(clocks.of_reading(server, "desk-1", now, 1.0, clocks.STAMP_POINT))
    return rows


def parts(day: Day) -> list[SessionPart]:
    """What the session consists of."""
    name = day.run.session_id
    feeds = [
        SessionPart(name, "feed", f"{SOURCE}/{symbol}", known(symbol, day.end_us).session)
        for symbol in SYMBOLS
    ]
    return [*(SessionPart(name, "process", process) for process in _STAGES), *feeds]


def offsite_backup(day: Day) -> Backup:
    """The one of the night before."""
    ts_us = day.start_us - 3_600 * SECOND
    return Backup("backup", "busy", ts_us, 48_000_000, 210, 1_200_000, 41.0)


def watch_for_abuse(client: Client, home: Path, day: Day) -> None:
    """Both UTC days looked at; one scenario so strict that the usual size raises it."""
    watched = scenarios.load(home)
    strict = replace(
        watched["unusual_size"], version="busy", parameters={"days": 2, "orders": 1, "times": 1.0}
    )
    for at_us in (day.start_us, day.end_us):
        looked_at = datetime.fromtimestamp(at_us / 1e6, UTC).date()
        scan.scan_for(
            client, home, day.run.mode, looked_at, day.end_us, watched | {"unusual_size": strict}
        )


def count_for_retention(client: Client, settings: Settings, day: Day) -> None:
    """The census of the day's end, with a hold that came too late for one table."""
    clock = ManualClock(day.end_us)
    today = datetime.fromtimestamp(day.end_us / 1e6, UTC).date()
    taken = census.take(client, settings, today, clock)
    hold = Hold("busy", ("order_score",), date(2015, 1, 1), None, "ann", "made up", day.end_us)
    gone = Destroyed("order_score", date(2016, 1, 1), 3, "orders", day.start_us, "ann")
    taken = taken._replace(register=Register((hold,), (gone,)))
    census.store(client, taken, day.end_us)
