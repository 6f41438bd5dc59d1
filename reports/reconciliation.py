"""R0: our books against the broker's statement of the day: deals, positions, all money."""

from reports.base import Content, Report, ReportContext, Sheet, table


def page(context: ReportContext) -> Content:
    """What agrees, what breaks, and money beside money."""
    taken = context.query(
        "SELECT count(), toString(max(ts_init)), argMax(currency, ts_init) FROM broker_account"
        " WHERE statement_date = {day:Date} AND mode = {mode:String}"
    )[0]
    counts = context.query(
        "SELECT item, status, count() FROM {db}.rpt_broker_reconciliation"
        " WHERE report_date = {day:Date} GROUP BY item, status ORDER BY item, status"
    )
    money = context.query(
        "SELECT account, item_key, toString(round(ours, 2)), toString(round(theirs, 2)),"
        " toString(round(difference, 2)), status FROM {db}.rpt_broker_reconciliation"
        " WHERE report_date = {day:Date} AND item = 'money' ORDER BY account, item_key"
    )
    breaks = context.query(
        "SELECT item, item_key, symbol, toString(round(ours, 8)), toString(round(theirs, 8)),"
        " status, substring(order_id, 1, 12) FROM {db}.rpt_broker_reconciliation"
        " WHERE report_date = {day:Date} AND status != 'matched' ORDER BY item, item_key"
    )
    notes: tuple[str, ...] = ()
    if taken[0] == "0":
        notes = (
            "There is no statement of the broker for this day, so nothing was compared:"
            " tickhouse report statement --date D takes one from the terminal.",
        )
    return Content(
        (("Statements", taken[0]), ("Last taken", taken[1] if taken[0] != "0" else "never"),
         ("Currency", taken[2]), ("Breaks", str(len(breaks)))),
        notes,
        (
            table("Compared", ("Item", "Outcome", "Rows"), counts, empty="Nothing."),
            table("Money", ("Account", "Amount", "Ours", "Broker", "Difference", ""), money,
                  empty="Nothing."),
            table("Breaks", ("Item", "Ticket", "Symbol", "Ours", "Broker", "How", "Order"), breaks,
                  empty="Everything agrees with the broker."
                  if taken[0] != "0" else "Nothing was compared."),
        ),
    )  # fmt: skip


REPORT = Report(
    "broker-reconciliation",
    "Broker reconciliation",
    "Our journal against the terminal's own books (RTS 6, article 17)",
    (Sheet("reconciliation.csv", "rpt_broker_reconciliation", "account, item, item_key"),),
    "rpt_broker_reconciliation",
    page,
    signoff=("Reconciled by", "Approved by"),
    texts=("rts6",),
)
