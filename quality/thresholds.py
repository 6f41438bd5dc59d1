"""Every limit of the data checks, in one place for review. A share is of the rows of a day.

The limits were set on the recorded days of May 2014: oanda's feeds pass, fxcm's crossed quotes,
10 % of EURUSD, do not. Binance's spot feed repeats quotes of which only the size changed, which
`DUPLICATE_SHARE` takes for duplicates.
"""

# Ticks of a feed.
CROSSED_SHARE = 0.01  # ask below bid
OUT_OF_ORDER_SHARE = 0.001
DUPLICATE_SHARE = 0.05  # same time and prices as the tick before
SPREAD_OUTLIER_SHARE = 0.01
SPREAD_Z = 25.0  # robust: distance from the median in 1.4826 median absolute deviations
GAP_S = 1800.0  # silence within a session
EDGE_S = 1800.0  # silence after a session's open, or before its close
STALE_S = 1800.0  # quotes that come and do not change

# Bad prints: single ticks far from those around them.
PRINT_WINDOW = 21  # ticks, centred
PRINT_Z = 30.0  # distance from their median in 1.4826 median absolute deviations
PRINT_FOREST = 0.65  # isolation score that confirms it; 0.5 is ordinary, 1 is alone
BAD_PRINT_SHARE = 0.0001

# Minute bars of a feed.
MISSING_BARS_SHARE = 0.25  # minutes without a bar between the first and the last

# Features of a run's feed.
NULL_SHARE = 0.10  # of a feature that had been known: neither its warm-up nor an absent peer
DRIFT_PSI = 2.0  # population stability index against the days before; real days reach 1.0
DRIFT_BINS = 10
DRIFT_DAYS = 5  # how far back the reference reaches
DRIFT_MIN_ROWS = 2000  # a reference or a day with fewer says nothing
# By what a name holds: the time of day, and frames of which a day holds too few to compare.
DRIFT_EXEMPT = ("time_", "_5m", "_15m", "_30m", "_60m", "_1h")
FEATURE_RANGES = {  # by name, or by what the name begins with; all others within OTHER_RANGE
    "rsi_14": (0.0, 100.0),
    "imbalance_": (-1.0, 1.0),
    "time_": (-1.0, 1.0),
    "rate_": (0.0, 10_000.0),
    "volatility_": (0.0, 1_000.0),
    "bollinger_width_bp": (0.0, 2_000.0),
    "spread_bp": (-200.0, 1_000.0),
}
OTHER_RANGE = (-2_000.0, 2_000.0)  # basis points, or standard deviations

# Predictions and labels of a run.
PROBABILITY_SUM_TOLERANCE = 1e-3
LABEL_HORIZON_S = 60  # as TICKHOUSE_MODELS__HORIZON_S
LABEL_SHARE = (0.002, 0.995)  # of each class
LABEL_MIN_ROWS = 500

# Orders, fills and money of a run.
FILL_TOLERANCE_LOTS = 1e-9
MONEY_TOLERANCE = 0.01  # account currency
