"""The parts of the execution-quality report that are pictures, each beside its query."""

from charts import report_figures as plots
from charts.report_figures import PERCENTILES, Spread
from reports.base import ReportContext, table
from reports.pdf import Section

_MOST_LABELS = 10
#: What we sent; the rest the broker did by itself.
SENT = "order_type IN ('market', 'limit', 'stop')"


def slippage(context: ReportContext, when: str) -> tuple[Section, ...]:
    """By hour, symbol and kind of order."""
    hours = _spreads(context, when, "toString(toHour(ts_sent, 'UTC'))")
    if not hours:
        return (table("Slippage", (), (), empty="No order was filled against a known price."),)
    symbols = _spreads(context, when, "concat(symbol, ' ', source)")
    kinds = _spreads(
        context, when, "if(order_type = 'market', concat('market, ', purpose), order_type)"
    )
    unit = "basis points worse"
    return (
        Section("Slippage by hour", image=plots.figure(plots.columns(hours, "", unit), height=1.7)),
        Section(
            "Slippage by symbol, and by kind of order",
            image=plots.figure(
                plots.ranges(symbols, "Symbol (orders)", unit),
                plots.ranges(kinds, "Kind (orders)", unit),
                height=_height(max(len(symbols), len(kinds))),
            ),
        ),
    )


def speed_and_outcomes(context: ReportContext, when: str) -> tuple[Section, ...]:
    """How fast, and how much of it."""
    lines = [
        (name, percentiles)
        for column, name in (
            ("known_ms", "known to us"), ("venue_ms", "filled, by the venue's clock"),
            ("twin_ms", "the twin's model"),
        )
        if (percentiles := _percentiles(context, when, column))
    ]  # fmt: skip
    outcomes = context.query(
        "SELECT concat(symbol, ' ', source) AS label, countIf(outcome = 'filled'),"
        " countIf(outcome = 'partially_filled'), countIf(outcome = 'rejected'),"
        " countIf(outcome in ('cancelled', 'expired', 'unknown', 'busted'))"
        f" FROM {{db}}.rpt_execution_order WHERE {when} AND {SENT}"
        f" GROUP BY label ORDER BY count() DESC, label LIMIT {_MOST_LABELS}"
    )
    draws = []
    if lines:
        draws.append(plots.curves(lines, "Time to the fill", "milliseconds"))
    if outcomes:
        names = ("filled", "in part", "rejected", "not done")
        parts = [(name, [int(row[n]) for row in outcomes]) for n, name in enumerate(names, start=1)]
        draws.append(plots.stacked([row[0] for row in outcomes], parts, "What came of orders"))
    if not draws:
        return ()
    image = plots.figure(*draws, height=_height(len(outcomes)))
    return (Section("Latency and fill ratio", image=image),)


def refusals(context: ReportContext, when: str) -> tuple[Section, ...]:
    """What the venue refused, in its words."""
    rows = context.query(
        "SELECT refusal, source, symbol, count(), any(order_id)"
        f" FROM {{db}}.rpt_execution_order WHERE {when} AND outcome = 'rejected'"
        " GROUP BY refusal, source, symbol ORDER BY count() DESC, refusal, source, symbol LIMIT 60"
    )
    if not rows:
        return (table("Rejects", (), (), empty="The venue refused no order."),)
    counts = dict[str, int]()
    for refusal, _, _, count, _ in rows:
        counts[refusal[:40]] = counts.get(refusal[:40], 0) + int(count)
    drawn = plots.bars(list(counts.items())[:_MOST_LABELS], "", "orders")
    columns = ("Words of the venue", "Source", "Symbol", "Orders", "One of them")
    rejects = table("Rejects", columns, rows)
    image = plots.figure(drawn, height=0.75 + 0.28 * min(len(counts), _MOST_LABELS))
    return (Section("Rejects by reason", image=image), rejects)


def twin(context: ReportContext, when: str) -> tuple[Section, ...]:
    """Broker and twin by hour, and order by order."""
    rows = context.query(
        "SELECT source, symbol, toString(ts_hour), toString(orders), toString(real_filled),"
        " toString(twin_filled), toString(real_rejected), toString(twin_rejected),"
        " toString(round(real_slippage_bp, 3)), toString(round(twin_slippage_bp, 3)),"
        " toString(round(excess_slippage_bp, 3)), toString(round(real_latency_ms_p50, 1)),"
        " toString(round(twin_latency_ms_p50, 1))"
        " FROM {db}.fct_broker_twin WHERE "
        + when.replace("report_date", "toDate(ts_hour)")
        + " ORDER BY source, symbol, ts_hour, run_id"
    )
    if not rows:
        return ()
    points = context.query(
        "SELECT twin_slippage_bp, twin_slippage_bp + over_twin_bp FROM {db}.rpt_execution_order"
        f" WHERE {when} AND twin_slippage_bp is not null AND over_twin_bp is not null"
        " ORDER BY cityHash64(order_id) LIMIT 500"
    )
    names = (
        "Source", "Symbol", "Hour", "Orders", "Broker filled", "Twin filled", "Broker refused",
        "Twin refused", "Broker bp", "Twin bp", "Excess bp", "Broker ms", "Twin ms",
    )  # fmt: skip
    comparison = table(
        "Broker and twin", names, rows, size=7.5, limit=40,
        remark="The twin is a simulated terminal on the same ticks: what the model of the broker"
        " expects of the same order. Excess is what the broker was worse.",
    )  # fmt: skip
    if len(points) < 2:
        return (comparison,)
    drawn = plots.pairs(
        [(float(a), float(b)) for a, b in points], "", "twin, basis points", "broker, basis points"
    )
    note = f"{len(points)} orders that both filled; above the line the broker was worse."
    picture = Section("Slippage of broker and twin", image=plots.figure(drawn), note=note)
    return (comparison, picture)


def _spreads(context: ReportContext, when: str, label: str) -> list[Spread]:
    rows = context.query(
        f"SELECT {label} AS label, quantileExact(0.05)(assumeNotNull(slippage_bp)),"
        " quantileExact(0.5)(assumeNotNull(slippage_bp)), round(avg(slippage_bp), 9),"
        " quantileExact(0.95)(assumeNotNull(slippage_bp)), count()"
        f" FROM {{db}}.rpt_execution_order WHERE {when} AND slippage_bp is not null"
        " GROUP BY label ORDER BY count() DESC, label LIMIT 24"
    )
    kept = rows if "toHour" in label else rows[:_MOST_LABELS]
    return [
        Spread(name, float(low), float(middle), float(mean), float(high), int(count))
        for name, low, middle, mean, high, count in kept
    ]


def _percentiles(context: ReportContext, when: str, column: str) -> list[float]:
    values = context.query(
        f"SELECT arrayJoin(quantilesExact({PERCENTILES})(assumeNotNull({column})))"
        f" FROM {{db}}.rpt_execution_order WHERE {when} AND {column} is not null"
        " HAVING count() > 0"
    )
    return [float(value) for (value,) in values]


def _height(labels: int) -> float:
    return 1.3 + 0.28 * max(labels, 4)
