"""The registry as MLflow shows it: a mirror for people, never a source.

Files in <home>/models decide what runs, so that nothing on the way of a tick imports MLflow or
waits for its server. Without a server it is a SQLite file in the home. Who starts a process that
mirrors sets MLFLOW_DISABLE_TELEMETRY: a trading machine calls nobody.
"""

import warnings
from pathlib import Path
from typing import Any

from core.absent import DATA_FRAMES, absent
from core.errors import UnavailableError
from models.serving.card import ModelCard
from models.serving.registry import Registry

NAME = "tickhouse"  # the registered model
_HASH = "sha256"


class Tracking:
    """One MLflow registry.

    Raises:
        UnavailableError: MLflow is not installed, or its server or file cannot be used.
    """

    def __init__(self, home: Path, url: str) -> None:
        try:
            with absent(*DATA_FRAMES):
                from mlflow import MlflowClient
                from mlflow.exceptions import MlflowException
        except ImportError as error:
            raise UnavailableError("MLflow is not installed: extra `registry`") from error
        self._failed = MlflowException
        self.where = url or f"sqlite:///{home / 'mlflow.db'}"
        home.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings():  # of SQLAlchemy about MLflow's own use of it
                warnings.simplefilter("ignore")
                self._client = MlflowClient(tracking_uri=self.where, registry_uri=self.where)
                self._known = self._versions()
        except Exception as error:  # SQLAlchemy's, requests' and its own
            raise UnavailableError(f"MLflow at {self.where} does not answer: {error}") from error

    def mirror(self, registry: Registry) -> int:
        """Record every model that is not there yet, and both aliases; the number recorded.

        Raises:
            UnavailableError: MLflow does not answer.
        """
        try:
            new = [card for card in registry.cards() if card.sha256 not in self._known]
            for card in new:
                self._known[card.sha256] = self._record(card, registry.directory)
            history = registry.history()
            self._alias("champion", history[-1].sha256 if history else "")
            self._alias("challenger", registry.challenger())
        except self._failed as error:
            raise UnavailableError(f"MLflow at {self.where}: {error}") from error
        return len(new)

    def aliases(self) -> dict[str, str]:
        """Which model (SHA-256) each alias names."""
        by_version = {version: sha256 for sha256, version in self._known.items()}
        aliases = self._client.get_registered_model(NAME).aliases
        return {alias: by_version[str(version)] for alias, version in aliases.items()}

    def _versions(self) -> dict[str, str]:
        try:
            self._client.get_registered_model(NAME)
        except self._failed:
            self._client.create_registered_model(NAME)
        versions = self._client.search_model_versions(f"name='{NAME}'")
        return {v.tags[_HASH]: str(v.version) for v in versions if _HASH in v.tags}

    def _record(self, card: ModelCard, directory: Path) -> str:
        from mlflow.entities import Metric, Param, RunTag

        experiment = self._experiment()
        run = self._client.create_run(experiment, run_name=card.sha256[:12])
        # Together: each by itself is a transaction, and there are 55.
        metrics = [Metric(*one, run.info.start_time, 0) for one in _metrics(card).items()]
        params = [Param(n, str(getattr(card.settings, n))) for n in card.settings.__struct_fields__]
        tags = [RunTag(*one) for one in _tags(card).items()]
        self._client.log_batch(run.info.run_id, metrics, params, tags)
        self._client.set_terminated(run.info.run_id)
        version = self._client.create_model_version(
            NAME,
            source=str(directory / f"{card.sha256}.model"),
            run_id=run.info.run_id,
            tags=_tags(card),
        )
        return str(version.version)

    def _experiment(self) -> str:
        experiment: Any = self._client.get_experiment_by_name(NAME)
        return str(experiment.experiment_id if experiment else self._client.create_experiment(NAME))

    def _alias(self, alias: str, sha256: str) -> None:
        if sha256 in self._known:
            self._client.set_registered_model_alias(NAME, alias, self._known[sha256])
        else:
            self._client.delete_registered_model_alias(NAME, alias)


def _metrics(card: ModelCard) -> dict[str, float]:
    parts = {"": card.metrics, "baseline.": card.baseline}
    parts |= {f"{member.name}.": member.metrics for member in card.members}
    return {
        f"{prefix}{name}": value
        for prefix, metrics in parts.items()
        for name in metrics.__struct_fields__
        if (value := getattr(metrics, name)) is not None
    }


def _tags(card: ModelCard) -> dict[str, str]:
    return {
        _HASH: card.sha256,
        "feature_set_hash": card.feature_set_hash,
        "data_hash": card.data_hash,
        "dataset": card.dataset,
        "simulated": str(card.simulated).lower(),
        "members": ", ".join(f"{m.name} {m.weight:.3f}" for m in card.members),
        "environment": ", ".join(f"{n} {v}" for n, v in sorted(card.versions.items())),
    }
