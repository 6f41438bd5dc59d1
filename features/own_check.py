"""Tries to show that a feature of a person's own is wrong: what `tickhouse features check` says.

Every check runs the feature as it is served, over ticks of one feed, and looks at bits: a value
that depends on later ticks, on how ticks were cut into batches or on when it was run would make a
backtest, a stream and an explanation disagree. No check proves a feature right.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from core.contracts.tick import TickArray
from core.errors import SettingsError
from features.kernel import features_of
from features.own import LoadedFeature
from features.own_columns import Floats, OwnState, compiled, usable
from features.state import new_state

_LEAST_TICKS = 1_000
_SINGLE = 1_500  # ticks that are given one by one
_CUTS = 12
_MOST_KERNELS = 5.0  # a feature may cost so many times what the whole catalogue does
_SEED = 7


class CheckResult(NamedTuple):
    """One check: whether it passed, and what it saw."""

    name: str
    passed: bool
    text: str


class _Run(NamedTuple):
    """A feature over ticks: a value for each, and the state behind the last as bytes."""

    values: Floats
    state: bytes


def check(loaded: LoadedFeature, ticks: TickArray) -> Iterator[CheckResult]:
    """All checks, in order; the first that makes the others meaningless is the last.

    Args:
        ticks: consecutive ones of one feed, dtype TICK; a thousand usable ones at least.

    Raises:
        SettingsError: too few ticks.
    """
    fit = usable(ticks, -1)
    if len(fit) < _LEAST_TICKS:
        raise SettingsError(
            f"{len(fit)} usable ticks are too few to check by; {_LEAST_TICKS} or more"
        )
    try:
        careful, run = compiled(loaded, careful=True), compiled(loaded)
        whole = _whole(loaded, careful, fit)
    except SettingsError as error:
        yield CheckResult("runs", False, _without_path(loaded, error))
        return
    yield CheckResult("runs", True, f"compiled; {len(fit):,} ticks without an error")
    yield _deterministic(loaded, run, fit, whole)
    yield _parity(loaded, careful, fit, whole)
    yield _lookahead(loaded, run, fit, whole)
    yield _warm_up(loaded, fit, whole)
    yield _latency(loaded, run, fit)


def _deterministic(
    loaded: LoadedFeature, run: Callable[..., None], ticks: TickArray, whole: _Run
) -> CheckResult:
    again = _whole(loaded, run, ticks)
    if _same(again.values, whole.values) and again.state == whole.state:
        return CheckResult("deterministic", True, "the same ticks give the same bits")
    at = _first_difference(again.values, whole.values)
    return CheckResult(
        "deterministic", False, f"the same ticks give other values{_place(ticks, at)}"
    )


def _parity(
    loaded: LoadedFeature, run: Callable[..., None], ticks: TickArray, whole: _Run
) -> CheckResult:
    """Stream against batch: cut anywhere, and tick by tick, with the state copied at each cut."""
    random = np.random.default_rng(_SEED)
    cuts = np.sort(random.integers(1, len(ticks), _CUTS)).tolist()
    singles = [*range(1, min(_SINGLE, len(ticks))), *cuts]
    for how, edges in (("cut into batches", cuts), ("one by one", sorted(set(singles)))):
        pieces = _in_pieces(loaded, run, ticks, edges)
        at = _first_difference(pieces.values, whole.values)
        if at is not None:
            text = f"{how}, the same ticks give other values{_place(ticks, at)}: what it remembers"
            return CheckResult("parity", False, f"{text} must stand in its state alone")
        if pieces.state != whole.state:
            text = f"{how}, the same ticks leave another state behind"
            return CheckResult("parity", False, text)
    text = f"cut at {len(cuts)} places and tick by tick, to the last bit"
    return CheckResult("parity", True, text)


def _lookahead(
    loaded: LoadedFeature, run: Callable[..., None], ticks: TickArray, whole: _Run
) -> CheckResult:
    """Later ticks are made other ones: what came before them must not change."""
    random = np.random.default_rng(_SEED)
    for place in np.sort(random.integers(1, len(ticks) - 1, _CUTS)).tolist():
        other = ticks.copy()
        factor = np.exp(random.normal(0.0, 0.01, len(ticks) - place))
        for price in ("bid", "ask", "last"):
            other[price][place:] *= factor
        other["volume"][place:] += 1.0
        changed = OwnState(loaded, run).values(other)[:place]
        at = _first_difference(changed, whole.values[:place])
        if at is not None:
            text = f"its value changes when a tick after it does{_place(ticks, at)}"
            return CheckResult("lookahead", False, text)
    return CheckResult("lookahead", True, f"later ticks were changed at {_CUTS} places")


def _warm_up(loaded: LoadedFeature, ticks: TickArray, whole: _Run) -> CheckResult:
    since_s = (ticks["time_msc"] - ticks["time_msc"][0]) / 1000.0
    values = whole.values.astype(np.float32)
    late = since_s > loaded.feature.warm_up_s
    if not late.any():
        text = f"the ticks span {since_s[-1]:,.0f} s, its warm-up {loaded.feature.warm_up_s:,.0f}"
        return CheckResult("warm-up", False, f"{text}: give ticks of a longer span")
    if np.isinf(values).any():
        return CheckResult("warm-up", False, f"it is infinite{_place(ticks, np.isinf(values))}")
    missing = np.isnan(values)
    if missing[late].all():
        return CheckResult("warm-up", False, "it is NaN for ever: no value after warm-up")
    if missing[late].any():
        text = f"{missing[late].mean():.2%} of its values after warm-up are NaN"
        return CheckResult("warm-up", False, f"{text}{_place(ticks, missing & late)}")
    first = float(since_s[~missing][0])
    return CheckResult("warm-up", True, f"a value from {first:,.1f} s on, never NaN after warm-up")


def _latency(loaded: LoadedFeature, run: Callable[..., None], ticks: TickArray) -> CheckResult:
    """Against the kernel of all features that ship, over the same ticks in the same process."""
    own = min(_seconds(lambda: OwnState(loaded, run).values(ticks)) for _ in range(3))
    kernel = min(_seconds(lambda: features_of(new_state(), ticks, 1000)) for _ in range(3))
    share, per_tick = own / kernel, own / len(ticks) * 1e9
    text = f"{per_tick:,.0f} ns a tick, {share:.2f} of what the whole catalogue takes"
    return CheckResult("latency", share <= _MOST_KERNELS, text)


def _whole(loaded: LoadedFeature, run: Callable[..., None], ticks: TickArray) -> _Run:
    state = OwnState(loaded, run)
    return _Run(state.values(ticks), state.state.tobytes())


def _in_pieces(
    loaded: LoadedFeature, run: Callable[..., None], ticks: TickArray, edges: list[int]
) -> _Run:
    state, parts = OwnState(loaded, run), []
    for begin, end in zip([0, *edges], [*edges, len(ticks)], strict=True):
        following = OwnState(loaded, run)  # as after a restart: nothing but the state's bytes
        following.state = np.frombuffer(state.state.tobytes(), loaded.dtype).copy()
        parts.append(following.values(ticks[begin:end]))
        state = following
    return _Run(np.concatenate(parts), state.state.tobytes())


def _same(one: Floats, other: Floats) -> bool:
    return one.tobytes() == other.tobytes() or bool(np.array_equal(one, other, equal_nan=True))


def _first_difference(one: Floats, other: Floats) -> int | None:
    differs = ~((one == other) | (np.isnan(one) & np.isnan(other)))
    return int(np.argmax(differs)) if differs.any() else None


def _place(ticks: TickArray, at: object) -> str:
    """Where in the ticks, for a person: a place, or the first of a mask."""
    if at is None:
        return ""
    index = int(np.argmax(at)) if isinstance(at, np.ndarray) else int(str(at))
    moment = np.datetime64(int(ticks["time_msc"][index]), "ms")
    return f", first at tick {index:,} ({np.datetime_as_string(moment, unit='ms')} UTC)"


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return max(time.process_time() - began, 1e-9)


def _without_path(loaded: LoadedFeature, error: SettingsError) -> str:
    return str(error).removeprefix(f"{loaded.path}: ")
