"""R9: what is kept and why, what was due, what a legal hold kept, what was destroyed."""

from reports.base import Content, Report, ReportContext, Sheet, table

_DAY = "report_date = {day:Date}"


def page(context: ReportContext) -> Content:
    """The day's census by policy and subject, the month's destructions, and what does not fit."""
    policies = context.query(
        "SELECT if(policy = '', '(none)', policy), any(title), any(basis), any(policy_version),"
        " if(any(years) = 0, 'none', concat(toString(any(years)), ' years')), any(after_that),"
        " toString(sum(due)), toString(sum(held)), toString(sum(destroyed))"
        f" FROM {{db}}.rpt_retention WHERE {_DAY} GROUP BY policy ORDER BY policy"
    )
    subjects = context.query(
        "SELECT subject, kind, policy, toString(total), ifNull(toString(oldest), ''),"
        " if(ttl_days = 0, '', concat(toString(ttl_days), ' days')), toString(due), toString(held),"
        " toString(destroyed), holds"
        f" FROM {{db}}.rpt_retention WHERE {_DAY} AND (total > 0 OR destroyed > 0)"
        " ORDER BY due DESC, destroyed DESC, policy, subject"
    )
    breaks = context.query(
        "SELECT rule_id, subject, field, severity, value"
        f" FROM {{db}}.rpt_retention_break WHERE {_DAY} ORDER BY severity, rule_id, subject"
    )
    totals = [sum(int(row[place]) for row in subjects) for place in (6, 7, 8)]
    due, held, destroyed = map(str, totals)
    return Content(
        (("Tables and groups", str(len(subjects))), ("Due", due), ("Held", held),
         ("Destroyed (month)", destroyed), ("Breaks", str(len(breaks)))),
        () if subjects else (_UNCOUNTED,),
        (
            table("Policies", ("Policy", "Keeps", "Basis", "Version", "At least", "Then", "Due",
                               "Held", "Destroyed"), policies, empty="Nobody counted.", size=7.5),
            table("Tables and files", ("Subject", "Kind", "Policy", "Number", "Oldest", "TTL",
                                       "Due", "Held", "Destroyed", "Holds"), subjects,
                  empty="Nobody counted.", limit=90, size=7.5, remark=_NUMBERS),
            table("Breaks", ("Rule", "Subject", "Field", "Severity", "Value"), breaks,
                  empty="None."),
        ),
    )  # fmt: skip


_NUMBERS = (
    "Rows of tables; folders or files of groups. Copies in backups go when backups are thinned."
)
_UNCOUNTED = "Nobody counted this day: tickhouse retention due --date D, then make it again."

REPORT = Report(
    "retention",
    "Retention",
    "Directive 2014/65/EU, article 16; Regulation (EU) 2016/679, article 5(1)(e)",
    (
        Sheet("census.csv", "rpt_retention", "subject"),
        Sheet("breaks.csv", "rpt_retention_break", "rule_id, subject, value"),
    ),
    "rpt_retention_break",
    page,
    signoff=("Records officer", "Compliance officer"),
    wide=True,
    texts=("mifid_records", "gdpr"),
    every="month",
)
