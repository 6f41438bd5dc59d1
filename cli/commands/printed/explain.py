"""An explained decision as tables for a person."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_SHOWN = 12  # contributions that move the most


def show(account: dict[str, Any], console: Console) -> None:
    """Print decision, members, features, contributions, orders, and the verdict last."""
    console.print(_decision(account))
    for member in account["members"]:
        console.print(_member(member))
    console.print(_features(account))
    if account["orders"]:
        console.print(_orders(account["orders"]))
    console.print(_conclusion(account))
    for part in account["parts"].values():
        for line in part["differs"]:
            console.print(f"  {line}", style="red", highlight=False)
    for name, (there, here) in (account["elsewhere"] or {}).items():
        console.print(f"  {name}: {there or 'unknown'} there, {here or 'unknown'} here")
    if "seal" in account:
        console.print(
            f"{account['bundle']}  seal {account['seal']}", soft_wrap=True, highlight=False
        )


def _decision(account: dict[str, Any]) -> Table:
    signal, tick = account["signal"], account["tick"]
    table = Table(title=f"Decision {signal['signal_id']}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rows = {
        "run": f"{signal['run_id']}, {signal['mode']}, account {signal['account']}",
        "session": _session(account),
        "tick": f"{tick['source']} {tick['symbol']} {tick['time']} UTC, number {tick['seq']} of its"
        f" millisecond; mid {tick['mid']:.8g}, spread {tick['spread']:.3g}",
        "recomputed from": f"{tick['recomputed_from_ticks']:,} stored ticks, as known"
        f" {tick['as_known']}, and the kernel as it stood at {tick['recomputed_from']}",
        "rule": account["rule"],
        "target": f"{signal['target']:+g}, confidence {signal['confidence']:.4f}, stop"
        f" {signal['stop_price']:.8g}",
        "model": signal["model"],
    }
    for row in rows.items():
        table.add_row(*row)
    return table


def _session(account: dict[str, Any]) -> str:
    """Who started what decided, when, with which version and limits."""
    session = account["session"]
    if session is None:
        return "none: older than sessions; the settings are those of the run's newest start"
    return (
        f"{session['session_id']}, by {session['who']} on {session['host']} at {session['began']}"
        f" UTC, Tickhouse {session['versions']['tickhouse']}, limits {session['limits_version']}"
    )


def _member(member: dict[str, Any]) -> Table:
    probabilities = ", ".join(f"{k} {v:.6f}" for k, v in member["probabilities"].items())
    title = f"{member['name']}, weight {member['weight']:g}: {probabilities}"
    table = Table(title=title, title_justify="left", caption=member["note"] or None)
    table.add_column("feature")
    given = member.get("contributions")
    if given is None:
        table.add_row("no contributions")
        return table
    for name in given:
        table.add_column(name, justify="right")
    size = {n: max(abs(values[n] or 0.0) for values in given.values()) for n in given["up"]}
    ordered = sorted((n for n in size if n != "bias"), key=lambda n: -size[n])[:_SHOWN]
    for name in [*ordered, "bias"]:
        table.add_row(name, *(f"{values[name]:+.4f}" for values in given.values()))
    table.caption = f"SHAP, log-odds; the {len(ordered)} that move most"
    return table


def _features(account: dict[str, Any]) -> Table:
    table = Table(title="Features", title_justify="left")
    for name in ("feature", "stored", "recomputed", "unit"):
        table.add_column(name, justify="right" if name in ("stored", "recomputed") else "left")
    for f in account["features"]:
        same = f["stored"] == f["recomputed"]
        recomputed = Text(_value(f["recomputed"]), style="" if same else "red")
        table.add_row(f["name"], _value(f["stored"]), recomputed, f["unit"])
    return table


def _orders(events: list[dict[str, Any]]) -> Table:
    table = Table(title="What became of it", title_justify="left")
    for name in ("event", "kind", "purpose", "side", "lots", "price", "why", "money"):
        table.add_column(name, overflow="fold")
    for e in events:
        why = e["reason"]
        if e["kind"] == "denied":
            why = f"{why}: {e['observed']:g} against {e['limit']:g}, limits {e['limits_version']}"
        money = e["profit"] + e["commission"] + e["swap"]
        table.add_row(
            e["event_id"], e["kind"], e["purpose"], e["side"], f"{e['volume']:g}",
            f"{e['price']:.8g}", why, f"{money:+.2f}" if money else "",
        )  # fmt: skip
    return table


def _conclusion(account: dict[str, Any]) -> Text:
    return Text(account["verdict"], style="bold green" if account["same"] else "bold red")


def _value(value: float | None) -> str:
    return "not yet" if value is None else f"{value:.7g}"
