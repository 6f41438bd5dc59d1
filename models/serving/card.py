"""What is known about one model: its identity, its data, and how it did on rows held back.

A card holds no wall-clock time: training again on the same rows gives the same card.
"""

from typing import NamedTuple

import msgspec

from core.sections import ModelSettings

#: Meaning of a prediction's three columns.
CLASSES = ("down", "flat", "up")
DOWN, FLAT, UP = range(3)


class Span(NamedTuple):
    """Market time from `start_us` up to but without `end_us`, microseconds UTC."""

    start_us: int
    end_us: int


class DataVersion(msgspec.Struct, frozen=True):
    """Which data a dataset is: enough to read it again as it was.

    Attributes:
        known_us: as of when its ticks were read, microseconds UTC.
        start_us, end_us, sources: what was asked for.
        last_us: market time of its newest row; a run that goes on has later ones.
    """

    known_us: int
    start_us: int
    end_us: int
    sources: tuple[str, ...]
    last_us: int


class DataPart(msgspec.Struct, frozen=True):
    """The rows one step used. `shares`: of the classes down, flat, up."""

    rows: int
    start_us: int
    end_us: int
    shares: tuple[float, float, float]


class Metrics(msgspec.Struct, frozen=True):
    """Quality of probabilities (models.training.evaluate). An AUC is None when a class is absent.

    `auc_direction` compares up with down among the rows that moved. `auc_down` and `auc_up` are
    one class against the rest: they also reward knowing *whether* the market moves, which
    volatility and spread tell well, and so say little about direction.
    """

    log_loss: float
    brier: float
    accuracy: float
    auc_direction: float | None
    auc_down: float | None
    auc_up: float | None


class MemberCard(msgspec.Struct, frozen=True):
    """One member of the ensemble.

    Attributes:
        weight: its share, from its accuracy on the rows for calibration, newer ones counting more.
        metrics: of its calibrated output alone on the held-back rows.
        calibration_error: mean distance of said and true share of rises, held-back rows.
        parity: largest difference between ONNX and its trainer.
    """

    name: str
    sha256: str
    weight: float
    metrics: Metrics
    calibration_error: float
    parity: float


class Reliability(msgspec.Struct, frozen=True):
    """One point of the reliability plot of a rise, held-back rows."""

    rows: int
    said: float
    came: float


class FoldCard(msgspec.Struct, frozen=True):
    """One fold of the purged walk-forward evaluation."""

    train: DataPart
    test: DataPart
    metrics: Metrics
    baseline: Metrics


class Band(msgspec.Struct, frozen=True):
    """Where one column's training values lie.

    `edges` divide them into about ten, of which each holds its share of `shares`; `missing` is
    the share of rows without a value. Both are empty when too few have one.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float


class Bands(msgspec.Struct, frozen=True):
    """The training part, for drift: every feature, and p_down and p_up of later rows."""

    features: tuple[Band, ...]
    predicted: tuple[Band, ...]


class ModelCard(msgspec.Struct, frozen=True):
    """The description that lies beside an artefact.

    Attributes:
        sha256: of the manifest, the model's name everywhere.
        simulated: trained on simulated data; such a model may never trade real money.
        data_hash: SHA-256 over the rows read, so that a training can be repeated and compared.
        feeds: `source.symbol` of every feed that was read.
        baseline: the training part's class shares as the prediction for every row; its
            accuracy is that of always naming the majority class.
        parity: largest difference between ONNX and any member's trainer on the held-back rows.
        calibrated_on: between the two: for calibration and weights alone.
        dataset: name of what was asked for: hash of query, run, span, sources and feature set.
        left_out: members that could not be trained, and why.
        agreement: mean of the members' agreement on the held-back rows.
        direction_range: 95 % interval of the direction AUC by a bootstrap of blocks of time.
        folds: the purged walk-forward evaluation, when one was asked for.
        bands: None on cards of before drift was watched.
        data: the version of the data; None on cards of before ticks had versions.
        own_features: files of a person's own features that it was trained on, as core.feature_set
            packs them; "" without any.
    """

    sha256: str
    feature_set_hash: str
    features: tuple[str, ...]
    simulated: bool
    sample_ms: int
    settings: ModelSettings
    run_id: str
    data_hash: str
    feeds: tuple[str, ...]
    train: DataPart
    held_back: DataPart
    metrics: Metrics
    baseline: Metrics
    parity: float
    versions: dict[str, str]
    calibrated_on: DataPart
    dataset: str = ""
    members: tuple[MemberCard, ...] = ()
    left_out: dict[str, str] = {}
    agreement: float = 1.0
    reliability: tuple[Reliability, ...] = ()
    folds: tuple[FoldCard, ...] = ()
    direction_range: tuple[float, float] | None = None
    bands: Bands | None = None
    data: DataVersion | None = None
    own_features: str = ""
