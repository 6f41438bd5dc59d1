"""R3: evidence of the RTS 6 controls: what was blocked, who changed what, every stop, every alert.

The day's report, and the pack for the annual self-assessment, which looks back over a year.
"""

from charts import report_figures as plots
from charts.report_figures import PERCENTILES
from reports.base import Content, Report, ReportContext, Sheet, table
from reports.pdf import Section

_ALERTS = ("Control", "Alerts", "In time (5 s)", "Median ms", "95 % ms", "Slowest ms")
_YEAR = "report_date > subtractYears({day:Date}, 1) AND report_date <= {day:Date}"
_DAY = "report_date = {day:Date}"


def page(context: ReportContext) -> Content:
    """One day."""
    blocked = context.query(
        "SELECT formatDateTime(ts_blocked, '%H:%i:%S.%f'), symbol, side, toString(volume), control,"
        " toString(limit_value), toString(round(observed, 6)), limits_version, approver,"
        f" substring(order_id, 1, 12) FROM {{db}}.rpt_control_block WHERE {_DAY}"
        " ORDER BY ts_blocked, order_id LIMIT 500"
    )
    return Content(_facts(context, _DAY), _alert_note(context, _DAY), (
        table("Blocked by control", ("Control", "Limits", "Orders", "Strategies"),
              _by_control(context, _DAY), empty="No order was blocked."),
        table("Kill register", ("Stopped", "By", "State", "Reason", "Cancelled", "Closed",
                                "ms to last", "Then", "By"), _stops(context, _DAY),
              empty="Trading was not stopped."),
        table("Overrides and changes", ("Time", "Who", "Password", "Action", "Subject", "Reason"),
              _changes(context, _DAY), empty="Nobody changed a control."),
        table("Alerts", _ALERTS,
              _alerts(context, _DAY), empty="No alert was raised."),
        *_alert_curve(context, _DAY),
        _breaks(context, _DAY),
        table("Strategies in use", ("Strategy", "Decides", "Executes", "Owner", "Approved", "What"),
              _inventory(context), empty="No strategy is in the reference data."),
        table("Blocked orders", ("Time (UTC)", "Symbol", "Side", "Lots", "Control", "Limit", "Seen",
                                 "Limits", "Approver", "Order"), blocked, limit=120,
              empty="None.", size=7.5),
    ))  # fmt: skip


def assessment(context: ReportContext) -> Content:
    """A year, for those who assess and approve."""
    months = context.query(
        "SELECT formatDateTime(toStartOfMonth(report_date), '%Y-%m') AS month, control, count(),"
        f" uniqExact(strategy) FROM {{db}}.rpt_control_block WHERE {_YEAR}"
        " GROUP BY month, control ORDER BY month, control"
    )
    changes = context.query(
        "SELECT action, count(), uniqExact(actor), countIf(authenticated)"
        f" FROM {{db}}.rpt_control_change WHERE {_YEAR} GROUP BY action ORDER BY action"
    )
    log = context.query(
        "SELECT strategy, toString(valid_from), toString(version), decision_id, execution_id,"
        " owner, approved_by, loaded_by FROM {db}.rpt_strategy_inventory ORDER BY strategy, version"
    )
    return Content(
        (("Period", f"a year up to {context.day}"), *_facts(context, _YEAR)),
        (
            *_alert_note(context, _YEAR),
            "Evidence, not the assessment: governance, staffing, testing and outsourcing are for"
            " people to assess (RTS 6, article 9), and the pack holds only what was recorded.",
        ),
        (
            table("Blocked orders by month", ("Month", "Control", "Orders", "Strategies"), months,
                  empty="No order was blocked."),
            table("Kill register", ("Stopped", "By", "State", "Reason", "Cancelled", "Closed",
                                    "ms to last", "Then", "By"), _stops(context, _YEAR),
                  empty="Trading was not stopped."),
            table("Changes of controls", ("Action", "Times", "People", "With password"), changes,
                  empty="Nobody changed a control."),
            table("Alerts", _ALERTS,
                  _alerts(context, _YEAR), empty="No alert was raised."),
            *_alert_curve(context, _YEAR),
            _breaks(context, _YEAR),
            table("Strategy inventory, with every version", ("Strategy", "From", "Version",
                  "Decides", "Executes", "Owner", "Approved", "Loaded by"), log,
                  empty="No strategy is in the reference data."),
        ),
    )  # fmt: skip


def _facts(context: ReportContext, when: str) -> tuple[tuple[str, str], ...]:
    blocked, changes, stops, alerts = context.query(
        f"SELECT (SELECT count() FROM {{db}}.rpt_control_block WHERE {when}),"
        f" (SELECT count() FROM {{db}}.rpt_control_change WHERE {when}),"
        f" (SELECT count() FROM {{db}}.rpt_kill_register WHERE {when}),"
        f" (SELECT count() FROM {{db}}.rpt_alert_latency WHERE {when})"
    )[0]
    return (
        ("Blocked orders", blocked), ("Changes", changes), ("Stops", stops), ("Alerts", alerts),
    )  # fmt: skip


def _alert_note(context: ReportContext, when: str) -> tuple[str, ...]:
    late, silent = context.query(
        f"SELECT (SELECT countIf(not in_time) FROM {{db}}.rpt_alert_latency WHERE {when}),"
        f" (SELECT count() FROM {{db}}.rpt_control_block WHERE {when}) > 0"
        f" and (SELECT count() FROM {{db}}.rpt_alert_latency WHERE {when}) = 0"
    )[0]
    notes = []
    if late != "0":
        notes.append(f"Alerts later than five seconds (RTS 6, article 16): {late}.")
    if silent in ("1", "yes"):
        notes.append(
            "Orders were blocked and no alert is recorded: the watcher of controls did not run"
            " (it watches live trading, not replays)."
        )
    return tuple(notes)


def _by_control(context: ReportContext, when: str) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT control, limits_version, count(), uniqExact(strategy) FROM {db}.rpt_control_block"
        f" WHERE {when} GROUP BY control, limits_version ORDER BY count() DESC, control"
    )


def _stops(context: ReportContext, when: str) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT formatDateTime(ts_stopped, '%Y-%m-%d %H:%i:%S'), stopped_by, state, reason,"
        " toString(orders_cancelled), toString(positions_closed),"
        " coalesce(toString(round(ms_to_last, 1)), ''), next_state, next_by"
        f" FROM {{db}}.rpt_kill_register WHERE {when} ORDER BY ts_stopped"
    )


def _changes(context: ReportContext, when: str) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT formatDateTime(ts_event, '%H:%i:%S'), actor, if(authenticated, 'yes', 'no'),"
        " action, subject, if(reason = '', told, reason) FROM {db}.rpt_control_change"
        f" WHERE {when} ORDER BY ts_event, seq LIMIT 200"
    )


def _alerts(context: ReportContext, when: str) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT control, count(), countIf(in_time), toString(round(quantileExact(0.5)(latency_ms),"
        " 1)), toString(round(quantileExact(0.95)(latency_ms), 1)),"
        " toString(round(max(latency_ms), 1)) FROM {db}.rpt_alert_latency"
        f" WHERE {when} GROUP BY control ORDER BY control"
    )


def _alert_curve(context: ReportContext, when: str) -> tuple[Section, ...]:
    """The distribution of all alerts; with fewer than three the table says it all."""
    rows = context.query(
        f"SELECT arrayJoin(quantilesExact({PERCENTILES})(latency_ms))"
        f" FROM {{db}}.rpt_alert_latency WHERE {when} HAVING count() > 2"
    )
    if not rows:
        return ()
    lines = [("alerts", [float(value) for (value,) in rows])]
    drawn = plots.curves(lines, "", "milliseconds from the event to the alert")
    return (Section("How long alerts took", image=plots.figure(drawn, height=1.6)),)


def _inventory(context: ReportContext) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT strategy, decision_id, execution_id, owner, approved_by, description"
        " FROM {db}.rpt_strategy_inventory WHERE is_current ORDER BY strategy"
    )


def _breaks(context: ReportContext, when: str) -> Section:
    rows = context.query(
        "SELECT severity, item, row_id, rule_id, field, value FROM {db}.rpt_control_break"
        f" WHERE {when} ORDER BY severity, report_date, item, row_id LIMIT 1000"
    )
    names = ("Severity", "Of", "Which", "Rule", "Column", "Value")
    return table("Breaks", names, rows, empty="The evidence has no hole that the rules know.")


def _sheets(when: str) -> tuple[Sheet, ...]:
    return (
        Sheet("blocked_orders.csv", "rpt_control_block", "account, ts_blocked, order_id", when),
        Sheet("changes.csv", "rpt_control_change", "stream, seq", when),
        Sheet("kill_register.csv", "rpt_kill_register", "account, ts_stopped", when),
        Sheet("alerts.csv", "rpt_alert_latency", "account, ts_event, alert_id", when),
        Sheet("strategies.csv", "rpt_strategy_inventory", "strategy, valid_from, version", "true"),
        Sheet("breaks.csv", "rpt_control_break", "report_date, item, row_id, rule_id", when),
    )


REPORT = Report(
    "controls",
    "Evidence of trading controls",
    "RTS 6 (Delegated Regulation 2017/589), articles 12, 15 and 16",
    _sheets(_DAY),
    "rpt_control_break",
    page,
    wide=True,
    texts=("rts6",),
)
ASSESSMENT = Report(
    "self-assessment",
    "Annual self-assessment, evidence pack",
    "RTS 6 (Delegated Regulation 2017/589), article 9",
    _sheets(_YEAR),
    "rpt_control_break",
    assessment,
    signoff=("Risk control", "Internal audit", "Senior management"),
    wide=True,
    texts=("rts6",),
    every="year",
)
