"""The dataset that a model learnt from, read again as it was, whatever was corrected since."""

import tempfile
from pathlib import Path

import numpy as np
from clickhouse_connect.driver.client import Client

from core.errors import ModelError
from core.feature_set import unpacked
from features import own
from models.serving.card import ModelCard, Span
from models.training.dataset import Dataset, read_dataset
from models.training.own_rows import with_own_columns


def rebuilt(client: Client, card: ModelCard) -> Dataset:
    """Every value of it, compared with the card's hash.

    Raises:
        ModelError: the card names no data version, or the warehouse no longer gives these rows.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    data = card.data
    name = card.sha256[:12]
    if data is None:
        raise ModelError(f"model {name} is of before data versions were kept: train again")
    span = Span(data.start_us, data.end_us)
    dataset = _up_to(
        read_dataset(client, card.run_id, span, data.sources, data.known_us), data.last_us
    )
    with tempfile.TemporaryDirectory(prefix="tickhouse-") as scratch:
        features = own.of_folder(unpacked(card.own_features.encode(), Path(scratch)))
    dataset = with_own_columns(client, card.run_id, dataset, features, data.known_us)
    if dataset.data_hash() != card.data_hash:
        raise ModelError(
            f"the dataset of model {name} cannot be rebuilt: {len(dataset.rows)} rows of run"
            f" {card.run_id} are stored, and they or their ticks are others than those that it"
            " learnt from (retention, a warehouse that was restored from before, or ticks that a"
            " replay added, which are known from their market time on); restore a"
            " backup that has them: tickhouse restore"
        )
    return dataset


def _up_to(dataset: Dataset, last_us: int) -> Dataset:
    """Without rows that a run which goes on has added since."""
    kept = dataset.time_us <= last_us
    if kept.all():
        return dataset
    return dataset._replace(
        rows=np.ascontiguousarray(dataset.rows[kept]), time_us=dataset.time_us[kept],
        mid=dataset.mid[kept], spread=dataset.spread[kept], feed=dataset.feed[kept],
    )  # fmt: skip
