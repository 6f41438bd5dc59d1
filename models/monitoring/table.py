"""The registry's models in the table `model`, for people and boards that ask in SQL.

The files are the truth. Writing the table again gives the same rows: times are the market's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from models.serving.card import ModelCard
from models.serving.registry import Registry

_COLUMNS = (
    "model",
    "name",
    "ts_init",
    "feature_set_hash",
    "run_id",
    "simulated",
    "metrics",
    "status",
    "data_hash",
    "dataset",
    "members",
    "environment",
    "horizon_s",
    "labels",
    "label_spreads",
    "member_weights",
    "data_version",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_models(client: Client, registry: Registry) -> int:
    """Write every registered model with its status; the number of rows.

    Raises:
        ModelError: a card is damaged.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    cards = registry.cards()
    store(client, cards, [promotion.sha256 for promotion in registry.history()])
    return len(cards)


def store(client: Client, cards: Sequence[ModelCard], promoted: Sequence[str]) -> None:
    """Cards as rows; `promoted`: hashes in the order in which they became champion.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    if cards:
        rows = [_row(card, promoted) for card in cards]
        with errors_translated():
            client.insert("model", rows, column_names=_COLUMNS)


def _row(card: ModelCard, promoted: Sequence[str]) -> list[object]:
    if promoted and card.sha256 == promoted[-1]:
        status = "champion"
    else:
        status = "retired" if card.sha256 in promoted else "candidate"
    metrics = {"model": card.metrics, "baseline": card.baseline}
    return [
        card.sha256,
        card.sha256[:12],
        _EPOCH + timedelta(microseconds=card.held_back.end_us),
        card.feature_set_hash,
        card.run_id,
        card.simulated,
        msgspec.json.encode(metrics).decode(),
        status,
        card.data_hash,
        card.dataset,
        [member.name for member in card.members],
        msgspec.json.encode(card.versions).decode(),
        card.settings.horizon_s,
        card.settings.labels,
        card.settings.label_spreads,
        [member.weight for member in card.members],
        _EPOCH + timedelta(microseconds=card.data.known_us if card.data else 0),
    ]
