"""The stream's models: a change between batches, a challenger in the shadow, nothing silent."""

from pathlib import Path

import numpy as np
import pytest

from core.contracts import codec
from core.contracts.operations import Control
from core.contracts.tick import TickMarker
from core.errors import ModelError
from core.metrics import Histograms
from core.sections import ModelSettings, SignalSettings
from core.topics import CONTROL
from models.serving.artifact import Artifact
from models.serving.in_use import Chosen
from models.serving.predictor import Predictor
from models.serving.registry import Registry
from models.training.train import fit
from streams.champion import ChampionWatch, chosen_now
from streams.predict import ModelInUse, ModelState
from streams.records import Sampled
from tests.support.datasets import planted_dataset
from tests.support.memory_bus import MemoryBus


@pytest.fixture(scope="module")
def two() -> list[Artifact]:
    kinds = [("xgboost", "linear"), ("xgboost",)]
    settings = [ModelSettings(5.0, 4, 2, threads=1, members=kind) for kind in kinds]
    return [fit(planted_dataset(), "r", one, simulated=True) for one in settings]


@pytest.fixture
def registry(tmp_path: Path, two: list[Artifact]) -> Registry:
    registry = Registry(tmp_path / "models")
    for model in two:
        registry.save(model)
    return registry


def sampled(start: int, stop: int, mode: str = "live") -> Sampled:
    data = planted_dataset()
    own = slice(start, stop)
    time_msc = data.time_us[own] // 1000
    seq = np.zeros(stop - start, np.uint32)
    return Sampled(
        "r", mode, "sim", "TEST", 0, time_msc, seq, data.mid[own], data.spread[own], data.rows[own]
    )


def in_use(registry: Registry, chosen: Chosen, **more: object) -> ModelInUse:
    return ModelInUse(registry.directory, Histograms(), chosen, **more)  # type: ignore[arg-type]


def test_a_running_stream_changes_over_between_batches_and_never_within(
    registry: Registry, two: list[Artifact]
) -> None:
    first, second = (m.card.sha256 for m in two)
    registry.promote(first, "ann")
    bus = MemoryBus()
    watch = ChampionWatch(bus, registry.directory, SignalSettings())
    stream = in_use(registry, chosen_now(registry.directory, SignalSettings()), changes=watch)
    before = stream.rows(sampled(0, 100))
    registry.promote(second, "bob", ts_us=1)
    bus.publish(CONTROL, "models", codec.encode(Control("models", "r", 1, "bob", "promoted")))
    wait_until_ready(watch)
    after = [stream.rows(sampled(n, n + 7)) for n in range(100, 200, 7)]
    watch.close()
    assert before.model == first
    assert {one.model for one in after} == {second}
    for n, one in zip(range(100, 200, 7), after, strict=True):
        expected = Predictor(two[1]).probabilities(planted_dataset().rows[n : n + 7])
        assert one.probabilities is not None
        assert one.probabilities.tobytes() == expected.tobytes()
    assert [e.kind for e in before.events + after[0].events] == ["in use", "in use"]
    assert after[0].share == 0.5  # a new champion opens half positions at first


def wait_until_ready(watch: ChampionWatch) -> None:
    for _ in range(600):
        if watch._ready is not None:
            return
        watch._thread.join(0.05)
    raise AssertionError("the change was not prepared")


def test_a_change_to_a_damaged_model_is_refused_and_the_stream_goes_on(
    registry: Registry, two: list[Artifact]
) -> None:
    first, second = (m.card.sha256 for m in two)
    registry.promote(first, "ann")
    registry.promote(second, "ann")
    told: list[str] = []
    watch = ChampionWatch(MemoryBus(), registry.directory, SignalSettings(), told.append)
    stream = in_use(registry, Chosen(first), changes=watch)
    (registry.directory / f"{second}.model").write_text("{}")
    watch._prepare()
    assert stream.rows(sampled(0, 5)).model == first
    assert "corrupt" in told[0]
    watch.close()


def test_a_challenger_predicts_in_the_shadow_of_every_row(
    registry: Registry, two: list[Artifact]
) -> None:
    first, second = (m.card.sha256 for m in two)
    found = in_use(registry, Chosen(first, second)).rows(sampled(0, 50))
    assert found.model == first
    assert found.shadow is not None
    assert found.shadow[0] == second
    expected = Predictor(two[1]).probabilities(planted_dataset().rows[:50])
    assert found.shadow[1].probabilities.tobytes() == expected.tobytes()


def test_a_missing_member_is_an_event_and_a_word_to_the_operator(
    registry: Registry, two: list[Artifact]
) -> None:
    linear = two[0].graphs.manifest.members[1]
    (registry.directory / f"{linear.sha256}.onnx").unlink()
    told: list[str] = []
    stream = in_use(registry, Chosen(two[0].card.sha256), on_problem=told.append)
    found = stream.rows(sampled(0, 5))
    assert [(e.member, e.kind) for e in found.events] == [("", "in use"), ("linear", "missing")]
    assert "No such file" in told[0]
    assert found.predictions is not None
    assert (found.predictions.absent == 2).all()
    assert stream.rows(sampled(5, 9)).events == ()


def test_a_champion_that_cannot_be_loaded_stops_the_start(registry: Registry) -> None:
    with pytest.raises(ModelError, match="No such file"):
        in_use(registry, Chosen("0" * 64))
    found = in_use(registry, Chosen("")).rows(sampled(0, 5))
    assert found.predictions is None


def test_a_replays_model_changes_at_its_marker_and_survives_a_restart(
    registry: Registry, two: list[Artifact]
) -> None:
    stream = in_use(registry, Chosen(""))
    assert stream.rows(sampled(0, 80, "replay")).predictions is None
    stream.marker(TickMarker("r", "model", 1, 0, two[0].card.sha256))
    again = in_use(registry, Chosen(stream.state.model), state=stream.state)
    assert isinstance(stream.state, ModelState)
    one, two_ = (s.rows(sampled(80, 90, "replay")) for s in (stream, again))
    assert one.probabilities is not None
    assert two_.probabilities is not None
    assert one.probabilities.tobytes() == two_.probabilities.tobytes()
    # The news of the marker comes once, with the first rows after it, also after a restart.
    assert [e.kind for e in one.events] == [e.kind for e in two_.events] == ["in use"]
    told = in_use(registry, Chosen(again.model), state=again.state)
    assert told.rows(sampled(90, 95, "replay")).events == ()
    past = again.state.past["sim.TEST"]
    assert past.tobytes() == planted_dataset().rows[27:90].tobytes()


def test_clocks_that_go_back_leave_no_row(registry: Registry, two: list[Artifact]) -> None:
    """The kernel makes no row of a late tick; what arrives here empty passes through."""
    found = in_use(registry, Chosen(two[0].card.sha256)).rows(sampled(5, 5))
    assert found.predictions is None
