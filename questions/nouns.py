"""Nouns for rows, and what other words make of them."""

#: Nouns that other figures are taken of: "the average profit of our trades" asks for the profit.
WEAK = frozenset(
    {
        "trades",
        "orders",
        "fills",
        "ticks",
        "signals",
        "predictions",
        "open_positions",
        "bars",
        "models",
    }
)

NOUNS = {
    "trades": "trade",
    "orders": "order",
    "winners": "trade",
    "losers": "trade",
    "incidents": "incident",
    "models": "model",
    "stress_result": "scenario",
    "processes": "process",
    "bars": "bar",
}
#: Words of a figure that are a noun only when it is this very word: "by scenario", not "stress".
STRICT = frozenset({"stress_result", "processes"})

#: Rows that are there of other rows: slippage is of orders, and a spread of no trades.
OF = {
    "trades": {"trades", "opened", "positions", "control_blocks", "denials", "firm_rules"},
    "orders": {"orders", "executions", "sent_orders", "partial_fills", "fills", "denials", "abuse"}
    | {"order_scores", "control_blocks", "order_records"},
    "fills": {"fills", "executions", "sent_orders", "orders", "partial_fills"},
    "ticks": {"ticks", "receipts", "gaps", "quarantine", "corrections", "data_quality", "bars"},
    "signals": {"signals", "signal_outcomes"},
    "predictions": {"predictions", "model_performance", "roles", "members", "shadows"},
    "open_positions": {"positions", "portfolio", "exposure", "account", "stop_prices"},
    "bars": {"bars", "minute_returns", "ticks"},
    "models": {"models", "predictions", "model_performance", "roles", "members", "drift"}
    | {"signal_outcomes", "shadows", "model_events"},
}

RESULTS = {"winners", "losers"}

COSTS = {"commission", "swap", "slippage_cost"}

ROWS = {
    "trades",
    "orders",
    "fills",
    "signals",
    "alerts",
    "incidents",
    "winners",
    "losers",
    "denied",
    "rejected",
    "ticks",
    "corrections",
    "halts",
}

#: Dimensions of time, which all rows with a time have.
TIMES = ("hour", "day", "weekday", "week", "month")

#: What trades are called by what they made, and the value of their result.
RESULT_OF = {"winners": "winner", "losers": "loser"}
