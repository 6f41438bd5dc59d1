"""Searching settings with Optuna: parallel, pruned, resumable, and over when its time is.

Every trial is a purged walk-forward evaluation of the whole ensemble; a trial that is behind
after a fold is given up (median rule). Trials live in a journal file under the home, which every
worker process appends to: a search that was stopped goes on where it was, and more processes may
join. The best of many trials is lucky as well as good: its figure here is no forecast, and the
model trained with its settings is judged on rows that no trial saw (`held_back`).
"""

import hashlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from core.errors import ModelError, SettingsError
from core.feature_set import packed, unpacked
from core.sections import ModelSettings
from features import own
from models.training.dataset import Dataset
from models.training.ensemble import Kind
from models.training.parts import HELD_BACK, answered
from models.training.walk import walk

if TYPE_CHECKING:
    import optuna

#: Called with finished trials, the best skill so far (nan before the first), and seconds left.
OnProgress = Callable[[int, float, float], None]

_FOLDS = 3
_POLL_S = 0.5


class SearchResult(NamedTuple):
    """The outcome. `skill`: mean over folds of 1 minus log loss over that of class shares."""

    settings: ModelSettings
    skill: float
    trials: int
    pruned: int
    failed: int


class _Job(NamedTuple):
    """What a worker is given; picklable, because workers are spawned.

    `features`: a person's own, whose columns `data` has, as core.feature_set packs them.
    """

    data: Dataset
    features: bytes
    settings: ModelSettings
    journal: Path
    name: str
    until: float  # time.time() at which no trial begins any more
    trials: int
    seed: int


def search(
    data: Dataset,
    settings: ModelSettings,
    directory: Path,
    *,
    seconds: float,
    trials: int = 1_000,
    workers: int = 2,
    name: str = "",
    on_progress: OnProgress = lambda _done, _best, _left: None,
) -> SearchResult:
    """Search for `seconds`, or until the study has so many trials.

    Args:
        data: its last quarter is left out, for judging what was found.
        settings: what is not searched stays as it is.
        directory: of the journal, HOME/search.
        workers: processes; each trains with one thread.
        name: of the study; the data's and settings' own by default, so that the same search
            resumes and another one does not mix with it.

    Raises:
        ModelError: no trial succeeded.
        SettingsError: a time or count that cannot be, or an own feature that cannot be read.
    """
    if seconds <= 0 or trials < 1 or workers < 1:
        raise SettingsError("a search needs seconds, trials and workers above zero")
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directory.mkdir(parents=True, exist_ok=True)
    earlier = without_held_back(data)
    name = name or f"{data.data_hash()[:12]}-{_hash(settings)}"
    features = packed({one.path.stem: one.body for one in data.own})
    journal, until = directory / "journal.log", time.time() + seconds
    job = _Job(
        data=earlier._replace(own=()), features=features, settings=settings, journal=journal,
        name=name, until=until, trials=trials, seed=7,
    )  # fmt: skip
    study = _study(job)
    if len(study.get_trials(deepcopy=False, states=_finished())) < trials:
        _run(job, workers, study, on_progress)
    return _result(study, settings)


def without_held_back(data: Dataset) -> Dataset:
    """The rows before the part that `models.training.train` will hold back."""
    order = np.sort(data.time_us)
    keep = data.time_us < order[int(len(order) * (1 - HELD_BACK))] if len(order) else order > 0
    return data._replace(
        rows=data.rows[keep],
        time_us=data.time_us[keep],
        mid=data.mid[keep],
        spread=data.spread[keep],
        feed=data.feed[keep],
    )


def suggest(trial: "optuna.Trial", settings: ModelSettings) -> ModelSettings:
    """Settings of a trial."""
    return msgspec.structs.replace(
        settings,
        rounds=trial.suggest_int("rounds", 20, 200, log=True),
        depth=trial.suggest_int("depth", 2, 7),
        learning_rate=trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        leaf_rows=trial.suggest_int("leaf_rows", 10, 500, log=True),
        threads=1,
    )


def _run(job: _Job, workers: int, study: "optuna.Study", on_progress: OnProgress) -> None:
    """Spawn the workers and wait; whatever happens, none is left behind."""
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_work, args=(job._replace(seed=n + 1),), daemon=True)
        for n in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        while any(process.is_alive() for process in processes):
            for process in processes:
                process.join(_POLL_S / workers)
            _report(study, job, on_progress)
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _report(study: "optuna.Study", job: _Job, on_progress: OnProgress) -> None:
    finished = study.get_trials(deepcopy=False, states=_finished())
    values = [t.value for t in finished if t.value is not None]
    best = max(values) if values else float("nan")
    on_progress(len(finished), best, max(0.0, job.until - time.time()))


def _work(job: _Job) -> None:
    """One process: trials until time or count is up."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = _study(job)

    def enough(study: "optuna.Study", _trial: object) -> None:
        done = len(study.get_trials(deepcopy=False, states=_finished()))
        if time.time() >= job.until or done >= job.trials:
            study.stop()

    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:  # read once, here
        own.use(own.of_folder(unpacked(job.features, Path(scratch))))
    known = answered(job.data, job.settings)
    kind = Kind(job.settings.horizon_s, 1000, True, job.data.set_hash)

    def objective(trial: "optuna.Trial") -> float:
        skills: list[float] = []

        def on_fold(number: int, card: Any) -> None:
            skills.append(1.0 - card.metrics.log_loss / card.baseline.log_loss)
            trial.report(float(np.mean(skills)), number)
            if trial.should_prune() or time.time() >= job.until + 60:
                raise optuna.TrialPruned

        walk(known, suggest(trial, job.settings), kind, _FOLDS, lambda *_: None, on_fold)
        return float(np.mean(skills))

    done = len(study.get_trials(deepcopy=False, states=_finished()))
    if done < job.trials and time.time() < job.until:
        study.optimize(objective, callbacks=[enough], catch=(ModelError,))


def _study(job: _Job) -> "optuna.Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    # A lock by open(O_EXCL): symbolic links need a privilege on Windows.
    lock = JournalFileOpenLock(str(job.journal))
    return optuna.create_study(
        study_name=job.name,
        storage=JournalStorage(JournalFileBackend(str(job.journal), lock_obj=lock)),
        sampler=optuna.samplers.TPESampler(seed=job.seed, constant_liar=True),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        direction="maximize",
        load_if_exists=True,
    )


def _finished() -> tuple["optuna.trial.TrialState", ...]:
    from optuna.trial import TrialState

    return TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL


def _result(study: "optuna.Study", settings: ModelSettings) -> SearchResult:
    from optuna.trial import TrialState

    by_state = {state: study.get_trials(deepcopy=False, states=(state,)) for state in _finished()}
    complete = by_state[TrialState.COMPLETE]
    if not complete:
        raise ModelError(
            f"no trial of the search succeeded ({len(by_state[TrialState.FAIL])} failed, "
            f"{len(by_state[TrialState.PRUNED])} pruned); give it more time or more data"
        )
    best = study.best_trial
    chosen = msgspec.structs.replace(settings, **best.params)
    assert best.value is not None
    return SearchResult(
        chosen, best.value, sum(map(len, by_state.values())), len(by_state[TrialState.PRUNED]),
        len(by_state[TrialState.FAIL]),
    )  # fmt: skip


def _hash(settings: ModelSettings) -> str:
    return hashlib.sha256(msgspec.json.encode(settings)).hexdigest()[:8]


def cores() -> int:
    """Workers by default: one per core."""
    return os.cpu_count() or 1
