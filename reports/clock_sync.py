"""R4: clock synchronisation: how far our clock can have been off, against the limits of RTS 25."""

from charts import report_figures as plots
from reports.base import Content, Report, ReportContext, Sheet, table
from reports.pdf import Section

_DAY = "report_date = {day:Date}"


def page(context: ReportContext) -> Content:
    """Sources, breaks, and the day of every reference that claims to be UTC."""
    counts = context.query(
        "SELECT sum(samples), uniqExact(host), countIf(traceable), sum(breaches),"
        " toString(round(maxIf(divergence_max_us, traceable), 1)),"
        " toString(any(divergence_limit_us)), toString(any(granularity_limit_us))"
        f" FROM {{db}}.rpt_clock_sync WHERE {_DAY}"
    )[0]
    facts = (
        ("Measurements", counts[0]), ("Hosts", counts[1]), ("References to UTC", counts[2]),
        ("Beyond a limit", counts[3]),
        ("Most it can be off, us", counts[4] if counts[2] != "0" else "unknown"),
        ("Divergence allowed, us", counts[5] or "none"),
        ("Step allowed, us", counts[6] or "none"),
    )  # fmt: skip
    return Content(facts, _NOTES, (_sources(context), *_pictures(context), _breaks(context)))


_NOTES = (
    "Measured is the clock of the machine that trades. Divergence is the offset and all that the"
    " measurement itself may be wrong by. RTS 25 binds members of venues; the limits are those of"
    " the category in the settings of the marts (clock_category).",
    "A broker's stamps are compared and held to no limit: their clock is not UTC, and the way of a"
    " tick to us is part of the figure. No time of a terminal is ever trusted.",
)


def _sources(context: ReportContext) -> Section:
    rows = context.query(
        "SELECT host, source, method, stamp_point, toString(samples),"
        " toString(round(longest_gap_minutes, 1)), toString(round(offset_max_us, 1)),"
        " toString(round(offset_p99_us, 1)), toString(round(uncertainty_max_us, 1)),"
        " toString(round(divergence_max_us, 1)), toString(round(granularity_max_us, 1)),"
        " toString(unsynchronised), toString(breaches)"
        f" FROM {{db}}.rpt_clock_sync WHERE {_DAY} ORDER BY host, traceable DESC, source"
    )
    names = (
        "Host", "Reference", "Method", "Stamps", "n", "Longest gap, min", "Offset max us", "p99",
        "Uncertain us", "Divergence us", "Step us", "Not synchronised", "Beyond",
    )  # fmt: skip
    empty = (
        "No clock was measured on this day: the process `watch` of tickhouse up measures, every"
        " TICKHOUSE_REPORTS__CLOCK_EVERY_S seconds."
    )
    return table("References", names, rows, empty=empty, size=7.5)


def _pictures(context: ReportContext) -> tuple[Section, ...]:
    rows = context.query(
        "SELECT concat(host, ', ', source), toString(toRelativeMinuteNum(ts_measured) % 1440 / 60),"
        " divergence_us, toString(divergence_limit_us)"
        f" FROM {{db}}.rpt_clock_measurement WHERE {_DAY} AND traceable"
        " ORDER BY host, source, ts_measured"
    )
    sections = []
    for name in sorted({row[0] for row in rows})[:4]:
        own = [row for row in rows if row[0] == name]
        points = [(float(hour), max(float(value), 0.1)) for _, hour, value, _ in own]
        drawn = plots.through_the_day(points, "", "divergence, us", float(own[0][3]))
        sections.append(Section(f"Divergence: {name}", image=plots.figure(drawn, height=1.9)))
    return tuple(sections)


def _breaks(context: ReportContext) -> Section:
    rows = context.query(
        "SELECT severity, host, source, rule_id, field, value FROM {db}.rpt_clock_break"
        f" WHERE {_DAY} ORDER BY severity, host, source, rule_id"
    )
    names = ("Severity", "Host", "Reference", "Rule", "Column", "Value")
    measured = context.rows["measurements.csv"]
    known = "Every clock is known to be within the limits."
    return table("Breaks", names, rows, empty=known if measured else "Nothing is known.")


REPORT = Report(
    "clock-sync",
    "Clock synchronisation",
    "RTS 25 (Delegated Regulation 2017/574), divergence and granularity",
    (
        Sheet("clocks.csv", "rpt_clock_sync", "host, source, stamp_point"),
        Sheet(
            "measurements.csv", "rpt_clock_measurement", "host, source, stamp_point, ts_measured"
        ),
        Sheet("breaks.csv", "rpt_clock_break", "host, source, rule_id"),
    ),
    "rpt_clock_break",
    page,
    signoff=("Prepared by", "Reviewed by"),
    wide=True,
    texts=("rts25",),
)
