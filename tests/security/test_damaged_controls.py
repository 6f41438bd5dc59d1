"""Every file of signed controls, in the home and outside, damaged: what was signed last holds, or
nothing starts; the file and a remedy are named.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from core.clock import ManualClock
from core.controls.store import Place
from core.controls.watch import WatchedControls
from core.errors import InputError
from core.sections import ExecutionSettings
from core.trading_control import ControlCommand, content_of, halt, path_in, write
from execution.risk import direction
from execution.risk.limits import of_settings
from execution.risk.signed_limits import SignedLimits
from execution.risk.signed_resumes import SignedResumes, breakers_in
from execution.risk.trading_state import TradingState
from tests.security.test_damaged_files import damages
from tests.support.signed_home import END_US, SignedHome

FOREIGN = b'{"of":"somebody else"}\n'


class Signed(NamedTuple):
    """A home and its copy outside, which can be copied together."""

    folder: Path
    place: Place
    clock: ManualClock

    def copied(self, to: Path) -> "Signed":
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to, symlinks=True)
        trust = to / self.place.trust.relative_to(self.folder)
        return Signed(to, Place(to / "home", trust), self.clock)

    def watched(self) -> WatchedControls:
        return WatchedControls(self.place, direction.raises, self.clock)

    def files(self) -> list[Path]:
        """Of the chain, of contents and of the copy outside, from the folder."""
        places = (self.place.chain.parent, self.place.trust)
        found = [path for place in places for path in sorted(place.rglob("*")) if path.is_file()]
        return [path.relative_to(self.folder) for path in found]


class Holds(NamedTuple):
    """What execution goes by."""

    limits: str
    model: bool
    state: str


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Two people's limits, an approval, a halt that they lifted, and a breaker's word."""
    folder = tmp_path_factory.mktemp("signed")
    home = SignedHome(folder, ("ann", "bob"), "firm")
    home.limits("max_lots = 0.8")
    home.limits("max_lots = 0.5")
    home.approve(home.sign("model", b"m\n", "ann", "m", END_US).number, "bob")
    halt(home.home, "ann", "news", home.clock)
    order = ControlCommand("active", "ann", "over", home.clock.now_us() + 1)
    home.approve(home.sign("resume", content_of(order), "ann").number, "bob")
    write(path_in(home.home), order)
    made = Signed(folder.resolve(), home.place, home.clock)
    WatchedControls(home.place, direction.raises, home.clock)
    state(made, made.watched()).trip(ControlCommand("reducing", "breaker drift", "far", 5))
    return made


def state(signed: Signed, watched: WatchedControls) -> TradingState:
    breakers = breakers_in(signed.place, "acc1", signed.folder / "none")
    resumes = SignedResumes(signed.place, watched)
    return TradingState(path_in(signed.place.home), breakers, resumes)


def holds(signed: Signed, watched: WatchedControls) -> tuple[Holds, str]:
    """As a start of execution finds it, and what it says of it."""
    limits = SignedLimits("acc1", of_settings(ExecutionSettings()), signed.place.home, watched)
    model = watched.controls.version("model", "m", watched.now_us()) is not None
    trading = state(signed, watched)
    said = "; ".join((limits.problem, trading.problem, trading.current.reason))
    return Holds(limits.rules.version, model, trading.state), said


def replace(path: Path) -> None:
    path.write_bytes(FOREIGN)


def every(path: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Who removes files of the copy outside owns it, and with it the controls."""
    yield from damages(path)
    yield "another's file in its place", replace
    if "controls" in path.parts:
        yield "gone", Path.unlink


def test_what_was_signed_last_holds_or_trading_stops_or_nothing_starts(
    signed: Signed, tmp_path: Path
) -> None:
    whole, _ = holds(signed, signed.watched())
    files = signed.files()
    assert {path.name for path in files} >= {"chain.jsonl", "control.json", "breakers.acc1.json"}
    seen = set[str]()
    for number, file in enumerate(files):
        for which, (what, damage) in enumerate(every(signed.folder / file)):
            copied = signed.copied(tmp_path / f"{number}.{which}")
            running = copied.watched()
            damage(copied.folder / file)
            running.poll()
            assert holds(copied, running)[0].limits == whole.limits, (file, what)
            seen.add(met(copied, whole, f"{file} {what}"))
            shutil.rmtree(copied.folder)
    assert seen == {"the same", "the same, and named", "halted", "refused"}


def met(signed: Signed, whole: Holds, what: str) -> str:
    """What a start after the damage meets."""
    try:
        now, said = holds(signed, signed.watched())
    except InputError as error:
        return refused(signed, f"{error}", what)
    if now == whole:
        return "the same, and named" if str(signed.folder) in said else "the same"
    assert now == whole._replace(state="halted"), (what, now, said)
    assert "cannot be read" in said, (what, said)
    return "halted"


def refused(signed: Signed, error: str, what: str) -> str:
    assert str(signed.place.kept) in error, what
    assert "backup" in error, what
    return "refused"
