"""One decision, computed once more from stored ticks: features, members, wish, signal.

The steps are those of the signals flow. Ticks go in from the kernels' beginning, slice by slice
of market time with all feeds of the source, so that what looks across symbols sees the same.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.contracts.signal import OrderSignal, Signal
from core.contracts.tick import TickArray, TickBatch
from core.desk import Desk, one_alone
from core.errors import InputError, ModelError
from core.metrics import Histograms
from core.sections import ExitSettings, FeatureSettings, RunSettings, SignalSettings
from features.catalog import NAMES
from features.own import LoadedFeature, OwnFeature, column_names
from features.peers import Market
from models.serving.artifact import Artifact
from models.serving.manifest import MemberSpec
from models.serving.predictor import Predictor
from models.serving.session import ModelSession
from models.training import booster
from strategies import desk
from strategies import protocol as strategy
from strategies.edge import edge_bp
from strategies.orders_form import Waiting
from streams.decide import Decider, memory_key
from streams.explain.facts import Facts, Leg
from streams.order_signals import order_key
from streams.predict import PAST_ROWS
from streams.records import Predicted, SaidByName, Sampled
from streams.sample import Sampler, SamplerState

Floats = npt.NDArray[np.float32]
_SLICE_MSC = 3_600_000


class Material(NamedTuple):
    """What the computation needs besides the facts."""

    ticks: Mapping[str, TickArray]  # by symbol
    artifact: Artifact | None
    strategies: Path  # where a person's own strategy lies; a desk's in a folder each
    desk: Desk | None = None  # None: one strategy alone decided
    features: tuple[LoadedFeature, ...] = ()  # a person's own

    def folder_of(self, use: str) -> Path:
        """Where a strategy is loaded from."""
        return self.strategies / use if self.desk else self.strategies


class ExplainedMember(NamedTuple):
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
    members: tuple[ExplainedMember, ...]
    signal: Signal | None
    strategy: str  # SHA-256 of a person's own, as it is here
    ticks: int
    own: tuple[OwnFeature, ...] = ()  # whose columns follow the catalogue's

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return (*NAMES, *(feature.name for feature in self.own))


class RunShape(msgspec.Struct, frozen=True):
    """The settings of a run that shape its signals."""

    features: FeatureSettings = FeatureSettings()
    signals: SignalSettings = SignalSettings()
    exits: ExitSettings = ExitSettings()
    fingerprint: dict[str, str] = {}
    strategy: str = ""  # SHA-256 of a person's own strategy, or of the desk


def shape(facts: Facts) -> RunShape:
    """Of the run that decided."""
    return msgspec.json.decode(facts.settings, type=RunShape)


def recompute(facts: Facts, material: Material) -> Recomputed:
    """Compute the decision again.

    Raises:
        InputError: the stored ticks do not lead to the decision's tick.
        ModelError, SettingsError: model or strategy cannot be used.
    """
    sampled, past, legs = _sampled(facts, material)
    predicted, members = _predicted(facts, sampled, past, material.artifact)
    probabilities, named = predicted.probabilities, material.desk
    named = named or one_alone(facts.signal.strategy)
    return Recomputed(
        sampled.features[0], None if probabilities is None else probabilities[0], members,
        _decided(facts, predicted, material, named, legs), desk.digest(named, material.folder_of),
        sum(len(ticks) for ticks in material.ticks.values()),
        tuple(one.feature for one in material.features),
    )  # fmt: skip


def _predicted(
    facts: Facts, sampled: Sampled, past: Floats, model: Artifact | None
) -> tuple[Predicted, tuple[ExplainedMember, ...]]:
    """The row with what the models say of it, as streams.predict has it, and every member's say."""
    if model is None:
        return Predicted(sampled, "", None), ()
    predictor, row = Predictor(model), sampled.features
    predictions, manifest = predictor.predict(row, past), predictor.manifest
    edge = edge_bp(row, predictions.probabilities, manifest.gains, manifest.horizon_s)
    # Whether the strategy sees it as the champion or by its name, the desk says.
    said = SaidByName(facts.model, predictions, edge)
    predicted = Predicted(sampled, facts.model, predictions, edge, named=(said,))
    outputs = zip(manifest.members, predictions.members[:, 0], strict=True)
    known = row[0, : len(manifest.low)]
    members = [_member(model, spec, output, known) for spec, output in outputs]
    beyond = [bool(predictions.outside[0] >> index & 1) for index in range(len(members))]
    return predicted, tuple(
        _beyond(member, spec, known) if outside else member
        for member, spec, outside in zip(members, manifest.members, beyond, strict=True)
    )


def _beyond(member: ExplainedMember, spec: MemberSpec, row: Floats) -> ExplainedMember:
    """The member with what it has never seen of this row."""
    names = column_names()[: len(row)]
    sides = zip(names, row, spec.low, spec.high, strict=True) if spec.low else ()
    strange = [name for name, value, low, high in sides if value < low or value > high]
    what = ", ".join(strange[:3]) or "an earlier row of its window"
    note = f"outside of its training range ({what}): vetoed while it has a say"
    return member._replace(note=f"{member.note}; {note}" if member.note else note)


def _member(model: Artifact, spec: MemberSpec, output: Floats, row: Floats) -> ExplainedMember:
    """One member's calibrated output, and SHAP values of what it said before calibration."""
    if np.isnan(output).any():
        why = model.problems.get(spec.name, "it gave no number: the others' weights made up for it")
        return ExplainedMember(spec.name, spec.weight, output, None, why)
    trees = model.boosters.get(spec.name, b"")
    if not trees:
        return ExplainedMember(spec.name, spec.weight, output, None, "no trees: no contributions")
    raw = np.empty((1, 3), np.float32)
    ModelSession(model.members[spec.name]).predict(row[None], raw)
    try:
        contributions = booster.contributions(trees, row, raw[0])
    except ModelError as error:
        return ExplainedMember(spec.name, spec.weight, output, None, str(error))
    return ExplainedMember(spec.name, spec.weight, output, contributions)


def _decided(
    facts: Facts, predicted: Predicted, material: Material, named: Desk, legs: list[Sampled]
) -> Signal | None:
    """What the decision engine makes of the row, given what was held before it."""
    signal, shared = facts.signal, shape(facts)
    run = RunSettings(
        signal.run_id,
        signal.mode,  # type: ignore[arg-type]
        signal.account,
        signal.strategy,
        signal.session_id,
    )
    one = named.named(signal.strategy)
    if one is None:
        raise InputError(facts.asked, f"no strategy {signal.strategy} was on its session's desk")
    member = desk.member(
        one, shared.signals, shared.exits, material.folder_of(one.use), alone=named.alone
    )
    held, feed = (
        strategy.Held(facts.held.direction, facts.held.until_msc),
        f"{signal.source}.{signal.symbol}",
    )
    remembered = {memory_key(member, feed): facts.memory} if facts.memory else {}
    if isinstance(signal, OrderSignal):
        waited = Waiting(*facts.waiting).packed()
        remembered[order_key(member.name, feed, signal.name)] = waited
    state = {feed: held, f"{signal.strategy}/{feed}": held}, list[Signal](), remembered
    signals = None
    # A new champion opens reduced positions for a while; when that ended is not in the row.
    for share in (1.0, member.signals.new_champion_share):
        given = predicted._replace(share=share)
        decider = Decider(run, (member,), None, state)
        decider.observe(legs)
        decided = decider.rows(given).signals
        # When the record was made is the clock's to say, not ours.
        signals = [msgspec.structs.replace(s, ts_init_us=signal.ts_init_us) for s in decided]
        if signal in signals:
            break
    same = [one for one in signals or () if one.signal_id == signal.signal_id]
    return next(iter(same or signals or ()), None)


def _sampled(facts: Facts, material: Material) -> tuple[Sampled, Floats, list[Sampled]]:
    """The sampled row of the decision's tick, the feed's rows before it, and the legs' rows."""
    width, features = len(NAMES) + len(material.features), material.features
    signal, past = facts.signal, np.empty((0, width), np.float32)
    places, legs = {leg.symbol: (leg.time_msc, leg.seq) for leg in facts.legs}, list[Sampled]()
    state, ticks = _from_hour(facts, material.ticks)
    known = {*facts.sampled, (signal.time_msc, signal.seq)} if facts.sampled else None
    # Sessions before it may have sampled otherwise: then every tick's row is made, and those that
    # were stored are taken.
    sample_ms = 0 if known else shape(facts).features.sample_ms
    sampler: Any = Sampler(sample_ms, Histograms(), state, features=features)
    for batches in _slices(facts, ticks):
        # One feed or several, rows at once or when a slice is complete: both come out here.
        released = [sampler.rows(batch, 0) for batch in batches]
        rows = [one for some in released for one in (some if isinstance(some, list) else [some])]
        rows += sampler.release() if hasattr(sampler, "release") else []
        legs += [leg for one in rows if (leg := _at(one, places.get(one.symbol))) is not None]
        for sampled in rows:
            if sampled.symbol != signal.symbol:
                continue
            if known:
                sampled = _taken(sampled, known)
            at = (sampled.time_msc == signal.time_msc) & (sampled.seq == signal.seq)
            row = int(np.flatnonzero(at)[0]) if at.any() else len(at)
            past = np.concatenate([past, sampled.features[:row]])[-PAST_ROWS:]
            if at.any():
                return _one(sampled, row, signal.mode), past, legs
    raise InputError(
        facts.asked, "the stored ticks do not lead to its tick: some were removed, or others of"
        " that feed were stored since"
    )  # fmt: skip


def _from_hour(
    facts: Facts, ticks: Mapping[str, TickArray]
) -> tuple[SamplerState | None, Mapping[str, TickArray]]:
    """The state at the snapshot's hour and the ticks from there on; all ticks without one."""
    signal, hour_msc = facts.signal, facts.hour.hour_us // 1000
    if not facts.hour.state:
        return None, ticks
    market, later = Market(), {}
    began = {feed.symbol: feed.time_us // 1000 for feed in facts.feeds}
    for symbol, known in ticks.items():
        at = int(np.searchsorted(np.maximum.accumulate(known["time_msc"]), hour_msc))
        market.advance(symbol, np.ascontiguousarray(known[:at]))
        market.began(symbol, began.get(symbol, hour_msc))
        later[symbol] = known[at:]
    at_hour = [*facts.legs, Leg(signal.symbol, 0, 0, facts.hour.state, facts.hour.own)]
    kernels = {f"{signal.source}.{leg.symbol}": leg.state for leg in at_hour}
    own = {f"{signal.source}.{leg.symbol}": leg.own for leg in at_hour if leg.own}
    return SamplerState(kernels, {signal.source: market.to_bytes()}, [], own=own), later


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


def _taken(sampled: Sampled, known: Collection[tuple[int, int]]) -> Sampled:
    """Its rows of those ticks."""
    keys = zip(sampled.time_msc.tolist(), sampled.seq.tolist(), strict=True)
    return _rows(sampled, np.fromiter((key in known for key in keys), bool, len(sampled.seq)))


def _at(sampled: Sampled, place: tuple[int, int] | None) -> Sampled | None:
    """Its row of a tick, if it is there."""
    if place is None:
        return None
    at = (sampled.time_msc == place[0]) & (sampled.seq == place[1])
    return _rows(sampled, at) if at.any() else None


def _one(sampled: Sampled, at: int, mode: str) -> Sampled:
    return _rows(sampled, slice(at, at + 1))._replace(mode=mode)


def _rows(sampled: Sampled, part: slice | npt.NDArray[np.bool_]) -> Sampled:
    return sampled._replace(
        time_msc=sampled.time_msc[part], seq=sampled.seq[part], mid=sampled.mid[part],
        spread=sampled.spread[part], features=sampled.features[part],
    )  # fmt: skip
