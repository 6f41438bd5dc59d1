"""A finished backtest as one object: what `--json` prints and the page shows."""

from typing import Any

import msgspec

from backtest import firm
from backtest.job import JobOutcome, Trade
from backtest.metrics import monthly, utc
from backtest.mt5_report import compare
from backtest.page_tables import earned
from backtest.portfolio import PortfolioResult
from backtest.risk_figures import greatest
from core.feature_set import FOLDER
from core.settings import Settings
from features.own import of_folder, set_hash


class Setting(msgspec.Struct, frozen=True):
    """What the report says about how it came to be."""

    settings: Settings
    inputs: dict[str, str]
    model: str
    wall_s: float
    workers: int
    warnings: tuple[str, ...] = ()
    mt5: dict[str, list[float]] | None = None  # figures of the tester's report, by label


def build(result: PortfolioResult, setting: Setting) -> dict[str, Any]:
    """The object; every value can be JSON."""
    run, figures = setting.settings.run, result.figures
    return {
        "run_id": run.run_id,
        "mode": run.mode,
        "strategy": run.strategy,
        "model": setting.model,
        "feature_set_hash": set_hash(of_folder(setting.settings.home_path / FOLDER)),
        "currency": setting.settings.terminal.currency,
        "inputs": setting.inputs,
        "warnings": list(setting.warnings),
        "from": text(result.span_us[0]),
        "to": text(result.span_us[1]),
        **result.counts,
        "denied_by_reason": result.denied_by_reason,
        "rejected_by_reason": result.rejected_by_reason,
        "figures": msgspec.to_builtins(figures),
        "accounts": [
            {
                "name": o.job.name,
                "from": text(o.first_us),
                "to": text(o.last_us),
                "net_profit": round(sum(t.net for t in o.trades), 2),
                "trades": len(o.trades),
                "equity_drawdown": msgspec.to_builtins(o.equity_drawdown),
                **o.counts,
            }
            for o in result.outcomes
        ],
        "firm": [row for o in result.outcomes for row in firm.rows(o.job.name, o.firm)],
        "risk": [row for o in result.outcomes for row in risk_rows(o)],
        "strategies": [one._asdict() for one in earned(result.trades)],
        "monthly": monthly(result.trades),
        "trades": [row(trade) for trade in result.trades],
        "mt5": [row._asdict() for row in compare(figures, setting.mt5)] if setting.mt5 else [],
        "wall_s": round(setting.wall_s, 3),
        "ticks_per_s": round(result.counts["ticks"] / max(setting.wall_s, 1e-9)),
        "workers": setting.workers,
    }


def risk_rows(outcome: JobOutcome) -> list[dict[str, Any]]:
    """The most that each measure ever said could be lost in a day; none without `--risk`."""
    return [
        {"account": outcome.job.name, **most._asdict(), "at": text(most.ts_us)}
        for most in greatest(outcome.risk)
    ]


def row(trade: Trade) -> dict[str, Any]:
    """One trade, times as text."""
    fields: dict[str, Any] = msgspec.to_builtins(trade)
    fields["opened"], fields["closed"] = (
        text(fields.pop("opened_us")),
        text(fields.pop("closed_us")),
    )
    return {**fields, "net": round(trade.net, 2)}


def text(time_us: int) -> str:
    """A time, UTC, to the millisecond."""
    return utc(time_us).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if time_us else ""
