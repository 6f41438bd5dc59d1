"""Purged walk-forward evaluation: how models of these settings would have done, fold by fold.

Every fold trains the whole ensemble anew, calibration and weights included, so nothing of a
figure comes from rows that a model of its time could not have had. Cards, the search for
settings and the results page all walk here.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from core.sections import ModelSettings
from models.members.base import Progress
from models.serving.card import FoldCard
from models.serving.predictor import Predictions, Predictor
from models.training.ensemble import Kind, train_ensemble
from models.training.evaluate import baseline, evaluate, part
from models.training.folds import Fold, walk_forward
from models.training.labels import UNLABELLED
from models.training.parts import EMBARGO_HORIZONS, Answered, Indices, require_enough, split_again
from models.training.parts import Split as Parts

#: Called after each fold with its number and card; raises to stop (a pruned trial).
OnFold = Callable[[int, FoldCard], None]


class Walked(NamedTuple):
    """One fold: the rows trained on, those tested after them, and their predictions.

    Attributes:
        train, test: places in the dataset, in time order.
        predictions: of `test`; `names` are its members.
    """

    train: Indices
    test: Indices
    predictions: Predictions
    names: tuple[str, ...]


def walk(
    known: Answered,
    settings: ModelSettings,
    kind: Kind,
    folds: int,
    progress: Progress,
    on_fold: OnFold = lambda _number, _card: None,
) -> list[FoldCard]:
    """One card per fold.

    Raises:
        ModelError: a fold has too little data, or one class only.
    """
    cards = []
    for number, fold in enumerate(walked(known, settings, kind, folds, progress)):
        cards.append(_card(known, fold))
        on_fold(number, cards[-1])
    return cards


def walked(
    known: Answered, settings: ModelSettings, kind: Kind, folds: int, progress: Progress
) -> Iterator[Walked]:
    """Fold after fold, each trained when it is asked for.

    Raises:
        ModelError: a fold has too little data, or one class only.
    """
    data, label = known.data, known.answers.label
    labelled = np.flatnonzero(label != UNLABELLED)
    embargo = (EMBARGO_HORIZONS - 1) * known.rule.horizon_us
    cut = walk_forward(data.time_us[labelled], known.answers.end_us[labelled], folds, embargo)
    for number, fold in enumerate(cut):
        progress(f"fold {number + 1} of {len(cut)}", number / len(cut))
        chosen = Fold(labelled[fold.train], labelled[fold.test])
        yield _walked(known, settings, kind, chosen, progress)


def _walked(
    known: Answered, settings: ModelSettings, kind: Kind, fold: Fold, progress: Progress
) -> Walked:
    data, label = known.data, known.answers.label
    train, test = fold.train[-settings.max_rows :], fold.test[: settings.max_rows]
    require_enough(Parts(train, test), label)
    inner = split_again(data.time_us, label, train, known.rule.horizon_us)
    ensemble = train_ensemble(
        known.trainees(inner.train, inner.held_back), settings, kind, progress
    )
    predictor = Predictor(ensemble.graphs)
    predictions = predictor.predict_at(data.rows, test, known.first[test])
    return Walked(train, test, predictions, predictor.names)


def _card(known: Answered, fold: Walked) -> FoldCard:
    time_us, label = known.data.time_us, known.answers.label
    return FoldCard(
        train=part(time_us[fold.train], label[fold.train]),
        test=part(time_us[fold.test], label[fold.test]),
        metrics=evaluate(fold.predictions.probabilities, label[fold.test]),
        baseline=baseline(label[fold.train], label[fold.test]),
    )
