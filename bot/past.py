"""What only the warehouse knows, in lines for a phone: days, why an order was, risk, reports.

Each question has a time of its own to be answered in, on a connection of its own, so that what is
slow or away keeps nobody else waiting. Times are UTC, money in the account's currency.
"""

from pathlib import Path
from typing import Any

from adapters.clickhouse import client
from bot.desk_texts import clock, money
from core.settings import Settings
from dashboards.live.risk_page import Figures, RiskPage

_SQL = {path.stem: path.read_text() for path in (Path(__file__).parent / "sql").glob("*.sql")}
_WITHIN_S = 15
_MOST_DAYS = 60
Row = dict[str, Any]


class Past:
    """Asks one home's warehouse. Blocking.

    Every method raises UnavailableError when the warehouse is away, WarehouseError when it refuses.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def daily(self, days: int) -> str:
        """What was realised on each of the newest trading days with fills, the oldest first."""
        rows = self._rows("daily", days=min(max(days, 1), _MOST_DAYS))
        if not rows:
            return "Nothing was filled yet."
        lines = [
            f"{row['trading_day']:%a %m-%d} {row['realised']:+12,.2f} "
            f" {row['fills']} fills, {row['won']} with a gain"
            for row in reversed(rows)
        ]
        total = sum(row["realised"] for row in rows)
        return "\n".join([*lines, f"together {money(total, '')}, costs included"])

    def why(self, name: str) -> str:
        """An order's or a signal's story: the decision, the checks, what became of it."""
        events = self._rows("story", id=name)
        signal = self._rows("signal", id=events[0]["signal_id"] if events else name)
        if not events and not signal:
            return f"Nothing of that id is stored: {name[:64]}. Of the last seconds try again soon."
        lines = [_decision(row) for row in signal] + [_event(row) for row in events]
        return "\n".join([*lines, f"Recomputed from its ticks: tickhouse explain {name}"])

    def risk(self) -> str:
        """What can be lost: value at risk, exposure, stress."""
        run = self._settings.run
        figures = RiskPage(self._settings.clickhouse, run).figures(run.run_id, run.account)
        return _risk(figures) if figures else "Nothing was held yet, so nothing could be lost."

    def reports(self) -> str:
        """Which reports there are, of which day, made when and by whom."""
        lines = [
            f"{row['report']} of {row['of_day']}:"
            f" {clock(row['ts_event_us'], day=True)} by {row['made_by']}"
            for row in self._rows("reports")
        ]
        return "\n".join([*(lines or ["No report was made yet."]), _KEPT])

    def _rows(self, name: str, **parameters: Any) -> list[Row]:
        run = self._settings.run
        whose = {"run_id": run.run_id, "account": run.account}
        with client.errors_translated():
            connected = client.connect(self._settings.clickhouse, _WITHIN_S)
            try:
                return list(connected.query(_SQL[name], whose | parameters).named_results())
            finally:
                connected.close()


_KEPT = "Reports themselves stay in the home: tickhouse report NAME --date DAY"


def _decision(row: Row) -> str:
    return (
        f"{clock(row['ts_event_us'], day=True)} {row['strategy']} wants {row['target']:+g} of"
        f" {row['source']} {row['symbol']} at {row['reference_price']:g},"
        f" stop {row['stop_price']:g}, confidence {row['confidence']:.2f}"
    )


def _event(row: Row) -> str:
    """One event; a denial with the limit, what was observed, and the version that denied."""
    parts = [clock(row["ts_event_us"]), row["kind"], row["side"], row["purpose"]]
    if row["volume"]:
        parts.append(
            f"{row['volume']:g} at {row['price']:g}" if row["price"] else f"{row['volume']:g}"
        )
    text = " ".join(part for part in parts if part)
    if row["kind"] == "denied":
        reason, version = row["reason"].replace("_", " "), row["limits_version"]
        may = f"{row['observed']:g} where {row['limit_then']:g} may be"
        return f"{text}: {reason}, {may} (limits {version})"
    gain = f", {money(row['profit'], '')}" if row["profit"] else ""
    return f"{text}{gain}{': ' + row['reason'] if row['reason'] else ''}"


def _risk(figures: Figures) -> str:
    summary = figures.summary
    currency = summary["currency"]
    lines = [
        f"{summary['ts_event']:%m-%d %H:%M:%S}: {summary['positions']} positions, gross"
        f" {summary['gross']:,.0f}, net {summary['net']:,.0f} {currency}",
        f"room before stop-out {summary['stop_out']:,.0f} {currency}"
        f" ({summary['stop_out_days']:.1f} standard deviations of a day)",
        *([f"! {summary['problem']}"] if summary["problem"] else []),
        *(
            f"{row['measure'].replace('_', ' ')} {row['confidence']:.0%} {row['horizon']}:"
            f" {row['value_at_risk']:,.2f}, shortfall {row['expected_shortfall']:,.2f}"
            for row in figures.values
        ),
        *(f"{row['name']} {row['exposure']:+,.0f}" for row in figures.exposures),
        *(f"stress {row['scenario']}: {row['lost_or_won']:+,.2f}" for row in figures.stress[:3]),
    ]
    return "\n".join(lines)
