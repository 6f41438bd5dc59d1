"""The figures that count: what `make bench` puts into one table, and docs and README repeat.

A bench notes its figures; without `make bench` around it that does nothing. Peer and floor are
measured in the same run, so their ratio holds on another machine, where the figure does not.
"""

import os
import time
from pathlib import Path

import msgspec

from benchmarks.machine import QUIET, processor

KEPT = Path(__file__).with_name("figures.json")
NOTES = "BENCH_FIGURES"  # the file, of JSON lines, that a bench adds to


class Figure(msgspec.Struct, frozen=True):
    """One measured figure.

    Attributes:
        value: in `unit`.
        peer, floor: the same of somebody else's, and of the least that any solution pays.
        goal: of what `goal_of` names: "value", "ratio" (value over peer or floor), or "beyond",
            value less floor. NaN without one.
        least: the goal is a least, not a most.
    """

    name: str
    value: float
    unit: str
    command: str
    goal: float = float("nan")
    goal_of: str = "value"
    least: bool = False
    peer: float = float("nan")
    floor: float = float("nan")
    machine: str = ""
    load: float = 0.0
    day: str = ""

    @property
    def holds(self) -> bool:
        """Whether others on the machine left it as it is: by the clock only on a quiet one."""
        return self.load <= QUIET or "CPU" in self.unit or self.unit in ("bytes", "MiB")

    @property
    def ratio(self) -> float:
        """Over the floor, else over the peer; NaN without either."""
        return self.value / (self.floor if self.floor == self.floor else self.peer)

    @property
    def held(self) -> float:
        """What the goal is about."""
        return {
            "value": self.value,
            "ratio": self.ratio,
            "beyond": self.value - self.floor,
        }[self.goal_of]

    @property
    def reached(self) -> bool | None:
        """None without a goal."""
        if self.goal != self.goal:
            return None
        return self.held >= self.goal if self.least else self.held <= self.goal


def note(*figures: Figure) -> None:
    """Add figures to the table that is being made, if one is."""
    if not (path := os.environ.get(NOTES)):
        return
    with Path(path).open("ab") as stream:
        for figure in figures:
            placed = msgspec.structs.replace(
                figure, machine=f"{processor()}, {os.cpu_count()} cores",
                load=round(os.getloadavg()[0], 1), day=time.strftime("%Y-%m-%d", time.gmtime()),
            )  # fmt: skip
            stream.write(_JSON.encode(placed) + b"\n")


def noted(path: Path) -> list[Figure]:
    """What benches added; the last of each name, in the order of the first."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    figures = [_decoded(line) for line in lines]
    return list({figure.name: figure for figure in figures}.values())


def kept(path: Path = KEPT) -> list[Figure]:
    """Those that are in the repository."""
    return [_decoded(msgspec.json.encode(one)) for one in msgspec.json.decode(path.read_bytes())]


def keep(figures: list[Figure], path: Path = KEPT) -> None:
    """Put them among those of the repository, each in place of its former one."""
    before = {one.name: one for one in kept(path)} if path.exists() else {}
    every = {**before, **{one.name: one for one in figures}}
    text = _JSON.encode(list(every.values()))
    path.write_bytes(msgspec.json.format(text, indent=2) + b"\n")


def cells(figure: Figure) -> tuple[str, ...]:
    """A table's row: figure, ours, peer, floor, ratio, goal, reached, machine, load, command."""
    goal = f"{'at least' if figure.least else 'at most'} {short(figure.goal)}"
    of = {"value": figure.unit, "ratio": "times", "beyond": f"{figure.unit} beyond the floor"}
    reached = {None: "", True: "yes", False: "no"}[figure.reached]
    return (
        figure.name,
        f"{short(figure.value)} {figure.unit}",
        *("" if v != v else short(v) for v in (figure.peer, figure.floor, figure.ratio)),
        "" if figure.goal != figure.goal else f"{goal} {of[figure.goal_of]}",
        reached,
        f"{figure.machine}, {figure.day}",
        f"{figure.load:.1f}",
        f"`{figure.command}`",
    )


HEADER = (
    *("figure", "ours", "peer", "floor", "ratio"),
    *("goal", "reached", "machine", "load", "command"),
)


def short(value: float) -> str:
    """Three digits that count, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _decoded(line: bytes) -> Figure:
    # JSON has no NaN: what is missing is null, and a float of ours.
    given = {k: v for k, v in msgspec.json.decode(line).items() if v is not None}
    return msgspec.convert(given, Figure)


_JSON = msgspec.json.Encoder()
