"""What processes tell each other about themselves: heartbeats, risk state, control."""

from typing import Literal

import msgspec


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="Heartbeat/1"):
    """A process is alive. `stages` holds latency histogram deltas since the last heartbeat.

    stages: stage name -> {bucket index of core.metrics.Histogram: count}; `max_ns` the largest
    value per stage in that interval. `incarnation` is the process's start time, `seq` counts its
    heartbeats, so that a repeat is recognised.
    """

    run_id: str
    mode: str
    process: str
    incarnation_us: int
    seq: int
    ts_event_us: int
    status: str  # "starting", "ready", "degraded", "stopping"
    detail: str
    stages: dict[str, dict[int, int]]
    max_ns: dict[str, int]


class RiskState(msgspec.Struct, frozen=True, array_like=True, tag="RiskState/1"):
    """Trading state and why."""

    run_id: str
    mode: str
    account: str
    ts_event_us: int
    ts_init_us: int
    state: str  # "active", "reducing", "halted"
    by: str
    reason: str


class Control(msgspec.Struct, frozen=True, array_like=True, tag="Control/1"):
    """An instruction to running processes.

    `stored`: the process `by` has stored a replay's training part, ticks or features. When both
    have, `model` answers with the model to predict with from there on ("" for none) and lets the
    replay go on.
    `models`: the registry's files name other models for the live stream.
    """

    kind: Literal["halt", "resume", "stored", "model", "models"]
    run_id: str
    ts_event_us: int
    by: str
    reason: str
    model: str = ""
