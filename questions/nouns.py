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
