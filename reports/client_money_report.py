"""R0b: client money of a day, each amount of each account beside what its broker states."""

from reports.base import Content, Report, ReportContext, Sheet, table

_AMOUNTS = """
SELECT account, if(client = '', 'the firm', client), item, currency, toString(round(ours, 2)),
    toString(round(theirs, 2)), toString(round(difference, 2)), toString(round(tolerance, 3)),
    status
FROM {db}.rpt_client_money WHERE report_date = {day:Date}
ORDER BY account, indexOf(['balance', 'open profit', 'equity', 'margin', 'statement'], item)
"""
_BREAKS = """
SELECT account, item, status, severity, owner, toString(since), toString(age_days)
FROM {db}.rpt_client_money_break WHERE report_date = {day:Date} ORDER BY severity, account, item
"""
_COUNTS = """
SELECT uniqExact(account), uniqExactIf(client, client != ''), count(), countIf(status = 'matched'),
    toString(max(ts_compared))
FROM {db}.rpt_client_money WHERE report_date = {day:Date}
"""


def page(context: ReportContext) -> Content:
    """What agrees, and what differs with who clears it and for how long."""
    accounts, clients, amounts, matched, compared = context.query(_COUNTS)[0]
    notes: tuple[str, ...] = ()
    if amounts == "0":
        notes = (
            "Nothing was compared for this day: tickhouse clients money --date D compares it.",
        )
    return Content(
        (("Accounts", accounts), ("of these for clients", clients), ("Amounts", amounts),
         ("Agree", matched), ("Compared", compared if amounts != "0" else "never")),
        notes,
        (
            table("Amounts", ("Account", "For", "Amount", "", "Ours", "Broker", "Difference",
                              "May be", ""), context.query(_AMOUNTS), empty="Nothing was compared.",
                  remark="Ours from the order journal, our last ticks and reference data; the"
                  " broker's from its last statement of the day."),
            table("Differences", ("Account", "Amount", "How", "Severity", "Cleared by", "Since",
                                  "Days"), context.query(_BREAKS),
                  empty="Every amount agrees." if amounts != "0" else "Nothing was compared."),
        ),
    )  # fmt: skip


REPORT = Report(
    "client-money",
    "Client money",
    "Books against the broker (Directive 2014/65/EU, article 16(8) and (9))",
    (
        Sheet("client_money.csv", "rpt_client_money", "account, item"),
        Sheet("breaks.csv", "rpt_client_money_break", "account, item"),
    ),
    "rpt_client_money_break",
    page,
    signoff=("Reconciled by", "Approved by"),
)
