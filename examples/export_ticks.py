"""Writes stored ticks as MetaTrader 5 exports them: something to import when you have no export.

    python examples/export_ticks.py EURUSD EURUSD.csv

A terminal writes server time, which is not UTC and which the file does not name: here Athens'.
"""

import sys

import tickhouse

SERVER = "Europe/Athens"
BID, ASK = 2, 4  # MT5's tick flags


def main(symbol: str, path: str) -> None:
    """Read all ticks of a symbol, write a tab-separated export."""
    with tickhouse.connect() as home:
        ticks = home.ticks(symbol).pandas()
    times = ticks.ts_event.dt.tz_convert(SERVER)
    columns = {
        "<DATE>": times.dt.strftime("%Y.%m.%d"),
        "<TIME>": times.dt.strftime("%H:%M:%S.%f").str[:-3],
        "<BID>": ticks.bid,
        "<ASK>": ticks.ask,
        "<LAST>": "",
        "<VOLUME>": "",
        "<FLAGS>": BID | ASK,
    }
    ticks[[]].assign(**columns).to_csv(path, sep="\t", index=False)
    print(f"{path}: {len(ticks):,} ticks of {symbol}, times as in {SERVER}")


if __name__ == "__main__":
    main(*sys.argv[1:])
