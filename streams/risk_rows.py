"""Figures of risk as rows of their tables."""

from collections.abc import Sequence

import msgspec

from adapters.clickhouse.rows import message_columns
from streams.portfolio_risk import RiskRows
from streams.rows import Rows


def risk_rows(kept: RiskRows) -> list[Rows]:
    """The rows of one moment."""
    tables: dict[str, Sequence[msgspec.Struct]] = {
        "portfolio_risk": [p.summary for p in kept.portfolios],
        "value_at_risk": [v for p in kept.portfolios for v in p.values],
        "feed_exposure": [f for p in kept.portfolios for f in p.feeds],
        "currency_exposure": [c for p in kept.portfolios for c in p.currencies],
        "correlation": kept.correlations,
        "regime": kept.regimes,
    }
    return [Rows(table, message_columns(rows), len(rows)) for table, rows in tables.items() if rows]
