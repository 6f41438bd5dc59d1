"""R1: the RTS 22 transaction report: all trades, what is submitted, and what is wrong with it.

What is submitted follows from what was released before: a first version sends every reportable
trade as NEWT; a restated one cancels (CANC) what was released otherwise or not at all now, and
sends what is new or changed.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from core.errors import InputError
from reports import holidays, iso20022, rts22_xml
from reports.base import Content, Report, ReportContext, Sheet, table, undecided
from reports.tables import columns_of, rows_of, write_rows

TRANSACTIONS, SUBMISSION = "transactions.csv", "submission.csv"
XML = f"submission.{rts22_xml.BASE}.xml"  # without an authority's package
_KEY = "f02_transaction_reference"


def submission(context: ReportContext) -> Sequence[str]:
    """`submission.csv` and, when anything is submitted, the XML of it."""
    source, target = context.folder / TRANSACTIONS, context.folder / SUBMISSION
    before = _released(context)
    context.rows[SUBMISSION] = write_rows(
        target, columns_of(source), (list(row.values()) for row in _sent(source, before))
    )
    schema, version = _package(context)
    xml = f"submission.{version}.xml"
    if not rts22_xml.write(context.folder / xml, rows_of(target), version):
        return (SUBMISSION,)
    if schema is not None:
        _check(context.folder / xml, schema)
    return (SUBMISSION, xml)


def _released(context: ReportContext) -> dict[str, dict[str, str]]:
    """What holds at the authority: the reportable trades of the last released version."""
    if context.released is None:
        return {}
    return {row[_KEY]: row for row in _reportable(context.released.folder / TRANSACTIONS)}


def _sent(source: Path, before: dict[str, dict[str, str]]) -> Iterator[dict[str, str]]:
    """Cancellations first: an authority refuses a reference that is still in use."""
    if not before:  # the usual day: nothing was released, all of it goes out
        yield from _reportable(source)
        return
    same = {
        row[_KEY]
        for row in _reportable(source)
        if row[_KEY] in before and _fields(row) == _fields(before[row[_KEY]])
    }
    for reference, row in before.items():
        if reference not in same:
            yield row | {"f01_report_status": "CANC"}
    for row in _reportable(source):
        if row[_KEY] not in same:
            yield row


def _reportable(source: Path) -> Iterator[dict[str, str]]:
    """Rows that are reported; the others, mostly spot, are never taken apart."""
    return rows_of(source, "reportable", "yes")


def _fields(row: dict[str, str]) -> list[str]:
    return [value for name, value in row.items() if name[:1] == "f" and name[1:3].isdigit()]


def _package(context: ReportContext) -> tuple[Path | None, str]:
    """The operator's own package and its version; without one nothing is called valid."""
    folder = context.settings.reports.schemas
    return iso20022.installed(folder, rts22_xml.MESSAGE, rts22_xml.BASE)


def _check(xml: Path, schema: Path) -> None:
    if problems := iso20022.validate(xml, schema):
        raise InputError(str(schema), f"refuses the XML: {'; '.join(problems[:5])}")


def page(context: ReportContext) -> Content:
    """The control sheet."""
    counts = context.query(
        "SELECT count(), countIf(reportable), countIf(not reportable and has_instrument),"
        " countIf(not has_instrument) FROM {db}.rpt_rts22_transaction"
        " WHERE report_date = {day:Date}"
    )[0]
    sent = list(islice(rows_of(context.folder / SUBMISSION), 200))
    cancelled = sum(1 for _ in rows_of(context.folder / SUBMISSION, "f01_report_status", "CANC"))
    due = holidays.due_in_words(context.settings.home_path, context.day)
    facts = (
        ("Trades", counts[0]), ("Reportable", counts[1]), ("Excluded", counts[2]),
        ("Undecided", counts[3]), ("Submitted", str(context.rows[SUBMISSION])),
        ("of these CANC", str(cancelled)), ("Due (T+1)", due),
        ("XML", _xml(context)),
    )  # fmt: skip
    return Content(facts, undecided(counts[3]), (
        table("By instrument", ("Instrument", "Source", "Reportable", "Trades", "Quantity", "Why"),
              _by_instrument(context), empty="No trade on this day: the report is issued empty."),
        table("Fields", ("Field", "Column", "Status", "Trades", "Why"), _fields_of_day(context),
              empty="No reportable trade on this day.", limit=120,
              remark="What is filled from data, what is not applicable and why, what is missing.",
              size=7.0),
        table("Breaks", ("Transaction", "Field", "Rule", "Severity", "Value"), context.query(
            "SELECT trade_id, field, rule_id, severity, value FROM {db}.rpt_rts22_break"
            " WHERE report_date = {day:Date} ORDER BY severity, rule_id, trade_id"
        ), empty="Every reportable trade passes every rule."),
        table("Submission", ("Reference", "Status", "Time (UTC)", "Buys", "Quantity", "Price"), [
            (r[_KEY], r["f01_report_status"], r["f28_trading_time"][11:26],
             "firm" if r["f07_buyer_id"] == r["f04_executing_entity"] else "counterparty",
             r["f30_quantity"], f"{r['f33_price']} {r['f34_price_currency']}")
            for r in sent
        ], limit=40, remark=f"{context.rows[SUBMISSION]} rows in {SUBMISSION}.",
           empty="Nothing to submit.", size=8.0),
    ))  # fmt: skip


def _by_instrument(context: ReportContext) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT symbol, source, multiIf(not has_instrument, 'undecided', reportable, 'yes', 'no')"
        " AS is, count(),"
        " toString(round(sum(toFloat64OrZero(f30_quantity)), 6)), any(reportable_reason)"
        " FROM {db}.rpt_rts22_transaction WHERE report_date = {day:Date}"
        " GROUP BY symbol, source, is ORDER BY is DESC, symbol, source"
    )


def _fields_of_day(context: ReportContext) -> list[tuple[str, ...]]:
    """What is missing first, then what is not applicable; what is filled in every trade is not."""
    return context.query(
        "SELECT field, field_name, status, trades, reason FROM {db}.rpt_rts22_field"
        " WHERE report_date = {day:Date} AND status != 'filled'"
        " ORDER BY status = 'missing' DESC, field, reason"
    )


def _xml(context: ReportContext) -> str:
    if not context.rows[SUBMISSION]:
        return "none: nothing to submit"
    schema, version = _package(context)
    if schema is not None:
        return f"{version}, valid for the installed package"
    return f"{version}, not validated: no package installed"


REPORT = Report(
    "rts22",
    "Transaction report, control sheet",
    "RTS 22 (Delegated Regulation 2017/590), fields 1 to 65",
    (
        Sheet(TRANSACTIONS, "rpt_rts22_transaction", "ts_trade, trade_id"),
        Sheet("breaks.csv", "rpt_rts22_break", "trade_id, field, rule_id"),
        Sheet("fields.csv", "rpt_rts22_field", "field, status, reason"),
    ),
    "rpt_rts22_break",
    page,
    submission,
    texts=("rts22",),
    goes_to="the competent authority",
)
