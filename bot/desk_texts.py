"""What is now, in lines for a phone: status, positions, profit, orders, signals, the firm's rules.

All of it is in memory, fed by the bus and by files; nothing here waits for anybody. Times are UTC,
prices in quote currency, volumes in lots, money in the account's currency unless a line says so.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import trading_control
from core.errors import InputError
from core.sections import RuleSettings
from dashboards.live.items import Items

_LINES, _SHORT = 6, 8  # of a list; characters of an order's id
_ARROWS = {"long": "▲", "short": "▼", "flat": "■", "buy": "▲", "sell": "▼"}


def status(items: Items, home: Path, rules: RuleSettings) -> str:
    """Trading, links, processes that are late, feeds and their age, alerts."""
    now_us = items.get("now") or 0
    firing = values(items, "alert|")
    lines = [trading(home), *_links(items, now_us), *_processes(items, now_us, rules)]
    lines += _feeds(items, now_us)
    alerts = f"{len(firing)} alerts: /alerts" if firing else "no alert fires"
    market = items.get("market")
    return "\n".join([*lines, alerts, *([f"({market})"] if market else [])])


def trading(home: Path) -> str:
    """The kill switch, as its file says."""
    try:
        held = trading_control.current(home)
    except InputError as error:
        return f"Trading is halted: {error}"
    if held is None or held.state == "active":
        return "Trading is active."
    at = clock(held.ts_us, day=True)
    return f"Trading is {held.state.upper()} since {at} by {held.by}: {held.reason}"


def _links(items: Items, now_us: int) -> list[str]:
    links = {name: items.get(f"link|{name}") for name in ("bus", "warehouse")}
    return [
        f"The {name} does not answer for {age(now_us - link['since'])}."
        for name, link in links.items()
        if link is not None and not link["up"]
    ]


def _processes(items: Items, now_us: int, rules: RuleSettings) -> list[str]:
    beats = sorted(values(items, "process|"), key=lambda one: str(one["process"]))
    problems = {beat["process"]: _problem(beat, now_us, rules) for beat in beats}
    bad = [f"  {name}: {problem}" for name, problem in problems.items() if problem]
    return [f"{len(beats) - len(bad)} of {len(beats)} processes beat and are ready.", *bad]


def _problem(beat: dict[str, Any], now_us: int, rules: RuleSettings) -> str:
    silent_us = now_us - beat["time"]
    if silent_us > rules.process_down_s * 1e6:
        return f"silent for {age(silent_us)}"
    return "" if beat["status"] == "ready" else f"{beat['status']} {beat['detail']}".strip()


def _feeds(items: Items, now_us: int) -> list[str]:
    return [
        f"  {feed.symbol} {price(feed.bid, feed.digits)}/{price(feed.ask, feed.digits)},"
        f" {age(now_us - feed.time_us)} old"
        for feed in map(_Feed, values(items, "quote|"))
    ]


class _Feed:
    """A quote with what is known of its instrument."""

    def __init__(self, quote: dict[str, Any]) -> None:
        self.symbol, self.bid, self.ask = quote["symbol"], quote["bid"], quote["ask"]
        self.time_us = quote["time"]
        self.digits, self.contract = quote.get("digits", 5), quote.get("contract", 0.0)
        self.currency = quote.get("quote", "")


def positions(items: Items) -> str:
    """What is held, and what it gains at the newest quote, in quote currency."""
    held = [state for state in values(items, "position|") if state["volume"]]
    if not held:
        return "Nothing is held."
    return "\n".join(_position(items, state) for state in held)


def _position(items: Items, state: dict[str, Any]) -> str:
    quote = items.get(f"quote|{state['feed']}")
    feed = _Feed(quote) if quote else None
    digits = feed.digits if feed else 5
    stop = f", stop {price(state['stop'], digits)}" if state["stop"] else ", no stop"
    text = f"{_symbol(state)} {state['volume']:+g} at {price(state['price'], digits)}{stop}"
    if feed is None or not feed.contract:
        return text
    out = feed.bid if state["volume"] > 0 else feed.ask
    gain = (out - state["price"]) * state["volume"] * feed.contract
    return f"{text}\n  now {price(out, digits)}: {money(gain, feed.currency)}"


def profit(items: Items) -> str:
    """Balance, equity, and the trading day so far (from 17:00 New York)."""
    accounts = values(items, "account|")
    if not accounts:
        return "The account has not been heard of yet."
    opened, lines = items.get("day_open"), []
    for account in accounts:
        currency = account["currency"]
        lines += [
            f"{account['account']} ({account['mode']})",
            f"  balance {account['balance']:,.2f} {currency}",
            f"  equity {account['equity']:,.2f} {currency}",
            f"  open positions {money(account['equity'] - account['balance'], currency)}",
        ]
        if opened:
            gain = account["equity"] - opened
            share = f" ({gain / opened:+.2%})"
            lines.append(f"  today {money(gain, currency)}{share}")
    if not opened:
        lines.append("  today: unknown while the warehouse is away")
    return "\n".join(lines)


def orders(items: Items) -> str:
    """Those that are out, then the newest fills and denials."""
    out = [f"  {_order(one)} {one['kind']}" for one in values(items, "order|")]
    filled = [
        f"  {_order(one)} {money(one['profit'], '')}".rstrip() for one in _newest(items, "fill|")
    ]
    denied = [
        f"  {_order(one)} {one['reason'].replace('_', ' ')}" for one in _newest(items, "denial|")
    ]
    parts = (("Out", out), ("Filled", filled), ("Denied", denied))
    text = "\n".join("\n".join([f"{title}:", *lines]) for title, lines in parts if lines)
    return text or "No orders."


def _order(one: dict[str, Any]) -> str:
    arrow = _ARROWS.get(one["side"], "")
    at = f" at {one['price']:g}" if one["price"] else ""
    what = f"{arrow}{_symbol(one)} {one['volume']:g}{at} {one['purpose']}"
    return f"{clock(one['time'])} {what} #{one['order'][:_SHORT]}"


def full_id(items: Items, name: str) -> str:
    """The id of an order whose beginning was typed, as /orders shows it; else what was typed."""
    name = name.removeprefix("#")
    known = {
        str(one["order"])
        for prefix in ("order|", "fill|", "denial|")
        for one in values(items, prefix)
    }
    matching = [order for order in known if order.startswith(name)]
    return matching[0] if len(matching) == 1 and len(name) >= _SHORT else name


def feeds(items: Items, wanted: str) -> list[str]:
    """Feeds of a symbol, or the feed itself; "": all."""
    known = [key.partition("|")[2] for key in items.keys("quote|")]
    wanted = wanted.upper()
    return sorted(f for f in known if wanted in ("", f.upper(), f.upper().rpartition("/")[2]))


def signals(items: Items) -> str:
    """The newest, oldest first, and what the model says of each feed now."""
    said = [
        f"{clock(one['time'])} {_ARROWS[one['side']]}{_symbol(one)} {one['side']} at"
        f" {one['price']:g}, confidence {one['confidence']:.2f}"
        for one in _newest(items, "signal|")
    ]
    now = [
        f"  {key.rpartition('/')[2]}: down {one['p_down']:.2f}, up {one['p_up']:.2f}"
        f"{', vetoed' if one['veto'] else ''}"
        for key in items.keys("prediction|")
        if (one := items.get(key))
    ]
    lines = said or ["No signal yet."]
    return "\n".join([*lines, *(["The model now:", *now] if now else [])])


def firm_rules(items: Items) -> str:
    """What is left before each rule of the account's firm; "" without one."""
    lines = [_rule(rule) for rule in values(items, "firm|")]
    return "\n".join(lines)


def _rule(rule: dict[str, Any]) -> str:
    name = rule["rule"].replace("_", " ")
    if rule["broken"]:
        return f"✖ {rule['firm']} {name}: BROKEN {clock(rule['broken'], day=True)}"
    left = f"{rule['left']:,.2f} left of {rule['limit']:,.2f}"
    return f"{rule['firm']} {name}: {left} (least {rule['least']:,.2f})"


def alert(one: dict[str, Any]) -> str:
    """An alert: what, since when, what to do first, who knows."""
    mark = "‼" if one["severity"] == "critical" else "!"
    known = f"\nacknowledged by {one['by']}" if one["by"] else ""
    subject = f" {one['subject']}" if one["subject"] else ""
    return (
        f"{mark} {one['title']}{subject}, since {clock(one['time'], day=True)}\n{one['says']}\n"
        f"First: {one['remedy']}{known}"
    )


def fill(one: dict[str, Any]) -> str:
    """A fill as it is told unasked."""
    gain = f": {money(one['profit'], '')}".rstrip() if one["purpose"] != "entry" else ""
    return f"Filled {_order(one)}{gain}"


def values(items: Items, prefix: str) -> list[dict[str, Any]]:
    """Values whose keys begin so, least recently changed first."""
    return [items.get(key) for key in items.keys(prefix)]


def _newest(items: Items, prefix: str) -> Sequence[dict[str, Any]]:
    return sorted(values(items, prefix), key=lambda one: int(one["time"]))[-_LINES:]


def _symbol(one: dict[str, Any]) -> str:
    return str(one["feed"]).rpartition("/")[2]


def clock(us: int, *, day: bool = False) -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%m-%d %H:%M" if day else "%H:%M:%S")


def age(us: float) -> str:
    """A span in its largest fitting unit."""
    seconds = max(us / 1e6, 0.0)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def price(value: float, digits: int) -> str:
    """As the broker quotes it."""
    return f"{value:.{digits}f}"


def money(value: float, currency: str) -> str:
    """With its sign."""
    return f"{value:+,.2f} {currency}".strip()
