"""The results page's tables of figures."""

import math
from collections.abc import Sequence

from backtest.results.bars import BarFigures
from backtest.results.cells import basis, optional, plain, table
from backtest.results.ticks import FeedFigures
from backtest.results.trading import Earned


def tick_table(rows: Sequence[FeedFigures]) -> str:
    """How well the ensemble tells direction, and what it knows beyond class shares."""
    head = ("feed", "ahead", "test rows", "moved", "blocks", "AUC", "fold by fold", "AUC momentum",
            "log loss", "majority's", "Brier", "majority's")  # fmt: skip
    return table(
        head,
        (
            (f.feed, f"{f.scale.horizon_s:g} s", f"{f.rows:,}", f"{f.moved:,}", f"{f.blocks:,}",
             plain(f.auc), " ".join(map(_auc, f.auc_folds)), plain(f.momentum_auc),
             f"{f.log_loss:.4f}", f"{f.prior_log_loss:.4f}", f"{f.brier:.4f}",
             f"{f.prior_brier:.4f}")
            for f in rows
        ),
    )  # fmt: skip


def member_table(rows: Sequence[FeedFigures]) -> str:
    """Direction told by each member alone."""
    names = list(dict.fromkeys(name for f in rows for name in f.auc_members))
    return table(
        ("feed", *names),
        ((f.feed, *(_auc(f.auc_members.get(name, math.nan)) for name in names)) for f in rows),
    )


def _auc(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.3f}"


def traded_table(rows: Sequence[FeedFigures]) -> str:
    """Basis points a trade after costs, by way of deciding."""
    ways = list(rows[0].traded)
    return table(
        ("feed", *ways),
        (
            (
                f.feed,
                *(f"{basis(f.traded[w].net_bp)}, {f.traded[w].trades:,} trades" for w in ways),
            )
            for f in rows
        ),
    )


def strategy_table(rows: Sequence[Earned]) -> str:
    """What shipped strategies earned."""
    head = ("feed", "strategy", "trades", "net, USD", "of it costs", "profit factor", "Sharpe")
    return table(
        head,
        (
            (e.feed, e.strategy, f"{e.trades:,}", f"{e.net:,.2f}", f"{e.costs:,.2f}",
             optional(e.profit_factor), optional(e.sharpe))
            for e in rows
        ),
    )  # fmt: skip


def bar_table(rows: Sequence[BarFigures]) -> str:
    """Everything about hourly bars."""
    head = ("bars", "years", "hours", "AUC", "AUC momentum", "right", "right majority", "cost, bp",
            *(f"{way}, bp" for way in rows[0].net_bp))  # fmt: skip
    return table(
        head,
        (
            (f.name, f"{f.first_year} to {f.last_year}", f"{f.rows:,}", plain(f.auc),
             plain(f.momentum_auc), f"{f.hit:.2%}", f"{f.majority_hit:.2%}", f"{f.cost_bp:g}",
             *map(basis, f.net_bp.values()))
            for f in rows
        ),
    )  # fmt: skip
