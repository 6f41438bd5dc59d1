"""From what was watched to seconds: how long a process was away, how long nothing was traded."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from statistics import median
from typing import NamedTuple

#: Without these no order reaches the broker; without those no new signal is decided either.
ORDERS = ("execution", "bus", "terminal")
SIGNALS = (*ORDERS, "collector", "streams.signals")
_TARGETS_S = {"execution": 2.0, "collector": 2.0, "streams": 8.0, "orchestration": 30.0}


class Sample(NamedTuple):
    """What one look at a process said."""

    at_s: float
    pid: int
    ready: bool


class Recovery(NamedTuple):
    """One process after one fault; `seconds` None when it had not come back at the end."""

    fault: str
    process: str
    seconds: float | None


def back_after(samples: Iterable[Sample], since_s: float, killed_pid: int = 0) -> float | None:
    """Seconds from a moment until it was ready, and of a killed one another process."""
    for one in samples:
        if one.at_s >= since_s and one.ready and one.pid != killed_pid:
            return one.at_s - since_s
    return None


def was_away(samples: Iterable[Sample], begin_s: float, end_s: float) -> bool:
    """Whether any look within a span met it not ready."""
    return any(begin_s <= one.at_s <= end_s and not one.ready for one in samples)


def away_s(
    watched: dict[str, Sequence[Sample]], names: Iterable[str], span: tuple[float, float]
) -> float:
    """Seconds of a span in which at least one of these was not ready.

    From a look that met it away until the next that met it ready: what happened between two looks
    is not known, and is counted as the first of them says.
    """
    spans = sorted(s for name in names for s in _spans(watched.get(name, ()), span))
    total, reached = 0.0, span[0]
    for begin, end in spans:
        total += max(end - max(begin, reached), 0.0)
        reached = max(reached, end)
    return total


def _spans(samples: Sequence[Sample], span: tuple[float, float]) -> Iterable[tuple[float, float]]:
    for one, following in zip_longest(samples, samples[1:]):
        end = following.at_s if following else span[1]
        if not one.ready and one.at_s < span[1] and end > span[0]:
            yield max(one.at_s, span[0]), min(end, span[1])


def target_s(process: str) -> float | None:
    """How soon it should be back; None where nothing was promised."""
    return _TARGETS_S.get(process, _TARGETS_S.get(process.partition(".")[0]))


def rows(recoveries: Sequence[Recovery]) -> list[tuple[str, str, str, str, str, str]]:
    """Process, times hit, median, worst, target, and how it held, by what was measured."""
    table = []
    for process in sorted({r.process for r in recoveries}):
        every = [r.seconds for r in recoveries if r.process == process]
        back, target = [s for s in every if s is not None], target_s(process)
        worst = max(back, default=0.0)
        held = len(back) == len(every) and (target is None or worst <= target)
        table.append(
            (
                process, str(len(every)), f"{median(back):.1f} s" if back else "",
                f"{worst:.1f} s" if back else "",
                "" if target is None else f"{target:.0f} s",
                "did not come back" if len(back) < len(every)
                else "" if target is None else "held" if held else "over",
            )
        )  # fmt: skip
    return table
