"""Figures of risk as rows of their tables."""

from collections.abc import Sequence

import msgspec

from adapters.clickhouse.rows import message_columns
from streams.portfolio_risk import RiskRows
from streams.rows import Rows


def risk_rows(kept: Sequence[RiskRows]) -> list[Rows]:
    """The rows of some moments, a block for each table that has any."""
    portfolios = [p for rows in kept for p in rows.portfolios]
    tables: dict[str, Sequence[msgspec.Struct]] = {
        "portfolio_risk": [p.summary for p in portfolios],
        "value_at_risk": [v for p in portfolios for v in p.values],
        "feed_exposure": [f for p in portfolios for f in p.feeds],
        "currency_exposure": [c for p in portfolios for c in p.currencies],
        "correlation": [pair for rows in kept for pair in rows.correlations],
        "regime": [regime for rows in kept for regime in rows.regimes],
    }
    return [Rows(table, message_columns(rows), len(rows)) for table, rows in tables.items() if rows]
