# %% [markdown]
# # What the trades were worth, and whether the model knew
#
# A quant's morning after a run: where the money came from, what it cost, how long it took, and
# whether the probabilities behind it meant what they said. It needs a run: `tickhouse demo` is one.

# %%
import pandas as pd

import tickhouse

pd.set_option("display.width", 100, "display.max_columns", 12)
home = tickhouse.connect()
run = home.runs().pandas().run_id.iloc[-1]  # the newest
trades = home.trades(run=run).pandas()
closed = trades[trades.is_closed]
print(f"{run}: {len(trades)} trades, {len(closed)} of them closed")

# %% [markdown]
# ## By symbol: gross, costs, net
#
# Money is in the account's currency. Commission and swap are those of the reference data; the
# spread is in the prices already.

# %%
money = closed.groupby("symbol")[["profit_gross", "commission", "swap", "profit_net"]].sum()
money.insert(0, "trades", closed.groupby("symbol").size())
money.insert(1, "won", closed.groupby("symbol").profit_net.agg(lambda p: (p > 0).mean()))
print(money.round(2).to_string())

# %% [markdown]
# ## Why they ended, and after how long

# %%
held = (closed.ts_close - closed.ts_open).dt.total_seconds()
ends = closed.assign(held_s=held).groupby("exit_purpose")
print(ends.agg(trades=("fills", "size"), median_s=("held_s", "median"), net=("profit_net", "sum"))
      .round(2).to_string())  # fmt: skip

# %% [markdown]
# ## Did the model mean what it said?
#
# Rows are put into bins by the probability of a rise; in a calibrated model the share that rose by
# more than the spread within a minute is the bin's own probability.

# %%
CALIBRATION = """
SELECT
    floor(p.p_up, 1) AS said, count() AS rows, round(avg(l.mid - f.mid > f.spread), 3) AS happened
FROM (
    SELECT *, ts_event + INTERVAL 60 SECOND AS due FROM prediction FINAL WHERE run_id = {run:String}
) AS p
INNER JOIN feature AS f FINAL USING (run_id, source, symbol, ts_event, seq)
ASOF INNER JOIN feature AS l FINAL
    ON l.run_id = p.run_id AND l.source = p.source AND l.symbol = p.symbol AND l.ts_event <= p.due
GROUP BY said ORDER BY said
"""
calibration = home.sql(CALIBRATION, {"run": run}).pandas()
print(calibration.round(3).to_string(index=False))

# %% [markdown]
# ## From the best trade back to its tick
#
# One view joins fill, order, signal, prediction, feature row and tick.

# %%
LINEAGE = """
SELECT ts_fill, side, purpose, volume, price, round(p_up, 3) AS p_up, tick_bid, tick_ask
FROM trade(run = {run:String}, position = {position:UInt64}) ORDER BY ts_fill
"""
for best in closed.nlargest(1, "profit_net").itertuples():
    parameters = {"run": run, "position": best.venue_position}
    print(home.sql(LINEAGE, parameters).pandas().T.to_string(header=False))
home.close()
