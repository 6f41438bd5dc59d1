"""A replay's result as tables for a person."""

from typing import Any

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.commands.printed.backtest import firm_table


def show(
    result: dict[str, Any], console: Console, next_steps: RenderableType | None = None
) -> None:
    """Print the summary, latencies, and whatever does not reconcile."""
    console.print(_summary(result))
    console.print(_latency(result))
    if result["firm"]:
        console.print(firm_table(result["firm"]))
    broken = [e for e in result["reconciliation"] if not e["holds"]]
    if broken:
        console.print(_broken(broken))
    if next_steps:
        console.print(Panel(next_steps, title="what to try next", title_align="left"))


def _summary(result: dict[str, Any]) -> Table:
    table = Table(title=f"Replay {result['run_id']}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    flagged = ", ".join(f"{n:,} {name}" for name, n in result["ticks_flagged"].items() if n)
    denied = ", ".join(f"{n:,} {reason}" for reason, n in result["denied_by_reason"].items())
    model = result["model"][:12] or "none: nothing predicts"
    rows = [
        ("ticks read", f"{result['ticks_read']:,}", ""),
        ("ticks stored", f"{result['ticks_stored']:,}", f"flagged: {flagged}" if flagged else ""),
        ("ticks quarantined", f"{result['ticks_quarantined']:,}", ""),
        *_superseded(result),
        ("minute bars", f"{result['bars']:,}", ""),
        ("feature rows", f"{result['features']:,}", ""),
        ("predictions", f"{result['predictions']:,}", f"model {model}"),
        ("signals", f"{result['signals']:,}", f"strategy {result['strategy']}"),
        ("orders", f"{result['orders']:,}", ""),
        ("denied", f"{result['orders_denied']:,}", denied),
        ("rejected", f"{result['orders_rejected']:,}", "by the venue"),
        (
            "fills",
            f"{result['fills']:,}",
            f"and {result['closed_by_broker']:,} stops at the broker",
        ),
        (
            "profit after costs",
            f"{result['profit_after_costs']:,.2f}",
            f"{result['currency']}, spread, commission and swap included",
        ),
        (
            "ticks per second",
            f"{result['ticks_per_s']:,}",
            f"{result['wall_s']:.1f} s in all, {result['train_s']:.1f} s of it training",
        ),
        (
            "beyond these",
            f"{result['total_s'] - result['wall_s']:.1f} s",
            "to start, and to reconcile",
        ),
    ]
    for row in rows:
        table.add_row(*row)
    table.add_row("reconciled", _conclusion(result), f"{len(result['reconciliation'])} equations")
    return table


def _conclusion(result: dict[str, Any]) -> Text:
    return Text("yes", style="bold green") if result["reconciled"] else Text("NO", style="bold red")


def _latency(result: dict[str, Any]) -> Table:
    table = Table(
        title="Latency, microseconds",
        title_justify="left",
        caption="At full speed ticks queue for seconds before tick_to_signal ends;"
        " benchmarks/README.md has the live path.",
        caption_justify="left",
    )
    table.add_column("stage")
    for name in ("p50", "p99", "max"):
        table.add_column(name, justify="right")
    for stage, values in result["latency_us"].items():
        if values["max"]:
            table.add_row(stage, *(f"{values[name]:,.1f}" for name in ("p50", "p99", "max")))
    return table


def _broken(equations: list[dict[str, Any]]) -> Table:
    table = Table(title="Does not reconcile", title_justify="left", style="red")
    for name in ("equation", "left", "right"):
        table.add_column(name)
    for equation in equations:
        table.add_row(equation["equation"], f"{equation['left']}", f"{equation['right']}")
    return table


def _superseded(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    count = result["ticks_superseded"]
    note = "the run is of the files as they are, and was compared with these versions"
    return [("ticks corrected since", f"{count:,}", note)] if count else []
