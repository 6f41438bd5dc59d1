"""A replay's result, counted after the drain: SQL, the journal, the terminal, the files again."""

from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from adapters.mt5 import connect
from adapters.mt5.protocol.constants import DEAL_TYPE_BALANCE, ORDER_REASON_EXPERT
from adapters.mt5.protocol.terminal import Terminal
from backtest import firm
from cli.replay.plan import ReplayPlan
from core.contracts.firm import FirmRecord
from core.contracts.order import EventKind
from core.metrics import STAGES
from core.settings import Settings
from execution.journal import journal as order_journal
from quality import reconcile, superseded
from quality.recording import count

_FAR = 4e9  # epoch seconds beyond every deal
_FILLS = (EventKind.FILLED, EventKind.PARTIALLY_FILLED)


class Ran(NamedTuple):
    """One replay that drained."""

    plan: ReplayPlan
    settings: Settings
    strategy: str
    model: str
    journal: Path
    stream_s: float
    train_s: float  # a part of it
    train_cpu_s: float  # of the command's own process, all its threads


def build(run: Ran, client: Any) -> dict[str, Any]:
    """The object of `replay --json`, except the time the whole command took."""
    plan, settings = run.plan, run.settings
    sample_ms = settings.features.sample_ms
    feeds = [count(f.path, f.source, f.symbol, sample_ms, plan.cut_msc) for f in plan.feeds]
    since = {
        (feed.source, feed.symbol): superseded.of_file(client, file.path, feed)
        for file, feed in zip(plan.feeds, feeds, strict=True)
        if feed.valid
    }
    journal = list(order_journal.events(run.journal))
    deals = _deals(settings, plan.last_msc)
    predicts = bool(run.model)
    once = reconcile.AskedOnce(client)
    equations = [
        *reconcile.warehouse_equations(
            once, plan.run_id, feeds, plan.unparsed_rows, plan.cut_msc, predicts, since
        ),
        *reconcile.order_equations(once, plan.run_id, journal, deals),
    ]
    kinds = [event.kind for event in journal]
    stream_s = max(run.stream_s - run.train_s, 1e-9)
    return {
        "run_id": plan.run_id,
        "model": run.model,
        "strategy": run.strategy,
        "inputs": list(plan.inputs),
        "ticks_read": plan.rows,
        **reconcile.totals(once, plan.run_id, feeds, plan.cut_msc),
        "ticks_superseded": sum(feed.versions for feed in since.values()),
        "orders": kinds.count(EventKind.SUBMITTED),
        "orders_denied": kinds.count(EventKind.DENIED),
        "orders_rejected": kinds.count(EventKind.REJECTED),
        "denied_by_reason": reconcile.denials(client, plan.run_id),
        "fills": sum(kinds.count(kind) for kind in _FILLS),
        "closed_by_broker": kinds.count(EventKind.CLOSED),
        "firm": firm.rows(settings.run.account, _firm(run.journal)),
        "profit_after_costs": round(deals.profit, 2),
        "currency": settings.terminal.currency,
        "wall_s": round(run.stream_s, 3),
        "train_s": round(run.train_s, 3),
        "train_cpu_s": round(run.train_cpu_s, 3),
        "ticks_per_s": round(plan.rows / stream_s),
        "latency_us": _latency(client, plan.run_id),
        "reconciled": all(equation.holds for equation in equations),
        "reconciliation": [
            {"equation": e.name, "left": e.left, "right": e.right, "holds": e.holds}
            for e in equations
        ],
    }


def _firm(journal: Path) -> FirmRecord | None:
    """How the account ended under its firm's rules; None without any."""
    records = (place.record for place in order_journal.read(journal))
    return next(iter(deque((r for r in records if isinstance(r, FirmRecord)), maxlen=1)), None)


def _deals(settings: Settings, now_msc: int) -> reconcile.Deals:
    terminal = connect.terminal(settings.terminal, settings.home_path, role="reader")
    terminal.at(now_msc)
    deals = deals_at(terminal, settings.terminal.balance)
    terminal.shutdown()
    return deals


def deals_at(terminal: Terminal, deposit: float) -> reconcile.Deals:
    """What the terminal's own account says.

    The broker's own orders name no request: two stops at one price have the same comment.
    """
    deals = [d for d in terminal.history_deals_get(0, _FAR) if d.type != DEAL_TYPE_BALANCE]
    orders = terminal.history_orders_get(0, _FAR)
    ours = [o for o in orders if o.magic and o.reason == ORDER_REASON_EXPERT]
    return reconcile.Deals(
        deals=len(deals),
        volume=sum(deal.volume for deal in deals),
        profit=terminal.account_info().balance - deposit,
        comments=tuple(order.comment for order in ours if order.comment),
    )


def _latency(client: Any, run_id: str) -> dict[str, dict[str, float]]:
    """Every stage, in microseconds; a stage that had nothing to do is all zeros."""
    measured = reconcile.latency(client, run_id)
    nothing = {"p50": 0.0, "p99": 0.0, "max": 0.0}
    return {stage: measured.get(stage, nothing) for stage in STAGES}
