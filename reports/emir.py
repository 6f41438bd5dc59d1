"""EMIR: what is reported of derivatives to a trade repository, and what is wrong with it.

What is submitted follows from what was released before: a first version sends every report of the
day; a restated one corrects (CORR) what was released otherwise, takes back (EROR) what is not
reported now, and revives (REVI) what an earlier version took back.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from core.errors import InputError
from reports import emir_history, emir_margin_xml, emir_xml, holidays, iso20022
from reports.base import Content, Report, ReportContext, Sheet, table, undecided
from reports.emir_history import ACTION, EVENT, KEY, Rows
from reports.tables import columns_of, rows_of, write_rows

EU = "EU"
REPORTS, SUBMISSION = "reports.csv", "submission.csv"
MARGINS, MARGIN_SUBMISSION = "margins.csv", "margin_submission.csv"
# Without an authority's package:
XML = f"submission.{emir_xml.BASE}.xml"
MARGIN_XML = f"margin_submission.{emir_margin_xml.BASE}.xml"


def submission(context: ReportContext) -> Sequence[str]:
    """What is to be sent, as CSV and as XML: reports in the order of the events, and margins.

    The repositories of the Union and of the United Kingdom are two: an XML is of one regime.
    """
    folder, released = context.folder, context.released_before
    regimes = _regimes(context)
    held, taken_back = emir_history.at_the_repository(released)
    sent = _sent(folder / REPORTS, held, taken_back)
    margins = _margins_sent(folder / MARGINS, emir_history.margins_held(released))
    return (
        *_written(context, regimes, (SUBMISSION, REPORTS), sent, emir_xml.MESSAGE),
        *_written(context, regimes, (MARGIN_SUBMISSION, MARGINS), margins, emir_margin_xml.MESSAGE),
    )


def _regimes(context: ReportContext) -> frozenset[str]:
    """Of what is reported on the day; else of what reference data say: its files say NOTX."""
    reported = context.query(
        "SELECT DISTINCT regime FROM {db}.rpt_emir_report"
        " WHERE report_date = {day:Date} AND reportable AND regime != ''"
    )
    referenced = reported or context.query(
        "SELECT DISTINCT argMax(regime, (valid_from, version, ts_init))"
        " FROM reference_emir_account WHERE valid_from <= {day:Date} GROUP BY account, source"
    )
    return frozenset(regime for (regime,) in referenced) or frozenset({EU})


def _written(
    context: ReportContext, regimes: frozenset[str], files: tuple[str, str],
    rows: Iterator[dict[str, str]], message: str,
) -> tuple[str, ...]:  # fmt: skip
    target, source = (context.folder / file for file in files)
    columns, counts = columns_of(source), Counter[str]()
    context.rows[target.name] = write_rows(target, columns, _lines(rows, columns, counts))
    documents = [
        _document(context, target, regime, counts[regime], message)
        for regime in sorted(regimes | counts.keys())
    ]
    return (target.name, *documents)


def _lines(
    rows: Iterator[dict[str, str]], columns: Sequence[str], counts: "Counter[str]"
) -> Iterator[list[str]]:
    """Cells by name: what is taken back may have been released before a column was added."""
    for row in rows:
        regime = row.get("regime") or EU
        counts[regime] += 1
        yield [(row | {"regime": regime}).get(name, "") for name in columns]


def _document(context: ReportContext, target: Path, regime: str, count: int, message: str) -> str:
    schema, version = _package(context.settings.reports.schemas, regime, message)
    of_regime = "" if regime == EU else f".{regime.lower()}"
    xml = target.with_name(f"{target.stem}{of_regime}.{version}.xml")
    _WRITERS[message].write(xml, rows_of(target, "regime", regime), count, version)
    if schema is not None and (problems := iso20022.validate(xml, schema)):
        raise InputError(str(schema), f"refuses the XML: {'; '.join(problems[:5])}")
    return xml.name


def _package(folder: str, regime: str, message: str) -> tuple[Path | None, str]:
    """The operator's own package and its version; one without the message is of another report.

    The United Kingdom's lies in a folder `uk` below the others: both name their files alike.
    """
    if folder and regime != EU:
        below = Path(folder).expanduser() / regime.lower()
        folder = str(below) if below.is_dir() else ""
    return iso20022.installed(folder, message, _WRITERS[message].BASE)


def _margins_sent(source: Path, held: Rows) -> Iterator[dict[str, str]]:
    """What is new or otherwise than it is held; a margin cannot be taken back (table 3, 28)."""
    for row in rows_of(source):
        before = held.get(row[KEY])
        if before is None:
            yield row
        elif emir_history.fields_of(before) != emir_history.fields_of(row):
            yield row | {emir_history.MARGIN_ACTION: "CORR"}


def _sent(source: Path, held: Rows, taken_back: frozenset[str]) -> Iterator[dict[str, str]]:
    """What is no longer reported goes first: its UTI may be that of what follows."""
    now = {row[KEY] for row in _reportable(source)} if held else set[str]()
    for key, row in held.items():
        if key not in now:
            yield row | {ACTION: "EROR", EVENT: ""}
    for row in _reportable(source):
        before = held.get(row[KEY])
        if before is None:
            revived = {ACTION: "REVI", EVENT: ""} if row[KEY] in taken_back else {}
            yield row | revived
        elif emir_history.fields_of(before) != emir_history.fields_of(row):
            yield row | {ACTION: "CORR", EVENT: ""}


def _reportable(source: Path) -> Iterator[dict[str, str]]:
    return rows_of(source, "reportable", "yes")


def page(context: ReportContext) -> Content:
    """The control sheet."""
    counts = context.query(
        "SELECT count(), countIf(reportable), countIf(not reportable and has_instrument),"
        " countIf(not has_instrument) FROM {db}.rpt_emir_report WHERE report_date = {day:Date}"
    )[0]
    corrected = sum(
        1 for row in rows_of(context.folder / SUBMISSION) if row[ACTION] in ("CORR", "EROR", "REVI")
    )
    due = holidays.due_in_words(context.settings.home_path, context.day)
    facts = (
        ("Reports", counts[0]), ("Reportable", counts[1]), ("Excluded", counts[2]),
        ("Undecided", counts[3]), ("Submitted", str(context.rows[SUBMISSION])),
        ("of these corrections", str(corrected)), ("Due (T+1)", due),
        *((f"XML, {regime}", _xml(context, regime)) for regime in sorted(_regimes(context))),
    )  # fmt: skip
    return Content(facts, (_COVERED, *undecided(counts[3])), (
        table("By instrument", ("Instrument", "Source", "Reportable", "Reports", "Why"),
              _by_instrument(context), empty="No trade and no position: issued empty."),
        table("Events", ("Action", "Event", "Level", "Reports", "Contracts"), _events(context),
              empty="Nothing is reported."),
        table("Breaks", ("Record", "Field", "Rule", "Severity", "Value", "Owner"), context.query(
            "SELECT record_id, field, rule_id, severity, value, owner FROM {db}.rpt_emir_break"
            " WHERE report_date = {day:Date} ORDER BY severity, rule_id, record_id"
        ), empty="Every report passes every rule.", size=7.5),
        table("Submission", ("UTI", "Action", "Event", "Level", "Side", "Quantity", "Price",
                             "Value"), _shown(context), limit=40, size=6.5,
              remark=f"{context.rows[SUBMISSION]} rows in {SUBMISSION}.",
              empty="Nothing to submit."),
        table("Margin", ("Account", "Portfolio or UTI", "Category", "Initial margin", "Contracts"),
              _margins(context), empty="No open contract that margin is reported of."),
        table("Fields", ("Table", "Field", "Column", "Status", "Reports", "Why, or what to supply"),
              _fields_of_day(context), empty="Nothing is reported.", limit=160, size=6.5,
              remark="What is missing, then what is not applicable; what is filled is not listed."),
    ))  # fmt: skip


def _by_instrument(context: ReportContext) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT symbol, source, multiIf(not has_instrument, 'undecided', reportable, 'yes', 'no')"
        " AS is, count(), any(reportable_reason)"
        " FROM {db}.rpt_emir_report WHERE report_date = {day:Date}"
        " GROUP BY symbol, source, is ORDER BY is DESC, symbol, source"
    )


def _events(context: ReportContext) -> list[tuple[str, ...]]:
    return context.query(
        f"SELECT {ACTION}, {EVENT}, t2_154_level, count(), uniqExact(contract_key)"
        " FROM {db}.rpt_emir_report WHERE report_date = {day:Date} AND reportable"
        f" GROUP BY {ACTION}, {EVENT}, t2_154_level ORDER BY {ACTION}, {EVENT}, t2_154_level"
    )


def _shown(context: ReportContext) -> list[tuple[str, ...]]:
    return [
        (row["t2_001_uti"], row[ACTION], row[EVENT], row["t2_154_level"], row["t1_17_direction"],
         row["t2_060_quantity_1"], f"{row['t2_048_price']} {row['t2_049_price_currency']}",
         f"{row['t2_021_valuation_amount']} {row['t2_022_valuation_currency']}")
        for row in islice(rows_of(context.folder / SUBMISSION), 200)
    ]  # fmt: skip


def _margins(context: ReportContext) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT account, concat(t3_09_portfolio_code, t3_10_uti), t3_11_category,"
        " concat(t3_13_initial_posted, ' ', t3_14_initial_posted_currency), contracts"
        " FROM {db}.rpt_emir_margin WHERE report_date = {day:Date} ORDER BY account, record_id"
    )


def _fields_of_day(context: ReportContext) -> list[tuple[str, ...]]:
    return context.query(
        "SELECT table_number, field, substring(field_name, position(field_name, '_', 4) + 1),"
        " status, reports, reason FROM {db}.rpt_emir_field"
        " WHERE report_date = {day:Date} AND status != 'filled'"
        " ORDER BY status = 'missing' DESC, table_number, field, reason"
    )


def _xml(context: ReportContext, regime: str) -> str:
    folder = context.settings.reports.schemas
    return "; ".join(_validity(*_package(folder, regime, message)) for message in _WRITERS)


def _validity(schema: Path | None, version: str) -> str:
    known = "valid for the installed package" if schema else "not validated: no package installed"
    return f"{version}, {known}"


_WRITERS = {emir_xml.MESSAGE: emir_xml, emir_margin_xml.MESSAGE: emir_margin_xml}
_COVERED = (
    "Covered are contracts for difference, not cleared, between parties with LEIs; every other"
    " contract is a break. The United Kingdom's standards were read at second hand: see emir.md."
)

REPORT = Report(
    "emir",
    "Derivatives reported to a trade repository, control sheet",
    "EMIR, article 9; Delegated Regulation (EU) 2022/1855, Implementing Regulation (EU) 2022/1860",
    (
        Sheet(REPORTS, "rpt_emir_report", "ts_event, sequence, record_id"),
        Sheet(MARGINS, "rpt_emir_margin", "account, record_id"),
        Sheet("breaks.csv", "rpt_emir_break", "record_id, field, rule_id"),
        Sheet("fields.csv", "rpt_emir_field", "table_number, field, status, reason"),
    ),
    "rpt_emir_break",
    page,
    submission,
    wide=True,
    texts=("emir", "emir_details", "emir_formats", "emir_uk"),
    goes_to="the trade repository",
)
