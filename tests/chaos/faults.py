"""What goes wrong, drawn from a seed: the same seed gives the same faults at the same pauses."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

PROCESSES = ("execution", "bus", "terminal")
LINKS = ("bus", "terminal")
KINDS = ("kill", "kill", "stop", "cut", "hole", "delay", "refuse")


class Fault(NamedTuple):
    """One fault. `target`: a process, or the link to one."""

    kind: str
    target: str
    seconds: float  # how long it holds; 0 for a kill or a cut
    lag_s: float  # of a delay
    pause_s: float  # before it

    def __str__(self) -> str:
        held = f" {self.seconds:.2f} s" if self.seconds else ""
        return f"{self.kind} {self.target}{held}" + (f" by {self.lag_s:.2f}" * bool(self.lag_s))


def faults(seed: int, count: int) -> Iterator[Fault]:
    """Random faults of every kind; sometimes the next comes at once."""
    rng = Random(f"chaos {seed}")
    for _ in range(count):
        kind = rng.choice(KINDS)
        target = rng.choice(PROCESSES if kind in ("kill", "stop") else LINKS)
        seconds = 0.0 if kind in ("kill", "cut") else rng.uniform(0.1, 1.5)
        lag_s = rng.choice((0.005, 0.05, 0.3)) if kind == "delay" else 0.0
        yield Fault(kind, target, seconds, lag_s, rng.choice((0.0, 0.3, 0.8, 1.5)))


def kills(seed: int, count: int, period_s: float) -> Iterator[Fault]:
    """Kills alone, evenly paced: for the seconds of unavailability."""
    rng = Random(f"kills {seed}")
    for _ in range(count):
        yield Fault("kill", rng.choice(PROCESSES), 0.0, 0.0, period_s)
