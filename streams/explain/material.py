"""What a decision is computed from besides facts and ticks: files of the model, the strategy's."""

from pathlib import Path

from core import feature_set
from core.errors import InputError, ModelError
from core.strategy_set import unpack
from features import own
from features.own import LoadedFeature
from models.serving import artifact
from models.serving.artifact import Artifact
from models.serving.manifest import from_bytes
from strategies import desk
from streams.explain.facts import Facts
from streams.explain.recompute import Material


def of(facts: Facts, home: Path, scratch: Path) -> Material:
    """All of it but the ticks. The session's own strategy is written to `scratch`.

    Raises:
        InputError: a file of the model is gone or was changed.
    """
    strategies, desk_ = home / "strategies", None
    if text := desk.kept(facts.strategy):
        strategies = scratch / "strategies"
        desk_ = desk.unpacked(text, strategies)
    elif facts.strategy:
        strategies = scratch / "strategies"
        unpack(facts.strategy, facts.signal.strategy, strategies)
    features = own_features(facts.own_features, scratch)
    model = _model(facts, home / "models") if facts.probabilities else None
    return Material({}, model, strategies, desk_, features)


def own_features(text: bytes, scratch: Path) -> tuple[LoadedFeature, ...]:
    """The session's own, for this process, from then on; () without any.

    Raises:
        SettingsError: the text is damaged, or one of them is no feature.
    """
    return own.use(own.of_folder(feature_set.unpacked(text, scratch / feature_set.FOLDER)))


def _model(facts: Facts, models: Path) -> Artifact:
    """The model that predicted, with every member that had a say."""
    try:
        loaded = artifact.load(models, facts.model)
    except ModelError as error:
        raise _gone(facts, str(error)) from error
    names = [spec.name for spec in from_bytes(loaded.manifest, facts.model).members]
    lost = [
        loaded.problems[name]
        for index, name in enumerate(names)
        if name in loaded.problems and not facts.absent >> index & 1
    ]
    if lost:
        raise _gone(facts, "; ".join(lost))
    return loaded


def _gone(facts: Facts, why: str) -> InputError:
    return InputError(
        facts.asked, f"its model {facts.model} cannot be used: {why}. Put the model's files back"
        " into the home's models/ from a copy of it; nothing else stands in for them"
    )  # fmt: skip
