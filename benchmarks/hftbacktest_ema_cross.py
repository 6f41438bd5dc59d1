"""Another peer of bench_backtest: the same rule in hftbacktest, by its own interpreter.

    python hftbacktest_ema_cross.py TICKS.npy UNITS > FILLS.json

It knows nothing of Tickhouse. A quote is a book of one level a side: levels that are left are taken
away, those that come are put there, and no latency stands between book, rule and venue. Quotes of
one millisecond are a nanosecond apart, so that the rule sees each. The rule is compiled by numba,
as its users write them; only its run is timed: loading, compiling and turning rows into events is
left out.
"""

import json
import sys
import time

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit

_DEEP = 1e6
_BID, _ASK = (DEPTH_EVENT | EXCH_EVENT | LOCAL_EVENT | side for side in (BUY_EVENT, SELL_EVENT))


@njit
def follow(hbt, times_ns, size, fills):
    """Elapse from quote to quote; averages of 12 and 26 minute closes, seeded as TA-Lib does."""
    closes = np.zeros(26)
    second, minute, bars, side, orders, mid = -1, -1, 0, 0, 0, 0.0
    fast, slow = 0.0, 0.0
    for n in range(len(times_ns)):
        if hbt.elapse(times_ns[n] - hbt.current_timestamp) > 1:
            return -1
        depth = hbt.depth(0)
        now = times_ns[n] // 1_000_000_000
        if now != second:
            second = now
            if second // 60 != minute:
                if minute >= 0:
                    if bars < 26:
                        closes[bars] = mid
                    if bars == 25:
                        fast, slow = 0.0, 0.0
                        for k in range(26):
                            slow += closes[k]
                            fast += closes[k] if k >= 14 else 0.0
                        fast, slow = fast / 12, slow / 26
                    elif bars > 25:
                        fast += (mid - fast) * (2.0 / 13.0)
                        slow += (mid - slow) * (2.0 / 27.0)
                    bars += 1
                minute = second // 60
            want = 0 if bars < 26 or fast == slow else 1 if fast > slow else -1
            if want not in (0, side):
                for _ in range(2 if side else 1):  # close what is held, then enter
                    orders += 1
                    if want > 0:
                        hbt.submit_buy_order(0, orders, depth.best_ask, size, GTC, MARKET, True)
                    else:
                        hbt.submit_sell_order(0, orders, depth.best_bid, size, GTC, MARKET, True)
                    fill = fills[orders - 1]
                    fill.msc, fill.way = times_ns[n] // 1_000_000, want
                    fill.price = hbt.orders(0).get(orders).exec_price
                    hbt.clear_inactive_orders(0)
                side = want
        mid = (depth.best_bid + depth.best_ask) / 2.0
    return orders


@njit
def book(times_ns, bid, ask, events):
    """Events of the quotes, the side first that makes room for the other; how many."""
    count = 0
    for n in range(len(bid)):
        rising = n > 0 and ask[n] > ask[n - 1]
        for turn in range(2):
            asks = (turn == 0) == rising
            price, kind = (ask, _ASK) if asks else (bid, _BID)
            if n > 0 and price[n] == price[n - 1]:
                continue
            for level, depth in ((n, _DEEP), (n - 1, 0.0)):
                if level < 0:
                    continue
                event = events[count]
                event.ev, event.px, event.qty = kind, price[level], depth
                event.exch_ts = event.local_ts = times_ns[n]
                count += 1
    return count


def run(ticks, units):
    """Seconds by the clock and of CPU, and the fills, of ticks as bench_backtest saves them."""
    prices = np.concatenate([ticks["bid"], ticks["ask"]])
    digits = next(d for d in range(9) if np.array_equal(np.round(prices, d), prices))
    time_msc = ticks["time_msc"]
    # Times must rise: in the file they do, but for those of one millisecond.
    place = np.arange(len(ticks)) - np.searchsorted(time_msc, time_msc)
    times_ns = time_msc * 1_000_000 + place
    events = np.zeros(4 * len(ticks), event_dtype)
    events = events[: book(times_ns, ticks["bid"], ticks["ask"], events)]
    asset = (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(10.0**-digits)
        .lot_size(1.0)
        .roi_lb(float(ticks["bid"].min()) - 1.0)
        .roi_ub(float(ticks["ask"].max()) + 1.0)
    )
    hbt = ROIVectorMarketDepthBacktest([asset])
    fills = np.zeros(len(ticks), [("msc", "<i8"), ("way", "<i8"), ("price", "<f8")])
    began, worked = time.perf_counter(), time.process_time()
    orders = follow(hbt, times_ns, units, fills)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - worked
    hbt.close()
    if orders < 0:
        raise SystemExit("hftbacktest refused to go on")
    sides = {1: "buy", -1: "sell"}
    done = [(m, sides[w], round(p, digits)) for m, w, p in fills[:orders].tolist()]
    return {"wall_s": wall_s, "cpu_s": cpu_s, "fills": done}


def main():
    path, units = sys.argv[1:3]
    ticks = np.load(path)
    run(ticks[:2_000], float(units))  # compiles
    json.dump(run(ticks, float(units)), sys.stdout)


if __name__ == "__main__":
    main()
