"""R11: the register of ICT-related incidents: what happened, its class, what is filed and due."""

from reports.base import Content, Report, ReportContext, Sheet, table

_SHOWN = (
    "incident_id, title, subject, formatDateTime(ts_began, '%Y-%m-%d %H:%i'),"
    " if(toUnixTimestamp(ts_ended) = 0, 'goes on', formatDateTime(ts_ended, '%Y-%m-%d %H:%i')),"
    " multiIf(classified_by = '', 'not classified', major, 'major', 'not major'), status"
)
_HEAD = ("Incident", "What", "About", "Began", "Over", "Class", "State")


def page(context: ReportContext) -> Content:
    """The day's incidents, all that are open, and what is late."""
    today = context.query(
        f"SELECT {_SHOWN} FROM {{db}}.rpt_incident WHERE report_date = {{day:Date}}"
        " ORDER BY ts_aware, incident_id"
    )
    pending = context.query(
        "SELECT incident_id, title, if(major, 'major', ''), due_step,"
        " if(due_step = '', '', formatDateTime(ts_due, '%Y-%m-%d %H:%i')), filed, basis"
        " FROM {db}.rpt_incident WHERE status != 'closed' AND report_date <= {day:Date}"
        " ORDER BY ts_due, incident_id"
    )
    closed = context.query(
        "SELECT incident_id, title, if(major, 'major', ''), cause, closed_by FROM {db}.rpt_incident"
        " WHERE toDate(ts_closed, 'UTC') = {day:Date} ORDER BY ts_closed, incident_id"
    )
    breaks = context.query(
        "SELECT rule_id, incident_id, severity, value FROM {db}.rpt_incident_break"
        " WHERE report_date = {day:Date} ORDER BY rule_id, incident_id"
    )
    return Content(
        (("Incidents of the day", str(len(today))), ("Open", str(len(pending))),
         ("Closed on the day", str(len(closed))), ("Breaks", str(len(breaks)))),
        (),
        (
            table("Incidents of the day", _HEAD, today, empty="None.", size=7.5),
            table("Open", ("Incident", "What", "Class", "Due", "By (UTC)", "Filed", "Meets"),
                  pending, empty="No incident is open.", size=7.5, remark=_REMARK),
            table("Closed on the day", ("Incident", "What", "Class", "Cause", "By"), closed,
                  empty="None.", size=7.5),
            table("Breaks", ("Rule", "Incident", "Severity", "What"), breaks, empty="None."),
        ),
    )  # fmt: skip


_REMARK = (
    "As the register stands when this is made. Classes are those of Delegated Regulation (EU)"
    " 2024/1772, articles 6 to 9; time limits of Delegated Regulation (EU) 2025/301, article 5."
)
_PENDING = (
    "report_date = {day:Date} OR toDate(ts_closed, 'UTC') = {day:Date}"
    " OR (status != 'closed' AND report_date <= {day:Date})"
)

REPORT = Report(
    "incidents",
    "Register of incidents",
    "Regulation (EU) 2022/2554, articles 17 to 19",
    (
        Sheet("incidents.csv", "rpt_incident", "incident_id", _PENDING),
        Sheet("breaks.csv", "rpt_incident_break", "rule_id, incident_id"),
    ),
    "rpt_incident_break",
    page,
    signoff=("Operations", "Compliance officer"),
    wide=True,
    texts=("incident_classes", "incident_reports"),
)
