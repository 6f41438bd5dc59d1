"""A feed's newest hours from memory, as a chart: candles of minutes, fills, the open position."""

from bot.desk_texts import clock, values
from charts.phone_chart import PhoneCandle, PhoneChart, PhoneMark
from dashboards.live.items import Items

_MINUTES = 120


def chart_of(items: Items, feed: str) -> PhoneChart | None:
    """The chart of a feed, as `source/symbol`; None while no candle of it is known."""
    known = sorted(items.get(key) for key in items.keys(f"bar|{feed}|"))[-_MINUTES:]
    if not known:
        return None
    candles = [PhoneCandle(*bar) for bar in known]
    begin_us = candles[0].time_s * 1_000_000
    fills = [
        PhoneMark(one["time"], one["price"], one["side"])
        for one in values(items, "fill|")
        if one["feed"] == feed and one["time"] >= begin_us and one["price"]
    ]
    held = [one for one in values(items, "position|") if one["feed"] == feed and one["volume"]]
    volume = f", {held[0]['volume']:+g} lots held" if held else ""
    last = candles[-1]
    title = (
        f"{feed.rpartition('/')[2]} {last.close:g} at {clock(last.time_s * 1_000_000)} UTC{volume}"
    )
    return PhoneChart(
        title, candles, fills, held[0]["price"] if held else 0.0, held[0]["stop"] if held else 0.0
    )
