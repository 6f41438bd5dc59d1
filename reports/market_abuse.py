"""R10: own orders watched for market abuse: what was looked for, what it raised, who decides."""

from reports.base import Content, Report, ReportContext, Sheet, table

_DAY = "report_date = {day:Date}"


def page(context: ReportContext) -> Content:
    """The day's looks and alerts, and every case that is open."""
    looks = context.query(
        "SELECT title, says, basis, scenario_version, toString(review), alerts, closed_year,"
        " if(closed_year = 0, '', concat(toString(round(100 * false_year / closed_year)), ' %'))"
        f" FROM {{db}}.rpt_abuse_scan WHERE {_DAY} ORDER BY scenario"
    )
    raised = context.query(
        "SELECT alert_id, scenario, symbol, accounts, formatDateTime(ts_from, '%H:%i:%S'),"
        " toString(round(score, 2)), detail, status, analyst"
        f" FROM {{db}}.rpt_abuse_alert WHERE {_DAY} ORDER BY score DESC, alert_id"
    )
    pending = context.query(
        "SELECT alert_id, toString(report_date), scenario, symbol, status, analyst, toString(due)"
        " FROM {db}.rpt_abuse_alert WHERE status != 'closed' AND report_date <= {day:Date}"
        " ORDER BY due, alert_id"
    )
    breaks = context.query(
        "SELECT rule_id, scenario, severity, value"
        f" FROM {{db}}.rpt_abuse_break WHERE {_DAY} ORDER BY severity, rule_id, scenario"
    )
    events = context.query(f"SELECT max(events) FROM {{db}}.rpt_abuse_scan WHERE {_DAY}")[0][0]
    notes = () if looks else (_UNSEEN,)
    return Content(
        (("Scenarios", str(len(looks))), ("Order events", events), ("Alerts", str(len(raised))),
         ("Cases open", str(len(pending))), ("Breaks", str(len(breaks)))),
        notes,
        (
            table("Looked for", ("Scenario", "What", "Basis", "Version", "Review", "Alerts",
                                 "Decided (year)", "False"), looks,
                  empty="Nothing.", size=7.5, remark=_POINTS),
            table("Alerts of the day", ("Case", "Scenario", "Symbol", "Accounts", "From", "Score",
                                        "Seen", "Status", "Analyst"), raised,
                  empty="No alert." if looks else "Nobody looked.", size=7.5),
            table("Open cases", ("Case", "Day", "Scenario", "Symbol", "Status", "Analyst", "Due"),
                  pending, empty="No case is open.", size=8.0),
            table("Breaks", ("Rule", "Scenario", "Severity", "Value"), breaks, empty="None."),
        ),
    )  # fmt: skip


_POINTS = "Points are those of Delegated Regulation (EU) 2016/522, annex II, section 1."
_UNSEEN = (
    "Nobody looked at this day's orders: tickhouse abuse scan --date D, then make the report again."
)

REPORT = Report(
    "market-abuse",
    "Market-abuse surveillance",
    "RTS 6, article 13; Regulation (EU) No 596/2014, articles 12 and 16",
    (
        Sheet("alerts.csv", "rpt_abuse_alert", "scenario, alert_id"),
        Sheet("scans.csv", "rpt_abuse_scan", "scenario"),
        Sheet("breaks.csv", "rpt_abuse_break", "rule_id, scenario"),
    ),
    "rpt_abuse_break",
    page,
    signoff=("Surveillance", "Compliance officer"),
    wide=True,
    texts=("rts6", "stor", "mar_indicators"),
)
