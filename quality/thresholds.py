"""Every limit of the data checks, in one place for review. A share is of the rows of a day.

The limits were set on the recorded days of May 2014: oanda's feeds pass, fxcm's crossed quotes,
10 % of EURUSD, do not.
"""

CROSSED_SHARE = 0.01  # ask below bid
OUT_OF_ORDER_SHARE = 0.001
DUPLICATE_SHARE = 0.05  # same time and prices as the tick before
SPREAD_OUTLIER_SHARE = 0.01
SPREAD_Z = 25.0  # robust: distance from the median in 1.4826 median absolute deviations
GAP_S = 1800.0  # silence within a trading day
STALE_S = 1800.0  # quotes that come and do not change
PROBABILITY_SUM_TOLERANCE = 1e-3
FILL_TOLERANCE_LOTS = 1e-9
