from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.errors import ModelError
from core.sections import ModelSettings
from features.catalog import FEATURE_SET_HASH
from models.serving.artifact import Artifact
from models.serving.manifest import name_of
from models.serving.predictor import Predictor
from models.serving.registry import Registry
from models.training.train import fit
from tests.support.datasets import planted_dataset


@pytest.fixture(scope="module")
def models() -> list[Artifact]:
    settings = [
        ModelSettings(horizon_s=5.0, rounds=rounds, depth=2, threads=1, members=("xgboost",))
        for rounds in (3, 4)
    ]
    return [fit(planted_dataset(), "r", one, simulated=True) for one in settings]


@pytest.fixture(scope="module")
def ensemble() -> Artifact:
    settings = ModelSettings(5.0, 3, 2, threads=1, members=("xgboost", "linear"))
    return fit(planted_dataset(), "r", settings, simulated=True)


@pytest.fixture
def registry(tmp_path: Path, models: list[Artifact]) -> Registry:
    registry = Registry(tmp_path / "models")
    for model in models:
        registry.save(model)
    return registry


def test_a_saved_model_comes_back_equal(registry: Registry, models: list[Artifact]) -> None:
    assert registry.load(models[0].card.sha256) == models[0]
    assert registry.load(models[1].card.sha256[:8]) == models[1]
    assert sorted(c.sha256 for c in registry.cards()) == sorted(m.card.sha256 for m in models)


def test_saving_again_changes_nothing(registry: Registry, models: list[Artifact]) -> None:
    before = {path.name: path.read_bytes() for path in registry.directory.iterdir()}
    registry.save(models[0])
    assert {path.name: path.read_bytes() for path in registry.directory.iterdir()} == before


def test_champions_are_promoted_and_rolled_back(registry: Registry, models: list[Artifact]) -> None:
    first, second = models
    assert registry.champion() is None
    registry.promote(first.card.sha256, "ann")
    registry.promote(second.card.sha256[:10], "bob")
    registry.promote(second.card.sha256, "bob")
    assert [(p.sha256, p.by) for p in registry.history()] == [
        (first.card.sha256, "ann"),
        (second.card.sha256, "bob"),
    ]
    champion = registry.champion()
    assert champion == second
    assert champion.card.simulated
    assert registry.rollback() == first.card
    assert registry.champion() == first
    assert registry.rollback() is None
    assert registry.champion() is None
    with pytest.raises(ModelError, match="no champion"):
        registry.rollback()


def test_a_changed_byte_is_found(registry: Registry, models: list[Artifact]) -> None:
    sha256 = models[0].card.sha256
    registry.promote(sha256, "ann")
    path = registry.directory / f"{sha256}.model"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for use in (registry.champion, lambda: registry.promote(sha256, "ann")):
        with pytest.raises(ModelError, match=r"\.model: corrupt"):
            use()


def test_a_member_that_is_gone_or_changed_is_left_out_and_said(
    registry: Registry, ensemble: Artifact
) -> None:
    registry.save(ensemble)
    sha256, members = ensemble.card.sha256, ensemble.graphs.manifest.members
    first, second = (registry.directory / f"{m.sha256}.onnx" for m in members)
    whole = Predictor(registry.load(sha256))
    second.write_bytes(second.read_bytes()[:-1])
    found = registry.load(sha256)
    assert set(found.members) == {members[0].name}
    assert "corrupt" in found.problems[members[1].name]
    rows = planted_dataset().rows[:100]
    alone = Predictor(found).predict(rows)
    assert (alone.absent == 2).all()
    assert (whole.predict(rows).absent == 0).all()
    np.testing.assert_array_equal(alone.probabilities, whole.predict(rows).members[0])
    with pytest.raises(ModelError, match="corrupt, member"):
        registry.promote(sha256, "ann")
    with pytest.raises(ModelError, match="corrupt, member"):
        registry.appoint(sha256)
    first.unlink()
    with pytest.raises(ModelError, match="No such file"):
        registry.load(sha256)


def test_a_challenger_is_appointed_and_leaves_when_promoted(
    registry: Registry, models: list[Artifact]
) -> None:
    assert registry.challenger() == ""
    registry.appoint(models[1].card.sha256[:9])
    assert registry.challenger() == models[1].card.sha256
    registry.promote(models[0].card.sha256, "ann", ts_us=5)
    assert registry.challenger() == models[1].card.sha256
    registry.promote(models[1].card.sha256, "ann", ts_us=6)
    assert registry.challenger() == ""
    assert [p.ts_us for p in registry.history()] == [5, 6]


def test_a_model_of_another_feature_set_is_refused(
    registry: Registry, models: list[Artifact]
) -> None:
    content = models[0].manifest.replace(FEATURE_SET_HASH.encode(), b"0123456789abcdef")
    card = msgspec.structs.replace(models[0].card, sha256=name_of(content))
    registry.save(models[0]._replace(card=card, manifest=content))
    with pytest.raises(ModelError, match="feature set 0123456789abcdef"):
        registry.load(card.sha256)


def test_a_missing_or_damaged_file_is_named(registry: Registry, models: list[Artifact]) -> None:
    sha256 = models[0].card.sha256
    (registry.directory / f"{sha256}.model").unlink()
    with pytest.raises(ModelError, match=f"{sha256}.model"):
        registry.load(sha256)
    (registry.directory / f"{sha256}.json").write_text("{")
    with pytest.raises(ModelError, match=f"{sha256}.json: damaged"):
        registry.load(sha256)
    (registry.directory / "champion.json").write_text("[1]")
    with pytest.raises(ModelError, match=r"champion\.json: damaged"):
        registry.champion()


@pytest.mark.parametrize("beginning", ["", "zzz", "../models/champion"])
def test_an_unknown_hash_is_refused(registry: Registry, beginning: str) -> None:
    with pytest.raises(ModelError, match="begin"):
        registry.load(beginning)
