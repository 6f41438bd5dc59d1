"""An explained decision as one object: what `--json` prints and the tables show."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from core.contracts.session import Session
from core.contracts.signal import OrderSignal
from features.catalog import FEATURES
from features.own import column_names
from models.serving.card import CLASSES
from streams.explain.facts import Facts, vector
from streams.explain.recompute import ExplainedMember, Recomputed, shape
from streams.explain.reproduction import Reproduction


def of(facts: Facts, now: Recomputed, reproduction: Reproduction) -> dict[str, Any]:
    """The object; every value can be JSON, NaN is null."""
    signal = facts.signal
    return {
        "id": facts.asked,
        "same": reproduction.same,
        "verdict": reproduction.text,
        "parts": {p.name: {"same": p.same, "differs": list(p.differs)} for p in reproduction.parts},
        "elsewhere": reproduction.elsewhere,
        "session": session(facts.session),
        "tick": {
            "source": signal.source, "symbol": signal.symbol, "time": text(signal.ts_event_us),
            "time_msc": signal.time_msc, "seq": signal.seq, "mid": facts.mid,
            "spread": facts.spread, "recomputed_from_ticks": now.ticks,
            "recomputed_from": text(facts.hour.hour_us) if facts.hour.state else "the run's start",
        },
        "signal": msgspec.structs.asdict(signal),
        "rule": rule(facts, now),
        "held_before": msgspec.to_builtins(facts.held),
        "features": _features(facts, now),
        "members": [_member(member) for member in now.members],
        "orders": [msgspec.structs.asdict(event) for event in facts.orders],
    }  # fmt: skip


def session(decided: Session | None) -> dict[str, Any] | None:
    """The start that decided; None when there were none yet."""
    if decided is None:
        return None
    row = msgspec.structs.asdict(decided)
    return {
        **row,
        "began": text(decided.ts_start_us),
        "versions": msgspec.json.decode(decided.versions),
        "fingerprint": msgspec.json.decode(decided.fingerprint),
    }


def rule(facts: Facts, now: Recomputed) -> str:
    """Why the row became a signal, in a sentence."""
    signal, held = facts.signal, facts.held
    if isinstance(signal, OrderSignal):
        return order_rule(signal, facts.waiting)
    direction = {1: "long", -1: "short", 0: "flat"}[int(np.sign(signal.target))]
    if held.direction == 0:
        why = "nothing was held"
    elif held.until_msc <= signal.time_msc:
        why = f"what was held had reached its horizon at {text(held.until_msc * 1000)}"
    else:
        why = "it is opposite to what was held"
    return f"strategy {signal.strategy}: {direction}{_threshold(facts, now)}, and {why}"


def order_rule(signal: OrderSignal, waiting: tuple[int, int, float]) -> str:
    """Why the row asked for an order that waits, or took one back, in a sentence."""
    before, until_msc, price = waiting
    whose, until = f"strategy {signal.strategy}: order {signal.name}", text(until_msc * 1000)
    if signal.action == "cancel":
        side = {1: "buy", -1: "sell"}.get(before, "order")
        return f"{whose} is taken back, the {side} that waited until {until}"
    side = "buy" if signal.target > 0 else "sell"
    if signal.action == "modify":
        return (
            f"{whose}: {side} {signal.entry} moves from {price:.8g} to {signal.entry_price:.8g},"
            f" waits until {text(signal.expires_us)}"
        )
    group = f" unless another of {signal.one_of} is filled" if signal.one_of else ""
    free = f"had been over since {until}" if until_msc else "had not been asked for before"
    return (
        f"{whose}: {side} {signal.entry} at {signal.entry_price:.8g}, waits until"
        f" {text(signal.expires_us)}{group}, and one of its name {free}"
    )


def _threshold(facts: Facts, now: Recomputed) -> str:
    if facts.signal.strategy != "model" or now.probabilities is None:
        return ""
    least = shape(facts).signals.threshold
    likely = float(max(now.probabilities[0], now.probabilities[2]))
    return f", probability {likely:.4f}, at least the threshold {least:g}"


def _features(facts: Facts, now: Recomputed) -> list[dict[str, Any]]:
    stored = vector(facts.features)
    units = [*(one.unit for one in FEATURES), *(one.unit for one in now.own)]
    return [
        {"name": name, "unit": unit, "stored": _number(stored[n]),
         "recomputed": _number(now.features[n])}
        for n, (name, unit) in enumerate(zip(now.names, units, strict=True))
    ]  # fmt: skip


def _member(member: ExplainedMember) -> dict[str, Any]:
    probabilities = dict(zip(CLASSES, map(_number, member.probabilities), strict=True))
    described: dict[str, Any] = {
        "name": member.name,
        "weight": member.weight,
        "probabilities": probabilities,
        "note": member.note,
    }
    if member.contributions is not None:
        names = (*column_names()[: member.contributions.shape[1] - 1], "bias")
        described["contributions"] = {
            name: dict(zip(names, map(_number, values), strict=True))
            for name, values in zip(CLASSES, member.contributions, strict=True)
        }
    return described


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def text(time_us: int) -> str:
    """A time, UTC."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
