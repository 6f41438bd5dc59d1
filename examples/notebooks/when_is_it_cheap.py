# %% [markdown]
# # When is it cheap to trade, and how clean is the feed?
#
# An analyst's first look at a new feed: what is there, what a round trip costs by hour of day, how
# often nothing is quoted, and what the quality bits say. It needs ticks only: an import is enough.
# Open it in VS Code or Jupyter (jupytext), or run it with `python`.

# %%
import pandas as pd

import tickhouse

pd.set_option("display.width", 100, "display.max_columns", 12)
home = tickhouse.connect()  # TICKHOUSE_HOME, or .tickhouse; nothing has to run
print(home.symbols().pandas().to_string(index=False))

# %% [markdown]
# ## The spread by hour
#
# In basis points of the mid, so that symbols compare. The median is what you usually pay; the 99th
# percentile what you pay when it matters. Times are UTC.

# %%
SPREAD = """
SELECT
    symbol, toHour(ts_event) AS hour, count() AS ticks,
    round(quantile(0.5)((ask - bid) / bid) * 1e4, 3) AS median_bp,
    round(quantile(0.99)((ask - bid) / bid) * 1e4, 3) AS p99_bp
FROM (SELECT symbol, ts_event, toFloat64(ask) AS ask, toFloat64(bid) AS bid FROM tick FINAL)
GROUP BY symbol, hour ORDER BY symbol, hour
"""
spread = home.sql(SPREAD).pandas()
print(spread.pivot(index="hour", columns="symbol", values="median_bp").to_string())

# %%
cheapest = spread.loc[spread.groupby("symbol").median_bp.idxmin()]
print(cheapest[["symbol", "hour", "median_bp", "p99_bp"]].to_string(index=False))

# %% [markdown]
# ## Silence
#
# The longest gaps of each feed: a daily break is no fault, a hole in the middle of London is one.

# %%
for symbol in home.symbols().pandas().symbol.unique():
    ticks = home.ticks(symbol).pandas()
    gap = ticks.groupby("source").ts_event.diff().dt.total_seconds()
    worst = ticks.assign(seconds=gap).nlargest(3, "seconds")[["symbol", "ts_event", "seconds"]]
    print(worst.to_string(index=False, header=False))

# %% [markdown]
# ## Dirt
#
# Ticks are flagged and never dropped: crossed (ask below bid), locked (equal), several in one
# millisecond. What could not be kept at all is in `tick_quarantine` with its reason.

# %%
DIRT = """
SELECT
    symbol, count() AS ticks, countIf(bitTest(quality, 0)) AS crossed,
    countIf(bitTest(quality, 1)) AS locked, countIf(bitTest(quality, 2)) AS same_millisecond
FROM tick FINAL GROUP BY symbol ORDER BY symbol
"""
print(home.sql(DIRT).pandas().to_string(index=False))
refused = home.sql("SELECT reason, count() AS ticks FROM tick_quarantine FINAL GROUP BY reason")
print(f"refused: {refused.arrow().to_pylist() or 'none'}")
home.close()
