"""Purged walk-forward evaluation: how models of these settings would have done, fold by fold.

Every fold trains the whole ensemble anew, calibration and weights included, so nothing of a
figure comes from rows that a model of its time could not have had.
"""

from collections.abc import Callable

import numpy as np

from core.settings import ModelSettings
from models.card import FoldCard
from models.ensemble import Kind, train_ensemble
from models.evaluate import baseline, evaluate, part
from models.folds import Fold, walk_forward
from models.labels import UNLABELLED
from models.members.base import Progress
from models.parts import EMBARGO_HORIZONS, Answered, require_enough, split_again
from models.parts import Split as Parts
from models.predictor import Predictor

#: Called after each fold with its number and card; raises to stop (a pruned trial).
OnFold = Callable[[int, FoldCard], None]


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
    data, label = known.data, known.answers.label
    labelled = np.flatnonzero(label != UNLABELLED)
    embargo = (EMBARGO_HORIZONS - 1) * known.rule.horizon_us
    cut = walk_forward(data.time_us[labelled], known.answers.end_us[labelled], folds, embargo)
    cards = []
    for number, fold in enumerate(cut):
        progress(f"fold {number + 1} of {len(cut)}", number / len(cut))
        places = Fold(labelled[fold.train], labelled[fold.test])
        cards.append(_card(known, settings, kind, places, progress))
        on_fold(number, cards[-1])
    return cards


def _card(
    known: Answered, settings: ModelSettings, kind: Kind, fold: Fold, progress: Progress
) -> FoldCard:
    data, label = known.data, known.answers.label
    train, test = fold.train[-settings.max_rows :], fold.test[: settings.max_rows]
    require_enough(Parts(train, test), label)
    inner = split_again(data.time_us, label, train, known.rule.horizon_us)
    ensemble = train_ensemble(
        known.trainees(inner.train, inner.held_back), settings, kind, progress
    )
    judged = Predictor(ensemble.graphs).judge_at(data.rows, test, known.first[test])
    return FoldCard(
        train=part(data.time_us[train], label[train]),
        test=part(data.time_us[test], label[test]),
        metrics=evaluate(judged.probabilities, label[test]),
        baseline=baseline(label[train], label[test]),
    )
