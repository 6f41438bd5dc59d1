"""R2: order records: every order event of the day in the vocabulary of RTS 24, sequence-checked."""

from reports.base import Content, Report, ReportContext, Sheet, table


def page(context: ReportContext) -> Content:
    """Counts by event, breaks, and the life of the first orders."""
    counts = context.query(
        "SELECT count(), uniqExact(order_id), uniqExactIf(order_id, event_code = 'NEWO')"
        " FROM {db}.rpt_order_record WHERE report_date = {day:Date}"
    )[0]
    by_code = context.query(
        "SELECT event_code, event_meaning, own_event, count(), uniqExact(order_id)"
        " FROM {db}.rpt_order_record WHERE report_date = {day:Date}"
        " GROUP BY event_code, event_meaning, own_event"
        " ORDER BY event_code = '', event_code, own_event, event_meaning"
    )
    breaks = context.query(
        "SELECT toString(journal_seq), order_id, own_event, rule_id, value"
        " FROM {db}.rpt_order_record_break WHERE report_date = {day:Date} ORDER BY journal_seq"
    )
    lives = context.query(
        "SELECT substring(order_id, 1, 12), source, symbol, any(side),"
        " toString(any(quantity_ordered)),"
        " toString(round(sumIf(quantity_event, own_event != 'closed'), 8)),"
        " arrayStringConcat(arrayMap(x -> if(x.2 = '', x.3, x.2), arraySort(groupArray("
        "tuple(journal_seq, event_code, own_event)))), ' > ') AS life,"
        " formatDateTime(min(ts_event), '%H:%i:%S.%f') FROM {db}.rpt_order_record"
        " WHERE report_date = {day:Date} GROUP BY order_id, source, symbol"
        " ORDER BY min(journal_seq) LIMIT 41"
    )
    return Content(
        (("Events", counts[0]), ("Orders", counts[1]), ("Sent", counts[2]),
         ("Breaks", str(len(breaks)))),
        (),
        (
            table("Events", ("Code", "Meaning", "Our word", "Events", "Orders"),
                  by_code,
                  empty="No order event on this day: the record is issued empty."),
            table("Sequence breaks", ("Record", "Order", "Event", "Rule", "Value"), breaks,
                  empty="Every order begins, fills and ends in order; no number is missing."),
            table("Lives of orders", ("Order", "Source", "Symbol", "Side", "Ordered", "Filled",
                                      "Events", "First (UTC)"), lives, limit=40,
                  empty="None.", size=7.5),
        ),
    )  # fmt: skip


REPORT = Report(
    "order-records",
    "Order records",
    "Delegated Regulation 2017/565, annex IV, in the vocabulary of RTS 24",
    (
        Sheet("order_records.csv", "rpt_order_record", "account, run_id, journal_seq"),
        Sheet("breaks.csv", "rpt_order_record_break", "account, run_id, journal_seq, rule_id"),
    ),
    "rpt_order_record_break",
    page,
    texts=("records", "rts24"),
)
