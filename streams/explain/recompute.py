"""One decision, computed once more from stored ticks: features, members, wish, signal.

The steps are those of the signals flow. Ticks go in from the kernels' beginning, slice by slice
of market time with all feeds of the source, so that what looks across symbols sees the same.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.contracts.signal import Signal
from core.contracts.tick import TickArray, TickBatch
from core.errors import InputError, ModelError
from core.metrics import Histograms
from core.settings import FeatureSettings, RunSettings, SignalSettings
from models import booster, plugins, strategy
from models.artifact import Artifact
from models.predictor import Predictor
from streams.decide import Decider
from streams.explain.facts import Facts
from streams.records import Predicted, Sampled
from streams.sample import Sampler

Floats = npt.NDArray[np.float32]
_SLICE_MSC = 3_600_000


class Material(NamedTuple):
    """What the computation needs besides the facts."""

    ticks: Mapping[str, TickArray]  # by symbol
    artifact: Artifact | None
    strategies: Path  # where a person's own strategy lies


class Member(NamedTuple):
    """One model's say. `contributions`: (3, F + 1) log-odds, the bias last; None: not a tree."""

    name: str
    weight: float
    probabilities: Floats
    contributions: Floats | None
    note: str = ""


class Recomputed(NamedTuple):
    """The decision as it comes out now. `signal` is None when nothing would be decided."""

    features: Floats
    probabilities: Floats | None
    members: tuple[Member, ...]
    signal: Signal | None
    strategy: str  # SHA-256 of a person's own, as it is here
    ticks: int


class RunShape(msgspec.Struct, frozen=True):
    """The settings of a run that shape its signals."""

    features: FeatureSettings = FeatureSettings()
    signals: SignalSettings = SignalSettings()
    fingerprint: dict[str, str] = {}
    strategy: str = ""  # SHA-256 of a person's own strategy


def shape(facts: Facts) -> RunShape:
    """Of the run that decided."""
    return msgspec.json.decode(facts.settings, type=RunShape)


def recompute(facts: Facts, material: Material) -> Recomputed:
    """Compute the decision again.

    Raises:
        InputError: the stored ticks do not lead to the decision's tick.
        ModelError, SettingsError: model or strategy cannot be used.
    """
    sampled = _sampled(facts, material.ticks)
    row = sampled.features[0]
    probabilities, members = None, list[Member]()
    if material.artifact is not None:
        probabilities = Predictor(material.artifact).predict(row[None])
        members = _members(material.artifact, row, probabilities[0])
    predicted = Predicted(sampled, facts.signal.model if members else "", probabilities)
    return Recomputed(
        row, None if probabilities is None else probabilities[0], tuple(members),
        _decided(facts, predicted, material.strategies),
        plugins.digest(facts.signal.strategy, material.strategies),
        sum(len(ticks) for ticks in material.ticks.values()),
    )  # fmt: skip


def _members(model: Artifact, row: Floats, probabilities: Floats) -> list[Member]:
    """Every model that had a say, with its weight."""
    if not model.booster:
        note = "no booster is kept with this model: no contributions"
        return [Member("xgboost", 1.0, probabilities, None, note)]
    try:
        found = booster.contributions(model.booster, row, probabilities)
    except ModelError as error:
        return [Member("xgboost", 1.0, probabilities, None, str(error))]
    return [Member("xgboost", 1.0, probabilities, found)]


def _decided(facts: Facts, predicted: Predicted, strategies: Path) -> Signal | None:
    """What the decision engine makes of the row, given what was held before it."""
    signal, settings = facts.signal, shape(facts).signals
    run = RunSettings(signal.run_id, signal.mode, signal.account, signal.strategy)  # type: ignore[arg-type]
    chosen = strategy.select(signal.strategy, settings, strategies)
    held = strategy.Held(facts.held.direction, facts.held.until_msc)
    state = {f"{signal.source}.{signal.symbol}": held}, list[Signal]()
    made = Decider(run, settings, chosen, None, state).rows(predicted).signals
    if not made:
        return None
    return msgspec.structs.replace(made[0], ts_init_us=signal.ts_init_us)  # the clock's, not ours


def _sampled(facts: Facts, ticks: Mapping[str, TickArray]) -> Sampled:
    """The sampled row of the decision's tick."""
    signal = facts.signal
    sampler: Any = Sampler(shape(facts).features.sample_ms, Histograms(), None)
    for batches in _slices(facts, ticks):
        # One feed or several, rows at once or when a slice is complete: both come out here.
        found = [sampler.rows(batch, 0) for batch in batches]
        rows = [one for some in found for one in (some if isinstance(some, list) else [some])]
        rows += sampler.release() if hasattr(sampler, "release") else []
        for sampled in rows:
            if sampled.symbol == signal.symbol:
                at = (sampled.time_msc == signal.time_msc) & (sampled.seq == signal.seq)
                if at.any():
                    return _one(sampled, int(np.flatnonzero(at)[0]), signal.mode)
    raise InputError(
        facts.asked, "the stored ticks do not lead to its tick: some were removed, or others of"
        " that feed were stored since"
    )  # fmt: skip


def _slices(facts: Facts, ticks: Mapping[str, TickArray]) -> Iterator[list[TickBatch]]:
    """All feeds' ticks, an hour of market time at once, as a replay's batches."""
    signal = facts.signal
    clocks = {s: np.maximum.accumulate(t["time_msc"]) for s, t in ticks.items() if len(t)}
    if not clocks:
        return
    first = min(int(clock[0]) for clock in clocks.values()) // _SLICE_MSC
    for number in range(first, signal.time_msc // _SLICE_MSC + 1):
        bounds = [number * _SLICE_MSC, (number + 1) * _SLICE_MSC]
        batches = []
        for symbol, clock in clocks.items():
            begin, end = np.searchsorted(clock, bounds)
            data = np.ascontiguousarray(ticks[symbol][begin:end]).tobytes()
            batch = TickBatch(signal.run_id, "replay", signal.source, symbol, 0, number, data)
            batches += [batch] if data else []
        yield batches


def _one(sampled: Sampled, at: int, mode: str) -> Sampled:
    part = slice(at, at + 1)
    return sampled._replace(
        mode=mode, time_msc=sampled.time_msc[part], seq=sampled.seq[part], mid=sampled.mid[part],
        spread=sampled.spread[part], features=sampled.features[part],
    )  # fmt: skip
