"""The nightly risk report: what could be lost, whether measures held, what stress would do."""

from charts import report_figures as plots
from reports.base import Content, Report, ReportContext, Sheet, table
from reports.pdf import Section

_DAY = "trading_day = {day:Date}"
_HELD = "toDate(ts_first) <= {day:Date} AND toDate(ts_last) >= {day:Date}"


def page(context: ReportContext) -> Content:
    """Figures of the day, tests of the measures over the run so far, scenarios."""
    counts = context.query(
        "SELECT uniqExact(account), sum(moments), sum(unmeasured),"
        " toString(round(max(value_at_risk_max), 2)),"
        " toString(round(max(expected_shortfall_max), 2)),"
        " toString(round(min(stop_out_days_min), 1))"
        f" FROM {{db}}.fct_risk_daily WHERE {_DAY} AND strategy = ''"
    )[0]
    failed = context.query(
        f"SELECT count() FROM {{db}}.fct_var_backtest WHERE {_HELD} AND verdict = 'fails'"
    )[0][0]
    facts = (
        ("Accounts that held something", counts[0]), ("Moments", counts[1]),
        ("Without figures", counts[2]), ("Largest value at risk, 99 %, a day", counts[3]),
        ("Largest expected shortfall", counts[4]),
        ("Nearest to stop-out, deviations of a day", counts[5] or "unknown"),
        ("Measures that fail their tests", failed),
    )  # fmt: skip
    return Content(
        facts, _NOTES, (_days(context), *_picture(context), _tests(context), _stress(context))
    )


_NOTES = (
    "Value at risk and expected shortfall are filtered historical, at 99 % and a day, unless a row"
    " says otherwise; losses are positive, in account currency. How each figure is computed, and"
    " from which source, stands in docs/adr/0020-risk.md. No figure promises that no more is lost.",
    "A measure fails where exceptions are too many, too few or in a row (Kupiec, Christoffersen,"
    " both at 5 %), or where the Basel Framework's traffic light is red. Under 100 outcomes nobody"
    " can say.",
)


def _days(context: ReportContext) -> Section:
    rows = context.query(
        "SELECT account, if(strategy = '', 'all', strategy), currency, toString(round(gross_max)),"
        " toString(round(net_max)), toString(round(value_at_risk_max, 2)),"
        " toString(round(expected_shortfall_max, 2)), toString(round(parametric_max, 2)),"
        " toString(round(concentration_max, 2)), toString(round(margin_max)),"
        " toString(round(stop_out_min)), toString(unmeasured)"
        f" FROM {{db}}.fct_risk_daily WHERE {_DAY} ORDER BY account, strategy"
    )
    names = (
        "Account", "Strategy", "In", "Gross", "Net", "VaR", "Shortfall", "Parametric",
        "Concentration", "Margin", "Room before stop-out", "Without",
    )  # fmt: skip
    return table("What could be lost", names, rows, empty="Nothing was held on this day.", size=7.5)


def _picture(context: ReportContext) -> tuple[Section, ...]:
    rows = context.query(
        "SELECT account, toRelativeMinuteNum(ts_event) % 1440 / 60 AS hour,"
        " max(value_at_risk) FROM value_at_risk"
        " WHERE mode = {mode:String} AND strategy = '' AND horizon = '1d'"
        " AND confidence = 0.99 AND measure = 'filtered' AND toDate(ts_event) = {day:Date}"
        " GROUP BY 1, hour ORDER BY 1, hour"
    )
    if not rows:
        return ()
    lines: dict[str, list[tuple[float, float]]] = {}
    for account, hour, value in rows:
        lines.setdefault(account, []).append((float(hour), float(value)))
    drawn = plots.held_through_the_day(lines, "", "account currency")
    return (Section("Value at risk through the day (UTC)", image=plots.figure(drawn, height=1.9)),)


def _tests(context: ReportContext) -> Section:
    rows = context.query(
        "SELECT account, if(strategy = '', 'all', strategy), measure, toString(confidence),"
        " horizon, toString(observations), toString(exceptions), toString(round(expected, 1)),"
        " toString(round(kupiec, 4)), toString(round(conditional, 4)), zone, verdict"
        f" FROM {{db}}.fct_var_backtest WHERE {_HELD} AND strategy = ''"
        " ORDER BY account, measure, confidence, horizon"
    )
    names = (
        "Account", "Strategy", "Measure", "At", "In", "n", "Exceptions", "Expected", "Kupiec p",
        "Both p", "Zone", "Verdict",
    )  # fmt: skip
    return table("Did the measures hold?", names, rows, empty="No outcome is known yet.", size=7.5)


def _stress(context: ReportContext) -> Section:
    rows = context.query(
        "SELECT account, if(strategy = '', 'all', strategy), toString(ts_event), scenario, version,"
        " toString(round(profit, 2)), toString(round(100 * share, 2)),"
        " if(factor IS NULL, 'never', toString(round(assumeNotNull(factor), 1))), worst_symbol,"
        f" untouched FROM {{db}}.fct_stress WHERE {_DAY} ORDER BY account, strategy, profit"
    )
    names = (
        "Account", "Strategy", "As of", "Scenario", "Version", "Profit", "% of equity",
        "Times until 10 %", "Worst", "Says nothing of",
    )  # fmt: skip
    return table("Stress", names, rows, empty="No scenario was computed for this day.", size=7.5)


REPORT = Report(
    "risk",
    "Risk",
    "Value at risk, expected shortfall, tests of both, stress scenarios",
    (
        Sheet("days.csv", "fct_risk_daily", "account, strategy, run_id", _DAY),
        Sheet(
            "tests.csv", "fct_var_backtest",
            "account, strategy, measure, confidence, horizon, run_id", _HELD,
        ),
        Sheet("stress.csv", "fct_stress", "account, strategy, scenario, ts_event, run_id", _DAY),
    ),
    "",
    page,
    signoff=("Prepared by", "Reviewed by"),
    wide=True,
)  # fmt: skip
