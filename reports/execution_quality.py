"""R5: execution quality (TCA): the day's review, and the quarter's, with the broker's twin beside.

Figures of a page are asked from the mart of single orders, for a percentile of hours is none of
the day; so a day and a quarter are the same page over another span.
"""

from collections.abc import Callable
from pathlib import Path

from reports.base import Content, Report, ReportContext, Sheet, table
from reports.execution_sections import SENT, refusals, slippage, speed_and_outcomes, twin
from reports.pdf import Section

_BY_INSTRUMENT = Path(__file__).with_name("orders_by_instrument.sql").read_text()
_DAY = "report_date = {day:Date}"
_QUARTER = "report_date > subtractMonths({day:Date}, 3) AND report_date <= {day:Date}"


def page(context: ReportContext) -> Content:
    """One day."""
    return _content(context, _DAY)


def quarter(context: ReportContext) -> Content:
    """The three months up to a day, for those who judge the execution policy."""
    content = _content(context, _QUARTER)
    period = ("Period", f"three months up to {context.day}")
    return Content(
        (period, *content.facts), (*_unreported(context), *content.notes), content.sections
    )


def _unreported(context: ReportContext) -> tuple[str, ...]:
    """Days of the quarter whose marts nobody built: their orders are not in here."""
    days = context.query(
        "SELECT DISTINCT toDate(ts_init, 'UTC') AS report_date FROM order_event"
        f" WHERE mode = {{mode:String}} AND kind = 'submitted' AND {_QUARTER} AND report_date"
        " NOT IN (SELECT report_date FROM {db}.rpt_execution_order) ORDER BY report_date"
    )
    if not days:
        return ()
    listed = ", ".join(day for (day,) in days[:20])
    return (f"Days with orders whose report was never made, so that they lack here: {listed}.",)


def _content(context: ReportContext, when: str) -> Content:
    orders = int(_one(context, "count()", when))
    empty = "No order was sent: the report is issued empty."
    if not orders:
        return Content(
            (("Orders", "0"),), (), (table("Execution quality", (), (), empty=empty),
                                    _breaks(context, when)),
        )  # fmt: skip
    return Content(
        _facts(context, when), _notes(context, when),
        (
            _by_instrument(context, when),
            *slippage(context, when),
            *speed_and_outcomes(context, when),
            *refusals(context, when),
            *twin(context, when),
            _worst(context, when),
            _breaks(context, when),
        ),
    )  # fmt: skip


def _facts(context: ReportContext, when: str) -> tuple[tuple[str, str], ...]:
    row = context.query(
        f"SELECT countIf({SENT}), countIf(NOT {SENT}),"
        " toString(round(100 * sumIf(volume_filled, order_type = 'market')"
        " / nullIf(sumIf(volume_asked, order_type = 'market'), 0), 2)),"
        " countIf(outcome = 'rejected'), toString(round(avg(slippage_bp), 3)),"
        " toString(round(quantileExactOrNull(0.5)(known_ms), 2)),"
        " toString(round(quantileExactOrNull(0.99)(known_ms), 2)), countIf(twin_outcome != '')"
        f" FROM {{db}}.rpt_execution_order WHERE {when}"
    )[0]
    names = (
        "Orders", "Closed by the broker", "Lots filled, %", "Rejected", "Mean slippage, bp",
        "Known after, ms p50", "p99", "Compared with twin",
    )  # fmt: skip
    return tuple((name, value or "none") for name, value in zip(names, row, strict=True))


def _notes(context: ReportContext, when: str) -> tuple[str, ...]:
    notes = [
        "Slippage: how much worse the fill was than the mid of the last stored quote when the order"
        " was sent (of a stop at the broker: than the stop's level; of an order that waited: than"
        " its own price), in basis points; half the spread is part of it. Known: from sent to the"
        " fill journalled, both by our clock; not of orders that waited."
    ]
    unreferred = _one(context, "countIf(reference_kind in ('journal mid', 'none'))", when)
    if unreferred != "0":
        notes.append(
            f"Orders without a stored quote when they were sent: {unreferred}. They are measured"
            " against the mid that was journalled with them, or not at all; see the breaks."
        )
    if _one(context, "countIf(twin_outcome != '')", when) == "0":
        notes.append(
            "No order was compared with the broker's twin: it runs beside a real terminal, or with"
            " TICKHOUSE_TWIN__ENABLED=on."
        )
    return tuple(notes)


def _by_instrument(context: ReportContext, when: str) -> Section:
    rows = context.query(_BY_INSTRUMENT.replace("{when}", when))
    names = (
        "Source", "Symbol", "Order", "Purpose", "n", "Filled", "Partly", "Rejected", "Not done",
        "Spread bp", "Slippage bp", "p95", "Known ms", "p99", "Over twin bp",
    )  # fmt: skip
    return table("By instrument and kind of order", names, rows, size=7.5)


def _worst(context: ReportContext, when: str) -> Section:
    rows = context.query(
        "SELECT formatDateTime(ts_sent, '%Y-%m-%d %H:%i:%S'), symbol, side, order_type, purpose,"
        " toString(volume_filled), toString(reference_price), toString(price_filled),"
        " toString(round(slippage_bp, 3)), toString(round(spread_bp, 3)),"
        " toString(round(known_ms, 1)), order_id"
        f" FROM {{db}}.rpt_execution_order WHERE {when} AND slippage_bp is not null"
        " ORDER BY slippage_bp DESC, journal_seq LIMIT 15"
    )
    names = (
        "Sent (UTC)", "Symbol", "Side", "Order", "Purpose", "Lots", "Reference", "Filled at",
        "Slippage bp", "Spread bp", "ms", "Order id",
    )  # fmt: skip
    return table("Worst orders", names, rows, size=7.5, empty="None was filled.")


def _breaks(context: ReportContext, when: str) -> Section:
    rows = context.query(
        "SELECT severity, rule_id, field, value, order_id FROM {db}.rpt_execution_break"
        f" WHERE {when} ORDER BY severity, rule_id, account, journal_seq LIMIT 1000"
    )
    return table(
        "Breaks", ("Severity", "Rule", "Column", "Value", "Order id"), rows, limit=40,
        empty="Every order has a quote, an outcome and figures within the bounds.",
    )  # fmt: skip


def _one(context: ReportContext, expression: str, when: str) -> str:
    return context.query(f"SELECT {expression} FROM {{db}}.rpt_execution_order WHERE {when}")[0][0]


def _sheets(when: str) -> tuple[Sheet, ...]:
    return (
        Sheet("orders.csv", "rpt_execution_order", "account, ts_sent, journal_seq", when),
        Sheet(
            "summary.csv", "rpt_execution_quality",
            "report_date, account, source, symbol, order_type, purpose, hour", when,
        ),
        Sheet("breaks.csv", "rpt_execution_break", "account, journal_seq, rule_id", when),
        Sheet(
            "twin.csv", "fct_broker_twin", "run_id, account, source, symbol, ts_hour",
            when.replace("report_date", "toDate(ts_hour)"),
        ),
    )  # fmt: skip


def _report(
    name: str, title: str, when: str, content: Callable[[ReportContext], Content]
) -> Report:
    return Report(
        name, title, "Monitoring of the order-execution policy; slippage, speed, fills, rejects",
        _sheets(when), "rpt_execution_break", content, signoff=("Reviewed by", "Approved by"),
        wide=True, texts=("best_execution", "rts27", "rts28"),
    )  # fmt: skip


REPORT = _report("execution-quality", "Execution quality", _DAY, page)
QUARTER = _report(
    "execution-quality-quarter", "Execution quality, quarterly review", _QUARTER, quarter
)._replace(every="quarter")
