"""Trades for tests."""

from datetime import UTC, datetime

from backtest.job import Trade

MONDAY_US = round(datetime(2024, 1, 8, 12, tzinfo=UTC).timestamp() * 1e6)
HOUR_US = 3_600_000_000


def trade(net: float, hour: float, side: str = "buy", held_h: float = 1.0, **more) -> Trade:
    """A trade that closed so many hours after Monday noon."""
    closed = MONDAY_US + round(hour * HOUR_US)
    given = {
        "source": "oanda", "symbol": "EURUSD", "side": side, "volume": 0.1,
        "opened_us": closed - round(held_h * HOUR_US), "price": 1.1, "closed_us": closed,
        "exit_price": 1.1, "cause": "horizon", "profit": net + 0.9, "commission": -0.7,
        "swap": -0.2, "cost": 0.5, "mfe": max(net, 0.0), "mae": min(net, 0.0),
        "notional": 11_000.0, "signal_id": "s", "order_id": "o",
    }  # fmt: skip
    return Trade(**{**given, **more})
