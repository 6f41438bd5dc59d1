"""What goes wrong while a desk trades, drawn from a seed, evenly paced."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

KILLED = (
    "execution", "collector", "streams.ticks", "streams.signals", "streams.executions",
    "terminal", "bus", "warehouse", "watch", "board", "orchestration.daemon",
    "orchestration.code", "orchestration.webserver",
)  # fmt: skip
HUNG = KILLED[:10]
DISK = "disk"  # what a fault of the disk is inflicted on
BROKER = "terminal"
_KINDS = ("kill", "kill", "hang", "full", "slow", "outage")


class Fault(NamedTuple):
    """One fault. `seconds`: how long it holds; of a kill 0."""

    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} {self.target}" + (f" {self.seconds:.1f} s" if self.seconds else "")


def faults(seed: int, count: int, targets: tuple[str, ...], kinds: set[str]) -> Iterator[Fault]:
    """So many faults: kills half of the time, each process once before any is hit twice."""
    rng = Random(f"availability {seed}")
    chosen = [kind for kind in _KINDS if kind in kinds]
    killed, hung = list[str](), list[str]()
    for _ in range(count):
        kind = rng.choice(chosen)
        if kind == "kill":
            yield Fault(kind, _next(rng, killed, KILLED, targets), 0.0)
        elif kind == "hang":
            yield Fault(kind, _next(rng, hung, HUNG, targets), rng.uniform(2, 6))
        else:
            yield Fault(kind, BROKER if kind == "outage" else DISK, rng.uniform(4, 10))


def _next(rng: Random, left: list[str], wanted: tuple[str, ...], there: tuple[str, ...]) -> str:
    if not left:
        left += [name for name in wanted if name in there]
        rng.shuffle(left)
    return left.pop()
