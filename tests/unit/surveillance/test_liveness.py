"""Who answers, on a home that is supervised: real health ports, and a clock that only we move."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stack.running import RunningStack, write_down
from core import file_lock
from core.clock import ManualClock
from core.health import Health
from core.process_view import ProcessView
from surveillance.firing import Measure
from surveillance.liveness import DOWN, Liveness

S = 1_000_000
NAMES = ("bus", "warehouse", "streams.executions", "execution", "orchestration.daemon")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A stack that started at 100 s; of Dagster's five minutes are expected."""
    views = tuple(
        ProcessView(
            name, str(tmp_path / "run" / f"{name}.json"), "", "", 300.0 * name.startswith("orch")
        )
        for name in NAMES
    )
    (tmp_path / "run").mkdir()
    held = file_lock.hold(tmp_path / "run" / "lock")
    assert held is not None
    write_down(tmp_path, RunningStack(1, "up", 100 * S, "", {}, views))
    yield tmp_path
    os.close(held)


@pytest.fixture
def healths(home: Path) -> Iterator[dict[str, Health]]:
    """All of them answer but Dagster's daemon."""
    by_name = {name: Health(name, home / "run") for name in NAMES[:-1]}
    yield by_name
    for health in by_name.values():
        health.close()


def silences(liveness: Liveness, beats: dict[str, float] | None = None) -> dict[str, float]:
    liveness.ask()
    given = None if beats is None else [Measure(DOWN, *beat) for beat in beats.items()]
    return {m.subject: m.value for m in liveness.measures(given) if m.value}


def test_what_answers_no_more_is_silent_from_then_on(
    home: Path, healths: dict[str, Health]
) -> None:
    clock = ManualClock(110 * S)
    liveness = Liveness(home, clock)
    assert silences(liveness, {}) == {}
    healths.pop("warehouse").close()
    clock.advance(150 * S)
    assert silences(liveness) == {"warehouse": 40}  # and the statements have no answer
    healths["warehouse"] = Health("warehouse", home / "run")
    clock.advance(160 * S)
    assert silences(liveness, {}) == {}


def test_what_never_answered_is_missed_when_its_patience_is_over(
    home: Path, healths: dict[str, Health]
) -> None:
    clock = ManualClock(399 * S)
    healths.pop("execution").close()
    liveness = Liveness(home, clock)
    assert silences(liveness) == {"execution": 299}
    clock.advance(460 * S)
    assert silences(liveness) == {"execution": 360, "orchestration.daemon": 60}


@pytest.mark.usefixtures("healths")
def test_a_heart_that_is_silent_counts_while_it_could_have_been_brought(home: Path) -> None:
    clock = ManualClock(110 * S)
    liveness = Liveness(home, clock)
    beats = {"execution": 40.0, "agent": 70.0}
    assert silences(liveness, beats) == beats  # its loop hangs and its health port does not
    assert silences(liveness) == beats  # no answer takes nothing back


def test_a_bus_that_hangs_is_one_alert_and_not_one_for_each_heart(
    home: Path, healths: dict[str, Health]
) -> None:
    clock = ManualClock(110 * S)
    liveness = Liveness(home, clock)
    assert silences(liveness, {"execution": 1.0}) == {"execution": 1}
    healths.pop("bus").close()
    clock.advance(150 * S)
    assert silences(liveness, {"execution": 41.0}) == {"bus": 40}
    healths["bus"] = Health("bus", home / "run")
    clock.advance(155 * S)
    assert silences(liveness, {"execution": 46.0}) == {"execution": 5}  # so long it is there again


def test_a_home_that_nobody_supervises_has_heartbeats_alone(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path, ManualClock(), [Measure(DOWN, "collector", 50.0)])
    assert silences(liveness) == {"collector": 50}  # fired before, and nothing is known since
    assert silences(liveness, {"collector": 2.0}) == {"collector": 2}
